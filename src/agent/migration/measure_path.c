// SPDX-License-Identifier: Apache-2.0
// The source's side of measuring the path for a forecast. Whatever fails, a forecast is made: by
// what is known otherwise, and it says why the path was not measured.
#include "agent/path/bandwidth.h"
#include "agent/migration_private.h"
#include "base/log.h"

#define ENOUGH 0.9 /* of the limit: less says that the path does not carry it */

void ferry_migration_see_probe(FerryMigration *m, const json_t *object) {
  json_t *probe = ferry_json_get(object, "status.migrationState.bandwidthProbe");
  if (!json_is_object(probe) || json_equal(probe, m->probe))
    return;
  json_decref(m->probe);
  m->probe = json_deep_copy(probe);
  g_cond_broadcast(&m->cond);
}

static gboolean stopped(gpointer data) {
  FerryMigration *m = data;
  return ferry_migration_must_stop(m) || ferry_migration_cancelled(m);
}

static gboolean turn(gboolean take, gpointer data) {
  FerryMigration *m = data;
  return ferry_bandwidth_turn(m->agent, &m->agent->measuring_out, take);
}

static void not_measured(FerryMigration *m, const char *why) {
  g_free(m->path_note);
  m->path_note = g_strdup_printf("the path was not measured: %s", why);
  m->measured.path_note = m->path_note;
  ferry_info(m->path_note, "FERRY_MIGRATION", m->name);
}

/* Where the target's agent listens; a new reference, NULL where it did not say in time. */
static json_t *wait_for_probe(FerryMigration *m, gint64 patience_ms) {
  gint64 until = g_get_monotonic_time() + patience_ms * 1000;
  g_mutex_lock(&m->lock);
  while (!m->probe && !m->cancel && g_get_monotonic_time() < until) {
    gint64 slice = g_get_monotonic_time() + G_USEC_PER_SEC / 10;
    g_cond_wait_until(&m->cond, &m->lock, MIN(until, slice));
    g_mutex_unlock(&m->lock); /* the agent's lock comes before ours */
    gboolean stop = ferry_migration_must_stop(m);
    g_mutex_lock(&m->lock);
    if (stop)
      break;
  }
  json_t *probe = json_incref(m->probe);
  g_mutex_unlock(&m->lock);
  return probe;
}

gboolean ferry_migration_measure_path(FerryMigration *m, gint64 patience_ms) {
  const json_t *state = ferry_json_get(m->object, "status.migrationState");
  const char *target = ferry_json_str(state, "targetNode"), *address = m->settings.request.address;
  const char *obstacle = ferry_bandwidth_obstacle(m->agent, m->object);
  if (obstacle || !target) {
    not_measured(m, obstacle ? obstacle : "there is no target");
    return TRUE;
  }
  g_autoptr(json_t) probe = wait_for_probe(m, patience_ms);
  gint64 port = ferry_json_int(probe, "port", 0);
  if (!probe) {
    not_measured(m, "the target's agent opened no port for it");
    return FALSE;
  }
  g_autoptr(GError) error = NULL;
  const json_t *subnets = ferry_json_get(state, "migrationConfiguration.networkSubnets");
  /* what the target says of itself is not where data are sent to: that is what ferryd said */
  if (g_strcmp0(ferry_json_str(probe, "address"), address) != 0 || port < 1024 || port > 65535) {
    not_measured(m, "the target's agent listens somewhere else than the migration would go");
    return TRUE;
  }
  if (!ferry_probe(address, subnets, NULL, &error)) {
    not_measured(m, error->message);
    return TRUE;
  }
  gint64 limit = MAX(0, m->settings.request.bandwidth);
  FerryBandwidthParty party;
  FerryBandwidth seen;
  ferry_bandwidth_party(m->agent, m->object, target, &party);
  party.stopped = stopped;
  party.turn = turn;
  party.data = m;
  if (!ferry_bandwidth_send(address, (guint16)port, &party, limit, &seen, &error)) {
    not_measured(m, error->message);
    return TRUE;
  }
  m->measured.probed = ferry_bandwidth_rate(&seen);
  m->measured.probed_limit = limit > 0 && (double)m->measured.probed >= ENOUGH * (double)limit;
  g_clear_pointer(&m->path_note, g_free);
  m->measured.path_note = NULL;
  g_autofree char *said = ferry_bandwidth_format(&seen);
  ferry_info("the path was measured", "FERRY_MIGRATION", m->name, "FERRY_BANDWIDTH", said);
  return TRUE;
}
