// SPDX-License-Identifier: Apache-2.0
// The registry of kinds, which comes from `kinds` in meson.build (FERRY_KINDS), and the ways to
// look one up. All of it is constant data: any thread.
#include "model/kinds/kind.h"
#include <string.h>

#define KIND(name) extern const FerryKind ferry_kind_##name;
FERRY_KINDS
#undef KIND

#define KIND(name) &ferry_kind_##name,
static const FerryKind *const all_kinds[] = {FERRY_KINDS};

const FerryKind *const *ferry_kinds(gsize *n) {
  if (n)
    *n = G_N_ELEMENTS(all_kinds);
  return all_kinds;
}

const FerryKind *ferry_kind_by_plural(const char *group, const char *version, const char *plural) {
  if (!group || !plural)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(all_kinds); i++)
    if (g_str_equal(all_kinds[i]->plural, plural) && g_str_equal(all_kinds[i]->group, group) &&
        (!version || g_str_equal(all_kinds[i]->version, version)))
      return all_kinds[i];
  return NULL;
}

static FerryKind *new_alias(const FerryKind *kind) {
  FerryKind *alias = g_memdup2(kind, sizeof *kind);
  alias->kind_aliases = alias->version_aliases = NULL;
  alias->alias_of = kind;
  return alias;
}

static void add_aliases(GPtrArray *all, const FerryKind *kind) {
  for (gsize i = 0; kind->kind_aliases && kind->kind_aliases[i]; i++) {
    FerryKind *alias = new_alias(kind);
    alias->kind = kind->kind_aliases[i];
    alias->singular = g_strdup_printf("%salias", kind->singular);
    alias->plural = g_strdup_printf("%saliases", kind->singular);
    alias->short_names = alias->categories = NULL;
    g_ptr_array_add(all, alias);
  }
  for (gsize i = 0; kind->version_aliases && kind->version_aliases[i]; i++) {
    FerryKind *alias = new_alias(kind);
    alias->version = kind->version_aliases[i];
    g_ptr_array_add(all, alias);
  }
}

const FerryKind *const *ferry_kinds_served(gsize *n) {
  static GPtrArray *all;
  if (g_once_init_enter(&all)) {
    GPtrArray *made = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(all_kinds); i++) {
      g_ptr_array_add(made, (gpointer)all_kinds[i]);
      add_aliases(made, all_kinds[i]);
    }
    g_once_init_leave(&all, made);
  }
  *n = all->len;
  return (const FerryKind *const *)all->pdata;
}

const FerryKind *ferry_kind_stored(const FerryKind *kind) {
  return kind->made_of ? kind->made_of : kind;
}

json_t *ferry_kind_view(const FerryKind *alias, json_t *object) {
  if (!alias)
    return json_incref(object);
  json_t *view = json_copy(object);
  g_autofree char *version = ferry_kind_api_version(alias);
  json_object_set_new(view, "apiVersion", json_string(version));
  json_object_set_new(view, "kind", json_string(alias->kind));
  return view;
}

char *ferry_kind_api_version(const FerryKind *kind) {
  return *kind->group ? g_strdup_printf("%s/%s", kind->group, kind->version)
                      : g_strdup(kind->version);
}

static gboolean is_listed(const char *const *list, const char *word) {
  return list && g_strv_contains(list, word);
}

gboolean ferry_kind_has_api_version(const FerryKind *kind, const char *api_version) {
  const char *slash = strchr(api_version, '/');
  gsize group_len = slash ? (gsize)(slash - api_version) : 0;
  const char *version = slash ? slash + 1 : api_version;
  return strlen(kind->group) == group_len && strncmp(kind->group, api_version, group_len) == 0 &&
         (g_str_equal(kind->version, version) || is_listed(kind->version_aliases, version));
}

const FerryKind *ferry_kind_by_gvk(const char *api_version, const char *kind) {
  if (!api_version || !kind)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(all_kinds); i++)
    if ((g_str_equal(all_kinds[i]->kind, kind) || is_listed(all_kinds[i]->kind_aliases, kind)) &&
        ferry_kind_has_api_version(all_kinds[i], api_version))
      return all_kinds[i];
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
  for (gsize i = 0; i < G_N_ELEMENTS(all_kinds); i++) {
    if (!is_called(all_kinds[i], lower))
      continue;
    if (found)
      return NULL;
    found = all_kinds[i];
  }
  return found;
}

const char *ferry_kind_merge_key(const char *path, gpointer data) {
  const FerryKind *kind = data;
  if (g_str_equal(path, "metadata.ownerReferences"))
    return "uid";
  if (g_str_equal(path, "metadata.finalizers"))
    return "";
  g_auto(GStrv) steps = g_strsplit(path, ".", 32);
  const FerryField *level = kind->fields, *field = NULL;
  for (gsize i = 0; steps[i]; i++) {
    field = NULL;
    for (const FerryField *f = level; f && f->name && !field; f++)
      if (g_str_equal(f->name, steps[i]))
        field = f;
    if (!field)
      return NULL;
    level = field->fields;
  }
  if (!field || field->type != FERRY_TYPE_LIST)
    return NULL;
  return field->merge_key ? field->merge_key : field->flags & FERRY_FIELD_SET ? "" : NULL;
}
