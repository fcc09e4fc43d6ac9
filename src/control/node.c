// SPDX-License-Identifier: Apache-2.0
#include "control/node.h"
#include "model/migration/reasons.h"
#include "base/rfc3339.h"
#include "control/conditions.h"

void ferry_node_step(const json_t *node, gint64 started_ms, gint64 now_ms, FerryPlan *plan) {
  if (ferry_condition_is_unknown(node, FERRY_CONDITION_READY))
    return;
  gint64 last = ferry_rfc3339_parse(ferry_json_str(node, "status.agent.lastReportTime"));
  gint64 due = MAX(last, started_ms) + FERRY_NODE_GRACE_MS;
  if (now_ms < due) {
    ferry_plan_wake(plan, due);
    return;
  }
  g_autoptr(json_t) copy = json_deep_copy(node);
  g_autofree char *when = last > 0 ? ferry_rfc3339_format(last) : NULL;
  g_autofree char *text = when
                              ? g_strdup_printf("its agent was last heard at %s", when)
                              : g_strdup("its agent has never reported; start ferry-agentd for it");
  ferry_condition_set(copy, FERRY_CONDITION_READY, "Unknown",
                      ferry_reason_name(FERRY_REASON_NODE_STATUS_UNKNOWN), text, now_ms);
  ferry_plan_event(plan, copy, "Warning", ferry_reason_name(FERRY_REASON_NODE_NOT_READY), text,
                   now_ms);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, g_steal_pointer(&copy), FALSE);
}

gboolean ferry_node_was_heard(const json_t *node, gint64 since_ms, gint64 now_ms) {
  gint64 last = ferry_rfc3339_parse(ferry_json_str(node, "status.agent.lastReportTime"));
  return last < 0 || (last >= since_ms && now_ms - last >= FERRY_NODE_MERGED_MS);
}
