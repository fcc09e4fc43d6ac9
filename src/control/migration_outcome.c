// SPDX-License-Identifier: Apache-2.0
// How a migration ended: decided from what both hosts say of the domain, never from an error alone.
//
// The source's agent hands in agentResult once libvirt's call has returned (or could not be made)
// with the state of the domain on its host; the target's agent reports its domains as always. The
// VM arrived when it runs on the target and is not active on the source; it stayed when the source
// has it and the target does not. While the two do not agree yet the controller waits, with a
// limit.
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "control/migration_private.h"
#include "model/migration.h"
#include "policy/placement.h"

static const char *source_name(const FerryStep *s) {
  return ferry_json_str(s->m, "status.migrationState.sourceNode");
}

static const char *target_name(const FerryStep *s) {
  return ferry_json_str(s->m, "status.migrationState.targetNode");
}

static const json_t *agent_result(const FerryStep *s) {
  return ferry_json_get(s->m, "status.migrationState.agentResult");
}

static gboolean state_is_active(const char *state) {
  static const char *const active[] = {"running",     "blocked",  "paused",
                                       "pmsuspended", "shutdown", NULL};
  return state && g_strv_contains(active, state);
}

static gboolean active_on_target(const FerryStep *s) {
  const json_t *d = ferry_step_domain_on(s, target_name(s));
  return d && ferry_json_bool(d, "active", FALSE);
}

static gboolean runs_on_target(const FerryStep *s) {
  const json_t *d = ferry_step_domain_on(s, target_name(s));
  const char *state = ferry_json_str(d, "state");
  if (!d || !ferry_json_bool(d, "active", FALSE))
    return FALSE;
  if (g_strcmp0(state, "running") == 0 || g_strcmp0(state, "blocked") == 0)
    return TRUE;
  /* a VM that was paused when it left arrives paused; one still being received is paused too, but
   * then libvirt gives "migration" as the reason */
  return g_strcmp0(state, "paused") == 0 &&
         g_strcmp0(ferry_json_str(d, "reason"), "migration") != 0;
}

static const char *source_state(const FerryStep *s) {
  return ferry_json_str(agent_result(s), "sourceState");
}

static gint64 since_result(const FerryStep *s) {
  gint64 at = ferry_rfc3339_parse(ferry_json_str(s->m, "status.migrationState.resultTimestamp"));
  return at < 0 ? 0 : MAX(0, s->now_ms - at);
}

static gboolean is_offline(const FerryStep *s) {
  return ferry_json_bool(s->m, "spec.offline", FALSE);
}

/* libvirt's call failed, or was never made. */
static gboolean call_failed(const FerryStep *s) {
  const char *error = ferry_json_str(agent_result(s), "error");
  return !ferry_json_bool(agent_result(s), "returned", TRUE) || (error && *error);
}

gboolean ferry_step_guard_arrived(FerryStep *s) {
  if (!agent_result(s))
    return FALSE;
  /* ferryd's own stamp of when the result came, so that no two machines' clocks are subtracted */
  if (!ferry_json_get(s->m, "status.migrationState.resultTimestamp")) {
    g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
    ferry_step_set(s, "status.migrationState.resultTimestamp", json_string(now));
  }
  if (is_offline(s)) { /* a definition has moved; whether the VM runs at the source is its own */
    const json_t *there = ferry_step_domain_on(s, target_name(s));
    return !call_failed(s) && ferry_json_bool(there, "persistent", FALSE);
  }
  return runs_on_target(s) && !state_is_active(source_state(s));
}

gboolean ferry_step_target_is_silent(const FerryStep *s) {
  const char *name = target_name(s);
  g_autoptr(json_t) target = name ? ferry_store_get(s->store, &ferry_kind_node, "", name) : NULL;
  return !ferry_node_is_ready(target);
}

/* The agent that said that it stalls may not be there to take it back. */
static void end_stalling(FerryStep *s) {
  if (g_strcmp0(ferry_condition_status(s->m, "Stalling"), "True") != 0)
    return;
  g_autoptr(json_t) ended = json_object();
  ferry_json_set(ended, "status.conditions",
                 json_deep_copy(ferry_json_get(s->m, "status.conditions")));
  ferry_condition_set(ended, "Stalling", "False", "Ended", "the migration has ended", s->now_ms);
  ferry_step_set(s, "status.conditions", json_incref(ferry_json_get(ended, "status.conditions")));
}

static void end(FerryStep *s) {
  end_stalling(s);
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  const json_t *on_target = ferry_step_domain_on(s, target_name(s));
  const char *target_state = ferry_json_str(on_target, "state");
  ferry_step_set(s, "status.migrationState.endTimestamp", json_string(now));
  ferry_step_set(s, "status.migrationState.completed", json_true());
  ferry_step_set(s, "status.migrationState.sourceDomainState",
                 source_state(s) ? json_string(source_state(s)) : NULL);
  ferry_step_set(s, "status.migrationState.targetDomainState",
                 json_string(target_state                     ? target_state
                             : ferry_step_target_is_silent(s) ? "unknown"
                                                              : "gone"));
}

/* How the VM is where it stayed: "the VM is running on h1 as before". A failure may leave paused
 * what ran, such as where the target could not be asked whether it runs there. */
static char *stays(const FerryStep *s) {
  static const char unknown[] = "in an unknown state";
  const char *state = source_state(s);
  const char *before = ferry_json_str(s->m, "status.migrationState.sourceDomainStateBefore");
  if (ferry_migration_state_is_kept(s->m, state))
    return g_strdup_printf("the VM is %s on %s as before", state, source_name(s));
  return g_strdup_printf("the VM is %s on %s and was %s before; look at the domain on both hosts "
                         "with virsh before you resume or start it",
                         state ? state : unknown, source_name(s), before ? before : unknown);
}

void ferry_step_act_succeed(FerryStep *s) {
  end(s);
  const json_t *summary = ferry_json_get(s->m, "status.summary");
  gint64 total = ferry_json_int(summary, "totalMs", -1);
  gint64 pause = ferry_json_int(summary, "downtimeMs", -1);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "%s moved from %s to %s", ferry_json_str(s->m, "spec.vmiName"),
                  source_name(s), target_name(s));
  if (total >= 0)
    g_string_append_printf(text, " in %.1f s", (double)total / 1000);
  if (pause >= 0 && !is_offline(s))
    g_string_append_printf(text, ", paused for %" G_GINT64_FORMAT " ms", pause);
  ferry_step_set(s, "status.reason", json_string("Completed"));
  ferry_step_set(s, "status.message", json_string(text->str));
  ferry_step_set(s, "status.migrationState.failed", json_false());
  ferry_step_set(s, "status.migrationState.targetNodeDomainDetected", json_true());
  ferry_step_set(s, "status.progress.percent", json_integer(100));
  static const char *const remaining[] = {"status.progress.dataRemainingBytes",
                                          "status.progress.memoryRemainingBytes",
                                          "status.progress.diskRemainingBytes"};
  for (gsize i = 0; i < G_N_ELEMENTS(remaining); i++)
    if (i == 0 || ferry_json_get(s->m, remaining[i]))
      ferry_step_set(s, remaining[i], json_integer(0));
  if (ferry_step_cancel_requested(s))
    ferry_step_set(s, "status.migrationState.abortStatus", json_string("Failed"));
}

gboolean ferry_step_guard_forecast(FerryStep *s) {
  return ferry_json_bool(s->m, "spec.forecastOnly", FALSE) && agent_result(s) &&
         ferry_json_get(s->m, "status.forecast") && !ferry_step_cancel_requested(s);
}

void ferry_step_act_forecast(FerryStep *s) {
  end(s);
  g_autofree char *text =
      g_strdup_printf("forecast of %s from %s to %s; nothing was moved",
                      ferry_json_str(s->m, "spec.vmiName"), source_name(s), target_name(s));
  ferry_step_set(s, "status.reason", json_string("ForecastMade"));
  ferry_step_set(s, "status.message", json_string(text));
  ferry_step_set(s, "status.migrationState.failed", json_false());
}

gboolean ferry_step_guard_stayed(FerryStep *s) {
  const json_t *result = agent_result(s);
  if (!result)
    return FALSE;
  if (is_offline(s))
    return call_failed(s);
  if (!active_on_target(s) && state_is_active(source_state(s)))
    return TRUE;
  /* the libvirt call was never made: nothing has moved, whatever the state */
  return !ferry_json_bool(result, "returned", TRUE);
}

void ferry_step_act_stayed(FerryStep *s) {
  const json_t *result = agent_result(s);
  const char *error = ferry_json_str(result, "error");
  const char *reason = ferry_json_str(result, "reason");
  g_autofree char *where = stays(s);
  end(s);
  if (ferry_step_cancel_requested(s)) {
    const char *by = ferry_json_str(s->m, "status.migrationState.abortRequestedBy");
    const char *why = ferry_json_str(s->m, "status.migrationState.abortReason");
    ferry_step_set(s, "status.migrationState.abortStatus", json_string("Succeeded"));
    if (why) {
      ferry_step_fail(s, "Stalled",
                      "%s; %s. Migrate it when it is less busy, or allow it a longer pause or "
                      "post-copy",
                      why, where);
      return;
    }
    ferry_step_fail(s, "Cancelled", "cancelled%s%s; %s", by ? " by " : "", by ? by : "", where);
    return;
  }
  ferry_step_fail(s, reason ? reason : "MigrationFailed", "%s; %s",
                  error ? error : "libvirt gave no reason", where);
}

/* Post-copy broke: each host holds a part of the VM's memory, and waiting changes nothing. */
static gboolean post_copy_failed(const FerryStep *s) {
  const json_t *here = ferry_step_domain_on(s, source_name(s));
  const json_t *there = ferry_step_domain_on(s, target_name(s));
  return state_is_active(source_state(s)) &&
         g_strcmp0(ferry_json_str(here, "reason"), "postcopy-failed") == 0 &&
         g_strcmp0(ferry_json_str(there, "reason"), "postcopy-failed") == 0;
}

gboolean ferry_step_guard_lost(FerryStep *s) {
  if (!agent_result(s))
    return FALSE;
  if (post_copy_failed(s))
    return TRUE;
  gint64 age = since_result(s);
  if (age < FERRY_OUTCOME_TIMEOUT_MS) {
    ferry_plan_wake(s->plan, s->now_ms + FERRY_OUTCOME_TIMEOUT_MS - age);
    return FALSE;
  }
  return TRUE;
}

void ferry_step_act_lost(FerryStep *s) {
  const char *error = ferry_json_str(agent_result(s), "error");
  const char *state = source_state(s);
  const json_t *d = ferry_step_domain_on(s, target_name(s));
  const char *there = d ? ferry_json_str(d, "state") : NULL;
  gboolean both = state_is_active(state) && active_on_target(s);
  /* paused by that on the source: the target has not noticed if it says nothing of it by now */
  gboolean half =
      both && g_strcmp0(ferry_json_str(ferry_step_domain_on(s, source_name(s)), "reason"),
                        "postcopy-failed") == 0;
  gboolean broken = post_copy_failed(s);
  end(s);
  if (broken || half) {
    g_autofree char *close =
        broken ? g_strdup("")
               : g_strdup_printf(" %s has not noticed that the connection broke: close it there "
                                 "first (ss -K dst ADDRESS, with the address of %s).",
                                 target_name(s), source_name(s));
    ferry_step_fail(s, "PostCopyFailed",
                    "%s; %s and %s each hold a part of the VM's memory and it cannot run until the "
                    "migration is resumed: repeat it with allowPostCopy: true and postCopyResume: "
                    "true (--post-copy --postcopy-resume).%s Destroy it on neither host",
                    error ? error : "the connection broke", source_name(s), target_name(s), close);
    return;
  }
  ferry_step_fail(
      s, both ? "RunsOnBothHosts" : "VMNotFound",
      "%s%sthe hosts do not agree: %s says %s, %s says %s. Look at the domain on both hosts with "
      "virsh before you start it anywhere",
      error ? error : "", error ? "; " : "", source_name(s), state ? state : "nothing",
      target_name(s), there ? there : "nothing");
}

/* The agent of the source is silent: libvirt goes on by itself, so give it time; what the target
 * reports decides as soon as the source's host is heard again. */
gboolean ferry_step_guard_agent_lost(FerryStep *s) {
  if (agent_result(s) || (s->source && ferry_node_is_ready(s->source)))
    return FALSE;
  const json_t *ready =
      ferry_json_find(ferry_json_get(s->source, "status.conditions"), "type", "Ready");
  gint64 since = ferry_rfc3339_parse(ferry_json_str(ready, "lastTransitionTime"));
  gint64 age = since < 0 ? ferry_step_phase_age(s) : s->now_ms - since;
  ferry_step_set(
      s, "status.message",
      json_string("the source's agent does not answer; libvirt goes on by itself and the "
                  "agent will take over when it is back"));
  if (age < FERRY_LOST_AGENT_TIMEOUT_MS) {
    ferry_plan_wake(s->plan, s->now_ms + FERRY_LOST_AGENT_TIMEOUT_MS - age);
    return FALSE;
  }
  return TRUE;
}

void ferry_step_act_agent_lost(FerryStep *s) {
  gboolean there = runs_on_target(s);
  end(s);
  ferry_step_fail(s, "SourceHostLost",
                  "the agent of %s has not answered for %d minutes; %s %s. Look at both hosts with "
                  "virsh before you start it anywhere",
                  source_name(s), FERRY_LOST_AGENT_TIMEOUT_MS / 60000, target_name(s),
                  there                            ? "reports the VM as running"
                  : ferry_step_target_is_silent(s) ? "does not answer either"
                                                   : "reports the VM as not running");
}
