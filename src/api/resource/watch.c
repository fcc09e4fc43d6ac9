// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a watch is a cursor on the store's change log plus a small buffer of text
// (stream.h), which the store's wake or the ticker (heartbeat, bookmark, end of time) has filled. A
// slow reader costs nothing but its cursor: when the log has moved past it, it gets one Expired
// event and the end.
//
// The objects that are there at first are not kept for it either: initial_list.h reads them in
// pages, as the reader takes them, and between two pages the changes since are told.
#include "api/resource/watch.h"
#include "model/listing/table.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/resource/read.h"
#include "api/resource/streams.h"
#include "api/auth/kept_right.h"
#include "api/http/stream.h"
#include "api/resource/initial_list.h"
#include "api/resource/object_texts.h"
#include "base/limits.h"

#include <string.h>

#define DEFAULT_TIMEOUT_S 2700 /* 45 min */

typedef struct {
  FerryStream base;
  FerryApi *api;
  const FerryKind *kind;
  const FerryKind *alias;
  FerryWatch *watch;
  FerrySelector *labels, *fields;
  char *ns, *name; /* only these, or NULL: all */
  FerryFormat format;
  const char *table_version;
  FerryInclude include;
  gboolean bookmarks, columns_sent, initial_end;
  FerryInitialList initial;                 /* objects to be sent as ADDED */
  gint64 end_us, heartbeat_us, bookmark_us; /* monotonic */
  gint64 bookmarked;                        /* revision of the last bookmark */
} WatchStream;

static void append_line(GString *out, const char *type, const char *text, gsize len) {
  g_string_append_printf(out, "{\"type\":\"%s\",\"object\":", type);
  g_string_append_len(out, text, (gssize)len);
  g_string_append(out, "}\n");
}

void ferry_watch_line(GString *out, const char *type, const json_t *object) {
  g_autofree char *text = ferry_json_dump(object);
  append_line(out, type, text, strlen(text));
}

/* What nobody selects by needn't be looked into. */
static gboolean watch_selects_all(const WatchStream *s) {
  return !s->name && !s->labels && !s->fields;
}

static gboolean watch_selected(const WatchStream *s, const json_t *object) {
  if (!object)
    return FALSE;
  if (s->name && g_strcmp0(ferry_json_str(object, "metadata.name"), s->name) != 0)
    return FALSE;
  return ferry_selector_matches(s->labels, object) && ferry_selector_matches(s->fields, object);
}

static gboolean watch_selects_stored(const WatchStream *s, FerryStored *stored) {
  if (!stored || watch_selects_all(s))
    return stored != NULL;
  g_autoptr(json_t) object = ferry_stored_view(stored);
  return watch_selected(s, object);
}

static void emit_text(WatchStream *s, const char *type, FerryStored *stored) {
  gsize len;
  if (!s->alias) {
    const char *own = ferry_stored_text(stored, &len);
    append_line(s->base.out, type, own, len);
    return;
  }
  g_autoptr(GBytes) text = ferry_object_texts_get(s->api->texts, s->alias, stored);
  const char *json = g_bytes_get_data(text, &len);
  append_line(s->base.out, type, json, len);
}

/* An object that is made of another one, or in another form. */
static void emit_form(WatchStream *s, const char *type, json_t *object) {
  g_autoptr(json_t) form = NULL;
  if (s->format == FERRY_FORMAT_TABLE) {
    form = ferry_table_new(s->kind, &object, 1, s->table_version, s->include, !s->columns_sent,
                           ferry_clock_wall_ms(s->api->clock));
    const char *revision = ferry_json_str(object, "metadata.resourceVersion");
    if (revision)
      ferry_json_set_str(form, "metadata.resourceVersion", revision);
    s->columns_sent = TRUE;
  } else if (s->format == FERRY_FORMAT_PARTIAL) {
    form = ferry_partial_metadata(object);
  } else {
    form = json_incref(object); /* made for this one watch */
  }
  ferry_watch_line(s->base.out, type, form);
}

static void watch_emit(WatchStream *s, const char *type, FerryStored *stored) {
  if (s->format == FERRY_FORMAT_JSON) {
    emit_text(s, type, stored);
    return;
  }
  g_autoptr(json_t) object = ferry_stored_view(stored);
  emit_form(s, type, object);
}

static void emit_bookmark(WatchStream *s, gint64 revision, gboolean initial) {
  g_autofree char *rv = g_strdup_printf("%" G_GINT64_FORMAT, revision);
  const FerryKind *named = s->alias ? s->alias : s->kind;
  g_autofree char *version = ferry_kind_api_version(named);
  g_autoptr(json_t) object = json_pack("{s:s, s:s, s:{s:s}}", "kind", named->kind, "apiVersion",
                                       version, "metadata", "resourceVersion", rv);
  if (initial)
    json_object_set_new(json_object_get(object, "metadata"), "annotations",
                        json_pack("{s:s}", "k8s.io/initial-events-end", "true"));
  if (s->format == FERRY_FORMAT_PARTIAL) {
    ferry_json_set_str(object, "kind", "PartialObjectMetadata");
    ferry_json_set_str(object, "apiVersion", "meta.k8s.io/v1");
  } else if (s->format == FERRY_FORMAT_TABLE) {
    json_t *table = ferry_table_new(s->kind, NULL, 0, s->table_version, s->include,
                                    !s->columns_sent, ferry_clock_wall_ms(s->api->clock));
    s->columns_sent = TRUE;
    ferry_json_set_str(table, "metadata.resourceVersion", rv);
    /* The row carries the bookmark's own metadata, which is where clients look. */
    json_t *cells = json_array();
    for (gsize i = 0; i < s->kind->n_columns; i++)
      json_array_append_new(cells, json_null());
    ferry_json_set(table, "rows",
                   json_pack("[{s:o, s:{s:s, s:s, s:O}}]", "cells", cells, "object", "kind",
                             "PartialObjectMetadata", "apiVersion", "meta.k8s.io/v1", "metadata",
                             json_object_get(object, "metadata")));
    ferry_watch_line(s->base.out, "BOOKMARK", table);
    json_decref(table);
    s->bookmarked = revision;
    return;
  }
  ferry_watch_line(s->base.out, "BOOKMARK", object);
  s->bookmarked = revision;
}

static void emit_error(WatchStream *s, const GError *error) {
  FerryRequest none = {0};
  g_autoptr(json_t) status = ferry_status_of(&none, error);
  ferry_watch_line(s->base.out, "ERROR", status);
  s->base.ended = TRUE;
}

/* An object that is gone, or not seen any more: its last state, with the revision of the change. */
static void emit_made_last(WatchStream *s, const json_t *seen, const FerrySeen *change) {
  g_autoptr(json_t) last = ferry_json_copy_along(seen, "metadata");
  ferry_json_set_str(last, "metadata.resourceVersion",
                     ferry_json_str(change->object, "metadata.resourceVersion"));
  emit_form(s, "DELETED", last);
}

/* A change of what an object is made of. What it is made into may become another one by that. */
static void emit_made(WatchStream *s, const FerrySeen *change) {
  gboolean gone = change->type == FERRY_DELETED;
  const json_t *source = change->previous ? change->previous : gone ? change->object : NULL;
  g_autoptr(json_t) old = source ? s->kind->make(source) : NULL;
  g_autoptr(json_t) new = gone ? NULL : s->kind->make(change->object);
  gboolean before = watch_selected(s, old), now = watch_selected(s, new);
  gboolean same =
      before && now &&
      g_strcmp0(ferry_json_str(old, "metadata.uid"), ferry_json_str(new, "metadata.uid")) == 0;
  if (before && !same)
    emit_made_last(s, old, change);
  if (now && !same)
    emit_form(s, "ADDED", new);
  if (!same)
    return;
  ferry_json_set_str(old, "metadata.resourceVersion",
                     ferry_json_str(new, "metadata.resourceVersion"));
  if (!json_equal(old, new))
    emit_form(s, "MODIFIED", new);
}

/* One change as this watch sees it: entering the selection is ADDED, leaving it is DELETED. */
static void emit_change(WatchStream *s, const FerryChange *change) {
  if (s->kind->make) {
    g_auto(FerrySeen) seen = ferry_change_see(change);
    emit_made(s, &seen);
    return;
  }
  gboolean now = change->type != FERRY_DELETED && watch_selects_stored(s, change->object);
  gboolean before = change->previous
                        ? watch_selects_stored(s, change->previous)
                        : change->type == FERRY_DELETED && watch_selects_stored(s, change->object);
  if (now && before)
    watch_emit(s, "MODIFIED", change->object);
  else if (now)
    watch_emit(s, "ADDED", change->object);
  else if (before && change->type == FERRY_DELETED)
    watch_emit(s, "DELETED", change->object);
  else if (before) {
    g_autoptr(FerryStored) last = ferry_stored_with_revision(change->previous, change->revision);
    watch_emit(s, "DELETED", last);
  }
}

/* Tells one change; FALSE where there is none. The bookmark that ends the pages stands where
 * everything up to its revision has been told. */
static gboolean next_change(WatchStream *s) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryChange) change = ferry_watch_next(s->watch, &error);
  if (error)
    emit_error(s, error);
  else if (s->initial_end && !s->initial.more &&
           (!change || change->revision > s->initial.revision)) {
    emit_bookmark(s, s->initial.revision, TRUE);
    s->initial_end = FALSE;
  }
  if (change && !ferry_initial_list_covers(&s->initial, change))
    emit_change(s, change);
  return change || error;
}

static void emit_made_first(WatchStream *s, FerryStored *stored) {
  g_autoptr(json_t) source = ferry_stored_view(stored);
  g_autoptr(json_t) shown = s->kind->make(source);
  if (watch_selected(s, shown))
    emit_form(s, "ADDED", shown);
}

static void watch_fill(FerryStream *base) {
  WatchStream *s = (WatchStream *)base;
  g_autoptr(GError) farewell = ferry_stream_farewell(base);
  if (!base->ended && farewell)
    emit_error(s, farewell);
  guint looked = 0;
  while (!base->ended && ferry_stream_pending(base) < FERRY_STREAM_BUFFER) {
    base->more = ++looked > FERRY_STREAM_TURN;
    if (base->more)
      break;
    FerryStored *stored = ferry_initial_list_next(&s->initial);
    if (stored && s->kind->make)
      emit_made_first(s, stored);
    else if (stored && watch_selects_stored(s, stored))
      watch_emit(s, "ADDED", stored);
    else if (!stored && !next_change(s) && !ferry_initial_list_turn(&s->initial))
      break;
  }
  gint64 now = g_get_monotonic_time();
  if (ferry_stream_pending(&s->base) > 0) {
    __atomic_store_n(&s->heartbeat_us, now + FERRY_STREAM_HEARTBEAT_US, __ATOMIC_RELAXED);
    return;
  }
  if (s->base.ended || (s->base.more && !g_atomic_int_get(&s->api->stopping)))
    return;
  if (now >= s->end_us || g_atomic_int_get(&s->api->stopping)) {
    s->base.ended = TRUE;
  } else if (s->bookmarks && now >= s->bookmark_us) {
    __atomic_store_n(&s->bookmark_us, now + s->api->bookmark_us, __ATOMIC_RELAXED);
    gint64 revision = ferry_watch_revision(s->watch);
    if (revision > s->bookmarked)
      emit_bookmark(s, revision, FALSE);
  } else if (now >= s->heartbeat_us) {
    g_string_append_c(s->base.out, '\n');
    __atomic_store_n(&s->heartbeat_us, now + FERRY_STREAM_HEARTBEAT_US, __ATOMIC_RELAXED);
  }
}

static void watch_stream_free(FerryStream *base) {
  WatchStream *s = (WatchStream *)base;
  ferry_streams_leave(s->api->streams, base);
  if (s->watch)
    ferry_watch_free(s->watch);
  ferry_selector_free(s->labels);
  ferry_selector_free(s->fields);
  ferry_initial_list_clear(&s->initial);
  ferry_stream_clear(base);
  g_free(s->ns);
  g_free(s->name);
  g_free(s);
}

/* end_us never changes once the stream is listed; the others are the stream thread's. */
static gboolean watch_is_due(FerryStream *base, gint64 now) {
  WatchStream *s = (WatchStream *)base;
  return now >= __atomic_load_n(&s->heartbeat_us, __ATOMIC_RELAXED) || now >= s->end_us ||
         (s->bookmarks && now >= __atomic_load_n(&s->bookmark_us, __ATOMIC_RELAXED));
}

static const FerryStreamType watch_type = {
    .fill = watch_fill, .free = watch_stream_free, .is_due = watch_is_due};

/* Where to begin: a snapshot (no or zero revision, or sendInitialEvents) or after a revision. */
static gboolean open_cursor(FerryRequest *req, WatchStream *s, GError **error) {
  const char *rv = ferry_query(req, "resourceVersion");
  const char *send = ferry_query(req, "sendInitialEvents");
  const char *match = ferry_query(req, "resourceVersionMatch");
  gint64 revision;
  if (!ferry_query_int(req, "resourceVersion", 0, &revision, error))
    return FALSE;
  gboolean initial = send ? ferry_query_bool(req, "sendInitialEvents") : revision == 0;
  if (match && !send) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    ferry_error_add_cause(*error, "FieldValueForbidden", "resourceVersionMatch",
                          "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                          "provided");
    return FALSE;
  }
  s->ns = req->found.kind->namespaced ? g_strdup(req->found.ns) : NULL;
  gint64 newest = ferry_store_revision(req->api->store);
  if (initial && send && revision > newest) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
                "too large resource version: %s, current: %" G_GINT64_FORMAT, rv, newest);
    return FALSE;
  }
  s->initial_end = initial && send;
  if (initial)
    revision = newest;
  if (revision == 0)
    revision = newest;
  s->watch = ferry_store_watch(req->api->store, ferry_kind_stored(s->kind), s->ns, revision,
                               ferry_stream_on_change, s, error);
  if (s->watch && initial) {
    ferry_initial_list_begin(&s->initial, req->api->store, ferry_kind_stored(s->kind), s->ns);
    ferry_initial_list_turn(&s->initial); /* a short list is told as it is now */
  }
  return s->watch != NULL;
}

gboolean ferry_resource_watch(FerryRequest *req, GError **error) {
  gint64 timeout;
  g_autoptr(FerrySelector) labels = NULL;
  g_autoptr(FerrySelector) fields = NULL;
  if (!ferry_query_int(req, "timeoutSeconds", 0, &timeout, error) ||
      !ferry_request_selectors(req, &labels, &fields, error))
    return FALSE;
  if (g_atomic_int_get(&req->api->stopping)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the server is shutting down");
    return FALSE;
  }
  gint64 now = g_get_monotonic_time();
  WatchStream *s = g_new0(WatchStream, 1);
  ferry_stream_init(&s->base, req->connection, req->user, &watch_type);
  s->api = req->api;
  s->kind = req->found.kind;
  s->alias = req->found.alias;
  s->labels = g_steal_pointer(&labels);
  s->fields = g_steal_pointer(&fields);
  s->name = g_strdup(req->found.name);
  s->format = req->form.format;
  s->table_version = req->form.table_version;
  s->include = ferry_query_include(req);
  s->bookmarks = ferry_query_bool(req, "allowWatchBookmarks");
  s->end_us =
      now + CLAMP(timeout > 0 ? timeout : DEFAULT_TIMEOUT_S, 1, FERRY_DAY_S) * G_USEC_PER_SEC;
  s->heartbeat_us = now + FERRY_STREAM_HEARTBEAT_US;
  s->bookmark_us = now + s->api->bookmark_us;
  g_autoptr(GError) problem = NULL;
  if (!open_cursor(req, s, &problem)) {
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_EXPIRED)) {
      watch_stream_free(&s->base);
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
    /* As an HTTP status old clients would lose the text. */
    if (s->watch)
      g_clear_pointer(&s->watch, ferry_watch_free);
    emit_error(s, problem);
  }
  if (!ferry_streams_enter(req, &s->base, error)) {
    watch_stream_free(&s->base);
    return FALSE;
  }
  req->answer.stream = &s->base;
  req->answer.status = MHD_HTTP_OK;
  g_free(req->answer.out_type);
  req->answer.out_type = g_strdup("application/json;stream=watch");
  return TRUE;
}
