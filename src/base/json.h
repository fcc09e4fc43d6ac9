// SPDX-License-Identifier: Apache-2.0
// JSON helpers over jansson. Paths are keys joined by '.', list positions are not addressed:
// use jansson directly for lists and for keys that contain dots (labels).
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/** Limits on a document from outside. */
#define FERRY_JSON_MAX_BYTES (3 * 1024 * 1024)
#define FERRY_JSON_MAX_DEPTH 64
#define FERRY_JSON_MAX_NODES 500000 /* values: an empty list of 2 bytes takes 100 in memory */

/** Parses one document; refuses duplicate keys, NUL bytes, trailing data, more than
 * FERRY_JSON_MAX_BYTES bytes or FERRY_JSON_MAX_NODES values (both TOO_LARGE) or
 * FERRY_JSON_MAX_DEPTH levels. Errors are BAD_REQUEST with line and column. Returns a new
 * reference. */
json_t *ferry_json_parse(const char *data, gsize len, GError **error);
/** Compact text, keys in insertion order. Free with g_free. */
char *ferry_json_dump(const json_t *value);
/** Indented by two spaces with a final newline. Free with g_free. */
char *ferry_json_dump_pretty(const json_t *value);

/** The value at `path`, borrowed; NULL where any step is missing or not an object. */
json_t *ferry_json_get(const json_t *object, const char *path);
/** The string at `path`, borrowed; NULL where missing or not a string. */
const char *ferry_json_str(const json_t *object, const char *path);
/** The integer (or truncated real) at `path`, else `fallback`. */
gint64 ferry_json_int(const json_t *object, const char *path, gint64 fallback);
/** The real (or integer) at `path`, else `fallback`. */
double ferry_json_real(const json_t *object, const char *path, double fallback);
/** The boolean at `path`, else `fallback`. */
gboolean ferry_json_bool(const json_t *object, const char *path, gboolean fallback);

/** A string value of `text`; bytes that are no UTF-8, such as a character cut in two, are replaced.
 * A new reference, never NULL. */
json_t *ferry_json_text(const char *text);
/** Sets `path` in `object`, which is the caller's own, making objects on the way; a level that
 * others hold too is copied first, so that nothing which is shared changes. Takes ownership of
 * `value`; NULL removes the key. */
void ferry_json_set(json_t *object, const char *path, json_t *value);
/** Sets a string (copied) as ferry_json_set does; NULL removes the key. */
void ferry_json_set_str(json_t *object, const char *path, const char *value);
/** Sets an integer as ferry_json_set does. */
void ferry_json_set_int(json_t *object, const char *path, gint64 value);
/** Sets a boolean as ferry_json_set does. */
void ferry_json_set_bool(json_t *object, const char *path, gboolean value);

/** A copy in which every level along `path` (may be NULL or "") is copied and the rest is shared:
 * objects in the store are immutable, so a writer copies only what it changes. For a simple full
 * copy use json_deep_copy. */
json_t *ferry_json_copy_along(const json_t *object, const char *path);

/** The object or list at `path` of `object`, which is the caller's own, for change in place: each
 * level that others hold too (the store, say, after a json_copy of what it gave out) is copied
 * first. Borrowed; NULL where there is none. */
json_t *ferry_json_own(json_t *object, const char *path);
/** The same for an element of a list that is the caller's own. */
json_t *ferry_json_own_item(json_t *list, gsize i);
/** The same for the element that ferry_json_find finds. */
json_t *ferry_json_own_found(json_t *list, const char *key, const char *value);

/** The element of list `list` whose `key` is the string `value`, borrowed, or NULL. */
json_t *ferry_json_find(const json_t *list, const char *key, const char *value);
/** Whether the string `word` is an element of list `list`; either may be NULL. */
gboolean ferry_json_has_word(const json_t *list, const char *word);

/** A new list of the strings of `list`, NULL-ended; NULL: an empty one. */
json_t *ferry_json_strings(const char *const *list);

/** The string at `path`, or "" where there is none. Borrowed. */
const char *ferry_json_text_at(const json_t *object, const char *path);

G_END_DECLS
