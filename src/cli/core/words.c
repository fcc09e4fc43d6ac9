// SPDX-License-Identifier: Apache-2.0
#include "cli/core/words.h"
#include <string.h>

static const struct {
  const char *word, *words, *said;
  const FerryKind *kind;
} spoken[] = {
    {"host", "hosts", "host", &ferry_kind_node},
    {"vm", "vms", "VM", &ferry_kind_vmi},
    {"migration", "migrations", "migration", &ferry_kind_vmim},
    {"policy", "policies", "policy", &ferry_kind_migration_policy},
};

const FerryKind *ferry_words_kind(const char *word) {
  for (gsize i = 0; i < G_N_ELEMENTS(spoken); i++)
    if (g_ascii_strcasecmp(word, spoken[i].word) == 0 ||
        g_ascii_strcasecmp(word, spoken[i].words) == 0)
      return spoken[i].kind;
  return NULL;
}

const char *ferry_words_nth(gsize i) {
  return i < G_N_ELEMENTS(spoken) ? spoken[i].word : NULL;
}

const char *ferry_words_said(const char *group, const char *kind) {
  for (gsize i = 0; kind && i < G_N_ELEMENTS(spoken); i++) {
    const FerryKind *k = spoken[i].kind;
    if (g_str_equal(group ? group : "", k->group) &&
        (g_str_equal(kind, k->kind) || g_str_equal(kind, k->plural)))
      return spoken[i].said;
  }
  return NULL;
}
