// SPDX-License-Identifier: Apache-2.0
// Whatever fails, a forecast is made: by what is known otherwise, and it says why the path was not
// measured.
#include "agent/migration/arrange/measure_path.h"
#include "agent/path/bandwidth.h"
#include "agent/path/party.h"
#include "agent/path/probe.h"
#include "base/log.h"

static gboolean turn_out(gboolean take, gpointer data) {
  const FerryRunning *r = data;
  return ferry_path_book_turn(r->ports->book, FERRY_PATH_TURN_OUT, take);
}

static gboolean agent_ends(gpointer data) {
  const FerryRunning *r = data;
  return ferry_context_has_ended(r->ports->context);
}

static void not_measured(FerryRunning *r, const char *why) {
  ferry_measured_set_unmeasured(r->measured, g_strdup_printf("the path was not measured: %s", why));
  ferry_info(r->measured->path_note, "FERRY_MIGRATION", r->asked->name);
}

gboolean ferry_measure_path(FerryRunning *r, gint64 patience_ms) {
  const FerryClientConfig *own = ferry_session_config(r->ports->session);
  const json_t *state = ferry_json_get(r->asked->object, "status.migrationState");
  const char *target = ferry_json_str(state, "targetNode"),
             *address = r->asked->settings.request.address;
  const char *obstacle = ferry_party_obstacle(own, r->ports->host->local, r->asked->object);
  if (obstacle || !target) {
    not_measured(r, obstacle ? obstacle : "there is no target");
    return TRUE;
  }
  g_autoptr(json_t) probe = ferry_inbox_wait_probe(r->inbox, patience_ms, agent_ends, r);
  gint64 port = ferry_json_int(probe, "port", 0);
  if (!probe) {
    not_measured(r, "the target's agent opened no port for it");
    return FALSE;
  }
  g_autoptr(GError) error = NULL;
  /* what the target says of itself is not where data are sent to: that is what ferryd said */
  if (g_strcmp0(ferry_json_str(probe, "address"), address) != 0 || port < 1024 || port > 65535) {
    not_measured(r, "the target's agent listens somewhere else than the migration would go");
    return TRUE;
  }
  if (!ferry_probe(address, r->asked->object, NULL, &error)) {
    not_measured(r, error->message);
    return TRUE;
  }
  gint64 limit = MAX(0, r->asked->settings.request.bandwidth);
  FerryBandwidthParty party;
  FerryBandwidth seen;
  ferry_party_fill(own, r->asked->object, target, &party);
  party.stopped = ferry_running_is_over;
  party.turn = turn_out;
  party.data = r;
  if (!ferry_bandwidth_send(address, (guint16)port, &party, limit, &seen, &error)) {
    not_measured(r, error->message);
    return TRUE;
  }
  ferry_measured_set_path(r->measured, ferry_bandwidth_rate(&seen), limit);
  g_autofree char *said = ferry_bandwidth_format(&seen);
  ferry_info("the path was measured", "FERRY_MIGRATION", r->asked->name, "FERRY_BANDWIDTH", said);
  return TRUE;
}
