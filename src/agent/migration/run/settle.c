// SPDX-License-Identifier: Apache-2.0
// What the call's return and the domain's state mean together is judged by judge.c; here they are
// asked for, and what is to be done is done.
#include "agent/migration/run/settle.h"
#include "agent/migration/run/doubt.h"
#include "agent/migration/run/recovery.h"
#include "model/domain/domain_states.h"

#define COMPLETED_WAIT_MS 2000
#define DOUBT_PATIENCE_MS 3000 /* then people are told, and it is asked on */

static void settle_resume(FerryRunning *r, FerryOutcome *o) {
  g_autoptr(GError) error = NULL;
  if (!ferry_host_job_resume(r->job, &error))
    ferry_warning(error->message, "FERRY_MIGRATION", r->asked->name, "FERRY_DOMAIN",
                  r->asked->uuid);
  ferry_host_job_state(r->job, &o->state, NULL);
}

/* A source that a failed migration left paused is resumed, if nobody else runs the VM. */
static void settle_revive(FerryRunning *r, FerryOutcome *o) {
  gboolean late = ferry_doubt_is_late(r), held = late || ferry_doubt_holds(r, &o->state);
  /* the guard was in doubt, and the call's error is not: so whatever the guest does by now, since
   * libvirt resumes it once more as it ends a switch-over that was cancelled */
  if (held) {
    ferry_doubt_withdraw(r);
    ferry_host_job_state(r->job, &o->state, NULL);
    return;
  }
  if (!ferry_judge_left_paused(&o->state, r->step.was_paused, r->step.suspended))
    return;
  g_autoptr(GError) error = NULL;
  FerryDomainState peer;
  if (!ferry_host_peer_state(r->ports->host, r->asked->settings.request.dest_uri, r->asked->uuid,
                             &peer, &error)) {
    char *text = g_strdup_printf("%s; the VM is left paused here because the target can't be asked "
                                 "whether it runs it (%s): look at it there, then 'virsh resume' "
                                 "it on one host",
                                 o->message, error->message);
    g_free(o->message);
    o->message = text;
    return;
  }
  if (!peer.active) /* else it is there: the controller sees both hosts and decides */
    settle_resume(r, o);
}

/* Takes the state, over a new connection where the old one broke. FALSE: the agent ends. */
static gboolean take_state(FerryRunning *r, FerryDomainState *state) {
  *state = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  for (;;) {
    g_autoptr(GError) error = NULL;
    if (r->job && ferry_host_job_state(r->job, state, &error))
      return TRUE;
    g_clear_error(&error);
    if (!ferry_running_open_job(r, -1, &error))
      return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
  }
}

/* FALSE: the agent ends. `error` is cleared where it turns out that the VM has moved. */
static gboolean settle_doubt(FerryRunning *r, FerryDomainState *state, GError **error) {
  gboolean taken_up = r->doubt.in_doubt;
  ferry_doubt_set_open(r, FALSE);
  if (!taken_up && !ferry_doubt_arises(r, *error, state))
    return TRUE;
  if (taken_up && !state->active) {
    ferry_doubt_withdraw(r);
    return TRUE;
  }
  switch (ferry_doubt_resolve(r, DOUBT_PATIENCE_MS)) {
  case FERRY_AMBIGUITY_OPEN:
  case FERRY_AMBIGUITY_LET_GO: /* of the target's nothing is known */
    ferry_doubt_set_open(r, TRUE);
    if (!take_state(r, state)) /* it may have been suspended only now */
      return FALSE;
    state->reason = FERRY_VM_REASON_MIGRATION; /* whoever paused it: it is no person's pause */
    return TRUE;
  case FERRY_AMBIGUITY_MOVED:
    g_clear_error(error);
    break;
  case FERRY_AMBIGUITY_STAYED:
    ferry_doubt_unguard(r);
    break;
  }
  return take_state(r, state);
}

/* What is said where the agent that saw the switch-over could not say how it ended. */
static GError *taken_up_error(const FerryRunning *r) {
  return g_error_new(FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_LOST,
                     "the connection to the target's libvirtd was lost in the switch-over (%s had "
                     "its agent started again since)",
                     ferry_context_node(r->ports->context));
}

/* The connection of the call broke, not the migration: whether it goes on as one that was adopted.
 */
static gboolean goes_on(FerryRunning *r, const FerryDomainState *state) {
  FerryJobStats stats;
  ferry_running_note_call(r, FALSE);
  ferry_inbox_forget_call(r->inbox);
  gboolean told = state->active && ferry_host_job_stats(r->job, &stats, NULL);
  return ferry_judge_goes_on(state, told ? &stats : NULL);
}

static void tell_doubt(FerryOutcome *o, const char *target) {
  char *text = g_strdup_printf(
      "%s. The VM is suspended here, as %s may let it go on: that is decided, and done, as soon as "
      "its libvirtd can be asked. By hand: look for the VM there with virsh first; only where it "
      "is "
      "not there, 'virsh resume' it here",
      o->message, target ? target : "the target");
  g_free(o->message);
  o->message = text;
}

FerrySettled ferry_settle(FerryRunning *r, FerryOutcome *o) {
  g_autoptr(GError) error = NULL;
  FerryJobEnd end = {0};
  gboolean returned = ferry_inbox_take_call(r->inbox, &error);
  if (r->doubt.in_doubt)
    error = taken_up_error(r);
  if (!r->doubt.in_doubt && ferry_judge_lost_call(returned, error)) {
    ferry_running_unwatch(r);
    ferry_running_close_job(r);
    if (!take_state(r, &end.state))
      return FERRY_SETTLE_STOPPED;
    if (goes_on(r, &end.state))
      return FERRY_SETTLE_GOES_ON;
  }
  if (!take_state(r, &end.state))
    return FERRY_SETTLE_STOPPED;
  switch (ferry_recovery_run(r, &end.state, error)) {
  case FERRY_RECOVERY_AGAIN:
    return FERRY_SETTLE_GOES_ON;
  case FERRY_RECOVERY_ENDED:
    return FERRY_SETTLE_STOPPED;
  case FERRY_RECOVERY_LEFT:
    break;
  }
  /* of an adopted one nobody here heard what the call said */
  if (!r->calling && !r->doubt.in_doubt &&
      (ferry_doubt_holds(r, &end.state) || ferry_doubt_may_run_twice(r, &end.state))) {
    ferry_doubt_set_open(r, TRUE);
    g_clear_error(&error);
    error = taken_up_error(r);
    ferry_host_job_state(r->job, &end.state, NULL);
  }
  if (!settle_doubt(r, &end.state, &error))
    return FERRY_SETTLE_STOPPED;
  end.error = error;
  end.calling = r->calling;
  end.cancelled = r->cancel_seen;
  end.abort_code = r->step.abort_code;
  end.abort_reason = r->step.abort_reason;
  if (r->doubt.in_doubt)
    end.abort_code =
        NULL; /* what is in doubt is the connection's doing, whoever gave it up first */
  else if (!end.abort_code)
    end.abort_code = ferry_inbox_blamed(r->inbox, &end.abort_reason);
  end.target = ferry_json_str(r->asked->object, "status.migrationState.targetNode");
  ferry_judge_end(&end, o);
  if (r->doubt.in_doubt && o->message && !r->doubt.let_go)
    tell_doubt(o, end.target);
  else if (end.state.active && o->message && !ferry_doubt_is_post_copy(r, &end.state))
    settle_revive(r, o);
  ferry_recovery_end(r, !o->message);
  if (!o->message && r->calling) { /* its last numbers come by an event of their own */
    FerryJobStats completed;
    ferry_inbox_completed(r->inbox, COMPLETED_WAIT_MS, &completed);
  }
  return FERRY_SETTLED;
}
