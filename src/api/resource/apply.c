// SPDX-License-Identifier: Apache-2.0
// Theory of operation: each manager has an entry in metadata.managedFields with the leaf paths that
// it owns (field_paths.h). Writes of people are tracked from the first on; what agents and
// controllers write is theirs anyway and is not. Status and the rest of an object are owned apart,
// as they are written apart.
#include "api/resource/apply.h"
#include "api/http/negotiate.h"
#include "api/http/query.h"
#include "api/resource/stored_words.h"
#include "api/resource/field_paths.h"
#include "base/patch/patch.h"
#include "base/rfc3339.h"
#include "model/validate/validate.h"

#include <string.h>

#define MAX_MANAGERS 32
#define MAX_CONFLICTS 100
/* Each later write of the object, however small, reads them again. */
#define MAX_MANAGED_BYTES (256 * 1024)
#define ANCIENT "ancient-changes"
#define BEFORE "before-first-apply"

/* ---- managers ---- */

static gboolean of_status(const FerryRequest *req) {
  return g_strcmp0(req->found.subresource, "status") == 0;
}

/* What a request of this kind may own in `object`. */
static GHashTable *leaf_table(const FerryRequest *req, const json_t *object) {
  return ferry_field_paths_of(req->found.kind, object, of_status(req));
}

static char *manager_of(const FerryRequest *req) {
  const char *given = ferry_query(req, "fieldManager");
  if (given && *given)
    return g_strdup(given);
  const char *agent = req->asked.user_agent ? req->asked.user_agent : "unknown";
  return g_strndup(agent, MIN(strcspn(agent, "/ "), 128));
}

static gboolean apply_is_entry(const FerryRequest *req, const json_t *entry, const char *manager,
                               const char *operation) {
  return g_strcmp0(ferry_json_str(entry, "manager"), manager) == 0 &&
         g_strcmp0(ferry_json_str(entry, "operation"), operation) == 0 &&
         g_strcmp0(ferry_json_str(entry, "subresource"), of_status(req) ? "status" : NULL) == 0;
}

static gsize find_entry(const FerryRequest *req, const json_t *managed, const char *manager,
                        const char *operation) {
  gsize i = 0;
  while (i < json_array_size(managed) &&
         !apply_is_entry(req, json_array_get(managed, i), manager, operation))
    i++;
  return i;
}

static GHashTable *entry_paths(const json_t *entry) {
  return ferry_field_paths_read(json_object_get(entry, "fieldsV1"));
}

/* Makes room: the two oldest entries of plain writes become one. */
static void merge_ancient(json_t *managed) {
  gsize first = json_array_size(managed), i;
  json_t *entry;
  json_array_foreach(managed, i, entry) {
    if (g_strcmp0(ferry_json_str(entry, "operation"), "Update") != 0 ||
        json_object_get(entry, "subresource"))
      continue;
    if (first == json_array_size(managed)) {
      first = i;
      continue;
    }
    json_t *into = json_array_get(managed, first);
    g_autoptr(GHashTable) both = entry_paths(into);
    g_autoptr(GHashTable) more = entry_paths(entry);
    GHashTableIter iter;
    gpointer path;
    g_hash_table_iter_init(&iter, more);
    while (g_hash_table_iter_next(&iter, &path, NULL))
      g_hash_table_add(both, g_strdup(path));
    json_object_set_new(into, "manager", json_string(ANCIENT));
    json_object_set_new(into, "fieldsV1", ferry_field_paths_write(both));
    json_array_remove(managed, i);
    return;
  }
}

/* Replaces the paths of an entry of `managed` (appended where `index` is its size). */
static void put_entry(FerryRequest *req, json_t *managed, gsize index, const char *manager,
                      const char *operation, GHashTable *paths) {
  g_autofree char *version = ferry_kind_api_version(req->found.kind);
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
  json_t *old = json_array_get(managed, index);
  json_t *fields = ferry_field_paths_write(paths);
  if (old && json_equal(json_object_get(old, "fieldsV1"), fields)) {
    json_decref(fields); /* nothing changed: the time stays, so nothing is written */
    return;
  }
  if (old) {
    json_t *entry = json_copy(old);
    json_object_set_new(entry, "time", json_string(now));
    json_object_set_new(entry, "fieldsV1", fields);
    json_array_set_new(managed, index, entry);
    return;
  }
  if (json_array_size(managed) >= MAX_MANAGERS)
    merge_ancient(managed);
  json_array_append_new(
      managed, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s*}", "manager", manager, "operation",
                         operation, "apiVersion", version, "time", now, "fieldsType", "FieldsV1",
                         "fieldsV1", fields, "subresource", of_status(req) ? "status" : NULL));
}

/* Takes `paths` away from every entry but the one of manager and operation. */
static void take_away(FerryRequest *req, json_t *managed, const char *manager,
                      const char *operation, GHashTable *paths) {
  for (gsize i = json_array_size(managed); i-- > 0;) {
    json_t *entry = json_array_get(managed, i);
    if (apply_is_entry(req, entry, manager, operation))
      continue;
    g_autoptr(GHashTable) own = entry_paths(entry);
    GHashTableIter iter;
    gpointer path;
    gboolean changed = FALSE;
    g_hash_table_iter_init(&iter, paths);
    while (g_hash_table_iter_next(&iter, &path, NULL))
      changed |= g_hash_table_remove(own, path);
    if (!changed)
      continue;
    if (g_hash_table_size(own) == 0) {
      json_array_remove(managed, i);
    } else {
      g_autofree char *m = g_strdup(ferry_json_str(entry, "manager"));
      g_autofree char *o = g_strdup(ferry_json_str(entry, "operation"));
      put_entry(req, managed, i, m ? m : "unknown", o ? o : "Update", own);
    }
  }
}

static GError *name_conflicts(GError *error) {
  guint n = ferry_error_n_causes(error);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "Apply failed with %u conflict%s:", n, n == 1 ? "" : "s");
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s %s: %s", i ? "," : "", ferry_error_cause(error, i)->message,
                           ferry_error_cause(error, i)->field);
  g_free(error->message);
  error->message = g_string_free(g_steal_pointer(&text), FALSE);
  return error;
}

/* A cause for each (of the first 100) leaf of `wanted` that somebody else owns with another value.
 */
static GError *find_conflicts(const FerryRequest *req, json_t *managed, const char *manager,
                              GHashTable *wanted, GHashTable *live) {
  GError *error = NULL;
  for (gsize i = 0; i < json_array_size(managed); i++) {
    json_t *entry = json_array_get(managed, i);
    if (apply_is_entry(req, entry, manager, "Apply"))
      continue;
    g_autoptr(GHashTable) own = entry_paths(entry);
    GHashTableIter iter;
    gpointer path, value;
    g_hash_table_iter_init(&iter, wanted);
    while (g_hash_table_iter_next(&iter, &path, &value)) {
      const json_t *there = g_hash_table_lookup(live, path);
      if (!g_hash_table_contains(own, path) || !there || json_equal(there, value))
        continue;
      if (!error)
        error = g_error_new(FERRY_ERROR, FERRY_ERROR_CONFLICT, "conflict");
      if (ferry_error_n_causes(error) >= MAX_CONFLICTS)
        return name_conflicts(error);
      g_autofree char *field = g_strdup(path);
      for (char *p = field; *p; p++)
        if (*p == *FERRY_FIELD_PATH_SEP)
          *p = '.';
      g_auto(GStrv) words = g_strsplit(field, "f:", -1);
      g_autofree char *plain = g_strjoinv("", words);
      g_autofree char *dotted = g_strconcat(".", plain, NULL);
      ferry_error_add_cause(error, "FieldManagerConflict", dotted, "conflict with \"%s\"",
                            ferry_json_str(entry, "manager"));
    }
  }
  return error ? name_conflicts(error) : NULL;
}

/* What somebody else than the applying manager owns, and what that one wants. */
static GHashTable *kept_paths(const FerryRequest *req, json_t *managed, const char *manager,
                              GHashTable *wanted) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, wanted);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    g_hash_table_add(out, g_strdup(path));
  for (gsize i = 0; i < json_array_size(managed); i++) {
    json_t *entry = json_array_get(managed, i);
    if (apply_is_entry(req, entry, manager, "Apply"))
      continue;
    g_autoptr(GHashTable) own = entry_paths(entry);
    g_hash_table_iter_init(&iter, own);
    while (g_hash_table_iter_next(&iter, &path, NULL))
      g_hash_table_add(out, g_strdup(path));
  }
  return out;
}

/* What will be stored of a configuration, so that it is compared with what is: a number that is
 * text there, without what is unknown. What is wrong with it is said when all of it is validated.
 */
static json_t *as_stored(const FerryRequest *req, const json_t *config, GError **error) {
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  return ferry_validate_collect(req->found.kind, config, NULL, FERRY_UNKNOWN_IGNORE, NULL, invalid,
                                NULL, error);
}

/* A copy without nulls, which say nothing here; NULL where it holds a patch's directive. */
static json_t *clean_config(const json_t *value, GError **error) {
  if (json_is_array(value)) {
    g_autoptr(json_t) out = json_array();
    gsize i;
    json_t *item;
    json_array_foreach((json_t *)value, i, item) {
      json_t *one = clean_config(item, error);
      if (!one)
        return NULL;
      json_array_append_new(out, one);
    }
    return g_steal_pointer(&out);
  }
  if (!json_is_object(value))
    return json_incref((json_t *)value);
  g_autoptr(json_t) out = json_object();
  const char *key;
  json_t *child;
  json_object_foreach((json_t *)value, key, child) {
    if (*key == '$') {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "%s is a directive of strategic merge patches: an applied configuration has none",
                  key);
      return NULL;
    }
    if (json_is_null(child))
      continue;
    json_t *one = clean_config(child, error);
    if (!one)
      return NULL;
    json_object_set_new(out, key, one);
  }
  return g_steal_pointer(&out);
}

/* The object's fields so far were written by nobody known. */
static void add_before(FerryRequest *req, json_t *managed, GHashTable *live) {
  g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, live);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    g_hash_table_add(paths, path);
  if (g_hash_table_size(paths))
    put_entry(req, managed, json_array_size(managed), BEFORE, "Update", paths);
}

static gboolean is_apply_patch(FerryRequest *req, const json_t *config, GError **error) {
  const char *name = ferry_json_str(config, "metadata.name");
  if (ferry_json_get(config, "metadata.managedFields")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "metadata.managedFields must be nil in an apply patch");
    return FALSE;
  }
  if (!ferry_json_str(config, "apiVersion") || !ferry_json_str(config, "kind") ||
      (name && !g_str_equal(name, req->found.name))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "an apply patch needs apiVersion and kind, and its metadata.name must be \"%s\" as "
                "in the URL",
                req->found.name);
    return FALSE;
  }
  return TRUE;
}

json_t *ferry_apply_patch(FerryRequest *req, const json_t *old, const json_t *sent,
                          GError **error) {
  g_autoptr(json_t) config = clean_config(sent, error);
  if (!config || !is_apply_patch(req, config, error))
    return NULL;
  if (old)
    ferry_keep_stored_words(req, old, config);
  g_autofree char *manager = manager_of(req);
  g_autoptr(json_t) managed = json_array();
  if (old && ferry_json_get(old, "metadata.managedFields"))
    json_array_extend(managed, ferry_json_get(old, "metadata.managedFields"));
  g_autoptr(json_t) read = as_stored(req, config, error);
  if (!read)
    return NULL;
  g_autoptr(GHashTable) wanted = leaf_table(req, read);
  g_autoptr(GHashTable) live = leaf_table(req, old);
  if (old && json_array_size(managed) == 0)
    add_before(req, managed, live);
  g_autoptr(GError) conflicts = find_conflicts(req, managed, manager, wanted, live);
  if (conflicts && !ferry_query_bool(req, "force")) {
    g_propagate_error(error, g_steal_pointer(&conflicts));
    return NULL;
  }
  gsize index = find_entry(req, managed, manager, "Apply");
  g_autoptr(GHashTable) before = entry_paths(json_array_get(managed, index));
  g_autoptr(json_t) base = old ? json_deep_copy(old) : json_object();
  g_autoptr(GHashTable) kept = kept_paths(req, managed, manager, wanted);
  ferry_field_paths_remove(base, before, kept);
  g_autoptr(json_t) result =
      ferry_patch_strategic(base, config, ferry_kind_merge_key, (gpointer)req->found.kind, error);
  if (!result)
    return NULL;
  /* With force, what was another's and differs is ours alone now. */
  g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer path, value;
  g_hash_table_iter_init(&iter, wanted);
  while (g_hash_table_iter_next(&iter, &path, &value)) {
    const json_t *there = g_hash_table_lookup(live, path);
    if (there && !json_equal(there, value))
      g_hash_table_add(taken, path);
  }
  put_entry(req, managed, index, manager, "Apply", wanted);
  take_away(req, managed, manager, "Apply", taken);
  ferry_json_set_str(result, "metadata.name", req->found.name);
  ferry_json_set(result, "metadata.managedFields", json_incref(managed));
  return g_steal_pointer(&result);
}

static gboolean is_apply(const FerryRequest *req) {
  g_autofree char *type = ferry_media_type(req->asked.content_type);
  return g_str_equal(type, "application/apply-patch+yaml");
}

void ferry_apply_created(FerryRequest *req, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  if (is_apply(req))
    return;                               /* it has said it all */
  json_object_del(meta, "managedFields"); /* of another object, such as an exported one */
  if (req->user->node || req->found.kind == &ferry_kind_event)
    return;
  g_autofree char *manager = manager_of(req);
  g_autoptr(json_t) managed = json_array();
  g_autoptr(GHashTable) is = leaf_table(req, object);
  put_entry(req, managed, 0, manager, "Update", is);
  json_object_set(meta, "managedFields", managed);
}

/* The list as it is before this write is added; FALSE: the client wrote it itself. */
static gboolean begin_tracking(FerryRequest *req, const json_t *old, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  json_t *before = ferry_json_get(old, "metadata.managedFields");
  json_t *now = json_object_get(meta, "managedFields");
  if (req->user->node || req->found.kind == &ferry_kind_event || of_status(req) ||
      !json_is_array(now)) {
    if (before) /* left out, or not this write's: kept */
      json_object_set(meta, "managedFields", before);
    else
      json_object_del(meta, "managedFields");
  } else if (json_array_size(now) == 0) {
    json_object_del(meta, "managedFields"); /* a client's way to forget it all */
    return FALSE;
  } else if (!json_equal(before, now)) {
    return FALSE;
  }
  return !req->user->node && req->found.kind != &ferry_kind_event;
}

static void apply_track(FerryRequest *req, const json_t *old, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  if (is_apply(req) || !begin_tracking(req, old, object))
    return;
  json_t *now = json_object_get(meta, "managedFields");
  g_autoptr(GHashTable) was = leaf_table(req, old);
  g_autoptr(GHashTable) is = leaf_table(req, object);
  g_autoptr(GHashTable) changed = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) gone = g_hash_table_new(g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer path, value;
  g_hash_table_iter_init(&iter, is);
  while (g_hash_table_iter_next(&iter, &path, &value)) {
    const json_t *there = g_hash_table_lookup(was, path);
    if (!there || !json_equal(there, value))
      g_hash_table_add(changed, path);
  }
  g_hash_table_iter_init(&iter, was);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    if (!g_hash_table_contains(is, path))
      g_hash_table_add(gone, path);
  if (g_hash_table_size(changed) + g_hash_table_size(gone) == 0)
    return;
  g_autofree char *manager = manager_of(req);
  g_autoptr(json_t) managed = now ? json_deep_copy(now) : json_array();
  take_away(req, managed, "", "", gone);
  if (g_hash_table_size(changed)) {
    gsize index = find_entry(req, managed, manager, "Update");
    g_autoptr(GHashTable) own = entry_paths(json_array_get(managed, index));
    g_hash_table_iter_init(&iter, changed);
    while (g_hash_table_iter_next(&iter, &path, NULL))
      g_hash_table_add(own, g_strdup(path));
    put_entry(req, managed, index, manager, "Update", own);
    take_away(req, managed, manager, "Update", changed);
  }
  if (json_array_size(managed))
    json_object_set(meta, "managedFields", managed);
  else
    json_object_del(meta, "managedFields");
}

void ferry_apply_track(FerryRequest *req, const json_t *old, json_t *object, GError *invalid) {
  apply_track(req, old, object);
  json_t *now = ferry_json_get(object, "metadata.managedFields");
  if (!now || json_equal(ferry_json_get(old, "metadata.managedFields"), now))
    return;
  g_autofree char *text = ferry_json_dump(now);
  gsize bytes = text ? strlen(text) : 0;
  if (bytes > MAX_MANAGED_BYTES)
    ferry_error_add_cause(invalid, "FieldValueInvalid", "metadata.managedFields",
                          "Too long: %zu bytes: may not be more than %d; write an empty list to "
                          "forget who owns what",
                          bytes, MAX_MANAGED_BYTES);
}
