// SPDX-License-Identifier: Apache-2.0
#include "cli/core/words.h"
#include <string.h>

static const struct {
  const char *word, *words, *said;
  const FerryKind *kind;
} spoken_words[] = {
    {"host", "hosts", "host", &ferry_kind_node},
    {"vm", "vms", "VM", &ferry_kind_vmi},
    {"migration", "migrations", "migration", &ferry_kind_vmim},
    {"policy", "policies", "policy", &ferry_kind_migration_policy},
};

const FerryKind *ferry_words_kind(const char *word) {
  for (gsize i = 0; i < G_N_ELEMENTS(spoken_words); i++)
    if (g_ascii_strcasecmp(word, spoken_words[i].word) == 0 ||
        g_ascii_strcasecmp(word, spoken_words[i].words) == 0)
      return spoken_words[i].kind;
  return NULL;
}

const char *ferry_words_nth(gsize i) {
  return i < G_N_ELEMENTS(spoken_words) ? spoken_words[i].word : NULL;
}

const char *ferry_words_said(const char *group, const char *kind) {
  for (gsize i = 0; kind && i < G_N_ELEMENTS(spoken_words); i++) {
    const FerryKind *k = spoken_words[i].kind;
    if (g_str_equal(group ? group : "", k->group) &&
        (g_str_equal(kind, k->kind) || g_str_equal(kind, k->plural)))
      return spoken_words[i].said;
  }
  return NULL;
}
