// SPDX-License-Identifier: Apache-2.0
// GET of one object and of lists. Pages of a limited list share one snapshot, kept for a few
// minutes under an unguessable id that the continue token carries.
#include "api/internal.h"
#include "base/random.h"

#include <string.h>

#define SNAPSHOT_US (5 * 60 * G_USEC_PER_SEC)
#define MAX_SNAPSHOTS 64
#define MAX_SNAPSHOTS_OF_USER 8
#define MAX_SNAPSHOT_OBJECTS 500000 /* together; what is unchanged is shared with the store */

typedef struct {
  const FerryKind *kind;
  char *user, *of;    /* of: which namespace and selection, see selection_of */
  GPtrArray *objects; /* the rest of the selection as it was */
  gint64 revision, expires_us;
} FerrySnapshot;

void ferry_snapshot_free(gpointer data) {
  FerrySnapshot *s = data;
  g_free(s->user);
  g_free(s->of);
  g_ptr_array_unref(s->objects);
  g_free(s);
}

gint64 ferry_object_revision(const json_t *object) {
  const char *text = ferry_json_str(object, "metadata.resourceVersion");
  return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

gboolean ferry_request_selectors(FerryRequest *req, FerrySelector **labels, FerrySelector **fields,
                                 GError **error) {
  const char *l = ferry_query(req, "labelSelector"), *f = ferry_query(req, "fieldSelector");
  *labels = *fields = NULL;
  if (l && *l && !(*labels = ferry_selector_parse_labels(l, error)))
    return FALSE;
  if (f && *f && !(*fields = ferry_selector_parse_fields(req->kind, f, error)))
    return FALSE;
  return TRUE;
}

/* A VM is also found by its UUID and by the domain's name, where that is one's alone. */
static json_t *find_vmi(FerryRequest *req) {
  FerryStore *store = req->api->store;
  json_t *object = ferry_store_get_by_uid(store, &ferry_kind_vmi, req->name);
  if (object && g_strcmp0(ferry_json_str(object, "metadata.namespace"), req->ns) == 0)
    return object;
  if (object)
    json_decref(object);
  return ferry_store_get_by_domain(store, &ferry_kind_vmi, req->ns, req->name);
}

json_t *ferry_resource_find(FerryRequest *req, GError **error) {
  if (req->kind->make) {
    g_autoptr(json_t) source = ferry_made_source(req, req->kind, req->ns, req->name, error);
    return source ? ferry_made_of(req->kind, source) : NULL;
  }
  json_t *object = ferry_store_get(req->api->store, req->kind, req->ns ? req->ns : "", req->name);
  if (!object && req->kind == &ferry_kind_vmi && req->ns)
    object = find_vmi(req);
  if (!object)
    ferry_set_not_found(error, req->kind, req->name);
  return object;
}

static gboolean too_new(gint64 wanted, gint64 now, GError **error) {
  g_autofree char *text = g_strdup_printf(
      "Too large resource version: %" G_GINT64_FORMAT ", current: %" G_GINT64_FORMAT, wanted, now);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT, text);
  if (error && *error)
    ferry_error_add_cause(*error, "ResourceVersionTooLarge", "", "Too large resource version");
  return FALSE;
}

gboolean ferry_resource_get(FerryRequest *req, GError **error) {
  gint64 wanted, now = ferry_store_revision(req->api->store);
  if (!ferry_query_int(req, "resourceVersion", 0, &wanted, error))
    return FALSE;
  if (wanted > now)
    return too_new(wanted, now, error);
  g_autoptr(json_t) object = ferry_resource_find(req, error);
  if (!object)
    return FALSE;
  ferry_respond_object(req, 200, req->kind, object);
  return TRUE;
}

/* Drops what is too old; then the oldest, of this user where it has its share already, until
 * another one fits. `snapshots` is held. */
static gboolean drop_one(FerryApi *api, const FerrySnapshot *wanted) {
  gint64 now = g_get_monotonic_time();
  GHashTableIter iter;
  gpointer key, value, oldest = NULL, oldest_own = NULL;
  gint64 oldest_us = G_MAXINT64, oldest_own_us = G_MAXINT64;
  guint own = 0;
  gsize objects = wanted->objects->len;
  g_hash_table_iter_init(&iter, api->pages);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    FerrySnapshot *other = value;
    if (other->expires_us < now) {
      g_hash_table_iter_remove(&iter);
      continue;
    }
    objects += other->objects->len;
    if (other->expires_us < oldest_us) {
      oldest_us = other->expires_us;
      oldest = key;
    }
    if (g_str_equal(other->user, wanted->user)) {
      own++;
      if (other->expires_us < oldest_own_us) {
        oldest_own_us = other->expires_us;
        oldest_own = key;
      }
    }
  }
  gboolean full = g_hash_table_size(api->pages) >= MAX_SNAPSHOTS || objects > MAX_SNAPSHOT_OBJECTS;
  gpointer victim = own >= MAX_SNAPSHOTS_OF_USER || (full && own > 0) ? oldest_own
                    : full                                            ? oldest
                                                                      : NULL;
  return victim && g_hash_table_remove(api->pages, victim);
}

/* Keeps the objects of `s` for the pages to come; returns the id. */
static char *keep_snapshot(FerryRequest *req, FerrySnapshot *s) {
  FerryApi *api = req->api;
  s->expires_us = g_get_monotonic_time() + SNAPSHOT_US;
  char *id = ferry_random_hex(12);
  g_mutex_lock(&api->snapshots);
  while (drop_one(api, s))
    ;
  g_hash_table_insert(api->pages, g_strdup(id), s);
  g_mutex_unlock(&api->snapshots);
  return id;
}

static char *read_make_token(const char *id, gint64 revision, gsize next) {
  g_autofree char *text = g_strdup_printf("ferry1:%s:%" G_GINT64_FORMAT ":%zu", id, revision, next);
  return g_base64_encode((const guchar *)text, strlen(text));
}

/* What a list was authorised for, as one text: its pages are for whoever asks for just that. */
static char *selection_of(const FerryRequest *req) {
  const char *labels = ferry_query(req, "labelSelector");
  const char *fields = ferry_query(req, "fieldSelector");
  return g_strjoin("\n", req->ns ? req->ns : "", labels ? labels : "", fields ? fields : "", NULL);
}

/* Finds the snapshot of a token; the array is a new reference. */
static GPtrArray *continue_list(FerryRequest *req, const char *token, char **id, gint64 *revision,
                                gsize *next, GError **error) {
  gsize len = 0;
  g_autofree guchar *raw = strlen(token) < 512 ? g_base64_decode(token, &len) : NULL;
  g_autofree char *text = raw ? g_strndup((const char *)raw, len) : g_strdup("");
  g_auto(GStrv) parts = g_strsplit(text, ":", 5);
  guint64 offset;
  if (g_strv_length(parts) != 4 || !g_str_equal(parts[0], "ferry1") ||
      !g_ascii_string_to_signed(parts[2], 10, 0, G_MAXINT64, revision, NULL) ||
      !g_ascii_string_to_unsigned(parts[3], 10, 0, G_MAXUINT32, &offset, NULL)) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
        "continue: the key is not valid: use metadata.continue of the page before, unchanged");
    return NULL;
  }
  GPtrArray *objects = NULL;
  gboolean other = FALSE;
  g_autofree char *of = selection_of(req);
  g_mutex_lock(&req->api->snapshots);
  FerrySnapshot *s = g_hash_table_lookup(req->api->pages, parts[1]);
  if (s && s->expires_us >= g_get_monotonic_time() && s->kind == req->kind &&
      g_str_equal(s->user, req->user->name) && offset <= s->objects->len) {
    other = !g_str_equal(s->of, of);
    objects = other ? NULL : g_ptr_array_ref(s->objects);
    s->expires_us = g_get_monotonic_time() + SNAPSHOT_US;
  }
  g_mutex_unlock(&req->api->snapshots);
  if (other)
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
        "continue: the key is of another list: namespace, labelSelector and fieldSelector must "
        "be those of the page before");
  else if (!objects)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
                "The provided continue parameter is too old to display a consistent list result. "
                "You must start a new list without the continue parameter.");
  *id = g_strdup(parts[1]);
  *next = (gsize)offset;
  return objects;
}

static json_t *list_body(FerryRequest *req, json_t *const *objects, gsize n) {
  if (req->format == FERRY_FORMAT_TABLE) {
    const char *include = ferry_query(req, "includeObject");
    return ferry_table_new(req->kind, objects, n, req->table_version,
                           g_strcmp0(include, "Object") == 0 ? FERRY_INCLUDE_OBJECT
                           : g_strcmp0(include, "None") == 0 ? FERRY_INCLUDE_NONE
                                                             : FERRY_INCLUDE_METADATA,
                           TRUE, ferry_clock_wall_ms(req->api->clock));
  }
  gboolean partial = req->format == FERRY_FORMAT_PARTIAL;
  json_t *items = json_array();
  for (gsize i = 0; i < n; i++)
    json_array_append_new(items, partial ? ferry_partial_metadata(objects[i])
                                         : ferry_kind_view(req->alias, objects[i]));
  const FerryKind *named = req->alias ? req->alias : req->kind;
  g_autofree char *version = partial ? g_strdup("meta.k8s.io/v1") : ferry_kind_api_version(named);
  g_autofree char *kind =
      partial ? g_strdup("PartialObjectMetadataList") : g_strconcat(named->kind, "List", NULL);
  return json_pack("{s:s, s:s, s:{}, s:o}", "kind", kind, "apiVersion", version, "metadata",
                   "items", items);
}

/* The newest state of the selection, or NULL where the wanted revision cannot be served. */
static GPtrArray *fresh_list(FerryRequest *req, gint64 *revision, GError **error) {
  g_autoptr(FerrySelector) labels = NULL;
  g_autoptr(FerrySelector) fields = NULL;
  gint64 wanted;
  if (!ferry_query_int(req, "resourceVersion", 0, &wanted, error) ||
      !ferry_request_selectors(req, &labels, &fields, error))
    return NULL;
  const char *match = ferry_query(req, "resourceVersionMatch");
  if (match && *match && !ferry_query(req, "resourceVersion")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "resourceVersionMatch: Forbidden: it says how resourceVersion is meant, which is "
                "not there");
    return NULL;
  }
  g_autoptr(GPtrArray) all =
      ferry_made_list(req, req->kind, req->kind->namespaced ? req->ns : NULL, revision);
  if (wanted > *revision) {
    too_new(wanted, *revision, error);
    return NULL;
  }
  if (match && g_str_equal(match, "Exact") && wanted != *revision) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
                "The resourceVersion for the provided list is too old.");
    return NULL;
  }
  if (!labels && !fields)
    return g_steal_pointer(&all);
  GPtrArray *some = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < all->len; i++) {
    json_t *object = g_ptr_array_index(all, i);
    if (ferry_selector_matches(labels, object) && ferry_selector_matches(fields, object))
      g_ptr_array_add(some, json_incref(object));
  }
  return some;
}

gboolean ferry_resource_list(FerryRequest *req, GError **error) {
  gint64 limit, revision = 0;
  gsize first = 0;
  g_autofree char *id = NULL;
  const char *token = ferry_query(req, "continue");
  if (!ferry_query_int(req, "limit", 0, &limit, error))
    return FALSE;
  g_autoptr(GPtrArray) objects = token && *token
                                     ? continue_list(req, token, &id, &revision, &first, error)
                                     : fresh_list(req, &revision, error);
  if (!objects)
    return FALSE;
  gsize left = objects->len - first;
  gsize n = limit > 0 && (guint64)limit < left ? (gsize)limit : left;
  json_t *const *page = (json_t *const *)(n ? objects->pdata + first : NULL);
  json_t *body = list_body(req, page, n);
  g_autofree char *rv = g_strdup_printf("%" G_GINT64_FORMAT, revision);
  ferry_json_set_str(body, "metadata.resourceVersion", rv);
  if (n < left) {
    if (!id) {
      FerrySnapshot *s = g_new0(FerrySnapshot, 1);
      s->kind = req->kind;
      s->user = g_strdup(req->user->name);
      s->of = selection_of(req);
      s->objects = g_ptr_array_ref(objects);
      s->revision = revision;
      id = keep_snapshot(req, s);
    }
    g_autofree char *next = read_make_token(id, revision, first + n);
    ferry_json_set_str(body, "metadata.continue", next);
    ferry_json_set_int(body, "metadata.remainingItemCount", (gint64)(left - n));
  }
  ferry_respond_json(req, 200, body);
  return TRUE;
}
