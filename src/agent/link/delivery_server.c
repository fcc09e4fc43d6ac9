// SPDX-License-Identifier: Apache-2.0
// Theory of operation: whoever supervises a migration must never wait for the network (except where
// a write has to come before an act), so a thread of its own does the writing. What must arrive is
// repeated in order until the server has it; progress is one slot in which the newest wins and
// which is tried once (outbox.h). What the server refuses for good is left out; what comes after it
// is sent all the same, and a flush tells what became of the latest. A stale epoch ends everything:
// another agent has taken over.
//
// Order of locks: the delivery's own alone; nothing else is taken inside it.
#include "agent/link/delivery_server.h"
#include "agent/link/outbox.h"
#include "base/error.h"

#define LIVE_MS 1000

typedef struct {
  FerryDelivery base;
  FerryAgentContext *context;
  FerryAgentSession *session;
  char *path, *events_path, *name;
  FerryLogContext *log;
  GThread *thread;
  GMutex lock; /* guards what follows */
  GCond cond;
  FerryOutbox box;
  gboolean end, live;
  gint64 sent_us, heartbeats; /* when something was sent last; signs of life so far */
  gboolean refused;           /* the latest patch was */
  FerryDeliveryResult failed; /* why nothing is sent any more; FERRY_DELIVERED: all is well */
} ServerEnd;

static FerryDeliveryResult judge_refusal(ServerEnd *d, const GError *error, gboolean telemetry) {
  if (error->domain != FERRY_ERROR)
    return FERRY_DELIVERY_STOPPED;
  switch (error->code) {
  case FERRY_ERROR_NOT_FOUND:
    return FERRY_DELIVERY_GONE;
  case FERRY_ERROR_CONFLICT:
    if (telemetry)
      return FERRY_DELIVERY_PENDING;
    ferry_context_set_stale(d->context);
    return FERRY_DELIVERY_STOPPED;
  case FERRY_ERROR_BAD_REQUEST:
  case FERRY_ERROR_INVALID:
  case FERRY_ERROR_FORBIDDEN:
  case FERRY_ERROR_TOO_LARGE:
  case FERRY_ERROR_METHOD_NOT_ALLOWED:
  case FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE:
    ferry_warning(error->message, "FERRY_MIGRATION", d->name, "FERRY_WRITE",
                  telemetry ? "progress" : "status");
    return FERRY_DELIVERY_REFUSED;
  default:
    ferry_debug(error->message, "FERRY_MIGRATION", d->name);
    return FERRY_DELIVERY_PENDING;
  }
}

static FerryDeliveryResult patch_status(ServerEnd *d, FerryClient *client, const json_t *status,
                                        gboolean telemetry) {
  gint64 epoch = ferry_session_epoch(d->session); /* a session begun anew has a new one */
  if (epoch <= 0)
    return FERRY_DELIVERY_STOPPED;
  g_autofree char *header = g_strdup_printf("Ferry-Agent-Epoch: %" G_GINT64_FORMAT, epoch);
  const char *const headers[] = {header, telemetry ? "Ferry-Telemetry: 1" : NULL, NULL};
  g_autoptr(json_t) body = json_pack("{s:O}", "status", status);
  const char *type =
      ferry_outbox_is_keyed(status) ? FERRY_CONTENT_STRATEGIC_PATCH : FERRY_CONTENT_MERGE_PATCH;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) answer =
      ferry_client_request_full(client, "PATCH", d->path, body, type, headers,
                                ferry_context_cancellable(d->context), NULL, &error);
  return answer ? FERRY_DELIVERED : judge_refusal(d, error, telemetry);
}

/* What does not have to arrive; takes `item`. */
static FerryDeliveryResult try_once(ServerEnd *d, FerryClient *client, FerryOutboxKind kind,
                                    json_t *item) {
  g_autoptr(json_t) owned = item;
  if (kind == FERRY_OUTBOX_TELEMETRY)
    return patch_status(d, client, owned, TRUE);
  g_autoptr(json_t) answer =
      ferry_client_request_full(client, "POST", d->events_path, owned, NULL, NULL,
                                ferry_context_cancellable(d->context), NULL, NULL);
  return FERRY_DELIVERED;
}

/* The lock is held. Waits for something to send; where a sign of life is due, that is. */
static void await_work(ServerEnd *d) {
  gint64 due = d->sent_us + LIVE_MS * 1000;
  if (!d->live)
    g_cond_wait(&d->cond, &d->lock);
  else if (!g_cond_wait_until(&d->cond, &d->lock, due) && g_get_monotonic_time() >= due)
    ferry_outbox_put_telemetry(
        &d->box, json_pack("{s:{s:I}}", "progress", "heartbeats", (json_int_t)++d->heartbeats));
}

/* The lock is held, and let go of while something is sent. FALSE: it is over. */
static gboolean send_next(ServerEnd *d, FerryClient **client, gint64 *backoff) {
  json_t *item = NULL;
  if (d->end && !d->box.must.length && !d->box.events.length)
    return FALSE;
  FerryOutboxKind kind = ferry_outbox_next(&d->box, &item);
  if (kind == FERRY_OUTBOX_NOTHING) {
    await_work(d);
    return TRUE;
  }
  d->sent_us = g_get_monotonic_time();
  g_mutex_unlock(&d->lock);
  ferry_session_refresh_client(d->session, client); /* a migration may outlive its certificate */
  FerryDeliveryResult result = kind == FERRY_OUTBOX_PATCH ? patch_status(d, *client, item, FALSE)
                                                          : try_once(d, *client, kind, item);
  if (kind == FERRY_OUTBOX_PATCH && result == FERRY_DELIVERY_PENDING &&
      !ferry_context_sleep(d->context, ferry_backoff_next(backoff)))
    result = FERRY_DELIVERY_STOPPED;
  g_mutex_lock(&d->lock);
  if (kind != FERRY_OUTBOX_PATCH)
    return !ferry_context_is_stopped(d->context);
  /* What was refused never arrives; what comes after it may be the result. */
  d->refused = result == FERRY_DELIVERY_REFUSED;
  if (result == FERRY_DELIVERY_REFUSED)
    result = FERRY_DELIVERED;
  ferry_outbox_sent(&d->box, result == FERRY_DELIVERED);
  if (result != FERRY_DELIVERY_PENDING)
    *backoff = 0;
  if (result != FERRY_DELIVERY_PENDING && result != FERRY_DELIVERED) {
    d->failed = result;
    ferry_outbox_give_up(&d->box);
  }
  g_cond_broadcast(&d->cond);
  return d->failed != FERRY_DELIVERY_STOPPED;
}

static gpointer delivery_thread(gpointer data) {
  ServerEnd *d = data;
  ferry_log_scope(d->log);
  gboolean begun = ferry_session_epoch(d->session) > 0;
  FerryClient *client = ferry_session_take_client(d->session);
  gint64 backoff = 0;
  g_mutex_lock(&d->lock);
  while (begun && send_next(d, &client, &backoff))
    ;
  if (!begun || ferry_context_is_stopped(d->context))
    d->failed = FERRY_DELIVERY_STOPPED;
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
  ferry_session_give_client(d->session, client);
  return NULL;
}

static void server_send(FerryDelivery *base, json_t *status) {
  ServerEnd *d = (ServerEnd *)base;
  g_mutex_lock(&d->lock);
  if (d->failed == FERRY_DELIVERED)
    ferry_outbox_put(&d->box, status);
  else
    json_decref(status);
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

static void server_telemetry(FerryDelivery *base, json_t *status) {
  ServerEnd *d = (ServerEnd *)base;
  g_mutex_lock(&d->lock);
  ferry_outbox_put_telemetry(&d->box, status);
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

static void server_event(FerryDelivery *base, json_t *event) {
  ServerEnd *d = (ServerEnd *)base;
  g_mutex_lock(&d->lock);
  gboolean kept = ferry_outbox_put_event(&d->box, event);
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
  if (!kept)
    ferry_debug("an Event was left out: too many wait for the server", "FERRY_MIGRATION", d->name);
}

static void server_live(FerryDelivery *base, gboolean on) {
  ServerEnd *d = (ServerEnd *)base;
  g_mutex_lock(&d->lock);
  d->live = on;
  d->sent_us = g_get_monotonic_time();
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

static FerryDeliveryResult server_flush(FerryDelivery *base, gint64 timeout_ms) {
  ServerEnd *d = (ServerEnd *)base;
  gint64 until = g_get_monotonic_time() + timeout_ms * 1000;
  g_mutex_lock(&d->lock);
  while (d->box.must.length && d->failed == FERRY_DELIVERED) {
    if (timeout_ms < 0)
      g_cond_wait(&d->cond, &d->lock);
    else if (!g_cond_wait_until(&d->cond, &d->lock, until))
      break;
  }
  FerryDeliveryResult result = d->failed != FERRY_DELIVERED ? d->failed
                               : d->box.must.length         ? FERRY_DELIVERY_PENDING
                               : d->refused                 ? FERRY_DELIVERY_REFUSED
                                                            : FERRY_DELIVERED;
  g_mutex_unlock(&d->lock);
  return result;
}

static void server_free(FerryDelivery *base) {
  ServerEnd *d = (ServerEnd *)base;
  g_mutex_lock(&d->lock);
  d->end = TRUE;
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
  g_thread_join(d->thread);
  ferry_outbox_clear(&d->box);
  g_mutex_clear(&d->lock);
  g_cond_clear(&d->cond);
  g_free(d->path);
  g_free(d->events_path);
  g_free(d->name);
  ferry_log_context_unref(d->log);
  g_free(d);
}

FerryDelivery *ferry_delivery_server_new(FerryAgentContext *context, FerryAgentSession *session,
                                         const char *ns, const char *name, FerryLogContext *log) {
  static const FerryDeliveryOps ops = {server_send,  server_telemetry, server_event,
                                       server_flush, server_live,      server_free};
  ServerEnd *d = g_new0(ServerEnd, 1);
  d->base.ops = &ops;
  d->context = context;
  d->session = session;
  d->log = ferry_log_context_ref(log);
  d->name = g_strdup(name);
  d->path = ferry_client_path("kubevirt.io", "v1", ns, "virtualmachineinstancemigrations", name,
                              "status");
  d->events_path = ferry_client_path(NULL, "v1", ns, "events", NULL, NULL);
  g_mutex_init(&d->lock);
  g_cond_init(&d->cond);
  ferry_outbox_init(&d->box);
  d->thread = g_thread_new("deliver", delivery_thread, d);
  return &d->base;
}
