// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/events/stream: server-sent events of migrations.
//
// Theory of operation: like a watch (watch.c) this is a cursor on the store's change log and a
// small buffer (stream.h); a slow reader costs nothing but its cursor. One change gives up to three
// kinds of events: `decision` (one for each new one), `progress` and `transition`. The id is the
// store's revision and stands on a change's last event only, so a client that resumes never misses
// a part. Without a Last-Event-ID, and after a `reset`, a stream begins with a `state` event for
// each migration that has not ended. They are read in pages (initial_list.h), with the changes
// between two pages told without an id: the first id follows, alone, when all has been told up to
// it.
#include "api/events/events_stream.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/resource/streams.h"
#include "api/auth/kept_right.h"
#include "api/http/stream.h"
#include "api/resource/initial_list.h"
#include "model/migration/migration.h"
#include "model/migration/migration_log.h"
#include "base/limits.h"

#include <string.h>

#define LIFETIME_S 2700 /* 45 min; clients connect again and resume */
#define RETRY_MS 1000
#define MAX_FILTER 317 /* namespace/name */

typedef struct {
  FerryStream base;
  FerryApi *api;
  char *vmi, *migration; /* filters, "name" or "namespace/name"; NULL: all */
  FerryWatch *watch;
  FerryInitialList initial; /* migrations to be sent as `state` */
  gboolean beginning;       /* they, or changes up to their revision, are still to be told */
  gint64 end_us;
  gint64 heartbeat_us;
} EventStream;

static gboolean name_matches(const char *filter, const json_t *m, const char *path) {
  if (!filter)
    return TRUE;
  const char *slash = strchr(filter, '/');
  if (g_strcmp0(slash ? slash + 1 : filter, ferry_json_str(m, path)) != 0)
    return FALSE;
  const char *ns = ferry_json_str(m, "metadata.namespace");
  return !slash || (ns && strlen(ns) == (gsize)(slash - filter) &&
                    strncmp(ns, filter, (gsize)(slash - filter)) == 0);
}

static gboolean events_stream_selected(const EventStream *s, const json_t *m) {
  return name_matches(s->vmi, m, "spec.vmiName") && name_matches(s->migration, m, "metadata.name");
}

/* ---- events ---- */

/* What every event says of its migration. */
static json_t *events_stream_describe(const json_t *m, gint64 revision) {
  static const char *const fields[][2] = {
      {"namespace", "metadata.namespace"},
      {"migration", "metadata.name"},
      {"uid", "metadata.uid"},
      {"vmi", "spec.vmiName"},
      {"phase", "status.phase"},
      {"sourceNode", "status.migrationState.sourceNode"},
      {"targetNode", "status.migrationState.targetNode"},
  };
  json_t *data = json_object();
  json_object_set_new(data, "revision", json_integer(revision));
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    const char *value = ferry_json_str(m, fields[i][1]);
    if (value)
      json_object_set_new(data, fields[i][0], json_string(value));
  }
  const char *trace = ferry_object_trace(m);
  if (trace)
    json_object_set_new(data, "trace", json_string(trace));
  return data;
}

static void events_stream_add(json_t *data, const char *key, const json_t *m, const char *path) {
  json_t *value = ferry_json_get(m, path);
  if (value)
    json_object_set(data, key, value);
}

/* Takes data. The JSON text has no line breaks, so it is one data line. */
static void events_stream_queue_event(GPtrArray *events, const char *type, json_t *data) {
  g_autofree char *text = ferry_json_dump(data);
  json_decref(data);
  g_ptr_array_add(events, g_strdup_printf("event: %s\ndata: %s\n", type, text));
}

/* Writes the events of one revision; the id is on the last, once ids are given. */
static void put_events(EventStream *s, GPtrArray *events, gint64 revision) {
  for (guint i = 0; i < events->len; i++) {
    g_string_append(s->base.out, g_ptr_array_index(events, i));
    if (i + 1 == events->len && !s->beginning)
      g_string_append_printf(s->base.out, "id: %" G_GINT64_FORMAT "\n", revision);
    g_string_append_c(s->base.out, '\n');
  }
}

static void queue_decisions(GPtrArray *events, const FerrySeen *change) {
  const json_t *before = ferry_json_get(change->previous, "status.decisions");
  const json_t *after = ferry_json_get(change->object, "status.decisions");
  gsize n = json_array_size(after), n_before = json_array_size(before), first = n;
  const json_t *last = n_before ? json_array_get(before, n_before - 1) : NULL;
  while (first > 0 && !(last && json_equal(json_array_get(after, first - 1), last)))
    first--;
  for (gsize i = first; i < n; i++) {
    json_t *data = events_stream_describe(change->object, change->revision);
    json_object_set(data, "decision", json_array_get(after, i));
    events_stream_queue_event(events, "decision", data);
  }
}

static void events_stream_emit_change(EventStream *s, const FerrySeen *change) {
  const json_t *m = change->object, *old = change->previous;
  if (!events_stream_selected(s, m))
    return;
  g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(g_free);
  if (change->type == FERRY_DELETED) {
    events_stream_queue_event(events, "deleted", events_stream_describe(m, change->revision));
    put_events(s, events, change->revision);
    return;
  }
  queue_decisions(events, change);
  const json_t *progress = ferry_json_get(m, "status.progress");
  if (progress && !json_equal(progress, ferry_json_get(old, "status.progress"))) {
    json_t *data = events_stream_describe(m, change->revision);
    events_stream_add(data, "progress", m, "status.progress");
    events_stream_queue_event(events, "progress", data);
  }
  const char *phase = ferry_json_str(m, "status.phase");
  const char *before = ferry_json_str(old, "status.phase");
  if (g_strcmp0(phase, before) != 0) {
    json_t *data = events_stream_describe(m, change->revision);
    if (before)
      json_object_set_new(data, "previousPhase", json_string(before));
    events_stream_add(data, "reason", m, "status.reason");
    events_stream_add(data, "message", m, "status.message");
    events_stream_add(data, "phaseTransitionTimestamps", m, "status.phaseTransitionTimestamps");
    events_stream_add(data, "summary", m, "status.summary");
    events_stream_queue_event(events, "transition", data);
  }
  put_events(s, events, change->revision);
}

static void see_change(EventStream *s, const FerryChange *change) {
  g_auto(FerrySeen) seen = ferry_change_see(change);
  events_stream_emit_change(s, &seen);
}

static void emit_state(EventStream *s, const json_t *m) {
  if (ferry_migration_is_final(m) || !events_stream_selected(s, m))
    return;
  json_t *data = events_stream_describe(m, s->initial.revision);
  events_stream_add(data, "queue", m, "status.queue");
  events_stream_add(data, "progress", m, "status.progress");
  events_stream_add(data, "decisions", m, "status.decisions");
  g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(g_free);
  events_stream_queue_event(events, "state", data);
  put_events(s, events, s->initial.revision);
}

static void begin_anew(EventStream *s) {
  if (s->watch)
    ferry_watch_free(g_steal_pointer(&s->watch));
  s->watch =
      ferry_store_watch_now(s->api->store, &ferry_kind_vmim, NULL, ferry_stream_on_change, s);
  ferry_initial_list_begin(&s->initial, s->api->store, &ferry_kind_vmim, NULL);
  s->beginning = TRUE;
}

/* What the client missed can't be told any more: it has to forget what it knows. */
static void events_stream_reset(EventStream *s) {
  g_string_append(s->base.out,
                  "event: reset\ndata: {\"reason\":\"Expired\",\"message\":\"the events "
                  "since Last-Event-ID are not kept any more; what follows is the present "
                  "state\"}\n\n");
  begin_anew(s);
}

/* Tells one change; FALSE where there is none. */
static gboolean events_stream_next_change(EventStream *s) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryChange) change = ferry_watch_next(s->watch, &error);
  if (error) {
    events_stream_reset(s);
    return TRUE;
  }
  /* An id alone is no event, but the client keeps it. */
  if (s->beginning && !s->initial.more && (!change || change->revision > s->initial.revision)) {
    g_string_append_printf(s->base.out, "id: %" G_GINT64_FORMAT "\n\n", s->initial.revision);
    s->beginning = FALSE;
  }
  if (change && !ferry_initial_list_covers(&s->initial, change))
    see_change(s, change);
  return change != NULL;
}

/* ---- the connection ---- */

static void events_stream_fill(FerryStream *base) {
  EventStream *s = (EventStream *)base;
  g_autoptr(GError) farewell = ferry_stream_farewell(base);
  if (farewell) {
    if (!base->ended)
      g_string_append_printf(
          base->out, "event: error\ndata: {\"code\":%u,\"reason\":\"%s\",\"message\":\"%s\"}\n\n",
          ferry_error_http_status(farewell->code), ferry_error_reason(farewell->code),
          farewell->message);
    base->ended = TRUE;
    return;
  }
  guint looked = 0;
  while (ferry_stream_pending(&s->base) < FERRY_STREAM_BUFFER) {
    base->more = ++looked > FERRY_STREAM_TURN;
    if (base->more)
      break;
    FerryStored *stored = ferry_initial_list_next(&s->initial);
    g_autoptr(json_t) m = ferry_stored_view(stored);
    if (m)
      emit_state(s, m);
    else if (!events_stream_next_change(s) && !ferry_initial_list_turn(&s->initial))
      break;
  }
  gint64 now = g_get_monotonic_time();
  if (base->more && !g_atomic_int_get(&s->api->stopping))
    return;
  if (ferry_stream_pending(&s->base) == 0 &&
      (now >= s->end_us || g_atomic_int_get(&s->api->stopping))) {
    s->base.ended = TRUE;
  } else if (ferry_stream_pending(&s->base) == 0 && now >= s->heartbeat_us) {
    g_string_append(s->base.out, ":\n\n");
  }
  if (ferry_stream_pending(&s->base) > 0)
    s->heartbeat_us = now + FERRY_STREAM_HEARTBEAT_US;
}

static void events_stream_free(FerryStream *base) {
  EventStream *s = (EventStream *)base;
  ferry_streams_leave(s->api->streams, base);
  if (s->watch)
    ferry_watch_free(s->watch);
  ferry_initial_list_clear(&s->initial);
  ferry_stream_clear(base);
  g_free(s->vmi);
  g_free(s->migration);
  g_free(s);
}

static const FerryStreamType events_type = {
    .fill = events_stream_fill, .free = events_stream_free, .events = TRUE};

/* ---- the request ---- */

static gboolean filter_of(FerryRequest *req, const char *name, char **filter, GError **error) {
  const char *text = ferry_query(req, name);
  *filter = NULL;
  if (!text)
    return TRUE;
  const char *slash = strchr(text, '/');
  if (!*text || strlen(text) > MAX_FILTER || slash == text || (slash && !slash[1]) ||
      (slash && strchr(slash + 1, '/'))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "%s: Invalid value: \"%s\": expected NAME or NAMESPACE/NAME", name, text);
    return FALSE;
  }
  *filter = g_strdup(text);
  return TRUE;
}

/* The header that browsers send when they connect again; a parameter for the first time. -1: none.
 */
static gboolean last_event_id(FerryRequest *req, gint64 *revision, GError **error) {
  const char *header =
      MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, "Last-Event-ID");
  const char *text = header ? header : ferry_query(req, "lastEventId");
  *revision = -1;
  if (!text || !*text || g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, revision, NULL))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: Invalid value: \"%s\": expected the id of an event, a whole number",
              header ? "Last-Event-ID" : "lastEventId", text);
  return FALSE;
}

gboolean ferry_serve_events_stream(FerryRequest *req, GError **error) {
  g_autofree char *vmi = NULL;
  g_autofree char *migration = NULL;
  gint64 after, timeout;
  if (!filter_of(req, "vmi", &vmi, error) || !filter_of(req, "migration", &migration, error) ||
      !last_event_id(req, &after, error) ||
      !ferry_query_int(req, "timeoutSeconds", LIFETIME_S, &timeout, error))
    return FALSE;
  if (g_atomic_int_get(&req->api->stopping)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the server is shutting down");
    return FALSE;
  }
  EventStream *s = g_new0(EventStream, 1);
  ferry_stream_init(&s->base, req->connection, req->user, &events_type);
  s->api = req->api;
  s->vmi = g_steal_pointer(&vmi);
  s->migration = g_steal_pointer(&migration);
  s->end_us = g_get_monotonic_time() + CLAMP(timeout, 1, FERRY_DAY_S) * G_USEC_PER_SEC;
  s->heartbeat_us = g_get_monotonic_time() + FERRY_STREAM_HEARTBEAT_US;
  if (!ferry_streams_enter(req, &s->base, error)) {
    events_stream_free(&s->base);
    return FALSE;
  }
  g_string_append_printf(s->base.out, "retry: %d\n\n", RETRY_MS);
  if (after < 0)
    begin_anew(s);
  else if (!(s->watch = ferry_store_watch(req->api->store, &ferry_kind_vmim, NULL, after,
                                          ferry_stream_on_change, s, NULL)))
    events_stream_reset(s);
  req->answer.stream = &s->base;
  req->answer.status = MHD_HTTP_OK;
  g_free(req->answer.out_type);
  req->answer.out_type = g_strdup("text/event-stream; charset=utf-8");
  ferry_respond_header(req, "X-Accel-Buffering", "no");
  return TRUE;
}
