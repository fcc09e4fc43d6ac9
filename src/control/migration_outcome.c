// SPDX-License-Identifier: Apache-2.0
// How a migration ended: decided from what both hosts say of the domain, never from an error alone.
//
// The source's agent hands in agentResult once libvirt's call has returned (or could not be made)
// with the state of the domain on its host and libvirt's reason for it; the target's agent reports
// its domains as always. What these mean together is src/policy/outcome.c's table. Here its
// question is put together from what is stored, and its answer becomes a phase, a reason and words.
// What the source says after its result (a post-copy that ended later) counts in place of the
// result; what a host last said before it fell silent counts for nothing.
#include "base/rfc3339.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "control/conditions.h"
#include "control/migration_timeouts.h"
#include "control/migration_outcome.h"
#include "control/migration_step.h"
#include "control/node.h"
#include "model/migration/doubt.h"
#include "model/migration/migration.h"
#include "policy/outcome.h"
#include "model/flags/resume_defects.h"
#include "policy/placement.h"

static const char *outcome_source_name(const FerryStep *s) {
  return ferry_json_str(s->m, "status.migrationState.sourceNode");
}

static const char *target_name(const FerryStep *s) {
  return ferry_json_str(s->m, "status.migrationState.targetNode");
}

static const json_t *agent_result(const FerryStep *s) {
  return ferry_json_get(s->m, "status.migrationState.agentResult");
}

static const char *source_state(const FerryStep *s) {
  return ferry_json_str(agent_result(s), "sourceState");
}

static gint64 result_stamp(const FerryStep *s) {
  return ferry_rfc3339_parse(ferry_json_str(s->m, "status.migrationState.resultTimestamp"));
}

static gint64 since_result(const FerryStep *s) {
  gint64 at = result_stamp(s);
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

/* Whether what the target's copy is in is libvirt's word, and no person's since. */
static gboolean libvirt_says_of_target(const FerryStep *s) {
  const char *reason = ferry_json_str(ferry_step_domain_on(s, target_name(s)), "reason");
  return g_strcmp0(reason, FERRY_VM_REASON_MIGRATED) == 0 || ferry_vm_reason_is_post_copy(reason);
}

/* What the source has: by its agent's result, or by its host's report where that changed later. */
static FerryCopy copy_on_source(const FerryStep *s) {
  const char *state = source_state(s);
  const char *reason = ferry_json_str(agent_result(s), "sourceReason");
  const json_t *record = ferry_step_domain_on(s, outcome_source_name(s));
  const char *reported = ferry_json_str(record, "state");
  gboolean ready = ferry_node_is_ready(s->source);
  gint64 since = ferry_rfc3339_parse(ferry_json_str(record, "since"));
  gboolean later = ready && result_stamp(s) >= 0 && since > result_stamp(s);
  if (record && (later || (ready && g_strcmp0(state, reported) == 0))) {
    FerryCopy seen = ferry_copy_of(reported, ferry_json_str(record, "reason"), TRUE);
    /* the agent has ended it since; its host's report of that is on its way */
    if ((seen == FERRY_COPY_PAUSED || seen == FERRY_COPY_SUSPENDED) &&
        ferry_doubt_of(s->m, FERRY_SIDE_SOURCE) == FERRY_DOUBT_GONE)
      return FERRY_COPY_ABSENT;
    /* the agent itself has suspended it, which libvirt calls a person's will */
    gboolean doubted = (g_strcmp0(reason, FERRY_VM_REASON_MIGRATION) == 0 ||
                        ferry_doubt_of(s->m, FERRY_SIDE_SOURCE) == FERRY_DOUBT_SUSPENDED) &&
                       seen == FERRY_COPY_PAUSED;
    return doubted ? FERRY_COPY_SUSPENDED : seen;
  }
  FerryCopy copy = ferry_copy_of(state, reason, state != NULL);
  if (ready && !ferry_json_bool(record, "active", FALSE) &&
      ferry_doubt_of(s->m, FERRY_SIDE_SOURCE) == FERRY_DOUBT_GONE)
    return FERRY_COPY_ABSENT; /* by its agent's later word, however late its result came */
  /* a host that is ready and lists the domain no more has seen the end of what it was in; so it is
   * where libvirt gave post-copy up, as it lost the other libvirtd, and both QEMUs finished it */
  gboolean ends = copy == FERRY_COPY_POSTCOPY || copy == FERRY_COPY_SUSPENDED ||
                  (copy == FERRY_COPY_POSTCOPY_FAILED && libvirt_says_of_target(s));
  if (!record && ready && since_result(s) >= FERRY_OUTCOME_TIMEOUT_MS / 10 && ends)
    return FERRY_COPY_ABSENT;
  return copy;
}

static FerryCopy copy_on_target(const FerryStep *s) {
  const json_t *record = ferry_step_domain_on(s, target_name(s));
  FerryCopy seen = ferry_copy_of(ferry_json_str(record, "state"), ferry_json_str(record, "reason"),
                                 !ferry_step_target_is_silent(s));
  gboolean doubted = ferry_doubt_of(s->m, FERRY_SIDE_TARGET) == FERRY_DOUBT_SUSPENDED;
  return doubted && seen == FERRY_COPY_PAUSED ? FERRY_COPY_SUSPENDED : seen;
}

static FerryCall call_said(const FerryStep *s) {
  const json_t *result = agent_result(s);
  if (!ferry_json_bool(result, "returned", TRUE))
    return FERRY_CALL_NOT_MADE;
  return call_failed(s) || ferry_json_int(result, "errorCode", 0) ? FERRY_CALL_FAILED
                                                                  : FERRY_CALL_OK;
}

/* How long both hosts have had to agree. An agent in doubt of its copy acts by what the target's
 * copy does then, however late that is. */
static gint64 time_to_settle(const FerryStep *s) {
  const json_t *record = ferry_step_domain_on(s, target_name(s));
  gint64 since = ferry_rfc3339_parse(ferry_json_str(record, "since"));
  gint64 age = since_result(s);
  return ferry_doubt_is_open(s->m) && since >= 0 ? MIN(age, MAX(0, s->now_ms - since)) : age;
}

/* A host that is ready is one whose evidence may still be old: a ferryd that starts grants each
 * host a moment to be heard. */
static gboolean target_was_heard(const FerryStep *s) {
  const char *name = target_name(s);
  g_autoptr(json_t) target = name ? ferry_store_get(s->store, &ferry_kind_node, "", name) : NULL;
  /* nothing may have been heard, or stored, for long */
  gint64 since = MAX(result_stamp(s), s->now_ms - FERRY_NODE_GRACE_MS);
  return ferry_node_was_heard(target, since, s->now_ms);
}

/* The source's agent ends its copy once it is certain that the target has the VM, so that there are
 * two is so only by what it says after both had their time. */
static gboolean source_was_heard(const FerryStep *s) {
  return !s->source ||
         ferry_node_was_heard(s->source, result_stamp(s) + FERRY_OUTCOME_TIMEOUT_MS, s->now_ms);
}

/* A copy that is not there is said to be lost or gone by fresh evidence only. */
static gboolean rests_on_absence(const FerryOutcomeQuestion *q, FerryOutcomeKind kind) {
  return (q->target == FERRY_COPY_ABSENT || q->target == FERRY_COPY_OFF) &&
         (kind == FERRY_OUTCOME_LOST || kind == FERRY_OUTCOME_GONE);
}

/* What a target says of a post-copy that broke may be from before its end: it counts once the host
 * was heard after the source was first seen without its half. */
static gboolean half_is_fresh(FerryStep *s, const FerryOutcomeQuestion *q, FerryOutcomeKind kind) {
  if (kind != FERRY_OUTCOME_LOST || q->target != FERRY_COPY_POSTCOPY_FAILED)
    return TRUE;
  const char *path = "status.migrationState.sourceGoneTimestamp";
  gint64 gone = ferry_rfc3339_parse(ferry_json_str(s->m, path));
  if (gone < 0) {
    g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
    ferry_step_set(s, path, json_string(now));
    return FALSE;
  }
  const char *name = target_name(s);
  g_autoptr(json_t) target = name ? ferry_store_get(s->store, &ferry_kind_node, "", name) : NULL;
  return ferry_node_was_heard(target, gone, s->now_ms);
}

/* The outcome as far as it is certain by now; WAIT else, with a wake for when it will be. */
static FerryOutcomeKind migration_outcome_decide(FerryStep *s) {
  FerryOutcomeQuestion question = {
      .source = copy_on_source(s),
      .target = copy_on_target(s),
      .post_copy = ferry_mode_of(s->m) == FERRY_MODE_POST_COPY,
      .call = call_said(s),
  };
  FerryOutcomeAnswer answer = ferry_outcome_decide(&question);
  if (answer.kind == FERRY_OUTCOME_BOTH && s->source && !ferry_node_is_ready(s->source)) {
    question.source = FERRY_COPY_UNKNOWN; /* its agent may have ended that copy by now */
    answer = ferry_outcome_decide(&question);
  }
  gint64 age = time_to_settle(s);
  gint64 wait = answer.settles ? FERRY_OUTCOME_TIMEOUT_MS - age : 0;
  gboolean heard =
      half_is_fresh(s, &question, answer.kind) &&
      (question.target == FERRY_COPY_UNKNOWN ||
       !(answer.settles || rests_on_absence(&question, answer.kind)) ||
       (target_was_heard(s) && (answer.kind != FERRY_OUTCOME_BOTH || source_was_heard(s))));
  if (wait <= 0 && heard)
    return answer.kind;
  ferry_plan_wake(s->plan, s->now_ms + MAX(FERRY_NODE_MERGED_MS, wait));
  return FERRY_OUTCOME_WAIT;
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
  return migration_outcome_decide(s) == FERRY_OUTCOME_MOVED;
}

gboolean ferry_step_target_is_silent(const FerryStep *s) {
  const char *name = target_name(s);
  g_autoptr(json_t) target = name ? ferry_store_get(s->store, &ferry_kind_node, "", name) : NULL;
  /* a Node that was deleted is one whose host an administrator vouched for */
  return target && !ferry_node_is_ready(target);
}

FerryVmState ferry_step_rest_at_target(const FerryStep *s) {
  return ferry_step_target_is_silent(s) ? FERRY_VM_UNKNOWN : FERRY_VM_GONE;
}

/* The agent that said that it stalls may not be there to take it back. */
static void end_stalling(FerryStep *s) {
  if (!ferry_condition_holds(s->m, FERRY_CONDITION_STALLING))
    return;
  g_autoptr(json_t) ended = json_object();
  ferry_json_set(ended, "status.conditions",
                 json_deep_copy(ferry_json_get(s->m, "status.conditions")));
  ferry_condition_set(ended, FERRY_CONDITION_STALLING, "False",
                      ferry_reason_name(FERRY_REASON_ENDED), "the migration has ended", s->now_ms);
  ferry_step_set(s, "status.conditions", json_incref(ferry_json_get(ended, "status.conditions")));
}

static void outcome_end(FerryStep *s, FerryOutcomeKind outcome) {
  end_stalling(s);
  ferry_step_set(s, "status.migrationState.outcome", json_string(ferry_outcome_word(outcome)));
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  const json_t *on_target = ferry_step_domain_on(s, target_name(s));
  const char *target_state = ferry_json_str(on_target, "state");
  ferry_step_set(s, "status.migrationState.endTimestamp", json_string(now));
  ferry_step_set(s, "status.migrationState.completed", json_true());
  ferry_step_set(s, "status.migrationState.sourceDomainState",
                 source_state(s) ? json_string(source_state(s)) : NULL);
  ferry_step_set(
      s, "status.migrationState.targetDomainState",
      json_string(target_state ? target_state : ferry_vm_state_name(ferry_step_rest_at_target(s))));
}

/* How the VM is where it stayed: "the VM is running on h1 as before". A failure may leave paused
 * what ran, such as where the target could not be asked whether it runs there. */
static char *migration_outcome_stays(const FerryStep *s) {
  static const char unknown[] = "in an unknown state";
  const char *state = source_state(s);
  const char *before = ferry_json_str(s->m, "status.migrationState.sourceDomainStateBefore");
  if (ferry_migration_state_is_kept(s->m, state))
    return g_strdup_printf("the VM is %s on %s as before", state, outcome_source_name(s));
  return g_strdup_printf("the VM is %s on %s and was %s before; look at the domain on both hosts "
                         "with virsh before you resume or start it",
                         state ? state : unknown, outcome_source_name(s),
                         before ? before : unknown);
}

void ferry_step_act_succeed(FerryStep *s) {
  outcome_end(s, FERRY_OUTCOME_MOVED);
  const json_t *summary = ferry_json_get(s->m, "status.summary");
  gint64 total = ferry_json_int(summary, "totalMs", -1);
  gint64 pause = ferry_json_int(summary, "downtimeMs", -1);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "%s moved from %s to %s", ferry_json_str(s->m, "spec.vmiName"),
                  outcome_source_name(s), target_name(s));
  if (total >= 0)
    g_string_append_printf(text, " in %.1f s", (double)total / 1000);
  if (pause >= 0 && !is_offline(s))
    g_string_append_printf(text, ", paused for %" G_GINT64_FORMAT " ms", pause);
  ferry_step_set(s, "status.reason", json_string(ferry_reason_name(FERRY_REASON_COMPLETED)));
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
    ferry_step_set(s, "status.migrationState.abortStatus",
                   json_string(ferry_abort_name(FERRY_ABORT_FAILED)));
}

gboolean ferry_step_guard_forecast(FerryStep *s) {
  return ferry_json_bool(s->m, "spec.forecastOnly", FALSE) && agent_result(s) &&
         ferry_json_get(s->m, "status.forecast") && !ferry_step_cancel_requested(s);
}

void ferry_step_act_forecast(FerryStep *s) {
  outcome_end(s, FERRY_OUTCOME_STAYED);
  g_autofree char *text =
      g_strdup_printf("forecast of %s from %s to %s; nothing was moved",
                      ferry_json_str(s->m, "spec.vmiName"), outcome_source_name(s), target_name(s));
  ferry_step_set(s, "status.reason", json_string(ferry_reason_name(FERRY_REASON_FORECAST_MADE)));
  ferry_step_set(s, "status.message", json_string(text));
  ferry_step_set(s, "status.migrationState.failed", json_false());
}

gboolean ferry_step_guard_stayed(FerryStep *s) {
  const json_t *result = agent_result(s);
  if (!result)
    return FALSE;
  if (is_offline(s))
    return call_failed(s);
  return migration_outcome_decide(s) == FERRY_OUTCOME_STAYED;
}

void ferry_step_act_stayed(FerryStep *s) {
  const json_t *result = agent_result(s);
  const char *error = ferry_json_str(result, "error");
  const char *reason = ferry_json_str(result, "reason");
  g_autofree char *where = migration_outcome_stays(s);
  outcome_end(s, FERRY_OUTCOME_STAYED);
  if (ferry_step_cancel_requested(s)) {
    const char *by = ferry_json_str(s->m, "status.migrationState.abortRequestedBy");
    const char *why = ferry_json_str(s->m, "status.migrationState.abortReason");
    ferry_step_set(s, "status.migrationState.abortStatus",
                   json_string(ferry_abort_name(FERRY_ABORT_SUCCEEDED)));
    if (why) {
      ferry_step_fail(s, ferry_reason_name(FERRY_REASON_STALLED),
                      "%s; %s. Migrate it when it is less busy, or allow it a longer pause or "
                      "post-copy",
                      why, where);
      return;
    }
    ferry_step_fail(s, ferry_reason_name(FERRY_REASON_CANCELLED), "cancelled%s%s; %s",
                    by ? " by " : "", by ? by : "", where);
    return;
  }
  ferry_step_fail(s, reason ? reason : ferry_reason_name(FERRY_REASON_MIGRATION_FAILED), "%s; %s",
                  error ? error : "libvirt gave no reason", where);
}

/* What both hosts say, for people: "h1 says paused (migration), h2 cannot be heard". */
static char *both_say(const FerryStep *s) {
  const json_t *there = ferry_step_domain_on(s, target_name(s));
  const json_t *here = ferry_step_domain_on(s, outcome_source_name(s));
  const char *state = source_state(s), *why = ferry_json_str(agent_result(s), "sourceReason");
  if (!why && g_strcmp0(ferry_json_str(here, "state"), state) == 0)
    why = ferry_json_str(here, "reason");
  const char *target = ferry_json_str(there, "state"), *reason = ferry_json_str(there, "reason");
  g_autofree char *first =
      g_strdup_printf("%s says %s%s%s%s", outcome_source_name(s), state ? state : "nothing",
                      state && why ? " (" : "", state && why ? why : "", state && why ? ")" : "");
  if (ferry_step_target_is_silent(s))
    return g_strdup_printf("%s, %s cannot be heard", first, target_name(s));
  return g_strdup_printf("%s, %s says %s%s%s%s", first, target_name(s), target ? target : "nothing",
                         target && reason ? " (" : "", target && reason ? reason : "",
                         target && reason ? ")" : "");
}

gboolean ferry_step_guard_lost(FerryStep *s) {
  if (!agent_result(s))
    return FALSE;
  switch (migration_outcome_decide(s)) {
  case FERRY_OUTCOME_STOPPED:
  case FERRY_OUTCOME_LOST:
  case FERRY_OUTCOME_BROKEN:
  case FERRY_OUTCOME_BOTH:
  case FERRY_OUTCOME_SUSPENDED:
  case FERRY_OUTCOME_GONE:
    return TRUE;
  default:
    return FALSE;
  }
}

/* By which word of libvirt's it ended on the source. */
static const char *stopped_how(const FerryStep *s) {
  static const struct {
    const char *reason, *text;
  } known[] = {{"destroyed", "destroyed"},
               {"shutdown", "shut down"},
               {"crashed", "stopped by a crash of QEMU or the guest"},
               {"saved", "saved to a file"},
               {"failed", "stopped by an error of QEMU"}};
  const json_t *here = ferry_step_domain_on(s, outcome_source_name(s));
  const char *reason = ferry_json_str(agent_result(s), "sourceReason");
  if (!reason)
    reason = ferry_json_str(here, "reason");
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (g_strcmp0(reason, known[i].reason) == 0)
      return known[i].text;
  return "stopped";
}

/* How it is resumed, and never where that kills. Free with g_free. */
static char *resume_advice(const FerryStep *s) {
  g_autoptr(json_t) target = ferry_store_get(s->store, &ferry_kind_node, "", target_name(s));
  const char *version = ferry_json_str(target, "status.hypervisor.libvirtVersion");
  const char *defect = ferry_resume_defect(version);
  g_autofree char *first =
      defect
          ? g_strdup_printf("Not as it is: %s has libvirt %s, and %s. Update it there to %s or "
                            "newer and restart libvirtd (the VM's QEMU goes on); then resume it:",
                            target_name(s), version, defect, ferry_resume_fixed_in(version))
          : g_strdup("Resume it:");
  return g_strdup_printf("%s ferry migrate %s --to %s --post-copy --postcopy-resume", first,
                         ferry_json_str(s->m, "spec.vmiName"), target_name(s));
}

void ferry_step_act_lost(FerryStep *s) {
  const char *error = ferry_json_str(agent_result(s), "error");
  const char *lead = error && *error ? error : "", *then = *lead ? "; " : "";
  FerryOutcomeKind outcome = migration_outcome_decide(s);
  g_autofree char *say = both_say(s);
  const char *reason = ferry_outcome_reason(outcome), *advice = ferry_outcome_advice(outcome);
  gboolean unnoticed = copy_on_target(s) != FERRY_COPY_POSTCOPY_FAILED;
  outcome_end(s, outcome);
  switch (outcome) {
  case FERRY_OUTCOME_STOPPED:
    ferry_step_fail(s, reason, "%s was %s on %s while it moved. %s",
                    ferry_json_str(s->m, "spec.vmiName"), stopped_how(s), outcome_source_name(s),
                    advice);
    break;
  case FERRY_OUTCOME_BROKEN: {
    g_autofree char *close =
        unnoticed ? g_strdup_printf(" %s has not noticed that the connection broke: close it there "
                                    "first (ss -K dst ADDRESS, with the address of %s).",
                                    target_name(s), outcome_source_name(s))
                  : g_strdup("");
    g_autofree char *resume = resume_advice(s);
    ferry_step_fail(s, reason, "%s%s%s and %s each hold a part of the VM's memory: %s. %s%s %s",
                    lead, then, outcome_source_name(s), target_name(s), say, advice, close, resume);
    break;
  }
  case FERRY_OUTCOME_LOST:
    ferry_step_fail(s, reason, "%s%s%s is lost: the migration broke in post-copy, and %s. %s", lead,
                    then, ferry_json_str(s->m, "spec.vmiName"), say, advice);
    break;
  default:
    ferry_step_fail(s, reason, "%s%s%s. %s", lead, then, say, advice);
  }
}

/* Only a host that can't speak knows: said, and decided when it speaks or its Node is deleted. */
gboolean ferry_step_guard_unknown(FerryStep *s) {
  if (!agent_result(s) || migration_outcome_decide(s) != FERRY_OUTCOME_UNKNOWN)
    return FALSE;
  g_autofree char *say = both_say(s);
  const char *error = ferry_json_str(agent_result(s), "error");
  g_autofree char *text =
      g_strdup_printf("%s%s%s. %s", error ? error : "", error && *error ? "; " : "", say,
                      ferry_outcome_advice(FERRY_OUTCOME_UNKNOWN));
  gboolean said = g_strcmp0(ferry_json_str(s->m, "status.message"), text) == 0;
  ferry_step_set(s, "status.reason", json_string(ferry_outcome_reason(FERRY_OUTCOME_UNKNOWN)));
  ferry_step_set(s, "status.migrationState.outcome",
                 json_string(ferry_outcome_word(FERRY_OUTCOME_UNKNOWN)));
  ferry_step_set(s, "status.message", json_string(text));
  return !said;
}

void ferry_step_act_unknown(FerryStep *s) {
  ferry_plan_event(s->plan, s->m, "Warning", ferry_outcome_reason(FERRY_OUTCOME_UNKNOWN),
                   ferry_json_str(s->m, "status.message"), s->now_ms);
}

/* The agent of the source is silent: libvirt goes on by itself, so give it time; what the target
 * reports decides as soon as the source's host is heard again. */
gboolean ferry_step_guard_agent_lost(FerryStep *s) {
  if (agent_result(s) || (s->source && ferry_node_is_ready(s->source)))
    return FALSE;
  const json_t *ready = ferry_condition_find(s->source, FERRY_CONDITION_READY);
  gint64 since = ferry_rfc3339_parse(ferry_json_str(ready, "lastTransitionTime"));
  gint64 age = since < 0 ? ferry_step_phase_age(s) : s->now_ms - since;
  g_autofree char *broke =
      copy_on_target(s) == FERRY_COPY_POSTCOPY_FAILED
          ? g_strdup_printf("the source's agent does not answer, and %s says that post-copy broke: "
                            "the VM does not run; what is to be done is decided when %s can be "
                            "heard again",
                            target_name(s), outcome_source_name(s))
          : NULL;
  ferry_step_set(s, "status.message",
                 json_string(broke
                                 ? broke
                                 : "the source's agent does not answer; libvirt goes on by itself "
                                   "and the agent will take over when it is back"));
  if (age < FERRY_LOST_AGENT_TIMEOUT_MS) {
    ferry_plan_wake(s->plan, s->now_ms + FERRY_LOST_AGENT_TIMEOUT_MS - age);
    return FALSE;
  }
  return TRUE;
}

void ferry_step_act_agent_lost(FerryStep *s) {
  gboolean there = copy_on_target(s) == FERRY_COPY_RUNS || copy_on_target(s) == FERRY_COPY_PAUSED;
  outcome_end(s, FERRY_OUTCOME_UNKNOWN);
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_SOURCE_HOST_LOST),
                  "the agent of %s has not answered for %d minutes; %s %s. Look at both hosts with "
                  "virsh before you start it anywhere",
                  outcome_source_name(s), FERRY_LOST_AGENT_TIMEOUT_MS / 60000, target_name(s),
                  there                            ? "reports the VM as running"
                  : ferry_step_target_is_silent(s) ? "does not answer either"
                                                   : "reports the VM as not running");
}
