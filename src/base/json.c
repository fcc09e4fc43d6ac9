// SPDX-License-Identifier: Apache-2.0
// JSON as Ferry reads and writes it, over jansson.
//
// Theory of operation: what comes from outside is measured before it is parsed. A path names
// members with dots. Objects of the store are shared and never changed: whoever changes one has a
// copy of its top (json_copy), and each level below is copied when something in it is set
// (ferry_json_set, ferry_json_own), so that a write costs what it changes.
#include "base/json.h"
#include "base/error.h"
#include <string.h>

/* jansson recurses while it parses, so depth is checked on the text before, and the number of
 * values with it: each but the first follows a bracket or a comma. */
static gboolean check_shape(const char *data, gsize len, GError **error) {
  guint depth = 0;
  gsize values = 1;
  gboolean in_string = FALSE;
  for (gsize i = 0; i < len; i++) {
    char c = data[i];
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = FALSE;
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '{' || c == '[') {
      values++;
      if (++depth > FERRY_JSON_MAX_DEPTH) {
        g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                    "the JSON document is nested deeper than %d levels", FERRY_JSON_MAX_DEPTH);
        return FALSE;
      }
    } else if (c == '}' || c == ']') {
      if (depth > 0)
        depth--;
    } else if (c == ',') {
      values++;
    }
  }
  if (values <= FERRY_JSON_MAX_NODES)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
              "the document has more than %d values: send it in parts", FERRY_JSON_MAX_NODES);
  return FALSE;
}

json_t *ferry_json_parse(const char *data, gsize len, GError **error) {
  if (len > FERRY_JSON_MAX_BYTES) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the document has %" G_GSIZE_FORMAT " bytes, at most %d are accepted", len,
                FERRY_JSON_MAX_BYTES);
    return NULL;
  }
  if (!check_shape(data, len, error))
    return NULL;
  json_error_t e;
  json_t *value = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
  if (!value)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the JSON document is malformed at line %d, column %d: %s", e.line, e.column,
                e.text);
  return value;
}

char *ferry_json_dump(const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  if (!text)
    return NULL;
  char *copy = g_strdup(text);
  free(text);
  return copy;
}

char *ferry_json_dump_pretty(const json_t *value) {
  char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
  if (!text)
    return NULL;
  char *copy = g_strconcat(text, "\n", NULL);
  free(text);
  return copy;
}

json_t *ferry_json_get(const json_t *object, const char *path) {
  const json_t *at = object;
  while (at && *path) {
    gsize n = strcspn(path, ".");
    at = json_object_getn(at, path, n);
    path += n;
    if (*path == '.')
      path++;
  }
  return (json_t *)at;
}

const char *ferry_json_str(const json_t *object, const char *path) {
  return json_string_value(ferry_json_get(object, path));
}

gint64 ferry_json_int(const json_t *object, const char *path, gint64 fallback) {
  const json_t *v = ferry_json_get(object, path);
  if (json_is_integer(v))
    return json_integer_value(v);
  if (json_is_real(v)) {
    double d = json_real_value(v);
    return d >= -9.2e18 && d <= 9.2e18 ? (gint64)d : fallback;
  }
  return fallback;
}

double ferry_json_real(const json_t *object, const char *path, double fallback) {
  const json_t *v = ferry_json_get(object, path);
  return json_is_number(v) ? json_number_value(v) : fallback;
}

gboolean ferry_json_bool(const json_t *object, const char *path, gboolean fallback) {
  const json_t *v = ferry_json_get(object, path);
  return json_is_boolean(v) ? json_is_true(v) : fallback;
}

/* A value that only its holder has is its holder's to change. */
static gboolean is_shared(const json_t *value) {
  return __atomic_load_n(&value->refcount, __ATOMIC_ACQUIRE) > 1;
}

/* The member for change; NULL where it is no container. */
static json_t *own_member(json_t *object, const char *key, gsize len) {
  json_t *there = json_object_getn(object, key, len);
  if (!json_is_object(there) && !json_is_array(there))
    return NULL;
  if (!is_shared(there))
    return there;
  json_t *copy = json_copy(there);
  json_object_setn_new(object, key, len, copy);
  return copy;
}

json_t *ferry_json_own(json_t *object, const char *path) {
  while (object && *path) {
    gsize n = strcspn(path, ".");
    object = own_member(object, path, n);
    path += n;
    if (*path == '.')
      path++;
  }
  return object;
}

json_t *ferry_json_own_item(json_t *list, gsize i) {
  json_t *there = json_array_get(list, i);
  if (!there || !is_shared(there))
    return there;
  json_t *copy = json_copy(there);
  json_array_set_new(list, i, copy);
  return copy;
}

json_t *ferry_json_own_found(json_t *list, const char *key, const char *value) {
  gsize i;
  json_t *item;
  json_array_foreach(list, i, item) {
    const char *s = json_string_value(json_object_get(item, key));
    if (s && g_str_equal(s, value))
      return ferry_json_own_item(list, i);
  }
  return NULL;
}

void ferry_json_set(json_t *object, const char *path, json_t *value) {
  for (;;) {
    gsize n = strcspn(path, ".");
    if (!path[n]) {
      if (value)
        json_object_setn_new(object, path, n, value);
      else
        json_object_deln(object, path, n);
      return;
    }
    json_t *next = json_object_getn(object, path, n);
    if (json_is_object(next)) {
      next = own_member(object, path, n);
    } else {
      if (!value)
        return;
      next = json_object();
      json_object_setn_new(object, path, n, next);
    }
    object = next;
    path += n + 1;
  }
}

json_t *ferry_json_text(const char *text) {
  json_t *value = json_string(text);
  if (value)
    return value;
  g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
  return json_string(valid);
}

void ferry_json_set_str(json_t *object, const char *path, const char *value) {
  ferry_json_set(object, path, value ? ferry_json_text(value) : NULL);
}

void ferry_json_set_int(json_t *object, const char *path, gint64 value) {
  ferry_json_set(object, path, json_integer(value));
}

void ferry_json_set_bool(json_t *object, const char *path, gboolean value) {
  ferry_json_set(object, path, json_boolean(value));
}

json_t *ferry_json_copy_along(const json_t *object, const char *path) {
  json_t *copy = json_copy((json_t *)object);
  json_t *at = copy;
  while (path && *path) {
    gsize n = strcspn(path, ".");
    g_autofree char *key = g_strndup(path, n);
    json_t *child = json_object_get(at, key);
    if (!json_is_object(child))
      break;
    child = json_copy(child);
    json_object_set_new(at, key, child);
    at = child;
    path += n;
    if (*path == '.')
      path++;
  }
  return copy;
}

json_t *ferry_json_find(const json_t *list, const char *key, const char *value) {
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    const char *s = json_string_value(json_object_get(item, key));
    if (s && g_strcmp0(s, value) == 0)
      return item;
  }
  return NULL;
}

gboolean ferry_json_has_word(const json_t *list, const char *word) {
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    if (word && g_strcmp0(json_string_value(item), word) == 0)
      return TRUE;
  }
  return FALSE;
}

const char *ferry_json_text_at(const json_t *object, const char *path) {
  const char *text = ferry_json_str(object, path);
  return text ? text : "";
}

json_t *ferry_json_strings(const char *const *list) {
  json_t *out = json_array();
  for (gsize i = 0; list && list[i]; i++)
    json_array_append_new(out, json_string(list[i]));
  return out;
}
