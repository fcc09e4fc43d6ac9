// SPDX-License-Identifier: Apache-2.0
#include "control/transition_log.h"
#include "model/migration/reasons.h"
#include "model/migration/migration_log.h"
#include "model/migration/phase.h"
#include "model/migration/migration.h"

static void log_phase(const json_t *m, const char *phase, const char *before) {
  /* What a person asked for is no fault. */
  gboolean failed =
      ferry_phase_of(m) == FERRY_PHASE_FAILED && !ferry_reason_is(m, FERRY_REASON_CANCELLED);
  const char *said = ferry_json_str(m, "status.message");
  g_autofree char *message = said && *said ? g_strdup_printf("migration %s: %s", phase, said)
                                           : g_strdup_printf("migration %s", phase);
  ferry_log(failed ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_INFO, message, "FERRY_PHASE", phase,
            "FERRY_PREVIOUS_PHASE", before ? before : "", "FERRY_REASON",
            ferry_json_text_at(m, "status.reason"), "FERRY_SOURCE",
            ferry_json_text_at(m, FERRY_STATE "sourceNode"), "FERRY_TARGET",
            ferry_json_text_at(m, FERRY_STATE "targetNode"), "FERRY_NETWORK",
            ferry_json_text_at(m, FERRY_STATE "network"), NULL);
}

FerryLogContext *ferry_control_log_context(FerryStore *store, const json_t *m) {
  const char *ns = ferry_json_str(m, "metadata.namespace");
  const char *name = ferry_json_str(m, "spec.vmiName");
  const char *node = ferry_json_str(m, FERRY_STATE "sourceNode");
  g_autoptr(json_t) vmi =
      node || !ns || !name ? NULL : ferry_store_get(store, &ferry_kind_vmi, ns, name);
  return ferry_migration_log_context(m, node ? node : ferry_json_str(vmi, "status.nodeName"));
}

void ferry_transition_log(FerryStore *store, const FerrySeen *change) {
  if (change->kind != &ferry_kind_vmim)
    return;
  const json_t *m = change->object, *old = change->previous;
  g_autoptr(FerryLogContext) context = ferry_control_log_context(store, m);
  ferry_log_scope(context);
  if (change->type == FERRY_DELETED) {
    ferry_info("migration deleted", "FERRY_PHASE", ferry_json_text_at(m, "status.phase"));
    return;
  }
  const char *phase = ferry_json_str(m, "status.phase");
  const char *before = ferry_json_str(old, "status.phase");
  if (!old)
    ferry_info("migration created", "FERRY_PRIORITY", ferry_json_text_at(m, "spec.priority"),
               "FERRY_WANTED_TARGET", ferry_json_text_at(m, "spec.targetNode"));
  if (!ferry_json_bool(old, FERRY_STATE "abortRequested", FALSE) &&
      ferry_json_bool(m, FERRY_STATE "abortRequested", FALSE))
    ferry_info("migration: cancel requested", "FERRY_USER",
               ferry_json_text_at(m, FERRY_STATE "abortRequestedBy"));
  if (phase && g_strcmp0(phase, before) != 0 && (old || ferry_phase_of(m) != FERRY_PHASE_PENDING))
    log_phase(m, phase, before);
}
