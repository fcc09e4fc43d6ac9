// SPDX-License-Identifier: Apache-2.0
// The life of a migration, as a table.
//
// spec is the wish, status the truth. The controller owns the phases up to Scheduled and the end;
// the agent of the source owns PreparingTarget, TargetReady and Running, and hands in agentResult.
// The controller then decides from both hosts' domain state. Each row names the phase it applies
// to, its guard, the phase it leads to and its action; a step follows rows until none fires, so
// that a migration that can start goes from Pending to Scheduled in one durable write with all
// timestamps.
#include "control/migration.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "control/migration_actions.h"
#include "control/migration_outcome.h"
#include "control/migration_preparing.h"
#include "control/migration_retry.h"
#include "control/migration_stalling.h"
#include "control/migration_step.h"
#include "control/doubt/open_doubt.h"
#include "model/field/object_meta.h"
#include "policy/facts.h"
#include <string.h>

static gboolean migration_always(FerryStep *s) {
  return TRUE;
}

typedef gboolean (*MigrationGuard)(FerryStep *s);
typedef void (*MigrationAction)(FerryStep *s);

/** One row: in phase `from`, when `guard` holds, go to phase `to` (NONE: stay; then the
 * action must make the guard fail) and do `action` (may
 * be NULL). `from` NONE: it was just created. Rows are tried in order; the first that fires starts
 * the round again. */
typedef struct {
  FerryPhase from;
  MigrationGuard guard;
  FerryPhase to;
  MigrationAction action;
} MigrationRow;

static const MigrationRow migration_rows[] = {
    /* from, guard, to, action */
    {FERRY_PHASE_NONE, migration_always, FERRY_PHASE_PENDING, ferry_step_act_begin},
    {FERRY_PHASE_PENDING, ferry_step_guard_cancelled, FERRY_PHASE_FAILED, ferry_step_act_cancelled},
    {FERRY_PHASE_PENDING, ferry_step_guard_vm_gone, FERRY_PHASE_FAILED, ferry_step_act_vm_gone},
    {FERRY_PHASE_PENDING, ferry_step_guard_vm_off, FERRY_PHASE_FAILED, ferry_step_act_vm_off},
    {FERRY_PHASE_PENDING, ferry_step_guard_admitted, FERRY_PHASE_SCHEDULING, NULL},
    {FERRY_PHASE_SCHEDULING, ferry_step_guard_cancelled, FERRY_PHASE_FAILED,
     ferry_step_act_cancelled},
    {FERRY_PHASE_SCHEDULING, ferry_step_guard_vm_gone, FERRY_PHASE_FAILED, ferry_step_act_vm_gone},
    {FERRY_PHASE_SCHEDULING, ferry_step_guard_vm_off, FERRY_PHASE_FAILED, ferry_step_act_vm_off},
    {FERRY_PHASE_SCHEDULING, ferry_step_guard_placed, FERRY_PHASE_SCHEDULED, ferry_step_act_place},
    {FERRY_PHASE_SCHEDULING, ferry_step_guard_unplaceable, FERRY_PHASE_FAILED,
     ferry_step_act_unplaceable},
    {FERRY_PHASE_SCHEDULED, ferry_step_guard_cancelled, FERRY_PHASE_FAILED,
     ferry_step_act_cancelled},
    /* its agent has not come to it yet, and would begin it as late as it likes */
    {FERRY_PHASE_SCHEDULED, ferry_step_guard_frozen, FERRY_PHASE_SCHEDULING, ferry_step_act_freeze},
    {FERRY_PHASE_SCHEDULED, ferry_step_guard_not_accepted, FERRY_PHASE_FAILED,
     ferry_step_act_not_accepted},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_forecast, FERRY_PHASE_SUCCEEDED,
     ferry_step_act_forecast},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_retry, FERRY_PHASE_SCHEDULING,
     ferry_step_act_retry},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_retry, FERRY_PHASE_SCHEDULING,
     ferry_step_act_retry},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_stayed, FERRY_PHASE_FAILED,
     ferry_step_act_stayed},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_stayed, FERRY_PHASE_FAILED, ferry_step_act_stayed},
    /* it was stopped, or lost, before libvirt was called */
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_lost, FERRY_PHASE_FAILED, ferry_step_act_lost},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_lost, FERRY_PHASE_FAILED, ferry_step_act_lost},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_unknown, FERRY_PHASE_NONE,
     ferry_step_act_unknown},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_unknown, FERRY_PHASE_NONE, ferry_step_act_unknown},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_cancel_unanswered, FERRY_PHASE_FAILED,
     ferry_step_act_cancel_unanswered},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_not_prepared, FERRY_PHASE_FAILED,
     ferry_step_act_not_prepared},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_cancel_unanswered, FERRY_PHASE_FAILED,
     ferry_step_act_cancel_unanswered},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_not_prepared, FERRY_PHASE_FAILED,
     ferry_step_act_not_prepared},
    {FERRY_PHASE_RUNNING, ferry_step_guard_arrived, FERRY_PHASE_SUCCEEDED, ferry_step_act_succeed},
    {FERRY_PHASE_RUNNING, ferry_step_guard_retry, FERRY_PHASE_SCHEDULING, ferry_step_act_retry},
    {FERRY_PHASE_RUNNING, ferry_step_guard_stayed, FERRY_PHASE_FAILED, ferry_step_act_stayed},
    {FERRY_PHASE_RUNNING, ferry_step_guard_lost, FERRY_PHASE_FAILED, ferry_step_act_lost},
    {FERRY_PHASE_RUNNING, ferry_step_guard_unknown, FERRY_PHASE_NONE, ferry_step_act_unknown},
    {FERRY_PHASE_RUNNING, ferry_step_guard_recovering, FERRY_PHASE_NONE, NULL},
    {FERRY_PHASE_RUNNING, ferry_step_guard_stalling, FERRY_PHASE_NONE, ferry_step_act_stalling},
    {FERRY_PHASE_PREPARING_TARGET, ferry_step_guard_agent_lost, FERRY_PHASE_FAILED,
     ferry_step_act_agent_lost},
    {FERRY_PHASE_TARGET_READY, ferry_step_guard_agent_lost, FERRY_PHASE_FAILED,
     ferry_step_act_agent_lost},
    {FERRY_PHASE_RUNNING, ferry_step_guard_agent_lost, FERRY_PHASE_FAILED,
     ferry_step_act_agent_lost},
};

#define MAX_ROUNDS 16

static void enter_phase(FerryStep *s, FerryPhase to) {
  const char *phase = ferry_phase_name(to);
  ferry_step_own(s);
  ferry_step_set(s, "status.phase", json_string(phase));
  json_t *stamps = ferry_json_own(s->m, "status.phaseTransitionTimestamps");
  if (!json_is_array(stamps)) {
    stamps = json_array();
    ferry_json_set(s->m, "status.phaseTransitionTimestamps", stamps);
  }
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  if (!ferry_json_find(stamps, "phase", phase))
    json_array_append_new(stamps,
                          json_pack("{ss,ss}", "phase", phase, "phaseTransitionTimestamp", now));
  s->changed = s->weighs = TRUE;
}

static gboolean fire_one(FerryStep *s) {
  FerryPhase phase = ferry_phase_of(s->m);
  gboolean begun = ferry_json_get(s->m, "status.phaseTransitionTimestamps") != NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(migration_rows); i++) {
    const MigrationRow *row = &migration_rows[i];
    gboolean here = row->from ? begun && row->from == phase : !begun;
    if (!here || !row->guard(s))
      continue;
    if (row->to)
      enter_phase(s, row->to);
    if (row->action)
      row->action(s);
    return TRUE;
  }
  return FALSE;
}

/* The VMI carries a copy of its migration's state, as in KubeVirt. */
static void mirror_to_vmi(FerryStep *s) {
  if (!s->vmi || ferry_json_bool(s->m, "spec.forecastOnly", FALSE))
    return;
  g_autoptr(json_t) vmi = json_copy(s->vmi);
  json_t *state = ferry_json_get(s->m, "status.migrationState");
  const char *current = ferry_json_str(vmi, "status.migrationState.migrationUid");
  const char *uid = ferry_json_str(s->m, "metadata.uid");
  /* a waiting migration does not hide what the last one did */
  if (!ferry_json_str(state, "startTimestamp") && g_strcmp0(current, uid) != 0)
    return;
  if (state)
    ferry_json_set(vmi, "status.migrationState", json_incref(state));
  const char *phase = ferry_json_str(s->m, "status.phase");
  if (ferry_migration_is_final(s->m)) {
    ferry_condition_remove(vmi, FERRY_CONDITION_MIGRATING);
    ferry_json_set(vmi, "status.migrationProgress", NULL);
  } else {
    ferry_condition_set(vmi, FERRY_CONDITION_MIGRATING, "True", phase,
                        ferry_json_str(s->m, "metadata.name"), s->now_ms);
  }
  ferry_facts_keep_lesson(vmi, s->m, s->now_ms);
  if (!json_equal(vmi, s->vmi))
    ferry_plan_write(s->plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
}

/* Whose agents have work with it: each watches those that name its host. The target's takes part in
 * measuring a forecast's path, and else watches over the copy that arrives. Derived anew at each
 * step, so that it holds for a migration of an earlier version, too. */
static void name_agents(FerryStep *s) {
  const char *source = ferry_json_str(s->m, "status.migrationState.sourceNode");
  const char *target = ferry_json_str(s->m, "status.migrationState.targetNode");
  json_t *agents = source ? json_pack("[s]", source) : NULL;
  if (source && target && !g_str_equal(source, target))
    json_array_append_new(agents, json_string(target));
  ferry_step_set(s, "status.migrationState.agents", agents);
}

/* Whether a copy waits for a word in it. */
static gboolean is_needed(const FerryStep *s) {
  gint64 until_ms;
  if (!ferry_open_doubt(s->store, s->m, s->now_ms, &until_ms))
    return FALSE;
  if (until_ms)
    ferry_plan_wake(s->plan, until_ms);
  return TRUE;
}

/* A deleted migration goes once it has ended, and nobody needs it to know whose the VM is. */
static gboolean release_finalizer(FerryStep *s) {
  if (!ferry_json_get(s->m, "metadata.deletionTimestamp") || !ferry_migration_is_final(s->m) ||
      is_needed(s))
    return FALSE;
  ferry_step_own(s);
  if (ferry_object_drop_finalizer(s->m, FERRY_MIGRATION_FINALIZER))
    s->changed = s->weighs = TRUE;
  return json_array_size(ferry_json_get(s->m, "metadata.finalizers")) == 0;
}

void ferry_migration_step(FerryStore *store, const json_t *migration, gint64 now_ms,
                          FerryPlan *plan) {
  if (ferry_migration_is_final(migration) &&
      !ferry_json_get(migration, "metadata.deletionTimestamp"))
    return;
  FerryStep s = {.store = store, .plan = plan, .now_ms = now_ms};
  s.m = json_incref((json_t *)migration);
  s.borrowed = TRUE;
  const char *ns = ferry_json_str(s.m, "metadata.namespace");
  const char *vmi_name = ferry_json_str(s.m, "spec.vmiName");
  s.vmi = ferry_store_get(store, &ferry_kind_vmi, ns ? ns : "", vmi_name ? vmi_name : "");
  const char *source = ferry_json_str(s.m, "status.migrationState.sourceNode");
  if (!source)
    source = ferry_json_str(s.vmi, "status.nodeName");
  s.source = source ? ferry_store_get(store, &ferry_kind_node, "", source) : NULL;
  ferry_step_drop_stale_result(&s);
  g_autofree char *before = g_strdup(ferry_json_str(migration, "status.phase"));
  for (guint round = 0; round < MAX_ROUNDS && !ferry_migration_is_final(s.m) && fire_one(&s);)
    round++;
  if (!ferry_migration_is_final(migration))
    name_agents(&s);
  gboolean remove = release_finalizer(&s);
  if (s.changed || remove) {
    if (!ferry_migration_is_final(migration)) /* a later one may be at work on the VM by now */
      mirror_to_vmi(&s);
    const char *phase = ferry_json_str(s.m, "status.phase");
    if (g_strcmp0(phase, before) != 0) {
      const char *message = ferry_json_str(s.m, "status.message");
      gboolean failed = ferry_phase_of(s.m) == FERRY_PHASE_FAILED;
      g_autofree char *text =
          message ? g_strdup(message)
                  : g_strdup_printf("migration %s of %s is %s",
                                    ferry_json_str(s.m, "metadata.name"), vmi_name, phase);
      const char *reason = failed ? ferry_json_str(s.m, "status.reason") : NULL;
      g_autofree char *event = g_strconcat("Migration", phase, NULL);
      ferry_plan_event(plan, s.m, failed ? "Warning" : "Normal", reason ? reason : event, text,
                       now_ms);
      if (s.vmi && (ferry_migration_is_final(s.m) || ferry_phase_of(s.m) == FERRY_PHASE_SCHEDULED))
        ferry_plan_event(plan, s.vmi, failed ? "Warning" : "Normal", event, text, now_ms);
    }
    ferry_plan_write(plan, remove ? FERRY_WRITE_DELETE : FERRY_WRITE_UPDATE, &ferry_kind_vmim,
                     json_incref(s.m), !remove && !s.weighs);
  }
  json_decref(s.m);
  json_decref(s.vmi);
  json_decref(s.source);
  json_decref(s.config);
  json_decref(s.origins);
  g_free(s.policy_name);
}
