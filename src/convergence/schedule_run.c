// SPDX-License-Identifier: Apache-2.0
// Carries out a schedule of another system.
//
// Theory of operation: a schedule is a list of steps; each is due when as many passes have begun
// (or as many seconds per GiB have gone by) as its limit says. At every tick at most one action is
// taken, the earliest that is due. Last items (limit -1) come after all others, one more pass each.
// VDSM counts otherwise (since_first): from the pass that its first look finds, and only what is
// beyond the limit. Rules that are no list, Proxmox' doubling, KubeVirt's ramp and the timeouts per
// GiB, are fields of the same struct. An abort that follows a post-copy step is only meant for a
// switch that failed.
#include "convergence/decide.h"
#include "convergence/schedule_stall.h"
#include "convergence/state.h"
#include "base/limits.h"
#include "base/quantity.h"
#include "model/migration/reasons.h"

/* Memory and disks each count as least_gib at least. */
static double schedule_run_gib(const FerryConvergence *c) {
  double least = c->schedule->least_gib, disks = (double)c->intent.disk_bytes / (double)FERRY_GIB;
  double all = (double)c->intent.memory_bytes / (double)FERRY_GIB;
  if (disks > 0 && least > 0)
    return MAX(least, all - disks) + MAX(least, disks);
  return MAX(MAX(1, least), all);
}

/* Of event and sample whichever knows of more passes. */
static int schedule_run_passes(const FerryConvergence *c) {
  return MAX(c->t.iteration, c->t.last.iteration);
}

static void schedule_run_start(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  gint64 first = s->init_downtime_ms > 0 ? s->init_downtime_ms : FERRY_QEMU_DOWNTIME_MS;
  if (s->stall_window_ms > 0 || s->ramp_steps > 0)
    first = MIN(first, c->intent.max_downtime_ms);
  ferry_stall_start(c);
  c->ss = (FerryScheduleState){
      .tick_us = now_us, .low_us = now_us, .tick_remaining = -1, .acted_iteration = 1};
  if (s->completion_s_per_gib > 0)
    c->intent.completion_timeout_ms =
        (gint64)((double)s->completion_s_per_gib * schedule_run_gib(c) * 1000);
  if (s->progress_s > 0)
    c->intent.progress_timeout_ms = s->progress_s * 1000;
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, first, FERRY_REASON_START,
               "the schedule starts with a limit of %" G_GINT64_FORMAT " ms", first);
}

static gboolean schedule_run_due(const FerryConvergence *c, const FerryScheduleStep *step,
                                 gint64 now_us) {
  int iteration = schedule_run_passes(c);
  if (c->schedule->since_first)
    return iteration > c->ss.pass && step->limit < iteration - c->ss.first_pass;
  if (step->limit < 0)
    return iteration > c->ss.acted_iteration;
  if (c->schedule->unit == FERRY_LIMIT_ITERATIONS)
    return iteration >= step->limit;
  return (double)(now_us - c->start_us) / 1e6 >= (double)step->limit * schedule_run_gib(c);
}

static void schedule_run_act(FerryConvergence *c, const FerryScheduleStep *step, gint64 now_us) {
  int iteration = schedule_run_passes(c);
  switch (step->action) {
  case FERRY_STEP_SET_DOWNTIME:
    if (step->value != c->limit_ms)
      ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, step->value, FERRY_REASON_SCHEDULE,
                   "pass %d, %.1f MiB remain: the schedule sets the limit from %" G_GINT64_FORMAT
                   " to %" G_GINT64_FORMAT " ms",
                   iteration, ferry_mib((double)c->t.last.remaining), c->limit_ms, step->value);
    break;
  case FERRY_STEP_AUTO_CONVERGE:
    ferry_decide(c, now_us, FERRY_ACTION_NOTE, 0, FERRY_REASON_SCHEDULE,
                 "the schedule asks for auto-converge in pass %d: it can only be chosen at the "
                 "start; put it into init",
                 iteration);
    break;
  case FERRY_STEP_SUSPEND:
    if (!c->suspended && !c->no_suspend)
      ferry_decide(c, now_us, FERRY_ACTION_SUSPEND, 0, FERRY_REASON_SCHEDULE,
                   "pass %d, %.1f MiB remain: the schedule pauses the guest until it has moved",
                   iteration, ferry_mib((double)c->t.last.remaining));
    break;
  case FERRY_STEP_POSTCOPY:
    if (!c->no_post_copy)
      ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_SCHEDULE,
                   "pass %d, %.1f MiB remain: the schedule switches to post-copy", iteration,
                   ferry_mib((double)c->t.last.remaining));
    break;
  case FERRY_STEP_ABORT:
    ferry_decide_abort(c, now_us, FERRY_REASON_SCHEDULE,
                       "pass %d began and the schedule ends here: %.1f MiB remain at %.1f MiB/s",
                       iteration, ferry_mib((double)c->t.last.remaining), ferry_mib(c->t.rate));
    break;
  }
}

static void double_limit(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  gint64 limit = MIN(c->limit_ms * 2, s->double_max_ms);
  c->ss.rising = 0;
  if (limit > c->limit_ms)
    ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, limit, FERRY_REASON_SCHEDULE,
                 "what remains rose %d times, %.1f MiB now: the limit doubles from "
                 "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " ms",
                 s->double_after_rises + 1, ferry_mib((double)c->t.last.remaining), c->limit_ms,
                 limit);
}

/* Proxmox: a rise counts, and so does having nothing left without an end. */
static void schedule_run_double(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  FerryScheduleState *state = &c->ss;
  gint64 remaining = c->t.last.remaining;
  if (c->t.last.processed == state->tick_processed)
    return;
  double before = state->ticks > 0 ? (double)state->tick_processed / (state->ticks + 1) : 0;
  state->near |= before > 0 && (double)remaining < before;
  if ((state->tick_remaining > 0 && remaining > state->tick_remaining) || remaining == 0)
    state->rising++;
  if (s->double_after_rises > 0 && state->rising > s->double_after_rises)
    double_limit(c, now_us);
}

/* KubeVirt's ramp (VEP 291): its rest counts from the first poll on, which set the first limit, and
 * what the division leaves is a step of its own. */
static void schedule_run_ramp(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  FerryScheduleState *state = &c->ss;
  if (s->ramp_steps < 1)
    return;
  if (state->ramp_us == 0) {
    state->ramp_us = now_us;
    return;
  }
  gint64 most = c->intent.max_downtime_ms;
  gint64 step = MAX(1, (most - MIN(s->init_downtime_ms, most)) / s->ramp_steps);
  gint64 limit = MIN(c->limit_ms + step, most);
  if (schedule_run_passes(c) < s->ramp_after_pass || limit <= c->limit_ms ||
      now_us - state->ramp_us < s->ramp_every_s * G_USEC_PER_SEC)
    return;
  state->ramp_us = now_us;
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, limit, FERRY_REASON_SCHEDULE,
               "pass %d, %.1f MiB remain: the ramp sets the limit from %" G_GINT64_FORMAT
               " to %" G_GINT64_FORMAT " ms",
               schedule_run_passes(c), ferry_mib((double)c->t.last.remaining), c->limit_ms, limit);
}

static void schedule_run_tick(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  FerryScheduleState *state = &c->ss;
  gint64 every = state->near && s->near_tick_ms > 0 ? s->near_tick_ms : s->tick_ms;
  if (now_us - state->tick_us < every * 1000)
    return;
  state->tick_us = now_us;
  if (!state->first_pass)
    state->first_pass = state->pass = schedule_run_passes(c);
  ferry_stall_tick(c, now_us);
  gint64 remaining = c->t.last.remaining;
  if (state->tick_remaining < 0 || remaining < state->tick_remaining)
    state->low_us = now_us;
  schedule_run_double(c, now_us);
  schedule_run_ramp(c, now_us);
  if (state->next < s->n_steps && schedule_run_due(c, &s->steps[state->next], now_us)) {
    schedule_run_act(c, &s->steps[state->next++], now_us);
    state->acted_iteration = schedule_run_passes(c);
  }
  if (s->double_after_rises <= 0 || c->t.last.processed != state->tick_processed)
    state->tick_remaining = remaining; /* Proxmox takes no note where nothing was sent */
  state->tick_processed = c->t.last.processed;
  state->ticks++;
  state->pass = schedule_run_passes(c);
}

static gint64 progressed_us(const FerryConvergence *c) {
  return c->schedule->progress == FERRY_PROGRESS_PREVIOUS ? c->ss.low_us : c->t.best_us;
}

/* A stall detector has its own end. */
static gboolean has_own_end(const FerryConvergence *c) {
  return c->schedule->stall_window_ms > 0;
}

const FerryStrategy ferry_strategy_schedule = {
    .name = "schedule",
    .start = schedule_run_start,
    .boundary = ferry_stall_boundary,
    .tick = schedule_run_tick,
    .progressed_us = progressed_us,
    .has_own_end = has_own_end,
};
