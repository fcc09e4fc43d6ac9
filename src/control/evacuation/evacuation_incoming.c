// SPDX-License-Identifier: Apache-2.0
// As oVirt does before maintenance. Placement avoids the node (it is cordoned or tainted), so what
// is cancelled and tried again goes elsewhere; only a migration that names the node comes here
// again, and is cancelled as well. One that is put off is left alone: when its time
// comes placement refuses it the node, named or not, where that is cordoned still.
#include "control/evacuation/evacuation_incoming.h"
#include "model/migration/reasons.h"
#include "base/rfc3339.h"
#include "model/migration/migration.h"

#include <string.h>

#define BY FERRY_ITSELF " (evacuation " /* no user has such a name */

static gboolean is_to(const json_t *m, const char *node) {
  const char *target = ferry_json_str(m, FERRY_STATE "targetNode");
  if (!target) /* not placed yet, but there is one place only for it */
    target = ferry_json_str(m, "spec.targetNode");
  return !ferry_migration_is_forecast(m) && !ferry_migration_is_put_off(m) &&
         g_strcmp0(target, node) == 0;
}

/* Post-copy needs both hosts until its end; of one with a result only the outcome is open. */
static gboolean can_cancel(const json_t *m) {
  return ferry_mode_of(m) != FERRY_MODE_POST_COPY &&
         !ferry_json_bool(m, "spec.postCopyResume", FALSE) &&
         !ferry_json_get(m, FERRY_STATE "agentResult");
}

static gboolean is_requested(const json_t *m) {
  return ferry_json_bool(m, FERRY_STATE "abortRequested", FALSE) ||
         ferry_json_get(m, "metadata.deletionTimestamp");
}

static void evacuation_incoming_request(const json_t *m, const char *by, FerryPlan *plan) {
  json_t *copy = json_deep_copy(m);
  ferry_json_set_bool(copy, FERRY_STATE "abortRequested", TRUE);
  ferry_json_set_str(copy, FERRY_STATE "abortRequestedBy", by);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmim, copy, FALSE);
}

static gboolean evacuation_incoming_is_listed(const json_t *vms, const json_t *m) {
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)vms, i, entry) {
    if (g_strcmp0(ferry_json_str(entry, "name"), ferry_json_str(m, "spec.vmiName")) == 0 &&
        g_strcmp0(ferry_json_str(entry, "namespace"), ferry_json_str(m, "metadata.namespace")) == 0)
      return TRUE;
  }
  return FALSE;
}

static json_t *evacuation_incoming_describe(const json_t *m, const char *node) {
  gboolean ends = is_requested(m) || can_cancel(m);
  return json_pack("{s:O, s:O, s:s, s:O, s:o}", "name", ferry_json_get(m, "spec.vmiName"),
                   "namespace", ferry_json_get(m, "metadata.namespace"), "phase",
                   ferry_phase_name(ends ? FERRY_PHASE_CANCELLING : FERRY_PHASE_ARRIVING),
                   "migration", ferry_json_get(m, "metadata.name"), "message",
                   json_sprintf(ends ? "its migration to %s is being cancelled"
                                     : "it cannot go back: it arrives on %s and is moved off then",
                                node));
}

/* Whether the VM runs on the node already: then it is one of those that are to leave. */
static gboolean evacuation_incoming_is_there(FerryStore *store, const json_t *m, const char *node) {
  const char *ns = ferry_json_str(m, "metadata.namespace"), *vm = ferry_json_str(m, "spec.vmiName");
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, ns ? ns : "", vm ? vm : "");
  return g_strcmp0(ferry_json_str(vmi, "status.nodeName"), node) == 0;
}

gboolean ferry_evacuation_is_incoming(const json_t *entry) {
  FerryPhase phase = ferry_phase_parse(ferry_json_str(entry, "phase"));
  return phase == FERRY_PHASE_CANCELLING || phase == FERRY_PHASE_ARRIVING;
}

gboolean ferry_evacuation_has_cancelled(const json_t *migration) {
  const char *by = ferry_json_str(migration, FERRY_STATE "abortRequestedBy");
  return by && g_str_has_prefix(by, BY) && ferry_reason_is(migration, FERRY_REASON_CANCELLED);
}

FerryIncoming ferry_evacuation_incoming(FerryStore *store, const json_t *evacuation, json_t *vms,
                                        FerryPlan *plan) {
  FerryIncoming in = {0};
  const char *node = ferry_json_str(evacuation, "spec.nodeName");
  gint64 since = ferry_rfc3339_parse(ferry_json_str(evacuation, "metadata.creationTimestamp"));
  g_autofree char *by = g_strdup_printf(
      BY "%s, which empties %s)", ferry_json_str(evacuation, "metadata.name"), node ? node : "?");
  g_autoptr(GPtrArray) migrations =
      ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_NODE, node ? node : "");
  for (guint i = 0; i < migrations->len; i++) {
    const json_t *m = g_ptr_array_index(migrations, i);
    if (ferry_migration_is_final(m)) {
      /* an earlier evacuation may have had the same name */
      in.cancelled += ferry_evacuation_has_cancelled(m) &&
                      g_strcmp0(ferry_json_str(m, FERRY_STATE "abortRequestedBy"), by) == 0 &&
                      ferry_rfc3339_parse(ferry_json_str(m, FERRY_STATE "endTimestamp")) >= since;
      continue;
    }
    if (!is_to(m, node) || evacuation_incoming_is_there(store, m, node))
      continue;
    if (!evacuation_incoming_is_listed(vms, m)) {
      in.on_way++;
      json_array_append_new(vms, evacuation_incoming_describe(m, node));
    }
    if (!is_requested(m) && can_cancel(m))
      evacuation_incoming_request(m, by, plan);
  }
  return in;
}
