// SPDX-License-Identifier: Apache-2.0
// Errors of single calls are not fatal here: the job may just have ended, and the next turn sees
// that. The machine is told what was refused.
#include "agent/migration/run/steer.h"
#include "agent/migration/run/adopt.h"
#include "agent/migration/arrange/arm.h"
#include "agent/migration/run/change.h"
#include "agent/migration/run/doubt.h"
#include "agent/migration/run/stalling.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"

static gboolean make_call(FerryRunning *r, const FerryStepCall *call, GError **error) {
  switch (call->kind) {
  case FERRY_STEP_CALL_SET_DOWNTIME:
    return ferry_host_job_set_max_downtime(r->job, call->value, error);
  case FERRY_STEP_CALL_START_POSTCOPY:
    ferry_inbox_set_post_copy(r->inbox);
    return ferry_host_job_start_postcopy(r->job, error);
  case FERRY_STEP_CALL_SUSPEND:
    return ferry_host_job_suspend(r->job, error);
  case FERRY_STEP_CALL_SET_THROTTLE:
    return ferry_host_job_set_throttle(r->job, (int)call->value, error);
  case FERRY_STEP_CALL_ABORT:
    return ferry_host_job_abort(r->job, error);
  }
  return TRUE;
}

void ferry_steer_act(FerryRunning *r) {
  FerryStepCall call;
  gint64 now = g_get_monotonic_time();
  while (ferry_step_next(&r->step, now, &call)) {
    g_autoptr(GError) error = NULL;
    ferry_running_flush(r); /* what is decided is said before it is done */
    gboolean ok = make_call(r, &call, &error);
    if (!ok)
      ferry_debug(error->message, "FERRY_MIGRATION", r->asked->name);
    if (ok && call.kind == FERRY_STEP_CALL_SET_DOWNTIME)
      ferry_path_watch_allow(r->watch, call.value);
    ferry_step_done(&r->step, &call, ok ? NULL : error->message, g_get_monotonic_time());
    if (call.kind == FERRY_STEP_CALL_ABORT)
      break;
  }
  ferry_running_flush(r);
}

void ferry_steer_begin(FerryRunning *r) {
  const FerryMeasured *measured = r->measured;
  FerryConvergenceIntent intent;
  ferry_measure_intent(r->ports, r->asked, r->measured, &intent);
  if (measured->long_s > 0) {
    intent.prior_seconds = measured->long_s;
    intent.prior_dirtied = (double)measured->long_rate * measured->long_s;
  }
  ferry_lesson_apply(&r->asked->settings.lesson, &intent);
  ferry_step_begin(&r->step, &intent, g_get_monotonic_time());
  ferry_change_recall(r);
  ferry_steer_act(r);
}

void ferry_steer_take_over(FerryRunning *r) {
  const json_t *object = r->asked->object;
  const FerrySteps *step = &r->step;
  FerryJobStats stats;
  gboolean told = ferry_host_job_stats(r->job, &stats, NULL) && stats.active;
  gint64 elapsed =
      ferry_adopt_elapsed_ms(object, told ? stats.elapsed_ms : 0, g_get_real_time() / 1000);
  gint64 now = g_get_monotonic_time(), best, stalled_ms;
  ferry_step_set_start(&r->step, now - elapsed * 1000);
  ferry_stall_set_told(&r->stalling, ferry_adopt_stalling(object));
  FerryDomainState state;
  ferry_step_set_suspended(&r->step, ferry_mode_of(object) == FERRY_MODE_PAUSED);
  ferry_step_set_was_paused(&r->step, !step->suspended &&
                                          ferry_host_job_state(r->job, &state, NULL) &&
                                          state.state == FERRY_VM_PAUSED &&
                                          g_str_equal(state.reason, FERRY_VM_REASON_USER));
  ferry_arm_recall(r->asked);
  ferry_throttle_recall(r->asked);
  ferry_steer_begin(r);
  ferry_convergence_began(step->convergence, step->start_us);
  ferry_convergence_recall_guest(step->convergence, step->suspended, ferry_adopt_throttle(object),
                                 now);
  if (ferry_adopt_best(object, &best, &stalled_ms))
    ferry_convergence_recall(step->convergence, best, now - stalled_ms * 1000);
}

/* Memory that follows the disks, which libvirt does not count yet. */
static gint64 bytes_that_follow(FerryRunning *r, const FerryJobStats *stats) {
  FerryJobProgress *progress = &r->shown->progress;
  if (r->asked->settings.request.copy_disks && progress->memory <= 0)
    ferry_progress_set_memory(progress, ferry_measure_memory(r->ports, r->asked));
  return ferry_progress_follows(progress, stats);
}

FerryLook ferry_steer_look(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  FerryJobStats stats;
  FerryDomainState state;
  gboolean told = ferry_host_job_stats(r->job, &stats, &error);
  gboolean mine = told && stats.active && stats.migration_out;
  FerryStepInput input = {.look = {told ? &stats : NULL, error, NULL, r->calling},
                          .follows = mine ? bytes_that_follow(r, &stats) : 0,
                          .iteration = ferry_inbox_iteration(r->inbox),
                          .cancel = ferry_running_is_cancelled(r)};
  if (ferry_judge_needs_state(&input.look, r->step.may_post_copy && !r->step.post_copy) &&
      ferry_host_job_state(r->job, &state, NULL))
    input.look.state = &state;
  if (mine)
    ferry_running_note_stats(r, &stats);
  if (mine && !r->calling && input.look.state)
    ferry_doubt_see(r, &stats, &state);
  FerryLook found = ferry_step_see(&r->step, &input, g_get_monotonic_time());
  if (found == FERRY_LOOK_UNKNOWN)
    ferry_debug(error->message, "FERRY_MIGRATION", r->asked->name);
  ferry_stalling_silence(r, ferry_host_error_is_silent(error) ? error : NULL);
  ferry_running_flush(r);
  return found;
}
