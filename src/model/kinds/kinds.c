// SPDX-License-Identifier: Apache-2.0
// The registry of kinds, which comes from `kinds` in meson.build (FERRY_KINDS), and the ways to
// look one up. All of it is constant data: any thread.
#include "model/kinds/kind.h"
#include <string.h>

#define KIND(name) extern const FerryKind ferry_kind_##name;
FERRY_KINDS
#undef KIND

#define KIND(name) &ferry_kind_##name,
static const FerryKind *const kinds[] = {FERRY_KINDS};

const FerryKind *const *ferry_kinds(gsize *n) {
  if (n)
    *n = G_N_ELEMENTS(kinds);
  return kinds;
}

const FerryKind *ferry_kind_by_plural(const char *group, const char *version, const char *plural) {
  if (!group || !plural)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (g_str_equal(kinds[i]->plural, plural) && g_str_equal(kinds[i]->group, group) &&
        (!version || g_str_equal(kinds[i]->version, version)))
      return kinds[i];
  return NULL;
}

gboolean ferry_kind_alias(const FerryKind *kind, gsize i, FerryKind *alias) {
  gsize n = kind->kind_aliases ? g_strv_length((char **)kind->kind_aliases) : 0;
  if (i >= n)
    return FALSE;
  g_autofree char *singular = g_strdup_printf("%salias", kind->singular);
  g_autofree char *plural = g_strdup_printf("%saliases", kind->singular);
  *alias = *kind;
  alias->kind = kind->kind_aliases[i];
  alias->singular = g_intern_string(singular);
  alias->plural = g_intern_string(plural);
  alias->short_names = alias->categories = alias->kind_aliases = NULL;
  return TRUE;
}

json_t *ferry_kind_view(const char *alias, json_t *object) {
  if (!alias)
    return json_incref(object);
  json_t *view = json_copy(object);
  json_object_set_new(view, "kind", json_string(alias));
  return view;
}

char *ferry_kind_api_version(const FerryKind *kind) {
  return *kind->group ? g_strdup_printf("%s/%s", kind->group, kind->version)
                      : g_strdup(kind->version);
}

/* Whether `api_version` is the kind's, without making a string. */
static gboolean has_api_version(const FerryKind *kind, const char *api_version) {
  const char *slash = strchr(api_version, '/');
  gsize group_len = slash ? (gsize)(slash - api_version) : 0;
  return strlen(kind->group) == group_len && strncmp(kind->group, api_version, group_len) == 0 &&
         g_str_equal(kind->version, slash ? slash + 1 : api_version);
}

static gboolean is_listed(const char *const *list, const char *word) {
  return list && g_strv_contains(list, word);
}

const FerryKind *ferry_kind_by_gvk(const char *api_version, const char *kind) {
  if (!api_version || !kind)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
    if ((g_str_equal(kinds[i]->kind, kind) || is_listed(kinds[i]->kind_aliases, kind)) &&
        has_api_version(kinds[i], api_version))
      return kinds[i];
  return NULL;
}

static gboolean is_called(const FerryKind *kind, const char *word) {
  if (g_str_equal(kind->plural, word) || g_str_equal(kind->singular, word) ||
      is_listed(kind->short_names, word))
    return TRUE;
  g_autofree char *lower = g_ascii_strdown(kind->kind, -1);
  if (g_str_equal(lower, word))
    return TRUE;
  /* plural.group, and plural.version.group as kubectl takes it */
  g_autofree char *with_group = g_strdup_printf("%s.%s", kind->plural, kind->group);
  g_autofree char *with_version =
      g_strdup_printf("%s.%s.%s", kind->plural, kind->version, kind->group);
  return *kind->group && (g_str_equal(with_group, word) || g_str_equal(with_version, word));
}

const FerryKind *ferry_kind_by_word(const char *word) {
  if (!word)
    return NULL;
  g_autofree char *lower = g_ascii_strdown(word, -1);
  const FerryKind *found = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (!is_called(kinds[i], lower))
      continue;
    if (found)
      return NULL;
    found = kinds[i];
  }
  return found;
}
