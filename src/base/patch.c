// SPDX-License-Identifier: Apache-2.0
#include "base/patch.h"
#include "base/error.h"
#include <string.h>

#define MAX_OPERATIONS 1000

json_t *ferry_patch_merge(const json_t *target, const json_t *patch) {
  if (!json_is_object(patch))
    return json_deep_copy(patch);
  json_t *out = json_is_object(target) ? json_deep_copy(target) : json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    if (json_is_null(value))
      json_object_del(out, key);
    else
      json_object_set_new(out, key, ferry_patch_merge(json_object_get(out, key), value));
  }
  return out;
}

/* ---- RFC 6902 ---- */

static gboolean bad(GError **error, int code, const char *what, const char *pointer) {
  g_set_error(error, FERRY_ERROR, code, "the JSON patch cannot be applied: %s \"%s\"", what,
              pointer ? pointer : "");
  return FALSE;
}

static GStrv pointer_split(const char *pointer, GError **error) {
  if (!pointer || (*pointer && *pointer != '/')) {
    bad(error, FERRY_ERROR_BAD_REQUEST, "a pointer must be \"\" or begin with \"/\":", pointer);
    return NULL;
  }
  if (!*pointer)
    return g_new0(char *, 1);
  GStrv parts = g_strsplit(pointer + 1, "/", -1);
  for (guint i = 0; parts[i]; i++) {
    char *out = parts[i];
    for (const char *in = parts[i]; *in; in++) {
      if (in[0] == '~' && (in[1] == '0' || in[1] == '1'))
        *out++ = *++in == '0' ? '~' : '/';
      else
        *out++ = *in;
    }
    *out = '\0';
  }
  return parts;
}

/* The position in a list; `end` allows one past the last ("-" too). -1: not a position. */
static gssize list_index(const json_t *list, const char *token, gboolean end) {
  gsize size = json_array_size(list);
  if (end && g_str_equal(token, "-"))
    return (gssize)size;
  guint64 i;
  if (!g_ascii_string_to_unsigned(token, 10, 0, size, &i, NULL) || (!end && i == size) ||
      (token[0] == '0' && token[1]))
    return -1;
  return (gssize)i;
}

static json_t *step(json_t *at, const char *token) {
  if (json_is_object(at))
    return json_object_get(at, token);
  gssize i = json_is_array(at) ? list_index(at, token, FALSE) : -1;
  return i < 0 ? NULL : json_array_get(at, (gsize)i);
}

static json_t *resolve(json_t *document, char *const *parts, guint n) {
  for (guint i = 0; document && i < n; i++)
    document = step(document, parts[i]);
  return document;
}

static gboolean remove_at(json_t **document, const char *pointer, GError **error) {
  g_auto(GStrv) parts = pointer_split(pointer, error);
  if (!parts)
    return FALSE;
  guint n = g_strv_length(parts);
  if (n == 0)
    return bad(error, FERRY_ERROR_INVALID, "the whole document cannot be removed", "");
  json_t *parent = resolve(*document, parts, n - 1);
  if (!parent || !step(parent, parts[n - 1]))
    return bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  if (json_is_object(parent))
    json_object_del(parent, parts[n - 1]);
  else
    json_array_remove(parent, (gsize)list_index(parent, parts[n - 1], FALSE));
  return TRUE;
}

/* Takes `value`. */
static gboolean add_at(json_t **document, const char *pointer, json_t *value, gboolean replace,
                       GError **error) {
  g_autoptr(json_t) owned = value;
  g_auto(GStrv) parts = pointer_split(pointer, error);
  if (!parts)
    return FALSE;
  guint n = g_strv_length(parts);
  if (n == 0) {
    json_decref(*document);
    *document = g_steal_pointer(&owned);
    return TRUE;
  }
  json_t *parent = resolve(*document, parts, n - 1);
  const char *last = parts[n - 1];
  if (!parent || (replace && !step(parent, last)))
    return bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  if (json_is_object(parent)) {
    json_object_set(parent, last, owned);
    return TRUE;
  }
  gssize i = json_is_array(parent) ? list_index(parent, last, !replace) : -1;
  if (i < 0)
    return bad(error, FERRY_ERROR_INVALID, "no such place:", pointer);
  if (replace)
    json_array_set(parent, (gsize)i, owned);
  else
    json_array_insert(parent, (gsize)i, owned);
  return TRUE;
}

static json_t *value_at(json_t *document, const char *pointer, GError **error) {
  g_auto(GStrv) parts = pointer_split(pointer, error);
  if (!parts)
    return NULL;
  json_t *value = resolve(document, parts, g_strv_length(parts));
  if (!value)
    bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  return value;
}

static gboolean apply_operation(json_t **document, const json_t *op, GError **error) {
  const char *name = ferry_json_str(op, "op"), *path = ferry_json_str(op, "path"),
             *from = ferry_json_str(op, "from");
  json_t *value = json_object_get(op, "value");
  if (!name || !path)
    return bad(error, FERRY_ERROR_BAD_REQUEST, "each operation needs \"op\" and \"path\"", "");
  gboolean needs_value =
      g_str_equal(name, "add") || g_str_equal(name, "replace") || g_str_equal(name, "test");
  gboolean needs_from = g_str_equal(name, "move") || g_str_equal(name, "copy");
  if (needs_value && !value)
    return bad(error, FERRY_ERROR_BAD_REQUEST, "\"value\" is missing for", path);
  if (needs_from && !from)
    return bad(error, FERRY_ERROR_BAD_REQUEST, "\"from\" is missing for", path);
  if (g_str_equal(name, "remove"))
    return remove_at(document, path, error);
  if (g_str_equal(name, "test")) {
    json_t *there = value_at(*document, path, error);
    if (!there)
      return FALSE;
    return json_equal(there, value) ||
           bad(error, FERRY_ERROR_INVALID, "the test does not hold at", path);
  }
  if (needs_value)
    return add_at(document, path, json_deep_copy(value), g_str_equal(name, "replace"), error);
  if (needs_from) {
    json_t *source = value_at(*document, from, error);
    if (!source)
      return FALSE;
    g_autoptr(json_t) copy = json_deep_copy(source);
    if (g_str_equal(name, "move")) {
      gsize n = strlen(from);
      if (strncmp(path, from, n) == 0 && path[n] == '/')
        return bad(error, FERRY_ERROR_INVALID, "cannot move a value into itself:", path);
      if (!remove_at(document, from, error))
        return FALSE;
    }
    return add_at(document, path, g_steal_pointer(&copy), FALSE, error);
  }
  return bad(error, FERRY_ERROR_BAD_REQUEST, "unknown operation", name);
}

json_t *ferry_patch_json(const json_t *target, const json_t *patch, GError **error) {
  if (!json_is_array(patch) || json_array_size(patch) > MAX_OPERATIONS) {
    bad(error, FERRY_ERROR_BAD_REQUEST, "it must be a list of at most 1000 operations", "");
    return NULL;
  }
  g_autoptr(json_t) document = json_deep_copy(target);
  gsize i;
  json_t *op;
  json_array_foreach((json_t *)patch, i, op) {
    if (!apply_operation(&document, op, error))
      return NULL;
  }
  return g_steal_pointer(&document);
}

/* ---- strategic merge ---- */

typedef struct {
  FerryMergeKeyFunc merge_key;
  gpointer data;
} Strategy;

static json_t *merge_value(const Strategy *s, const char *path, const json_t *target,
                           const json_t *patch, GError **error);

static gboolean contains(const json_t *list, const json_t *value) {
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    if (json_equal(item, value))
      return TRUE;
  }
  return FALSE;
}

static gboolean known_directive(const json_t *value, const char *path, GError **error) {
  static const char *const known[] = {"delete", "replace", "merge", NULL};
  const json_t *directive = json_is_object(value) ? json_object_get(value, "$patch") : NULL;
  const char *text = json_string_value(directive);
  if (!directive || (text && g_strv_contains(known, text)))
    return TRUE;
  g_set_error(
      error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
      "%s: the directive $patch is \"%.64s\": expected \"delete\", \"replace\" or \"merge\"",
      *path ? path : "the patch", text ? text : "not a string");
  return FALSE;
}

/* Whether a list takes the place of what is there: the directive may stand anywhere in it. */
static gboolean replaces(const json_t *patch) {
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)patch, i, item) {
    if (g_strcmp0(ferry_json_str(item, "$patch"), "replace") == 0)
      return TRUE;
  }
  return FALSE;
}

static json_t *merge_list(const Strategy *s, const char *path, const json_t *target,
                          const json_t *patch, GError **error) {
  const char *key = s->merge_key ? s->merge_key(path, s->data) : NULL;
  if (!key)
    return json_deep_copy(patch);
  g_autoptr(json_t) out =
      json_is_array(target) && !replaces(patch) ? json_deep_copy(target) : json_array();
  gsize i;
  json_t *item;
  if (!*key) {
    json_array_foreach((json_t *)patch, i, item) {
      if (!contains(out, item))
        json_array_append_new(out, json_deep_copy(item));
    }
    return g_steal_pointer(&out);
  }
  json_array_foreach((json_t *)patch, i, item) {
    const char *directive = ferry_json_str(item, "$patch");
    if (!known_directive(item, path, error))
      return NULL;
    if (g_strcmp0(directive, "replace") == 0)
      continue;
    const json_t *id = json_object_get(item, key);
    if (!id) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "the patch's element %zu of %s has no \"%s\", by which this list is merged", i,
                  path, key);
      return NULL;
    }
    gsize at;
    json_t *there;
    gboolean found = FALSE;
    json_array_foreach(out, at, there) {
      if (json_equal(json_object_get(there, key), id)) {
        found = TRUE;
        break;
      }
    }
    if (g_strcmp0(directive, "delete") == 0) {
      if (found)
        json_array_remove(out, at);
      continue;
    }
    json_t *merged = merge_value(s, path, found ? there : NULL, item, error);
    if (!merged)
      return NULL;
    if (found)
      json_array_set_new(out, at, merged);
    else
      json_array_append_new(out, merged);
  }
  return g_steal_pointer(&out);
}

static void delete_from_primitives(json_t *out, const char *key, const json_t *values) {
  json_t *list = json_object_get(out, key);
  for (gsize i = json_array_size(list); i-- > 0;)
    if (contains(values, json_array_get(list, i)))
      json_array_remove(list, i);
}

static void retain_keys(json_t *out, const json_t *keys) {
  void *tmp;
  const char *key;
  json_t *value;
  json_object_foreach_safe(out, tmp, key, value) {
    g_autoptr(json_t) name = json_string(key);
    if (!contains(keys, name))
      json_object_del(out, key);
  }
}

static json_t *merge_map(const Strategy *s, const char *path, const json_t *target,
                         const json_t *patch, GError **error) {
  const char *directive = ferry_json_str(patch, "$patch");
  if (!known_directive(patch, path, error))
    return NULL;
  g_autoptr(json_t) out = json_is_object(target) && g_strcmp0(directive, "replace") != 0
                              ? json_deep_copy(target)
                              : json_object();
  if (g_strcmp0(directive, "delete") == 0)
    return json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    static const char primitive[] = "$deleteFromPrimitiveList/";
    if (g_str_has_prefix(key, primitive)) {
      delete_from_primitives(out, key + strlen(primitive), value);
    } else if (g_str_equal(key, "$retainKeys")) {
      retain_keys(out, value);
    } else if (*key != '$') {
      if (json_is_null(value) || g_strcmp0(ferry_json_str(value, "$patch"), "delete") == 0) {
        json_object_del(out, key);
        continue;
      }
      g_autofree char *child = *path ? g_strconcat(path, ".", key, NULL) : g_strdup(key);
      json_t *merged = merge_value(s, child, json_object_get(out, key), value, error);
      if (!merged)
        return NULL;
      json_object_set_new(out, key, merged);
    }
  }
  return g_steal_pointer(&out);
}

static json_t *merge_value(const Strategy *s, const char *path, const json_t *target,
                           const json_t *patch, GError **error) {
  if (json_is_object(patch))
    return merge_map(s, path, target, patch, error);
  if (json_is_array(patch))
    return merge_list(s, path, target, patch, error);
  return json_deep_copy(patch);
}

json_t *ferry_patch_strategic(const json_t *target, const json_t *patch,
                              FerryMergeKeyFunc merge_key, gpointer data, GError **error) {
  if (!json_is_object(patch)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "a strategic merge patch must be a JSON object");
    return NULL;
  }
  Strategy s = {merge_key, data};
  return merge_value(&s, "", target, patch, error);
}
