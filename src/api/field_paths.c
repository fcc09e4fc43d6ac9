// SPDX-License-Identifier: Apache-2.0
// Paths of fields as server-side apply owns them: the steps of Kubernetes' FieldsV1 ("f:spec",
// "f:maxDowntimeMs", "k:{\"type\":\"Ready\"}", "v:x") joined by a byte that JSON text can't hold
// unescaped. Lists without a merge key are leaves as a whole.
#include "api/field_paths.h"
#include "api/apply.h"

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

static void remove_steps(json_t *value, char *const *steps) {
  if (!steps[0])
    return;
  if (json_is_array(value)) {
    for (gsize i = 0; i < json_array_size(value); i++) {
      json_t *item = json_array_get(value, i);
      g_autoptr(json_t) id = json_loads(steps[0] + 2, JSON_DECODE_ANY, NULL);
      const char *key = json_is_object(id) && steps[0][0] == 'k'
                            ? json_object_iter_key(json_object_iter(id))
                            : NULL;
      gboolean hit = key ? json_equal(json_object_get(item, key), json_object_get(id, key))
                         : json_equal(item, id);
      if (!hit)
        continue;
      if (steps[1])
        remove_steps(item, steps + 1);
      if (!steps[1] || json_object_size(item) == 0)
        json_array_remove(value, i);
      return;
    }
    return;
  }
  const char *key = steps[0][0] == 'f' ? steps[0] + 2 : NULL;
  json_t *child = key ? json_object_get(value, key) : NULL;
  if (!child)
    return;
  if (steps[1])
    remove_steps(child, steps + 1);
  if (!steps[1] || (json_is_object(child) && json_object_size(child) == 0))
    json_object_del(value, key);
}

void ferry_field_path_remove(json_t *object, const char *path) {
  g_auto(GStrv) steps = g_strsplit(path, SEP, -1);
  remove_steps(object, steps);
}
