// SPDX-License-Identifier: Apache-2.0
// RFC 6902. A patch of 1 KB can copy a value into itself again and again and so double it with each
// operation. So everything that operations add, copied and moved values too, is paid for from what
// a document may be, before it is made, and what they take away gives nothing back: neither the
// result nor the work is ever more than a body may bring.
#include "base/patch/patch.h"
#include "base/error.h"
#include "base/json_size.h"
#include <string.h>

#define MAX_OPERATIONS 1000
#define MAX_MOVES 10000000
#define MAX_POINTER_SHOWN 256 /* bytes, in an error */

typedef struct {
  json_t *root;
  FerryJsonSize left;
  gsize moves;
} Document;

static gboolean patch_json_bad(GError **error, int code, const char *what, const char *pointer) {
  g_set_error(error, FERRY_ERROR, code, "the JSON patch cannot be applied: %s \"%.*s\"", what,
              MAX_POINTER_SHOWN, pointer ? pointer : "");
  return FALSE;
}

static GStrv pointer_split(const char *pointer, GError **error) {
  if (!pointer || (*pointer && *pointer != '/')) {
    patch_json_bad(error, FERRY_ERROR_BAD_REQUEST,
                   "a pointer must be \"\" or begin with \"/\":", pointer);
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

static json_t *patch_json_step(json_t *at, const char *token) {
  if (json_is_object(at))
    return json_object_get(at, token);
  gssize i = json_is_array(at) ? list_index(at, token, FALSE) : -1;
  return i < 0 ? NULL : json_array_get(at, (gsize)i);
}

static json_t *patch_json_resolve(json_t *document, char *const *parts, guint n) {
  for (guint i = 0; document && i < n; i++)
    document = patch_json_step(document, parts[i]);
  return document;
}

/* Positions that a list's elements move when one is put in or taken out are work as well. */
static gboolean spend_moves(Document *d, const json_t *list, gsize at, GError **error) {
  gsize n = json_array_size(list) - at;
  if (n > d->moves) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
        "the JSON patch cannot be applied: it moves more than %d elements of lists; replace "
        "the list as a whole",
        MAX_MOVES);
    return FALSE;
  }
  d->moves -= n;
  return TRUE;
}

static gboolean remove_at(Document *d, const char *pointer, GError **error) {
  g_auto(GStrv) parts = pointer_split(pointer, error);
  if (!parts)
    return FALSE;
  guint n = g_strv_length(parts);
  if (n == 0)
    return patch_json_bad(error, FERRY_ERROR_INVALID, "the whole document cannot be removed", "");
  json_t *parent = patch_json_resolve(d->root, parts, n - 1);
  if (!parent || !patch_json_step(parent, parts[n - 1]))
    return patch_json_bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  if (json_is_object(parent)) {
    json_object_del(parent, parts[n - 1]);
    return TRUE;
  }
  gsize at = (gsize)list_index(parent, parts[n - 1], FALSE);
  if (!spend_moves(d, parent, at, error))
    return FALSE;
  json_array_remove(parent, at);
  return TRUE;
}

/* Adds a copy of `value`, which is paid for before it is made. */
static gboolean add_at(Document *d, const char *pointer, const json_t *value, gboolean replace,
                       GError **error) {
  g_auto(GStrv) parts = pointer_split(pointer, error);
  if (!parts)
    return FALSE;
  guint n = g_strv_length(parts);
  if (!ferry_json_size_spend(&d->left, value, n, error))
    return FALSE;
  g_autoptr(json_t) owned = json_deep_copy(value);
  if (n == 0) {
    json_decref(d->root);
    d->root = g_steal_pointer(&owned);
    return TRUE;
  }
  json_t *parent = patch_json_resolve(d->root, parts, n - 1);
  const char *last = parts[n - 1];
  if (!parent || (replace && !patch_json_step(parent, last)))
    return patch_json_bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  if (json_is_object(parent)) {
    json_object_set(parent, last, owned);
    return TRUE;
  }
  gssize i = json_is_array(parent) ? list_index(parent, last, !replace) : -1;
  if (i < 0)
    return patch_json_bad(error, FERRY_ERROR_INVALID, "no such place:", pointer);
  if (!replace && !spend_moves(d, parent, (gsize)i, error))
    return FALSE;
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
  json_t *value = patch_json_resolve(document, parts, g_strv_length(parts));
  if (!value)
    patch_json_bad(error, FERRY_ERROR_INVALID, "nothing is at", pointer);
  return value;
}

static gboolean apply_operation(Document *d, const json_t *op, GError **error) {
  const char *name = ferry_json_str(op, "op"), *path = ferry_json_str(op, "path"),
             *from = ferry_json_str(op, "from");
  json_t *value = json_object_get(op, "value");
  if (!name || !path)
    return patch_json_bad(error, FERRY_ERROR_BAD_REQUEST,
                          "each operation needs \"op\" and \"path\"", "");
  gboolean needs_value =
      g_str_equal(name, "add") || g_str_equal(name, "replace") || g_str_equal(name, "test");
  gboolean needs_from = g_str_equal(name, "move") || g_str_equal(name, "copy");
  if (needs_value && !value)
    return patch_json_bad(error, FERRY_ERROR_BAD_REQUEST, "\"value\" is missing for", path);
  if (needs_from && !from)
    return patch_json_bad(error, FERRY_ERROR_BAD_REQUEST, "\"from\" is missing for", path);
  if (g_str_equal(name, "remove"))
    return remove_at(d, path, error);
  if (g_str_equal(name, "test")) {
    json_t *there = value_at(d->root, path, error);
    if (!there)
      return FALSE;
    return json_equal(there, value) ||
           patch_json_bad(error, FERRY_ERROR_INVALID, "the test does not hold at", path);
  }
  if (needs_value)
    return add_at(d, path, value, g_str_equal(name, "replace"), error);
  if (needs_from) {
    json_t *source = value_at(d->root, from, error);
    if (!source)
      return FALSE;
    if (g_str_equal(name, "copy"))
      return add_at(d, path, source, FALSE, error);
    gsize n = strlen(from);
    if (strncmp(path, from, n) == 0 && path[n] == '/')
      return patch_json_bad(error, FERRY_ERROR_INVALID, "cannot move a value into itself:", path);
    g_autoptr(json_t) moved = json_incref(source);
    return remove_at(d, from, error) && add_at(d, path, moved, FALSE, error);
  }
  return patch_json_bad(error, FERRY_ERROR_BAD_REQUEST, "unknown operation", name);
}

json_t *ferry_patch_json(const json_t *target, const json_t *patch, GError **error) {
  if (!json_is_array(patch) || json_array_size(patch) > MAX_OPERATIONS) {
    patch_json_bad(error, FERRY_ERROR_BAD_REQUEST, "it must be a list of at most 1000 operations",
                   "");
    return NULL;
  }
  Document d = {.left = FERRY_JSON_SIZE_FULL, .moves = MAX_MOVES};
  if (target && !ferry_json_size_spend(&d.left, target, 0, error))
    return NULL;
  d.root = json_deep_copy(target);
  gsize i;
  json_t *op;
  json_array_foreach((json_t *)patch, i, op) {
    if (!apply_operation(&d, op, error)) {
      json_decref(d.root);
      return NULL;
    }
  }
  return d.root;
}
