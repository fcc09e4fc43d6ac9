// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_progress.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "model/migration/condition.h"
#include "model/migration/reasons.h"

#define BEGAN_WITH "status.plan.memoryBytes"

static gint64 began_ms(const json_t *evacuation) {
  return ferry_rfc3339_parse(ferry_json_str(evacuation, "metadata.creationTimestamp"));
}

/* -1: nobody can know yet. */
static gint64 expected_ms(json_t *evacuation, const FerryEvacuationBytes *bytes, gint64 now_ms) {
  gint64 began = began_ms(evacuation), all = ferry_json_int(evacuation, BEGAN_WITH, -1);
  gint64 forecast = ferry_json_int(evacuation, "status.plan.forecastMs", -1);
  if (all < 0 && ferry_json_get(evacuation, "status.plan"))
    ferry_json_set_int(evacuation, BEGAN_WITH, bytes->there);
  gint64 gone = all - bytes->there;
  if (gone > 0 && now_ms > began)
    return now_ms + (gint64)((double)bytes->left * (double)(now_ms - began) / (double)gone);
  return forecast < 0 ? -1 : MAX(now_ms, began + forecast);
}

static void tell_deadline(json_t *evacuation, gint64 now_ms, FerryPlan *plan) {
  gint64 deadline = ferry_rfc3339_parse(ferry_json_str(evacuation, "spec.deadline"));
  if (deadline < 0 || now_ms < deadline) { /* it was missed with an earlier deadline only */
    ferry_condition_remove(evacuation, FERRY_CONDITION_DEADLINE_MISSED);
    if (deadline >= 0)
      ferry_plan_wake(plan, deadline);
    return;
  }
  if (ferry_condition_holds(evacuation, FERRY_CONDITION_DEADLINE_MISSED))
    return;
  g_autofree char *text = g_strdup_printf("the deadline is over, and %" G_GINT64_FORMAT
                                          " VMs are to move yet; it goes on",
                                          ferry_json_int(evacuation, "status.remaining", 0));
  const char *reason = ferry_reason_name(FERRY_REASON_DEADLINE_OVER);
  ferry_condition_set(evacuation, FERRY_CONDITION_DEADLINE_MISSED, "True", reason, text, now_ms);
  ferry_plan_event(plan, evacuation, "Warning", reason, text, now_ms);
}

void ferry_evacuation_progress(json_t *evacuation, gint64 moved_before,
                               const FerryEvacuationBytes *bytes, gint64 now_ms, FerryPlan *plan) {
  tell_deadline(evacuation, now_ms, plan);
  if (ferry_json_str(evacuation, "status.expectedEnd") &&
      ferry_json_int(evacuation, "status.moved", 0) == moved_before)
    return;
  gint64 end = expected_ms(evacuation, bytes, now_ms);
  g_autofree char *text = end >= 0 ? ferry_rfc3339_format(end) : NULL;
  if (text)
    ferry_json_set_str(evacuation, "status.expectedEnd", text);
}

char *ferry_evacuation_outcome(json_t *evacuation, gint64 now_ms) {
  gint64 took = MAX(0, now_ms - began_ms(evacuation));
  gint64 forecast = ferry_json_int(evacuation, "status.plan.forecastMs", -1);
  gint64 bound = ferry_json_int(evacuation, "status.plan.boundMs", -1);
  gint64 deadline = ferry_rfc3339_parse(ferry_json_str(evacuation, "spec.deadline"));
  GString *text = g_string_new(NULL);
  json_object_del(ferry_json_get(evacuation, "status"), "expectedEnd");
  ferry_json_set_int(evacuation, "status.tookMs", took);
  if (!ferry_json_get(evacuation, "status.plan")) /* nothing was expected of it */
    return g_string_free(text, FALSE);
  g_string_printf(text, "; it took %.1f s", (double)took / 1000);
  if (forecast >= 0)
    g_string_append_printf(text, ", %.1f s were expected", (double)forecast / 1000);
  if (bound >= 0)
    g_string_append_printf(text, ", %.1f s are the least", (double)bound / 1000);
  if (deadline >= 0 && now_ms > deadline)
    g_string_append_printf(text, "; %.1f s after its deadline", (double)(now_ms - deadline) / 1000);
  return g_string_free(text, FALSE);
}
