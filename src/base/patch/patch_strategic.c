// SPDX-License-Identifier: Apache-2.0
// Strategic merge. The target is copied once and changed in place; elements of a list that is a set
// or has a merge key are found by a table of their texts, so the work grows with the sizes of
// target and patch and not with their product.
#include "base/patch/patch.h"
#include "base/error.h"
#include <string.h>

#define MAX_KEY_SHOWN 64 /* in a path; longer than the name of any field */

typedef struct {
  FerryMergeKeyFunc merge_key;
  gpointer data;
  GString *path;
} Strategy;

static json_t *merge_value(Strategy *s, json_t *target, const json_t *patch, GError **error);

/* A value as the text by which it is looked up: equal where json_equal says so. */
static char *patch_strategic_identity(const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
  char *copy = g_strdup(text ? text : "");
  free(text);
  return copy;
}

static GHashTable *patch_strategic_identities(const json_t *list) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) g_hash_table_add(out, patch_strategic_identity(item));
  return out;
}

static const char *shown_path(const Strategy *s) {
  return s->path->len ? s->path->str : "the patch";
}

static gboolean known_directive(const Strategy *s, const json_t *value, GError **error) {
  static const char *const known[] = {"delete", "replace", "merge", NULL};
  const json_t *directive = json_is_object(value) ? json_object_get(value, "$patch") : NULL;
  const char *text = json_string_value(directive);
  if (!directive || (text && g_strv_contains(known, text)))
    return TRUE;
  g_set_error(
      error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
      "%s: the directive $patch is \"%.64s\": expected \"delete\", \"replace\" or \"merge\"",
      shown_path(s), text ? text : "not a string");
  return FALSE;
}

/* Whether a list takes the place of what is there: the directive may stand anywhere in it. */
static gboolean patch_strategic_replaces(const json_t *patch) {
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)patch, i, item) {
    if (g_strcmp0(ferry_json_str(item, "$patch"), "replace") == 0)
      return TRUE;
  }
  return FALSE;
}

/* Adds what is not there yet. */
static json_t *merge_set(json_t *target, const json_t *patch) {
  g_autoptr(GHashTable) there = patch_strategic_identities(target);
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)patch, i, item) {
    if (g_hash_table_add(there, patch_strategic_identity(item)))
      json_array_append_new(target, json_deep_copy(item));
  }
  return json_incref(target);
}

/* A list that is merged by a key, as it is changed. */
typedef struct {
  json_t *list;
  GHashTable *places; /* identity of the key -> position + 1 */
  GHashTable *gone;   /* positions + 1 of deleted elements, which keep their place until the end */
} Keyed;

static void keyed_index(Keyed *k, const char *key) {
  gsize i;
  json_t *item;
  json_array_foreach(k->list, i, item) {
    const json_t *id = json_object_get(item, key);
    char *text = id ? patch_strategic_identity(id) : NULL;
    if (text && !g_hash_table_contains(k->places, text))
      g_hash_table_insert(k->places, text, GSIZE_TO_POINTER(i + 1));
    else
      g_free(text);
  }
}

static gboolean merge_element(Strategy *s, Keyed *k, const char *id, const json_t *item,
                              GError **error) {
  gsize place = GPOINTER_TO_SIZE(g_hash_table_lookup(k->places, id));
  if (g_strcmp0(ferry_json_str(item, "$patch"), "delete") == 0) {
    if (place)
      g_hash_table_add(k->gone, GSIZE_TO_POINTER(place));
    g_hash_table_remove(k->places, id);
    return TRUE;
  }
  json_t *merged = merge_value(s, place ? json_array_get(k->list, place - 1) : NULL, item, error);
  if (!merged)
    return FALSE;
  if (place) {
    json_array_set_new(k->list, place - 1, merged);
    return TRUE;
  }
  json_array_append_new(k->list, merged);
  g_hash_table_insert(k->places, g_strdup(id), GSIZE_TO_POINTER(json_array_size(k->list)));
  return TRUE;
}

static json_t *without_gone(const Keyed *k) {
  if (g_hash_table_size(k->gone) == 0)
    return json_incref(k->list);
  json_t *out = json_array();
  gsize i;
  json_t *item;
  json_array_foreach(k->list, i, item) {
    if (!g_hash_table_contains(k->gone, GSIZE_TO_POINTER(i + 1)))
      json_array_append(out, item);
  }
  return out;
}

static json_t *merge_keyed(Strategy *s, json_t *target, const json_t *patch, const char *key,
                           GError **error) {
  g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) gone = g_hash_table_new(NULL, NULL);
  Keyed k = {target, places, gone};
  keyed_index(&k, key);
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)patch, i, item) {
    if (!known_directive(s, item, error))
      return NULL;
    if (g_strcmp0(ferry_json_str(item, "$patch"), "replace") == 0)
      continue;
    const json_t *id = json_object_get(item, key);
    if (!id) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "the patch's element %zu of %s has no \"%s\", by which this list is merged", i,
                  shown_path(s), key);
      return NULL;
    }
    g_autofree char *text = patch_strategic_identity(id);
    if (!merge_element(s, &k, text, item, error))
      return NULL;
  }
  return without_gone(&k);
}

static json_t *merge_list(Strategy *s, json_t *target, const json_t *patch, GError **error) {
  const char *key = s->merge_key ? s->merge_key(s->path->str, s->data) : NULL;
  if (!key)
    return json_deep_copy(patch);
  g_autoptr(json_t) list = json_is_array(target) && !patch_strategic_replaces(patch)
                               ? json_deep_copy(target)
                               : json_array();
  return *key ? merge_keyed(s, list, patch, key, error) : merge_set(list, patch);
}

static void delete_from_primitives(json_t *out, const char *key, const json_t *values) {
  const json_t *list = json_object_get(out, key);
  if (!json_is_array(list))
    return;
  g_autoptr(GHashTable) unwanted = patch_strategic_identities(values);
  json_t *rest = json_array();
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    g_autofree char *text = patch_strategic_identity(item);
    if (!g_hash_table_contains(unwanted, text))
      json_array_append(rest, item);
  }
  json_object_set_new(out, key, rest);
}

static void retain_keys(json_t *out, const json_t *keys) {
  g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)keys, i, item) {
    if (json_is_string(item))
      g_hash_table_add(kept, (gpointer)json_string_value(item));
  }
  void *tmp;
  const char *key;
  json_t *value;
  json_object_foreach_safe(out, tmp, key, value) {
    if (!g_hash_table_contains(kept, key))
      json_object_del(out, key);
  }
}

static gboolean merge_member(Strategy *s, json_t *out, const char *key, const json_t *value,
                             GError **error) {
  static const char primitive[] = "$deleteFromPrimitiveList/";
  if (g_str_has_prefix(key, primitive)) {
    delete_from_primitives(out, key + strlen(primitive), value);
  } else if (g_str_equal(key, "$retainKeys")) {
    retain_keys(out, value);
  } else if (*key != '$') {
    if (json_is_null(value) || g_strcmp0(ferry_json_str(value, "$patch"), "delete") == 0) {
      json_object_del(out, key);
      return TRUE;
    }
    gsize mark = s->path->len;
    g_string_append_printf(s->path, "%s%.*s", mark ? "." : "", MAX_KEY_SHOWN, key);
    json_t *merged = merge_value(s, json_object_get(out, key), value, error);
    g_string_truncate(s->path, mark);
    if (!merged)
      return FALSE;
    json_object_set_new(out, key, merged);
  }
  return TRUE;
}

static json_t *merge_map(Strategy *s, json_t *target, const json_t *patch, GError **error) {
  const char *directive = ferry_json_str(patch, "$patch");
  if (!known_directive(s, patch, error))
    return NULL;
  if (g_strcmp0(directive, "delete") == 0)
    return json_object();
  g_autoptr(json_t) out = json_is_object(target) && g_strcmp0(directive, "replace") != 0
                              ? json_copy(target)
                              : json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    if (!merge_member(s, out, key, value, error))
      return NULL;
  }
  return g_steal_pointer(&out);
}

/* A new reference to what `patch` makes of `target`, which may be NULL and stays as it is: maps
 * that the patch names are copied, one level each, lists with a merge key whole, and the rest is
 * shared.
 */
static json_t *merge_value(Strategy *s, json_t *target, const json_t *patch, GError **error) {
  if (json_is_object(patch))
    return merge_map(s, target, patch, error);
  if (json_is_array(patch))
    return merge_list(s, target, patch, error);
  return json_deep_copy(patch);
}

json_t *ferry_patch_strategic(const json_t *target, const json_t *patch,
                              FerryMergeKeyFunc merge_key, gpointer data, GError **error) {
  if (!json_is_object(patch)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "a strategic merge patch must be a JSON object");
    return NULL;
  }
  g_autoptr(GString) path = g_string_new(NULL);
  Strategy s = {merge_key, data, path};
  return merge_value(&s, (json_t *)target, patch, error);
}
