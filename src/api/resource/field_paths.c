// SPDX-License-Identifier: Apache-2.0
// Paths of fields as server-side apply owns them: the steps of Kubernetes' FieldsV1 ("f:spec",
// "f:maxDowntimeMs", "k:{\"type\":\"Ready\"}", "v:x") joined by a byte that JSON text can't hold
// unescaped. Lists without a merge key are leaves as a whole.
#include "api/resource/field_paths.h"
#include "api/resource/apply.h"

#include <string.h>

#define SEP FERRY_FIELD_PATH_SEP

/* What is never owned: identity and what the server writes. */
static gboolean skipped(const char *path) {
  static const char *const exact[] = {"apiVersion", "kind", "status", NULL};
  static const char *const meta[] = {"name",
                                     "namespace",
                                     "uid",
                                     "resourceVersion",
                                     "generation",
                                     "selfLink",
                                     "creationTimestamp",
                                     "generateName",
                                     "deletionTimestamp",
                                     "managedFields",
                                     "deletionGracePeriodSeconds",
                                     NULL};
  if (g_str_has_prefix(path, "metadata."))
    return g_strv_contains(meta, path + 9);
  return g_strv_contains(exact, path);
}

static char *join(const char *prefix, const char *step) {
  return *prefix ? g_strconcat(prefix, SEP, step, NULL) : g_strdup(step);
}

/* Adds the leaf paths of `value` to `out` (path -> the value, borrowed). `path` is the schema path,
 * `prefix` the ownership path. */
static void leaves(const FerryKind *kind, const json_t *value, const char *path, const char *prefix,
                   GHashTable *out) {
  const char *merge = json_is_array(value) ? ferry_kind_merge_key(path, (gpointer)kind) : NULL;
  if (json_is_object(value) && (json_object_size(value) > 0 || !*prefix)) {
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)value, key, child) {
      g_autofree char *sub = *path ? g_strdup_printf("%s.%s", path, key) : g_strdup(key);
      if (skipped(sub))
        continue;
      g_autofree char *step = g_strconcat("f:", key, NULL);
      g_autofree char *next = join(prefix, step);
      leaves(kind, child, sub, next, out);
    }
  } else if (merge) {
    for (gsize i = 0; i < json_array_size(value); i++) {
      json_t *item = json_array_get(value, i);
      json_t *id = *merge ? json_object_get(item, merge) : item;
      g_autoptr(json_t) key = *merge ? json_pack("{s:O?}", merge, id) : json_incref(id);
      char *text = json_dumps(key, JSON_ENCODE_ANY | JSON_COMPACT);
      g_autofree char *step = g_strconcat(*merge ? "k:" : "v:", text, NULL);
      g_autofree char *next = join(prefix, step);
      free(text);
      if (*merge)
        leaves(kind, item, path, next, out);
      else
        g_hash_table_insert(out, g_steal_pointer(&next), item);
    }
  } else {
    g_hash_table_insert(out, g_strdup(prefix), (gpointer)value);
  }
}

GHashTable *ferry_field_paths_of(const FerryKind *kind, const json_t *object, gboolean of_status) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  json_t *status = json_object_get(object, "status");
  if (!of_status && object)
    leaves(kind, object, "", "", out);
  else if (of_status && status)
    leaves(kind, status, "status", "f:status", out);
  return out;
}

static void from_fields(const json_t *fields, const char *prefix, GHashTable *out) {
  const char *key;
  json_t *child;
  if (json_object_size(fields) == 0 && *prefix)
    g_hash_table_add(out, g_strdup(prefix));
  json_object_foreach((json_t *)fields, key, child) {
    if (g_str_equal(key, "."))
      continue;
    g_autofree char *next = join(prefix, key);
    from_fields(child, next, out);
  }
}

GHashTable *ferry_field_paths_read(const json_t *fields) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  from_fields(fields, "", out);
  return out;
}

json_t *ferry_field_paths_write(GHashTable *paths) {
  json_t *root = json_object();
  GList *keys = g_list_sort(g_hash_table_get_keys(paths), (GCompareFunc)strcmp);
  for (GList *l = keys; l; l = l->next) {
    g_auto(GStrv) steps = g_strsplit(l->data, SEP, -1);
    json_t *level = root;
    for (gsize i = 0; steps[i]; i++) {
      json_t *next = json_object_get(level, steps[i]);
      if (!next)
        json_object_set_new(level, steps[i], next = json_object());
      level = next;
    }
  }
  g_list_free(keys);
  return root;
}

/* ---- removal ---- */

static char *join_steps(char *const *steps, guint n) {
  g_autoptr(GString) out = g_string_new(steps[0]);
  for (guint i = 1; i < n; i++)
    g_string_append_printf(out, SEP "%s", steps[i]);
  return g_strdup(out->str);
}

/* The paths and all above them. */
static GHashTable *with_parents(GHashTable *paths) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, paths);
  while (g_hash_table_iter_next(&iter, &path, NULL)) {
    const char *end = (const char *)path + strlen(path);
    for (; end; end = g_strrstr_len(path, end - (const char *)path, SEP))
      g_hash_table_add(out, g_strndup(path, (gsize)(end - (const char *)path)));
  }
  return out;
}

/* Whether the element that "k:..." names is known by the field that "f:..." names. */
static gboolean is_key(const char *element, const char *field) {
  g_autoptr(json_t) id = json_loads(element + 2, JSON_DECODE_ANY, NULL);
  return json_object_get(id, field + 2) != NULL;
}

/* Whether `item` is the element that a step "k:..." or "v:..." names. */
static gboolean is_element(const json_t *item, const char *step) {
  g_autoptr(json_t) id = json_loads(step + 2, JSON_DECODE_ANY, NULL);
  if (*step == 'v')
    return json_equal(item, id);
  const char *key = json_object_iter_key(json_object_iter(id));
  return key && json_equal(json_object_get(item, key), json_object_get(id, key));
}

/* The child at a step, borrowed, or NULL; `*index` where it is an element. */
static json_t *child_at(json_t *value, const char *step, gsize *index) {
  if (*step == 'f')
    return json_object_get(value, step + 2);
  for (*index = 0; *index < json_array_size(value); ++*index)
    if (is_element(json_array_get(value, *index), step))
      return json_array_get(value, *index);
  return NULL;
}

/* How much of a path is to go: an element that nobody has any part in goes as a whole, whatever
 * else is in it; one that stays keeps the field that it is known by. 0: nothing. */
static guint steps_to_go(char *const *steps, GHashTable *stays) {
  guint n = g_strv_length((char **)steps);
  for (guint i = 0; i < n; i++) {
    g_autofree char *element = *steps[i] == 'k' ? join_steps(steps, i + 1) : NULL;
    if (element && !g_hash_table_contains(stays, element))
      return i + 1;
    if (element && i + 2 == n && is_key(steps[i], steps[i + 1]))
      return 0;
  }
  return n;
}

/* Removes the value at a path, and what becomes empty by that and is nobody's. */
static void remove_one(json_t *object, const char *path, GHashTable *stays) {
  g_auto(GStrv) steps = g_strsplit(path, SEP, -1);
  guint last = steps_to_go(steps, stays);
  for (guint n = last; n > 0; n--) {
    gsize index = 0;
    json_t *parent = object;
    for (guint i = 0; parent && i + 1 < n; i++)
      parent = child_at(parent, steps[i], &index);
    json_t *child = parent ? child_at(parent, steps[n - 1], &index) : NULL;
    g_autofree char *here = join_steps(steps, n);
    /* A map that was applied as an empty one: what others put into it is not ours to remove. */
    gboolean full = json_object_size(child) > 0 && (n < last || *steps[n - 1] == 'f');
    if (!child || full || (n < last && json_array_size(child) > 0) ||
        g_hash_table_contains(stays, here))
      return;
    if (*steps[n - 1] == 'f')
      json_object_del(parent, steps[n - 1] + 2);
    else
      json_array_remove(parent, index);
  }
}

void ferry_field_paths_remove(json_t *object, GHashTable *gone, GHashTable *kept) {
  g_autoptr(GHashTable) stays = with_parents(kept);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, gone);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    if (!g_hash_table_contains(stays, path))
      remove_one(object, path, stays);
}
