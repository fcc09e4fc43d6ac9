// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the guest that libvirt has resumed after its switch-over is suspended again,
// and noted in this host's book before that, so that an agent that is killed in between leaves a
// note of a copy that runs, and none leaves a suspended one without. libvirt may carry out a call
// to suspend it that was given up at any later time (asked_to_suspend): as long as that is so and
// the guest runs by libvirt's resume, no turn concludes anything; it is asked for anew, and as one
// call follows the other, none is left once one is answered or the guest is paused. A turn looks at
// the copy here, asks the target's hypervisor and reads the migration's record (ambiguity.h).
#include "agent/migration/run/doubt.h"
#include "agent/twin/ambiguity.h"
#include "agent/twin/doubt_book.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "model/domain/domain_states.h"
#include "model/flags/migration_flags.h"
#include "model/migration/reasons.h"

static void doubt_warn(FerryRunning *r, const GError *error) {
  ferry_warning(error->message, "FERRY_MIGRATION", r->asked->name, "FERRY_DOMAIN", r->asked->uuid);
}

static void doubt_say(FerryRunning *r, FerryDoubtState state) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  ferry_shown_send(r->shown, ferry_doubt_patch(FERRY_SIDE_SOURCE, state, now, r->doubt.ran_ms));
}

/* In this host's own book: the next agent goes by it. */
static void note_suspended(FerryRunning *r) {
  gint64 resumed_us = ferry_inbox_resumed_us(r->inbox), switchover_us = 0;
  gboolean post_copy;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  r->doubt.ran_ms = resumed_us      ? (g_get_monotonic_time() - resumed_us) / 1000
                    : switchover_us ? 0
                                    : -1; /* the agent before this one would have known */
  ferry_doubt_book_note(ferry_context_state_dir(r->ports->context), r->asked->uid, r->asked->uuid,
                        r->doubt.ran_ms);
}

/* It is suspended by now, or never ran again. */
static void enter_doubt(FerryRunning *r) {
  note_suspended(r);
  doubt_say(r, FERRY_DOUBT_SUSPENDED);
}

static gboolean is_noted(const FerryRunning *r) {
  gint64 ran_ms;
  return ferry_doubt_book_find(ferry_context_state_dir(r->ports->context), r->asked->uid, &ran_ms);
}

static void doubt_forget(FerryRunning *r) {
  r->doubt.asked_to_suspend = FALSE;
  ferry_doubt_book_forget(ferry_context_state_dir(r->ports->context), r->asked->uid);
}

/* Noted first, as an agent that is killed in between leaves nobody else who knows. */
static void doubt_suspend(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  if (!r->job)
    return;
  gboolean noted_before = is_noted(r);
  if (!noted_before)
    ferry_doubt_book_note(ferry_context_state_dir(r->ports->context), r->asked->uid, r->asked->uuid,
                          -1);
  if (!ferry_host_job_suspend(r->job, &error)) {
    doubt_warn(r, error);
    if (ferry_host_error_is_silent(error) && !r->doubt.asked_to_suspend) {
      r->doubt.asked_to_suspend = TRUE; /* and it may be done as late as the hypervisor likes */
      note_suspended(r);
    } else if (!noted_before) {
      doubt_forget(r);
    }
    return;
  }
  r->doubt.guarded = TRUE;
  r->doubt.asked_to_suspend = FALSE;
  enter_doubt(r);
  ferry_running_record(r, FERRY_ACTION_SUSPEND, -1, ferry_reason_name(FERRY_REASON_AMBIGUOUS),
                       "libvirt resumed the guest after its switch-over had begun: it waits until "
                       "it is known that it does not run on the target");
}

void ferry_doubt_set_open(FerryRunning *r, gboolean open) {
  r->doubt.in_doubt = open;
}

void ferry_doubt_unguard(FerryRunning *r) {
  r->doubt.guarded = FALSE;
}

gboolean ferry_doubt_is_late(const FerryRunning *r) {
  return r->doubt.asked_to_suspend && !r->doubt.guarded;
}

gboolean ferry_doubt_holds(const FerryRunning *r, const FerryDomainState *state) {
  if (r->doubt.guarded || state->state != FERRY_VM_PAUSED)
    return r->doubt.guarded;
  return r->doubt.asked_to_suspend || is_noted(r);
}

/* The policy lets this copy go on, proven or not; the target's agent holds the other one. */
static gboolean doubt_may_go_on(const FerryRunning *r) {
  return ferry_on_ambiguity(r->asked->object) == FERRY_ON_AMBIGUITY_SOURCE;
}

void ferry_doubt_guard(FerryRunning *r) {
  const char *text;
  if (!r->doubt.guarded && !r->step.was_paused && !doubt_may_go_on(r) &&
      ferry_inbox_resumed_us(r->inbox) && !ferry_inbox_blamed(r->inbox, &text))
    doubt_suspend(r);
}

gboolean ferry_doubt_recall(FerryRunning *r) {
  const json_t *m = r->asked->object;
  gint64 ran_ms = -1;
  gboolean noted =
      ferry_doubt_book_find(ferry_context_state_dir(r->ports->context), r->asked->uid, &ran_ms);
  gboolean said = ferry_doubt_of(m, FERRY_SIDE_SOURCE) == FERRY_DOUBT_SUSPENDED;
  if (!noted && !said && !ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE))
    return FALSE;
  r->doubt.ran_ms = noted ? ran_ms : ferry_doubt_ran_ms(m, FERRY_SIDE_SOURCE);
  r->doubt.guarded = r->doubt.in_doubt = TRUE;
  r->doubt.asked_to_suspend = noted; /* its last call may be late, or never have been made */
  ferry_step_set_was_paused(&r->step,
                            ferry_vm_state_of(m, "status.migrationState.sourceDomainStateBefore") ==
                                FERRY_VM_PAUSED);
  if (noted && !said)
    doubt_say(r, FERRY_DOUBT_SUSPENDED);
  return TRUE;
}

gboolean ferry_doubt_is_stale(FerryRunning *r) {
  FerryDomainState here;
  if (ferry_doubt_keep_is_due(r->asked->object, FERRY_SIDE_SOURCE) || is_noted(r) || !r->job ||
      !ferry_host_job_state(r->job, &here, NULL) || here.state != FERRY_VM_RUNNING)
    return FALSE;
  r->doubt.guarded = r->doubt.in_doubt = FALSE;
  doubt_say(r, FERRY_DOUBT_GOES_ON);
  return TRUE;
}

gboolean ferry_doubt_is_post_copy(FerryRunning *r, const FerryDomainState *state) {
  gint64 switchover_us = 0;
  gboolean post_copy = FALSE;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  gboolean switched = switchover_us && state->state == FERRY_VM_PAUSED &&
                      g_strcmp0(state->reason, FERRY_VM_REASON_MIGRATION) == 0;
  return (post_copy || (r->step.post_copy && !switched)) &&
         g_strcmp0(state->reason, FERRY_VM_REASON_CANCELED) != 0;
}

/* libvirt's own resume was refused, as where another process, maybe a QEMU that no libvirt knows
 * of, holds the disks: whatever the call's error was, nobody knows what runs there. */
static gboolean doubt_is_refused(const FerryRunning *r, const FerryDomainState *state) {
  return !r->step.was_paused && state->state == FERRY_VM_PAUSED &&
         g_strcmp0(state->reason, "api-error") == 0;
}

gboolean ferry_doubt_arises(FerryRunning *r, const GError *error, FerryDomainState *state) {
  gint64 switchover_us = 0;
  gboolean post_copy;
  const char *text;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  post_copy = ferry_doubt_is_post_copy(r, state);
  gboolean arises = ferry_ambiguity_arises(error, switchover_us, post_copy) ||
                    (error && switchover_us && !post_copy && doubt_is_refused(r, state));
  /* a connection that this agent closed carried less than the whole */
  if (!state->active || ferry_inbox_blamed(r->inbox, &text) || !arises || doubt_may_go_on(r))
    return FALSE;
  if (!r->doubt.guarded && !r->step.was_paused && state->state != FERRY_VM_PAUSED)
    doubt_suspend(r);
  else if (!r->doubt.guarded)
    enter_doubt(r);
  ferry_host_job_state(r->job, state, NULL);
  return TRUE;
}

/* FALSE: the hypervisor does not say, as yet. */
static gboolean doubt_look_here(FerryRunning *r, FerryDomainState *here) {
  g_autoptr(GError) error = NULL;
  *here = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  return (r->job && ferry_host_job_state(r->job, here, NULL)) ||
         (ferry_running_open_job(r, 0, &error) && ferry_host_job_state(r->job, here, NULL)) ||
         g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
}

/* libvirt has let it go on, and nobody has stopped it since. */
static gboolean doubt_by_libvirt(const FerryDomainState *here) {
  return here->active && here->state == FERRY_VM_RUNNING &&
         g_strcmp0(here->reason, FERRY_VM_REASON_CANCELED) == 0;
}

/* A lock manager that knows better than both agents is told of, once. */
static void doubt_cannot_resume(FerryRunning *r, const GError *error) {
  g_autofree char *text = ferry_ambiguity_locked_text(
      error, ferry_json_str(r->asked->object, "status.migrationState.targetNode"));
  if (!text) {
    doubt_warn(r, error);
    return;
  }
  if (r->doubt.locked_told)
    return;
  r->doubt.locked_told = TRUE;
  doubt_warn(r, error);
  ferry_shown_tell(r->shown, "Warning", ferry_reason_name(FERRY_REASON_DISKS_LOCKED), text);
}

/* FALSE: it is to be tried again. */
static gboolean doubt_go_on_here(FerryRunning *r, const FerryDomainState *here) {
  g_autoptr(GError) error = NULL;
  if (!r->step.was_paused && here->state == FERRY_VM_PAUSED &&
      !ferry_host_job_resume(r->job, &error)) {
    doubt_cannot_resume(r, error);
    return FALSE;
  }
  doubt_say(r, here->active ? FERRY_DOUBT_GOES_ON : FERRY_DOUBT_GONE);
  return TRUE;
}

/* The same. One that runs was resumed by a person meanwhile: which copy is worth more only a
 * person's word can say. */
static gboolean doubt_end_here(FerryRunning *r, const json_t *doubt, const FerryDomainState *here) {
  g_autoptr(GError) error = NULL;
  gboolean undefine = ferry_migration_flag_on(r->asked->settings.request.config, "undefineSource");
  if (here->active && here->state != FERRY_VM_PAUSED && !ferry_doubt_kept(doubt))
    return doubt_go_on_here(r, here);
  if (here->active && !ferry_host_job_destroy(r->job, undefine, &error)) {
    doubt_warn(r, error);
    return FALSE;
  }
  doubt_say(r, FERRY_DOUBT_GONE);
  return TRUE;
}

/* Memory that is sent after a look comes before the switch-over, so what that look saw is older. */
void ferry_doubt_see(FerryRunning *r, const FerryJobStats *stats, const FerryDomainState *state) {
  FerryOldResume *b = &r->doubt.before;
  guint missed = ferry_inbox_missed(r->inbox);
  if (!doubt_by_libvirt(state) || !b->ran || missed != b->missed) {
    *b = (FerryOldResume){.ran = doubt_by_libvirt(state), .sent = -1, .missed = missed};
    return;
  }
  if (b->sent < 0)
    b->sent = stats->data_processed;
  b->old = b->old || stats->data_processed > b->sent;
}

/* The guest's state is what an earlier migration left, and no switch-over was told of since. */
static gboolean doubt_is_older(FerryRunning *r) {
  gint64 switchover_us = 0;
  gboolean post_copy;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  return r->doubt.before.old && !switchover_us &&
         ferry_inbox_missed(r->inbox) == r->doubt.before.missed;
}

gboolean ferry_doubt_may_run_twice(FerryRunning *r, const FerryDomainState *state) {
  if (r->calling || doubt_may_go_on(r) || !doubt_by_libvirt(state) || doubt_is_older(r))
    return FALSE;
  doubt_suspend(r); /* first: a target that hangs answers late, and may let its copy go on then */
  return r->doubt.guarded || r->doubt.asked_to_suspend;
}

/* One that was to be suspended and that libvirt's own resume has going still: a call that was given
 * up is not carried out yet, or the agent before this one ended between its note and its call. It
 * is asked for anew, behind which no earlier call is left. `needed`: it must not run meanwhile.
 * FALSE: nothing can be concluded, as it may stop at any time. */
static gboolean doubt_is_settled_here(FerryRunning *r, gboolean needed, FerryDomainState *here) {
  if (r->doubt.asked_to_suspend && here->active && here->state == FERRY_VM_PAUSED) {
    r->doubt.asked_to_suspend = FALSE;
    if (!r->doubt.guarded)
      enter_doubt(r);
    r->doubt.guarded = TRUE;
  }
  if (!doubt_by_libvirt(here) || !(r->doubt.asked_to_suspend || (needed && !doubt_may_go_on(r))))
    return TRUE;
  doubt_suspend(r);
  return doubt_look_here(r, here) && !doubt_by_libvirt(here);
}

void ferry_doubt_withdraw(FerryRunning *r) {
  FerryDomainState here;
  while (doubt_look_here(r, &here) ? !doubt_is_settled_here(r, FALSE, &here)
                                   : r->doubt.asked_to_suspend)
    if (!ferry_context_sleep(r->ports->context, FERRY_AMBIGUITY_ASK_MS))
      return; /* noted: the next agent goes on with it */
  if (doubt_look_here(r, &here) && doubt_go_on_here(r, &here))
    doubt_forget(r);
}

/* Somebody else has let it go on since it was suspended: a person, and maybe a later migration that
 * found it so, whose word in this host's book it is then. What it is paused for is that one's. */
static gboolean doubt_is_let_go(FerryRunning *r, FerryAmbiguityAnswer answer,
                                const FerryDomainState *here) {
  gboolean was_noted = r->doubt.noted;
  /* before it was suspended it may run by QEMU's own resume, which libvirt calls a person's */
  gboolean runs = here->state == FERRY_VM_RUNNING && !doubt_by_libvirt(here) && r->doubt.guarded &&
                  !r->doubt.asked_to_suspend;
  r->doubt.noted = is_noted(r);
  return here->active && (r->doubt.let_go || (was_noted && !r->doubt.noted) ||
                          (runs && answer == FERRY_AMBIGUITY_OPEN));
}

static FerryAmbiguityAnswer doubt_let_go(FerryRunning *r) {
  r->doubt.let_go = TRUE;
  r->doubt.guarded = FALSE;
  doubt_say(r, FERRY_DOUBT_GOES_ON);
  doubt_forget(r);
  return FERRY_AMBIGUITY_LET_GO;
}

/* One turn. */
static FerryAmbiguityAnswer doubt_turn(FerryRunning *r, FerryAmbiguity *heard) {
  FerryDomainState peer;
  gboolean told = ferry_host_peer_state(r->ports->host, r->asked->settings.request.dest_uri,
                                        r->asked->uuid, &peer, NULL);
  const FerryDomainState *there = told ? &peer : NULL;
  g_autoptr(json_t) doubt = ferry_inbox_doubt(r->inbox);
  heard->ran_ms = r->doubt.ran_ms;
  FerryAmbiguityAnswer answer = ferry_ambiguity_hear(heard, there, g_get_monotonic_time());
  if (answer == FERRY_AMBIGUITY_STAYED && ferry_ambiguity_went_on(doubt, FERRY_SIDE_SOURCE))
    answer = FERRY_AMBIGUITY_OPEN;
  FerryAmbiguityAnswer read =
      ferry_ambiguity_read(doubt, FERRY_SIDE_SOURCE, r->doubt.ran_ms, there);
  if (read != FERRY_AMBIGUITY_OPEN || ferry_doubt_kept(doubt))
    answer = read;
  FerryDomainState here;
  if (!doubt_look_here(r, &here))
    return FERRY_AMBIGUITY_OPEN;
  if (!here.active) /* the target's copy is the only one, so nothing of it is undone */
    answer = FERRY_AMBIGUITY_MOVED;
  if (doubt_is_let_go(r, answer, &here) && !ferry_doubt_kept(doubt))
    return doubt_let_go(r);
  if (!doubt_is_settled_here(r, answer != FERRY_AMBIGUITY_STAYED && !ferry_doubt_kept(doubt),
                             &here) ||
      answer == FERRY_AMBIGUITY_OPEN ||
      !(answer == FERRY_AMBIGUITY_STAYED ? doubt_go_on_here(r, &here)
                                         : doubt_end_here(r, doubt, &here)))
    return FERRY_AMBIGUITY_OPEN;
  doubt_forget(r);
  return answer;
}

FerryAmbiguityAnswer ferry_doubt_resolve(FerryRunning *r, gint64 patience_ms) {
  FerryAmbiguity heard = {0};
  gint64 until = g_get_monotonic_time() + patience_ms * 1000;
  for (;;) {
    FerryAmbiguityAnswer answer = doubt_turn(r, &heard);
    if (answer != FERRY_AMBIGUITY_OPEN)
      return answer;
    if ((patience_ms >= 0 && g_get_monotonic_time() > until) ||
        !ferry_context_sleep(r->ports->context, FERRY_AMBIGUITY_ASK_MS))
      return FERRY_AMBIGUITY_OPEN;
  }
}
