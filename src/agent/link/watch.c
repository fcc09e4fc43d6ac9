// SPDX-License-Identifier: Apache-2.0
#include "agent/link/watch.h"
#include "base/log.h"
#include "model/migration/doubt.h"
#include "model/migration/phase.h"

struct _FerryAgentWatch {
  FerryWatchPorts ports;
  GThread *thread;
  GHashTable *again; /* UID -> json_t*, attempts that wait for the last one's worker to end; the
                        thread's own */
};

static void start_its_worker(FerryAgentWatch *w, const char *uid, const json_t *object) {
  ferry_workers_add(w->ports.workers, uid, w->ports.start(object, w->ports.data));
}

/* Whether an old migration is about a VM that another one works on: what the VM is paused for is
 * that one's then. But one that has not called libvirt waits itself for a copy that is noted. */
static gboolean is_others(const FerryAgentWatch *w, const json_t *object) {
  const char *domain = ferry_json_str(object, "status.migrationState.vmiUID");
  if (!domain || !ferry_phase_is_final(ferry_phase_of(object)))
    return FALSE;
  return w->ports.is_noted(ferry_json_str(object, "metadata.uid"), w->ports.data)
             ? ferry_workers_has_called(w->ports.workers, domain)
             : ferry_workers_has_domain(w->ports.workers, domain);
}

/* Attempts whose predecessor's worker has ended by now. */
static void start_again(FerryAgentWatch *w) {
  GHashTableIter iter;
  gpointer uid, object;
  g_hash_table_iter_init(&iter, w->again);
  while (g_hash_table_iter_next(&iter, &uid, &object)) {
    if (ferry_workers_find(w->ports.workers, uid, object) != FERRY_WORKER_NONE ||
        is_others(w, object))
      continue;
    start_its_worker(w, uid, object);
    g_hash_table_iter_remove(&iter);
  }
}

/* A copy that an agent before this one left suspended in doubt, by ferryd's record or by this
 * host's own alone, or a person's word about it. */
static gboolean is_still_in_doubt(const FerryAgentWatch *w, const char *uid, const json_t *object) {
  return ferry_doubt_of(object, FERRY_SIDE_SOURCE) == FERRY_DOUBT_SUSPENDED ||
         ferry_doubt_keep_is_due(object, FERRY_SIDE_SOURCE) ||
         w->ports.is_noted(uid, w->ports.data);
}

/* Whether there is something to be done for `object`, by a worker that does not exist yet. */
static gboolean needs_worker(FerryAgentWatch *w, const char *uid, const json_t *object) {
  FerryPhase phase = ferry_phase_of(object);
  const json_t *result = ferry_json_get(object, "status.migrationState.agentResult");
  gboolean ended = result && ferry_json_int(result, "attempt", 0) >= ferry_worker_attempt(object);
  if (!ferry_phase_is_waiting(phase) && (ended || ferry_phase_is_final(phase)))
    return is_still_in_doubt(w, uid, object);
  return !ended && !ferry_phase_is_waiting(phase) && !ferry_phase_is_final(phase) &&
         !ferry_results_has(w->ports.results, uid);
}

static gboolean on_watch_event(const char *type, json_t *object, gpointer data) {
  FerryAgentWatch *w = data;
  const char *uid = ferry_json_str(object, "metadata.uid");
  gboolean bookmark = g_str_equal(type, "BOOKMARK"), deleted = g_str_equal(type, "DELETED");
  if (bookmark || !uid || !ferry_json_str(object, "metadata.name"))
    return TRUE;
  w->ports.see(type, object, w->ports.data);
  const char *source = ferry_json_str(object, "status.migrationState.sourceNode");
  if (g_strcmp0(source, ferry_context_node(w->ports.context)) != 0) {
    g_hash_table_remove(w->again, uid);
    return TRUE;
  }
  /* one that has ended does nothing for what comes later, such as a person's word */
  ferry_workers_sweep(w->ports.workers);
  /* Workers are added and removed by this thread alone, so what is found stays so. */
  FerryWorkerFound found = ferry_workers_find(w->ports.workers, uid, object);
  gboolean wanted = !deleted && needs_worker(w, uid, object);
  if (found == FERRY_WORKER_THERE) {
    if (!deleted)
      ferry_workers_update(w->ports.workers, uid, object);
    return TRUE;
  }
  if (wanted && (found == FERRY_WORKER_EARLIER || is_others(w, object))) {
    g_hash_table_replace(w->again, g_strdup(uid), json_incref(object));
    return TRUE;
  }
  g_hash_table_remove(w->again, uid);
  if (wanted)
    start_its_worker(w, uid, object);
  return TRUE;
}

static gboolean on_watch_tick(gpointer data) {
  FerryAgentWatch *w = data;
  ferry_workers_sweep(w->ports.workers);
  w->ports.tick(w->ports.data);
  start_again(w);
  return !ferry_context_has_ended(w->ports.context);
}

static char *own_watch_path(const char *node) {
  g_autofree char *base =
      ferry_client_path("kubevirt.io", "v1", NULL, "virtualmachineinstancemigrations", NULL, NULL);
  g_autofree char *selector = g_strdup_printf("status.migrationState.agents=%s", node);
  g_autofree char *escaped = g_uri_escape_string(selector, NULL, FALSE);
  return g_strdup_printf("%s?watch=1&fieldSelector=%s", base, escaped);
}

static gpointer watch_thread(gpointer data) {
  FerryAgentWatch *w = data;
  FerryAgentContext *context = w->ports.context;
  FerryClient *client = ferry_session_take_client(w->ports.session);
  g_autofree char *path = own_watch_path(ferry_context_node(context));
  gint64 backoff = 0;
  while (ferry_session_epoch(w->ports.session) > 0) {
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    ferry_session_refresh_client(w->ports.session, &client);
    /* all that there are come anew; one that was deleted meanwhile does not */
    g_hash_table_remove_all(w->again);
    gboolean ok = ferry_client_watch(client, path, NULL, 0, on_watch_event, on_watch_tick, w,
                                     ferry_context_cancellable(context), &error);
    if (!on_watch_tick(w))
      break;
    if (g_get_monotonic_time() - began > 10 * G_USEC_PER_SEC)
      backoff = 0;
    if (!ok && backoff == 0)
      ferry_warning(error->message, "FERRY_NODE", ferry_context_node(context));
    if (!ferry_context_sleep(context, ferry_backoff_after(&backoff, error)))
      break;
  }
  ferry_client_free(client);
  return NULL;
}

FerryAgentWatch *ferry_agent_watch_new(const FerryWatchPorts *ports) {
  FerryAgentWatch *w = g_new0(FerryAgentWatch, 1);
  w->ports = *ports;
  w->again = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  w->thread = g_thread_new("watch", watch_thread, w);
  return w;
}

void ferry_agent_watch_free(FerryAgentWatch *w) {
  if (!w)
    return;
  g_thread_join(w->thread);
  g_hash_table_unref(w->again);
  g_free(w);
}
