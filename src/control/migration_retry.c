// SPDX-License-Identifier: Apache-2.0
// A migration that failed through its target is tried again on another host.
//
// The record stays the same, so that whoever follows it sees one story: it goes back to Scheduling,
// the failed target is added to status.attempts, and what the agent writes carries the number of
// the attempt, so that a late word of the last one cannot end this one. What another host cannot
// help with (a guest that changes faster than it can be sent, a cancel) is not tried again, nor
// where a person named the target.
#include "base/rfc3339.h"
#include "model/migration/doubt.h"
#include "model/migration/reasons.h"
#include "control/migration_retry.h"
#include "control/migration_actions.h"
#include "control/migration_outcome.h"
#include "control/migration_step.h"
#include "model/migration/migration.h"

static gboolean is_the_targets_fault(const char *reason) {
  static const FerryReason faults[] = {
      FERRY_REASON_TARGET_UNREACHABLE,   FERRY_REASON_TARGET_NOT_PREPARED,
      FERRY_REASON_MIGRATION_FAILED,     FERRY_REASON_LINK_STALLED,
      FERRY_REASON_TARGET_NAME_UNKNOWN,  FERRY_REASON_TARGET_LIBVIRT_UNREACHABLE,
      FERRY_REASON_TARGET_LOGIN_REFUSED, FERRY_REASON_TARGET_LIBVIRT_LOST,
      FERRY_REASON_TARGET_PORT_CLOSED};
  if (!reason || !*reason)
    return TRUE;
  FerryReason given = ferry_reason_parse(FERRY_REASONS_ENDED, reason);
  for (gsize i = 0; i < G_N_ELEMENTS(faults); i++)
    if (given == faults[i])
      return TRUE;
  return FALSE;
}

static json_t *attempts_with(const FerryStep *s) {
  const json_t *before = ferry_json_get(s->m, "status.attempts");
  json_t *list = json_is_array(before) ? json_copy((json_t *)before) : json_array();
  const json_t *result = ferry_json_get(s->m, FERRY_STATE "agentResult");
  const char *reason = ferry_json_str(result, "reason");
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  json_array_append_new(
      list, json_pack("{s:s*, s:s, s:s*, s:s}", "nodeName",
                      ferry_json_str(s->m, FERRY_STATE "targetNode"), "reason",
                      reason && *reason ? reason : ferry_reason_name(FERRY_REASON_MIGRATION_FAILED),
                      "message", ferry_json_str(result, "error"), "endTimestamp", now));
  return list;
}

/* Whether the agent left the VM as it was when the migration began: one that it left suspended
 * would arrive suspended on another host, and nobody would let it go on there. */
static gboolean is_as_before(const FerryStep *s) {
  return ferry_migration_state_is_kept(s->m,
                                       ferry_json_str(s->m, FERRY_STATE "agentResult.sourceState"));
}

gboolean ferry_step_guard_retry(FerryStep *s) {
  const json_t *spec = json_object_get(s->m, "spec");
  const json_t *config = ferry_json_get(s->m, FERRY_STATE "migrationConfiguration");
  gint64 retries = ferry_json_int(config, "retries", 0);
  if (!ferry_step_guard_stayed(s) || ferry_step_cancel_requested(s) || !s->vmi ||
      json_object_get(spec, "targetNode") || ferry_json_bool(spec, "offline", FALSE) ||
      ferry_json_bool(spec, "postCopyResume", FALSE) || ferry_step_guard_vm_off(s) ||
      !is_as_before(s) || ferry_doubt_is_open(s->m) ||
      !is_the_targets_fault(ferry_json_str(s->m, FERRY_STATE "agentResult.reason")) ||
      (gint64)json_array_size(ferry_json_get(s->m, "status.attempts")) >= retries)
    return FALSE;
  /* only where somebody else can take it now: waiting is not what was asked for */
  json_t *m = s->m;
  gboolean borrowed = s->borrowed;
  s->m = json_copy(m);
  s->borrowed = FALSE;
  ferry_json_set(s->m, "status.attempts", attempts_with(s));
  gboolean other = ferry_step_has_target(s);
  json_decref(s->m);
  s->m = m;
  s->borrowed = borrowed;
  return other;
}

/* Back to Scheduling, as another attempt: what an agent has begun of this one, or still will, is
 * known by its number. */
static void schedule_anew(FerryStep *s) {
  static const char *const stale[] = {FERRY_STATE "agentResult",
                                      FERRY_STATE "resultTimestamp",
                                      FERRY_STATE "outcome",
                                      FERRY_STATE "targetNode",
                                      FERRY_STATE "targetNodeAddress",
                                      FERRY_STATE "targetURI",
                                      FERRY_STATE "network",
                                      FERRY_STATE "targetDisks",
                                      FERRY_STATE "agentEpoch",
                                      FERRY_STATE "bandwidthProbe",
                                      FERRY_STATE "startTimestamp",
                                      FERRY_STATE "migrationConfiguration",
                                      FERRY_STATE "doubt",
                                      FERRY_STATE "recovery",
                                      "status.progress",
                                      "status.summary",
                                      "status.forecast",
                                      "status.refusals"};
  gint64 attempt = ferry_json_int(s->m, FERRY_STATE "attempt", 0) + 1;
  for (gsize i = 0; i < G_N_ELEMENTS(stale); i++)
    ferry_step_set(s, stale[i], NULL);
  ferry_step_set(s, FERRY_STATE "attempt", json_integer(attempt));
  json_t *stamps = ferry_json_own(s->m, "status.phaseTransitionTimestamps");
  for (gsize i = json_array_size(stamps); i-- > 0;)
    if (ferry_phase_parse(ferry_json_str(json_array_get(stamps, i), "phase")) !=
        FERRY_PHASE_PENDING)
      json_array_remove(stamps, i);
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  json_array_append_new(stamps,
                        json_pack("{ss,ss}", "phase", ferry_phase_name(FERRY_PHASE_SCHEDULING),
                                  "phaseTransitionTimestamp", now));
}

void ferry_step_act_retry(FerryStep *s) {
  const char *error = ferry_json_str(s->m, FERRY_STATE "agentResult.error");
  g_autofree char *text =
      g_strdup_printf("did not succeed on %s: %s; trying another host (retry %" G_GINT64_FORMAT ")",
                      ferry_json_str(s->m, FERRY_STATE "targetNode"),
                      error && *error ? error : "libvirt gave no reason",
                      ferry_json_int(s->m, FERRY_STATE "attempt", 0) + 1);
  ferry_plan_event(s->plan, s->m, "Warning", ferry_reason_name(FERRY_REASON_MIGRATION_RETRIED),
                   text, s->now_ms);
  ferry_step_set(s, "status.attempts", attempts_with(s));
  schedule_anew(s);
}

void ferry_step_act_freeze(FerryStep *s) {
  schedule_anew(s);
}

/* The agent's word of an earlier attempt says nothing of this one. */
void ferry_step_drop_stale_result(FerryStep *s) {
  const json_t *result = ferry_json_get(s->m, FERRY_STATE "agentResult");
  if (result &&
      ferry_json_int(result, "attempt", 0) < ferry_json_int(s->m, FERRY_STATE "attempt", 0))
    ferry_step_set(s, FERRY_STATE "agentResult", NULL);
}
