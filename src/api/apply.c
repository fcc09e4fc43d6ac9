// SPDX-License-Identifier: Apache-2.0
// Theory of operation: ownership is a set of leaf paths per manager. A path is the steps of
// Kubernetes' FieldsV1 ("f:spec", "f:maxDowntimeMs", "k:{\"type\":\"Ready\"}", "v:x") joined by a
// byte that JSON text can't hold unescaped. Lists without a merge key are leaves as a whole. Writes
// of people are tracked from the first on; what agents and controllers write is theirs anyway and
// is not. Status and the rest of an object are owned apart, as they are written apart.
#include "api/apply.h"
#include "base/patch.h"
#include "base/rfc3339.h"

#include <string.h>

#define SEP "\x01"
#define MAX_MANAGERS 32
#define ANCIENT "ancient-changes"
#define BEFORE "before-first-apply"

/* ---- paths ---- */

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

static gboolean of_status(const FerryRequest *req) {
  return g_strcmp0(req->subresource, "status") == 0;
}

/* What a request of this kind may own in `object`. */
static GHashTable *leaf_table(const FerryRequest *req, const json_t *object) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  json_t *status = json_object_get(object, "status");
  if (!of_status(req) && object)
    leaves(req->kind, object, "", "", out);
  else if (of_status(req) && status)
    leaves(req->kind, status, "status", "f:status", out);
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

static json_t *to_fields(GHashTable *paths) {
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

/* Removes the value at an ownership path, and objects that become empty by that. */
static void remove_path(json_t *value, char *const *steps) {
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
        remove_path(item, steps + 1);
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
    remove_path(child, steps + 1);
  if (!steps[1] || (json_is_object(child) && json_object_size(child) == 0))
    json_object_del(value, key);
}

/* ---- managers ---- */

static char *manager_of(const FerryRequest *req) {
  const char *given = ferry_query(req, "fieldManager");
  if (given && *given)
    return g_strdup(given);
  const char *agent = req->user_agent ? req->user_agent : "unknown";
  return g_strndup(agent, MIN(strcspn(agent, "/ "), 128));
}

static gboolean is_entry(const FerryRequest *req, const json_t *entry, const char *manager,
                         const char *operation) {
  return g_strcmp0(ferry_json_str(entry, "manager"), manager) == 0 &&
         g_strcmp0(ferry_json_str(entry, "operation"), operation) == 0 &&
         g_strcmp0(ferry_json_str(entry, "subresource"), of_status(req) ? "status" : NULL) == 0;
}

static gsize find_entry(const FerryRequest *req, const json_t *managed, const char *manager,
                        const char *operation) {
  gsize i = 0;
  while (i < json_array_size(managed) &&
         !is_entry(req, json_array_get(managed, i), manager, operation))
    i++;
  return i;
}

static GHashTable *entry_paths(const json_t *entry) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (entry)
    from_fields(json_object_get(entry, "fieldsV1"), "", out);
  return out;
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
    json_object_set_new(into, "fieldsV1", to_fields(both));
    json_array_remove(managed, i);
    return;
  }
}

/* Replaces the paths of an entry of `managed` (appended where `index` is its size). */
static void put_entry(FerryRequest *req, json_t *managed, gsize index, const char *manager,
                      const char *operation, GHashTable *paths) {
  g_autofree char *version = ferry_kind_api_version(req->kind);
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
  json_t *old = json_array_get(managed, index);
  json_t *fields = to_fields(paths);
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
    if (is_entry(req, entry, manager, operation))
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

/* A cause for every leaf of `wanted` that somebody else owns with another value. */
static GError *find_conflicts(const FerryRequest *req, json_t *managed, const char *manager,
                              GHashTable *wanted, GHashTable *live) {
  GError *error = NULL;
  for (gsize i = 0; i < json_array_size(managed); i++) {
    json_t *entry = json_array_get(managed, i);
    if (is_entry(req, entry, manager, "Apply"))
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
      g_autofree char *field = g_strdup(path);
      for (char *p = field; *p; p++)
        if (*p == *SEP)
          *p = '.';
      g_auto(GStrv) words = g_strsplit(field, "f:", -1);
      g_autofree char *plain = g_strjoinv("", words);
      g_autofree char *dotted = g_strconcat(".", plain, NULL);
      ferry_error_add_cause(error, "FieldManagerConflict", dotted, "conflict with \"%s\"",
                            ferry_json_str(entry, "manager"));
    }
  }
  if (error) {
    guint n = ferry_error_n_causes(error);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "Apply failed with %u conflict%s:", n, n == 1 ? "" : "s");
    for (guint i = 0; i < n; i++)
      g_string_append_printf(text, "%s %s: %s", i ? "," : "", ferry_error_cause(error, i)->message,
                             ferry_error_cause(error, i)->field);
    g_free(error->message);
    error->message = g_string_free(g_steal_pointer(&text), FALSE);
  }
  return error;
}

static gboolean owned_by_others(const FerryRequest *req, json_t *managed, const char *manager,
                                const char *path) {
  for (gsize i = 0; i < json_array_size(managed); i++) {
    json_t *entry = json_array_get(managed, i);
    if (is_entry(req, entry, manager, "Apply"))
      continue;
    g_autoptr(GHashTable) own = entry_paths(entry);
    if (g_hash_table_contains(own, path))
      return TRUE;
  }
  return FALSE;
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

json_t *ferry_apply_patch(FerryRequest *req, const json_t *old, const json_t *sent,
                          GError **error) {
  g_autoptr(json_t) config = clean_config(sent, error);
  if (!config)
    return NULL;
  const char *name = ferry_json_str(config, "metadata.name");
  if (ferry_json_get(config, "metadata.managedFields")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "metadata.managedFields must be nil in an apply patch");
    return NULL;
  }
  if (!ferry_json_str(config, "apiVersion") || !ferry_json_str(config, "kind") ||
      (name && !g_str_equal(name, req->name))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "an apply patch needs apiVersion and kind, and its metadata.name must be \"%s\" as "
                "in the URL",
                req->name);
    return NULL;
  }
  if (old)
    ferry_admit_resolve(req, old, config);
  g_autofree char *manager = manager_of(req);
  g_autoptr(json_t) managed = json_array();
  if (old && ferry_json_get(old, "metadata.managedFields"))
    json_array_extend(managed, ferry_json_get(old, "metadata.managedFields"));
  g_autoptr(GHashTable) wanted = leaf_table(req, config);
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
  GHashTableIter iter;
  gpointer path, value;
  g_hash_table_iter_init(&iter, before);
  while (g_hash_table_iter_next(&iter, &path, NULL)) {
    if (g_hash_table_contains(wanted, path) || owned_by_others(req, managed, manager, path))
      continue;
    g_auto(GStrv) steps = g_strsplit(path, SEP, -1);
    remove_path(base, steps);
  }
  g_autoptr(json_t) result =
      ferry_patch_strategic(base, config, ferry_kind_merge_key, (gpointer)req->kind, error);
  if (!result)
    return NULL;
  /* With force, what was another's and differs is ours alone now. */
  g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
  g_hash_table_iter_init(&iter, wanted);
  while (g_hash_table_iter_next(&iter, &path, &value)) {
    const json_t *there = g_hash_table_lookup(live, path);
    if (there && !json_equal(there, value))
      g_hash_table_add(taken, path);
  }
  put_entry(req, managed, index, manager, "Apply", wanted);
  take_away(req, managed, manager, "Apply", taken);
  ferry_json_set_str(result, "metadata.name", req->name);
  ferry_json_set(result, "metadata.managedFields", json_incref(managed));
  return g_steal_pointer(&result);
}

void ferry_apply_created(FerryRequest *req, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  if (req->user->node || req->kind == &ferry_kind_event ||
      json_array_size(json_object_get(meta, "managedFields")))
    return; /* an apply has said it all */
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
  if (req->user->node || req->kind == &ferry_kind_event || of_status(req) || !json_is_array(now)) {
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
  return !req->user->node && req->kind != &ferry_kind_event;
}

void ferry_apply_track(FerryRequest *req, const json_t *old, json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  g_autofree char *type = ferry_media_type(req->content_type);
  if (g_str_equal(type, "application/apply-patch+yaml") || !begin_tracking(req, old, object))
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
