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
#include "control/migration_private.h"
#include "model/field/object_meta.h"
#include "policy/config.h"
#include "policy/facts.h"
#include "policy/match.h"
#include <string.h>

static gboolean migration_always(FerryStep *s) {
  return TRUE;
}

static const FerryRow table[] = {
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

/* Most steps change nothing, so only one that does pays for a copy. What was read of the original
 * before stays valid: the caller of ferry_migration_step holds it. */
static void step_own(FerryStep *s) {
  if (!s->borrowed)
    return;
  json_t *own = json_deep_copy(s->m);
  json_decref(s->m);
  s->m = own;
  s->borrowed = FALSE;
}

void ferry_step_set(FerryStep *s, const char *path, json_t *value) {
  json_t *there = ferry_json_get(s->m, path);
  if (value ? there && json_equal(there, value) : !there) {
    json_decref(value);
    return;
  }
  step_own(s);
  ferry_json_set(s->m, path, value);
  s->changed = s->weighs = TRUE;
}

void ferry_step_set_light(FerryStep *s, const char *path, json_t *value) {
  gboolean weighs = s->weighs;
  ferry_step_set(s, path, value);
  s->weighs = weighs;
}

gint64 ferry_step_phase_age(const FerryStep *s) {
  const char *phase = ferry_json_str(s->m, "status.phase");
  const json_t *stamp =
      ferry_json_find(ferry_json_get(s->m, "status.phaseTransitionTimestamps"), "phase", phase);
  gint64 since = ferry_rfc3339_parse(ferry_json_str(stamp, "phaseTransitionTimestamp"));
  return since < 0 ? 0 : MAX(0, s->now_ms - since);
}

static void enter_phase(FerryStep *s, FerryPhase to) {
  const char *phase = ferry_phase_name(to);
  step_own(s);
  ferry_step_set(s, "status.phase", json_string(phase));
  json_t *stamps = ferry_json_get(s->m, "status.phaseTransitionTimestamps");
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
  for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
    const FerryRow *row = &table[i];
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

void ferry_step_resolve_config(FerryStep *s) {
  if (s->config)
    return;
  g_autoptr(json_t) kubevirt =
      ferry_store_get(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  const char *ns = ferry_json_str(s->m, "metadata.namespace");
  g_autoptr(json_t) ns_object = ferry_store_get(s->store, &ferry_kind_namespace, "", ns ? ns : "");
  g_autoptr(GPtrArray) policies =
      ferry_store_list(s->store, &ferry_kind_migration_policy, NULL, NULL);
  const json_t *policy = ferry_policy_match((json_t *const *)policies->pdata, policies->len,
                                            ferry_json_get(s->vmi, "metadata.labels"),
                                            ferry_json_get(ns_object, "metadata.labels"));
  FerryConfigSources sources = {
      kubevirt, policy, s->vmi, s->m, (json_t *const *)policies->pdata, policies->len};
  s->config = ferry_config_resolve(&sources, &s->origins);
  g_free(s->policy_name);
  s->policy_name = g_strdup(ferry_json_str(policy, "metadata.name"));
}

/* The VMI carries a copy of its migration's state, as in KubeVirt. */
static void mirror_to_vmi(FerryStep *s) {
  if (!s->vmi || ferry_json_bool(s->m, "spec.forecastOnly", FALSE))
    return;
  g_autoptr(json_t) vmi = json_deep_copy(s->vmi);
  json_t *state = ferry_json_get(s->m, "status.migrationState");
  const char *current = ferry_json_str(vmi, "status.migrationState.migrationUid");
  const char *uid = ferry_json_str(s->m, "metadata.uid");
  /* a waiting migration does not hide what the last one did */
  if (!ferry_json_str(state, "startTimestamp") && g_strcmp0(current, uid) != 0)
    return;
  if (state)
    ferry_json_set(vmi, "status.migrationState", json_deep_copy(state));
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

const json_t *ferry_step_goes_first(const FerryStep *s, const GPtrArray *all) {
  for (guint i = 0; i < all->len; i++) {
    const json_t *other = g_ptr_array_index(all, i);
    if (ferry_migration_is_final(other) ||
        g_strcmp0(ferry_json_str(other, "spec.vmiName"), ferry_json_str(s->m, "spec.vmiName")) !=
            0 ||
        g_strcmp0(ferry_json_str(other, "metadata.namespace"),
                  ferry_json_str(s->m, "metadata.namespace")) != 0 ||
        g_strcmp0(ferry_json_str(other, "metadata.uid"), ferry_json_str(s->m, "metadata.uid")) == 0)
      continue;
    if (ferry_phase_of(other) > FERRY_PHASE_PENDING)
      return other;
    int order = g_strcmp0(ferry_json_str(other, "metadata.creationTimestamp"),
                          ferry_json_str(s->m, "metadata.creationTimestamp"));
    if (!order)
      order =
          g_strcmp0(ferry_json_str(other, "metadata.uid"), ferry_json_str(s->m, "metadata.uid"));
    if (order < 0)
      return other;
  }
  return NULL;
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

/* A deleted migration goes once it has ended. */
static gboolean release_finalizer(FerryStep *s) {
  if (!ferry_json_get(s->m, "metadata.deletionTimestamp") || !ferry_migration_is_final(s->m))
    return FALSE;
  step_own(s);
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
