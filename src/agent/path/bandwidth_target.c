// SPDX-License-Identifier: Apache-2.0
// The target's side of a forecast: while one waits to be made for a VM that would come here, this
// host's agent listens for the source's, so that the path can be measured.
//
// Theory of operation: the watch thread starts one thread a forecast, four at most at once, and
// tells it when the forecast has ended; the table of them is its own. The thread listens at the
// address that the migration would use, writes where into status.migrationState.bandwidthProbe, and
// takes one connection. At any other time the agent has no port open.
#include "agent/path/bandwidth.h"
#include "agent/migration_private.h"
#include "base/log.h"
#include "model/flags/migration_flags.h"
#include "model/migration/migration_log.h"

#define MAX_AT_ONCE 4
#define WAIT_MS 20000
#define KEEP_S 300 /* a forecast whose end was not seen */

typedef struct {
  FerryAgent *agent;
  json_t *object;
  GThread *thread;
  gint64 begun_us;
  gint ended, done; /* atomic */
} Probe;

static gboolean stopped(gpointer data) {
  Probe *p = data;
  g_mutex_lock(&p->agent->lock);
  gboolean stop = p->agent->stop || p->agent->stale;
  g_mutex_unlock(&p->agent->lock);
  return stop || g_atomic_int_get(&p->ended);
}

gboolean ferry_bandwidth_turn(FerryAgent *agent, gboolean *busy, gboolean take) {
  g_mutex_lock(&agent->lock);
  gboolean ok = !take || !*busy;
  if (ok)
    *busy = take;
  g_mutex_unlock(&agent->lock);
  return ok;
}

static gboolean turn(gboolean take, gpointer data) {
  Probe *p = data;
  return ferry_bandwidth_turn(p->agent, &p->agent->measuring_in, take);
}

void ferry_bandwidth_party(FerryAgent *agent, const json_t *migration, const char *peer,
                           FerryBandwidthParty *party) {
  const json_t *config = ferry_json_get(migration, "status.migrationState.migrationConfiguration");
  *party = (FerryBandwidthParty){.cert_pem = agent->config->cert_pem,
                                 .key_pem = agent->config->key_pem,
                                 .ca_pem = agent->config->ca_pem,
                                 .peer = peer,
                                 .id = ferry_json_str(migration, "metadata.uid"),
                                 .clear = ferry_json_bool(config, "disableTLS", FALSE)};
}

const char *ferry_bandwidth_obstacle(FerryAgent *agent, const json_t *migration) {
  const json_t *state = ferry_json_get(migration, "status.migrationState");
  const json_t *config = json_object_get(state, "migrationConfiguration");
  if (!agent->config || !agent->config->cert_pem || !agent->config->key_pem ||
      !agent->config->ca_pem)
    return "the agent has no certificate";
  if (!agent->host->local)
    return "the agent does not run on the host itself";
  if (ferry_json_bool(config, "offline", FALSE))
    return "an offline migration sends no memory";
  if (!ferry_migration_uses_network(config))
    return "the data go another way (tunnelled, or migrateURI)";
  if (!ferry_json_str(state, "targetNodeAddress"))
    return "the target's address is not known";
  return NULL;
}

static gpointer run(gpointer data) {
  Probe *p = data;
  const json_t *state = ferry_json_get(p->object, "status.migrationState");
  const char *address = ferry_json_str(state, "targetNodeAddress");
  const char *name = ferry_json_str(p->object, "metadata.name");
  g_autoptr(FerryLogContext) log = ferry_migration_log_context(p->object, p->agent->node);
  ferry_log_scope(log);
  g_autoptr(GError) error = NULL;
  guint16 port = 0;
  gboolean fits =
      ferry_job_verdict(p->agent, p->object, NULL, stopped, p, &error) == FERRY_JOB_FITS;
  g_autoptr(GSocket) listener = fits ? ferry_bandwidth_listen(address, &port, &error) : NULL;
  if (listener) {
    FerryBandwidthParty party;
    ferry_bandwidth_party(p->agent, p->object, ferry_json_str(state, "sourceNode"), &party);
    party.stopped = stopped;
    party.turn = turn;
    party.data = p;
    FerryDelivery *d =
        ferry_delivery_new(p->agent, ferry_json_str(p->object, "metadata.namespace"), name, log);
    ferry_delivery_send(d, json_pack("{s:{s:{s:s, s:i}}}", "migrationState", "bandwidthProbe",
                                     "address", address, "port", (int)port));
    ferry_bandwidth_receive(listener, &party, WAIT_MS, NULL, &error);
    g_socket_close(listener, NULL);
    ferry_delivery_free(d);
  }
  /* that it is no longer wanted is no failure */
  if (error && !stopped(p))
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

static gboolean is_wanted(FerryAgent *agent, const char *type, const json_t *m) {
  const json_t *state = ferry_json_get(m, "status.migrationState");
  const char *phase = ferry_json_str(m, "status.phase");
  const char *source = ferry_json_str(state, "sourceNode");
  return !g_str_equal(type, "DELETED") && ferry_json_bool(m, "spec.forecastOnly", FALSE) &&
         (g_strcmp0(phase, "Scheduled") == 0 || g_strcmp0(phase, "PreparingTarget") == 0) &&
         g_strcmp0(ferry_json_str(state, "targetNode"), agent->node) == 0 && source &&
         !g_str_equal(source, agent->node) && !json_object_get(state, "agentResult") &&
         !ferry_json_bool(state, "abortRequested", FALSE) &&
         !ferry_json_str(m, "metadata.deletionTimestamp");
}

void ferry_bandwidth_see(FerryAgent *agent, const char *type, const json_t *migration) {
  const char *uid = ferry_json_str(migration, "metadata.uid");
  gboolean wanted = is_wanted(agent, type, migration);
  Probe *p = agent->probes ? g_hash_table_lookup(agent->probes, uid) : NULL;
  if (p && !wanted)
    g_atomic_int_set(&p->ended, 1);
  if (p || !wanted || ferry_bandwidth_obstacle(agent, migration))
    return;
  if (!agent->probes)
    agent->probes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, probe_free);
  GHashTableIter iter;
  gpointer other;
  guint running = 0;
  g_hash_table_iter_init(&iter, agent->probes);
  while (g_hash_table_iter_next(&iter, NULL, &other))
    running += !g_atomic_int_get(&((Probe *)other)->done);
  if (running >= MAX_AT_ONCE) {
    ferry_info("too many forecasts at once: the path of this one is not measured",
               "FERRY_MIGRATION", ferry_json_str(migration, "metadata.name"));
    return;
  }
  p = g_new0(Probe, 1);
  p->agent = agent;
  p->object = json_deep_copy(migration);
  p->begun_us = g_get_monotonic_time();
  p->thread = g_thread_new("bandwidth", run, p);
  g_hash_table_insert(agent->probes, g_strdup(uid), p);
}

void ferry_bandwidth_sweep(FerryAgent *agent) {
  GHashTableIter iter;
  gpointer value;
  gint64 old = g_get_monotonic_time() - KEEP_S * G_USEC_PER_SEC;
  if (!agent->probes)
    return;
  g_hash_table_iter_init(&iter, agent->probes);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Probe *p = value;
    if (g_atomic_int_get(&p->done) && (g_atomic_int_get(&p->ended) || p->begun_us < old))
      g_hash_table_iter_remove(&iter);
  }
}
