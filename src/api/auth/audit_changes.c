// SPDX-License-Identifier: Apache-2.0
// Theory of operation: both objects are walked together along the kind's table of fields. A list is
// one field: which of its elements changed is not told. What is not in the table (metadata but for
// its members' names, free-form members) shows its path and no value: a secret that somebody put
// where none belongs, such as an annotation, stays out of the log.
#include "api/auth/audit_changes.h"

#include <string.h>

#define MAX_VISITS 4096
#define MAX_DEPTH 16
#define MAX_PATH 200
#define MAX_VALUE 128

typedef struct {
  json_t *out;
  guint visits;
  gboolean cut;
} Walk;

/* Members that change with every write and say nothing. */
static const char *const unaudited_paths[] = {
    "metadata.managedFields", "metadata.resourceVersion",
    "metadata.generation",    "metadata.creationTimestamp",
    "metadata.uid",           NULL};
/* Formats of strings that name something and leave no room for a secret. */
static const char *const plain_formats[] = {"dns-label", "dns-subdomain", "uuid", "cidr",
                                            "ip",        "ip-prefix",     NULL};

static const FerryField *audit_changes_member(const FerryField *fields, const char *name) {
  for (; fields && fields->name; fields++)
    if (g_str_equal(fields->name, name))
      return fields;
  return NULL;
}

/* NULL: not to be shown. Borrowed. */
static json_t *audit_changes_shown(const FerryField *field, json_t *value) {
  if (!field || !value || json_is_object(value) || json_is_array(value))
    return NULL;
  if (!json_is_string(value))
    return value;
  gboolean plain = field->type == FERRY_TYPE_QUANTITY || field->type == FERRY_TYPE_TIME ||
                   field->values ||
                   (field->pattern && g_strv_contains(plain_formats, field->pattern));
  return plain && json_string_length(value) <= MAX_VALUE ? value : NULL;
}

static void add_change(Walk *w, const char *path, const FerryField *field, json_t *old,
                       json_t *now) {
  if (g_strv_contains(unaudited_paths, path))
    return;
  if (json_array_size(w->out) >= FERRY_AUDIT_MAX_CHANGES) {
    w->cut = TRUE;
    return;
  }
  g_autofree char *bounded = g_strndup(path, MAX_PATH);
  json_t *change = json_pack("{s:o}", "field", ferry_json_text(bounded));
  json_t *before = audit_changes_shown(field, old), *after = audit_changes_shown(field, now);
  if (before)
    json_object_set(change, "old", before);
  if (after)
    json_object_set(change, "new", after);
  json_array_append_new(w->out, change);
}

static void audit_changes_walk(Walk *w, GString *path, const FerryField *field,
                               const FerryField *fields, json_t *old, json_t *now, guint depth);

static void walk_member(Walk *w, GString *path, const FerryField *fields, const char *key,
                        json_t *old, json_t *now, guint depth) {
  gsize len = path->len;
  const FerryField *field = audit_changes_member(fields, key);
  if (len)
    g_string_append_c(path, '.');
  g_string_append(path, key);
  audit_changes_walk(w, path, field, field ? field->fields : NULL, old, now, depth);
  g_string_truncate(path, len);
}

static void audit_changes_walk(Walk *w, GString *path, const FerryField *field,
                               const FerryField *fields, json_t *old, json_t *now, guint depth) {
  if (w->cut || old == now)
    return;
  if (++w->visits > MAX_VISITS) {
    w->cut = TRUE;
    return;
  }
  gboolean objects = (!old || json_is_object(old)) && (!now || json_is_object(now));
  if (!objects || depth >= MAX_DEPTH || (!old && !now)) {
    if (!old || !now || !json_equal(old, now))
      add_change(w, path->str, field, old, now);
    return;
  }
  const char *key;
  json_t *value;
  json_object_foreach(now, key, value) {
    walk_member(w, path, fields, key, json_object_get(old, key), value, depth + 1);
  }
  json_object_foreach(old, key, value) {
    if (!json_object_get(now, key))
      walk_member(w, path, fields, key, value, NULL, depth + 1);
  }
}

json_t *ferry_audit_changes(const FerryKind *kind, const json_t *old, const json_t *object,
                            gboolean *cut) {
  Walk w = {.out = json_array()};
  g_autoptr(GString) path = g_string_new(NULL);
  audit_changes_walk(&w, path, NULL, kind->fields, (json_t *)old, (json_t *)object, 0);
  *cut = w.cut;
  return w.out;
}
