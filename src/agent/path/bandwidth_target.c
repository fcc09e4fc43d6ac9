// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the watch thread starts one thread a forecast, four at most at once, and
// tells it when the forecast has ended; the table of them is its own. The thread listens at the
// address that the migration would use, writes where into status.migrationState.bandwidthProbe, and
// takes one connection.
#include "agent/path/bandwidth_target.h"
#include "agent/link/delivery_server.h"
#include "agent/link/job_fetch.h"
#include "agent/path/bandwidth.h"
#include "agent/path/party.h"
#include "base/log.h"
#include "model/migration/migration_log.h"
#include "model/migration/phase.h"

#define MAX_AT_ONCE 4
#define WAIT_MS 20000
#define KEEP_S 300 /* a forecast whose end was not seen */

struct _FerryBandwidthTarget {
  FerryBandwidthPorts ports;
  GHashTable *probes; /* UID -> Probe* */
};

typedef struct {
  const FerryBandwidthPorts *ports;
  json_t *object;
  GThread *thread;
  gint64 begun_us;
  gint ended, done; /* atomic */
} Probe;

static gboolean probe_is_over(gpointer data) {
  Probe *p = data;
  return ferry_context_has_ended(p->ports->context) || g_atomic_int_get(&p->ended);
}

static gboolean turn_in(gboolean take, gpointer data) {
  const Probe *p = data;
  return ferry_path_book_turn(p->ports->book, FERRY_PATH_TURN_IN, take);
}

static gpointer listen_thread(gpointer data) {
  Probe *p = data;
  FerryAgentContext *context = p->ports->context;
  FerryAgentSession *session = p->ports->session;
  const json_t *state = ferry_json_get(p->object, "status.migrationState");
  const char *address = ferry_json_str(state, "targetNodeAddress");
  const char *name = ferry_json_str(p->object, "metadata.name");
  g_autoptr(FerryLogContext) log =
      ferry_migration_log_context(p->object, ferry_context_node(context));
  ferry_log_scope(log);
  g_autoptr(GError) error = NULL;
  guint16 port = 0;
  gboolean fits = ferry_job_verdict(context, session, p->object, NULL, probe_is_over, p, &error) ==
                  FERRY_JOB_FITS;
  g_autoptr(GSocket) listener = fits ? ferry_bandwidth_listen(address, &port, &error) : NULL;
  if (listener) {
    FerryBandwidthParty party;
    ferry_party_fill(ferry_session_config(session), p->object, ferry_json_str(state, "sourceNode"),
                     &party);
    party.stopped = probe_is_over;
    party.turn = turn_in;
    party.data = p;
    const char *ns = ferry_json_str(p->object, "metadata.namespace");
    FerryDelivery *d = ferry_delivery_server_new(context, session, ns, name, log);
    ferry_delivery_send(d, json_pack("{s:{s:{s:s, s:i}}}", "migrationState", "bandwidthProbe",
                                     "address", address, "port", (int)port));
    ferry_bandwidth_receive(listener, &party, WAIT_MS, NULL, &error);
    g_socket_close(listener, NULL);
    ferry_delivery_free(d);
  }
  /* that it is no longer wanted is no failure */
  if (error && !probe_is_over(p))
    ferry_warning(error->message, "FERRY_MIGRATION", name);
  g_atomic_int_set(&p->done, 1);
  return NULL;
}

static void probe_free(gpointer data) {
  Probe *p = data;
  g_atomic_int_set(&p->ended, 1);
  g_thread_join(p->thread);
  json_decref(p->object);
  g_free(p);
}

static gboolean is_wanted(const char *node, const char *type, const json_t *m) {
  const json_t *state = ferry_json_get(m, "status.migrationState");
  FerryPhase phase = ferry_phase_of(m);
  const char *source = ferry_json_str(state, "sourceNode");
  return !g_str_equal(type, "DELETED") && ferry_json_bool(m, "spec.forecastOnly", FALSE) &&
         (phase == FERRY_PHASE_SCHEDULED || phase == FERRY_PHASE_PREPARING_TARGET) &&
         g_strcmp0(ferry_json_str(state, "targetNode"), node) == 0 && source &&
         !g_str_equal(source, node) && !json_object_get(state, "agentResult") &&
         !ferry_json_bool(state, "abortRequested", FALSE) &&
         !ferry_json_str(m, "metadata.deletionTimestamp");
}

static guint count_running(const FerryBandwidthTarget *t) {
  GHashTableIter iter;
  gpointer probe;
  guint running = 0;
  g_hash_table_iter_init(&iter, t->probes);
  while (g_hash_table_iter_next(&iter, NULL, &probe))
    running += !g_atomic_int_get(&((Probe *)probe)->done);
  return running;
}

void ferry_bandwidth_target_see(FerryBandwidthTarget *t, const char *type,
                                const json_t *migration) {
  const char *uid = ferry_json_str(migration, "metadata.uid");
  gboolean wanted = is_wanted(ferry_context_node(t->ports.context), type, migration);
  Probe *p = g_hash_table_lookup(t->probes, uid);
  if (p && !wanted)
    g_atomic_int_set(&p->ended, 1);
  if (p || !wanted ||
      ferry_party_obstacle(ferry_session_config(t->ports.session), t->ports.local, migration))
    return;
  if (count_running(t) >= MAX_AT_ONCE) {
    ferry_info("too many forecasts at once: the path of this one is not measured",
               "FERRY_MIGRATION", ferry_json_str(migration, "metadata.name"));
    return;
  }
  p = g_new0(Probe, 1);
  p->ports = &t->ports;
  p->object = json_deep_copy(migration);
  p->begun_us = g_get_monotonic_time();
  p->thread = g_thread_new("bandwidth", listen_thread, p);
  g_hash_table_insert(t->probes, g_strdup(uid), p);
}

void ferry_bandwidth_target_sweep(FerryBandwidthTarget *t) {
  GHashTableIter iter;
  gpointer value;
  gint64 old = g_get_monotonic_time() - KEEP_S * G_USEC_PER_SEC;
  g_hash_table_iter_init(&iter, t->probes);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Probe *p = value;
    if (g_atomic_int_get(&p->done) && (g_atomic_int_get(&p->ended) || p->begun_us < old))
      g_hash_table_iter_remove(&iter);
  }
}

FerryBandwidthTarget *ferry_bandwidth_target_new(const FerryBandwidthPorts *ports) {
  FerryBandwidthTarget *t = g_new0(FerryBandwidthTarget, 1);
  t->ports = *ports;
  t->probes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, probe_free);
  return t;
}

void ferry_bandwidth_target_free(FerryBandwidthTarget *t) {
  if (!t)
    return;
  g_hash_table_unref(t->probes);
  g_free(t);
}
