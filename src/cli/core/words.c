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

/* Whether `token` names the kind as a Status does: kind or plural, with the group if it has one. */
static gboolean names_kind(const FerryKind *kind, const char *token) {
  const char *names[] = {kind->kind, kind->plural};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    gsize len = strlen(names[i]);
    if (g_str_has_prefix(token, names[i]) &&
        (*kind->group ? token[len] == '.' && g_str_equal(token + len + 1, kind->group)
                      : token[len] == '\0'))
      return TRUE;
  }
  return FALSE;
}

char *ferry_words_message(const char *message) {
  static const char invalid[] = "*\" is invalid: ";
  const char *space = strchr(message, ' ');
  if (!space || space[1] != '"')
    return g_strdup(message);
  g_autofree char *token = g_strndup(message, (gsize)(space - message));
  for (gsize i = 0; i < G_N_ELEMENTS(spoken); i++) {
    if (!names_kind(spoken[i].kind, token))
      continue;
    const char *end = strchr(space + 2, '"');
    const char *made = end ? strstr(end - 1, invalid) : NULL;
    if (made && made == end - 1)
      return g_strdup_printf("the %s is refused: %s", spoken[i].said, made + strlen(invalid));
    return g_strconcat(spoken[i].said, space, NULL);
  }
  return g_strdup(message);
}
