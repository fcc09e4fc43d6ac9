// SPDX-License-Identifier: Apache-2.0
// The writes of one migration.
//
// Theory of operation: whoever supervises a migration must never wait for the network (except where
// a write has to come before an act), so a thread of its own does the writing. What must arrive is
// a queue, repeated in order until the server has it; progress is one slot in which the newest wins
// and which is tried once. A stale epoch ends everything: another agent has taken over.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"

#define MAX_QUEUE 256

struct _FerryDelivery {
  FerryAgent *agent;
  char *path, *events_path, *name;
  GThread *thread;
  GMutex lock;
  GCond cond;
  GQueue queue, events; /* json_t*, owned */
  json_t *telemetry;
  gboolean busy, end;
  FerryDeliverySink sink; /* NULL: to the server, by the thread */
  gpointer sink_data;
  FerryLogContext *log;
  FerryDeliveryResult failed; /* why nothing is sent any more; FERRY_DELIVERED: all is well */
};

static FerryDeliveryResult patch(FerryDelivery *d, FerryClient *client, const json_t *status,
                                 gboolean telemetry, gint64 epoch) {
  g_autofree char *header = g_strdup_printf("Ferry-Agent-Epoch: %" G_GINT64_FORMAT, epoch);
  const char *const headers[] = {header, telemetry ? "Ferry-Telemetry: 1" : NULL, NULL};
  g_autoptr(json_t) body = json_pack("{s:O}", "status", status);
  /* Lists that others write to as well are merged by their keys. */
  gboolean keyed = json_object_get(status, "changes") || json_object_get(status, "conditions");
  const char *type = keyed ? FERRY_CONTENT_STRATEGIC_PATCH : FERRY_CONTENT_MERGE_PATCH;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) answer = ferry_client_request_full(client, "PATCH", d->path, body, type,
                                                       headers, d->agent->cancel, NULL, &error);
  if (answer)
    return FERRY_DELIVERED;
  if (error->domain != FERRY_ERROR)
    return FERRY_DELIVERY_STOPPED;
  switch (error->code) {
  case FERRY_ERROR_NOT_FOUND:
    return FERRY_DELIVERY_GONE;
  case FERRY_ERROR_CONFLICT:
    if (telemetry)
      return FERRY_DELIVERY_PENDING;
    ferry_agent_set_stale(d->agent);
    return FERRY_DELIVERY_STOPPED;
  case FERRY_ERROR_BAD_REQUEST:
  case FERRY_ERROR_INVALID:
  case FERRY_ERROR_FORBIDDEN:
  case FERRY_ERROR_TOO_LARGE:
  case FERRY_ERROR_METHOD_NOT_ALLOWED:
  case FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE: {
    ferry_warning(error->message, "FERRY_MIGRATION", d->name, "FERRY_WRITE",
                  telemetry ? "progress" : "status");
    return FERRY_DELIVERY_REFUSED;
  }
  default:
    ferry_debug(error->message, "FERRY_MIGRATION", d->name);
    return FERRY_DELIVERY_PENDING;
  }
}

static gpointer delivery_thread(gpointer data) {
  FerryDelivery *d = data;
  ferry_log_scope(d->log);
  gint64 epoch = ferry_agent_epoch(d->agent);
  FerryClient *client = ferry_agent_take_client(d->agent);
  gint64 backoff = 0;
  g_mutex_lock(&d->lock);
  while (epoch > 0) {
    json_t *must = g_queue_peek_head(&d->queue);
    if (!must && d->end)
      break;
    if (!must && !d->telemetry && !d->events.length) {
      g_cond_wait(&d->cond, &d->lock);
      continue;
    }
    json_t *item = must;
    json_t *event = NULL;
    if (!must && d->telemetry)
      item = g_steal_pointer(&d->telemetry);
    else if (!must)
      event = g_queue_pop_head(&d->events);
    d->busy = TRUE;
    g_mutex_unlock(&d->lock);
    FerryDeliveryResult result = FERRY_DELIVERED;
    if (event) {
      json_t *answer = ferry_client_request_full(client, "POST", d->events_path, event, NULL, NULL,
                                                 d->agent->cancel, NULL, NULL);
      json_decref(answer);
      json_decref(event);
    } else {
      /* A session begun anew has a new epoch. */
      epoch = ferry_agent_epoch(d->agent);
      result = epoch > 0 ? patch(d, client, item, !must, epoch) : FERRY_DELIVERY_STOPPED;
    }
    if (must && result == FERRY_DELIVERY_PENDING &&
        !ferry_agent_sleep(d->agent, ferry_agent_backoff(&backoff)))
      result = FERRY_DELIVERY_STOPPED;
    g_mutex_lock(&d->lock);
    d->busy = FALSE;
    if (!must && item)
      json_decref(item);
    if (must && result != FERRY_DELIVERY_PENDING) {
      backoff = 0;
      json_decref(g_queue_pop_head(&d->queue));
    }
    if (must && result != FERRY_DELIVERY_PENDING && result != FERRY_DELIVERED) {
      d->failed = result;
      g_queue_clear_full(&d->queue, (GDestroyNotify)json_decref);
    }
    g_cond_broadcast(&d->cond);
    if (d->failed == FERRY_DELIVERY_STOPPED)
      break;
  }
  if (epoch <= 0)
    d->failed = FERRY_DELIVERY_STOPPED;
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
  ferry_agent_give_client(d->agent, client);
  return NULL;
}

FerryDelivery *ferry_delivery_new(FerryAgent *agent, const char *ns, const char *name,
                                  FerryLogContext *log) {
  FerryDelivery *d = g_new0(FerryDelivery, 1);
  d->log = ferry_log_context_ref(log);
  d->agent = agent;
  d->name = g_strdup(name);
  d->path = ferry_client_path("kubevirt.io", "v1", ns, "virtualmachineinstancemigrations", name,
                              "status");
  d->events_path = ferry_client_path(NULL, "v1", ns, "events", NULL, NULL);
  g_mutex_init(&d->lock);
  g_cond_init(&d->cond);
  g_queue_init(&d->queue);
  g_queue_init(&d->events);
  d->thread = g_thread_new("deliver", delivery_thread, d);
  return d;
}

FerryDelivery *ferry_delivery_new_local(FerryAgent *agent, const char *name, FerryLogContext *log,
                                        FerryDeliverySink sink, gpointer data) {
  FerryDelivery *d = g_new0(FerryDelivery, 1);
  d->log = ferry_log_context_ref(log);
  d->agent = agent;
  d->name = g_strdup(name);
  d->sink = sink;
  d->sink_data = data;
  g_mutex_init(&d->lock);
  g_cond_init(&d->cond);
  g_queue_init(&d->queue);
  g_queue_init(&d->events);
  return d;
}

/* TRUE where `item` (taken over) needs no server. */
static gboolean sunk(FerryDelivery *d, json_t *item, gboolean event) {
  if (!d->sink)
    return FALSE;
  d->sink(item, event, d->sink_data);
  json_decref(item);
  return TRUE;
}

void ferry_delivery_send(FerryDelivery *d, json_t *status) {
  if (sunk(d, status, FALSE))
    return;
  g_mutex_lock(&d->lock);
  /* Anything the supervisor says later includes what the dropped progress said. */
  g_clear_pointer(&d->telemetry, json_decref);
  if (d->failed == FERRY_DELIVERED && d->queue.length < MAX_QUEUE)
    g_queue_push_tail(&d->queue, status);
  else
    json_decref(status);
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

void ferry_delivery_telemetry(FerryDelivery *d, json_t *status) {
  if (sunk(d, status, FALSE))
    return;
  g_mutex_lock(&d->lock);
  g_clear_pointer(&d->telemetry, json_decref);
  d->telemetry = status;
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

void ferry_delivery_event(FerryDelivery *d, json_t *event) {
  if (sunk(d, event, TRUE))
    return;
  g_mutex_lock(&d->lock);
  if (d->events.length < 32)
    g_queue_push_tail(&d->events, event);
  else
    json_decref(event);
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
}

void ferry_delivery_tell(FerryDelivery *d, const json_t *object, const char *type,
                         const char *reason, const char *message) {
  g_autofree char *now = ferry_rfc3339_format(g_get_real_time() / 1000);
  g_autofree char *prefix = g_strconcat(d->name, ".", NULL);
  const char *ns = ferry_json_str(object, "metadata.namespace");
  ferry_delivery_event(
      d, json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s*}, s:s, s:s, s:s, s:i, "
                   "s:s, s:s, s:{s:s}}",
                   "apiVersion", "v1", "kind", "Event", "metadata", "generateName", prefix,
                   "namespace", ns, "involvedObject", "apiVersion", "kubevirt.io/v1", "kind",
                   "VirtualMachineInstanceMigration", "namespace", ns, "name", d->name, "uid",
                   ferry_json_str(object, "metadata.uid"), "type", type, "reason", reason,
                   "message", message, "count", 1, "firstTimestamp", now, "lastTimestamp", now,
                   "source", "component", "ferry-agentd"));
}

FerryDeliveryResult ferry_delivery_flush(FerryDelivery *d, gint64 timeout_ms) {
  gint64 until = g_get_monotonic_time() + timeout_ms * 1000;
  g_mutex_lock(&d->lock);
  while (d->queue.length && d->failed == FERRY_DELIVERED) {
    if (timeout_ms < 0)
      g_cond_wait(&d->cond, &d->lock);
    else if (!g_cond_wait_until(&d->cond, &d->lock, until))
      break;
  }
  FerryDeliveryResult result = d->failed != FERRY_DELIVERED ? d->failed
                               : d->queue.length            ? FERRY_DELIVERY_PENDING
                                                            : FERRY_DELIVERED;
  g_mutex_unlock(&d->lock);
  return result;
}

void ferry_delivery_free(FerryDelivery *d) {
  if (!d)
    return;
  g_mutex_lock(&d->lock);
  d->end = TRUE;
  g_cond_broadcast(&d->cond);
  g_mutex_unlock(&d->lock);
  if (d->thread)
    g_thread_join(d->thread);
  g_queue_clear_full(&d->queue, (GDestroyNotify)json_decref);
  g_queue_clear_full(&d->events, (GDestroyNotify)json_decref);
  json_decref(d->telemetry);
  g_mutex_clear(&d->lock);
  g_cond_clear(&d->cond);
  g_free(d->path);
  g_free(d->events_path);
  g_free(d->name);
  ferry_log_context_unref(d->log);
  g_free(d);
}
