// SPDX-License-Identifier: Apache-2.0
// KubeVirt's stall detector (VEP 248, alpha), for schedules that have a stall window; by
// stall-detector.go and live-migration-source.go of the version that stands with the preset.
//
// Theory of operation: at each pass boundary what remains is compared with the least that remained
// at boundaries older than the window; within the margin of it (or above) the migration stalls.
// From then on it waits for a boundary as good as the best so far, and takes less good ones for it
// the longer none comes: each time that the patience is over the target becomes the lowest level
// seen since, and the patience halves. At such a local minimum the pause that would follow (what
// remained at the boundary over the smoothed bandwidth) decides: post-copy or any pause, where
// disruption is allowed; the configured maximum, where the pause is near it; else it is given up.
// Nothing is switched that would not fit into twice the completion timeout. The original polls
// every 400 ms, and anew from each boundary on: guests whose passes are shorter give it no
// bandwidth. Once the completion timeout has passed it goes over to post-copy wherever that is
// allowed, disruption or not. Where no completion timeout is set the original never acts; this
// does.
#include "convergence/schedule_stall.h"
#include "convergence/decide.h"
#include "convergence/state.h"
#include "model/migration/reasons.h"
#include <string.h>

#define EWMA_ALPHA 0.4
#define POSSIBLE_FACTOR 1.5
#define PATIENCE_DECAY 0.5
#define COMPLETION_FACTOR 2

static gint64 elapsed_ms(const FerryConvergence *c, gint64 now_us) {
  return (now_us - c->start_us) / 1000;
}

/* It counts whole seconds. */
static gint64 schedule_stall_seconds(const FerryConvergence *c, gint64 now_us) {
  return elapsed_ms(c, now_us) / 1000;
}

/* The pause that a switch-over at the last boundary would have meant (before the first: none); < 0:
 * unknown. */
static double implied_ms(const FerryConvergence *c) {
  const FerryStallState *st = &c->st;
  return st->bandwidth > 0 ? (double)st->at_boundary / st->bandwidth * 1000 : -1;
}

/* Whether such a pause ends before twice the completion timeout. */
static gboolean schedule_stall_fits(const FerryConvergence *c, double pause_ms, gint64 now_us) {
  gint64 whole = c->intent.completion_timeout_ms;
  return whole <= 0 || pause_ms <= (double)(whole * COMPLETION_FACTOR) -
                                       1000 * (double)schedule_stall_seconds(c, now_us);
}

static void schedule_stall_switch_over(FerryConvergence *c, gint64 limit_ms, double pause_ms,
                                       FerryReason code, const char *why, gint64 now_us) {
  c->st.switching = TRUE;
  c->st.switch_by_s = schedule_stall_seconds(c, now_us) + c->schedule->switchover_s;
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, limit_ms, code,
               "%s, %.1f MiB remain, which means a pause of %.0f ms: the limit goes from "
               "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " ms",
               why, ferry_mib((double)c->t.last.remaining), pause_ms, c->limit_ms, limit_ms);
}

/* TRUE: disruption is allowed, and was begun. `late`: post-copy is no disruption any more. */
static gboolean schedule_stall_disrupt(FerryConvergence *c, double pause_ms, gboolean late,
                                       const char *why, gint64 now_us) {
  FerryReason code = late ? FERRY_REASON_COMPLETION_TIMEOUT : FERRY_REASON_STALLED;
  gboolean disrupt = c->intent.allow_workload_disruption;
  if (c->intent.allow_post_copy && !c->no_post_copy && (disrupt || late))
    ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, code, "%s, %.1f MiB remain: post-copy",
                 why, ferry_mib((double)c->t.last.remaining));
  else if (disrupt)
    schedule_stall_switch_over(c, FERRY_DOWNTIME_MAX_MS, pause_ms, code, why, now_us);
  else
    return FALSE;
  return TRUE;
}

static void at_minimum(FerryConvergence *c, gint64 now_us) {
  static const char why[] = "it stalls, and this pass is as good as any";
  double pause = implied_ms(c), most = (double)c->intent.max_downtime_ms;
  if (pause < 0 || !schedule_stall_fits(c, pause, now_us) ||
      schedule_stall_disrupt(c, pause, FALSE, why, now_us))
    return;
  if (pause <= most * POSSIBLE_FACTOR)
    schedule_stall_switch_over(c, c->intent.max_downtime_ms, pause, FERRY_REASON_STALLED, why,
                               now_us);
  else
    ferry_decide_abort(c, now_us, FERRY_REASON_STALLED,
                       "it stalls: at best %.1f MiB remain at %.1f MiB/s, which means a pause of "
                       "%.0f ms, and %.0f ms are allowed",
                       ferry_mib((double)c->t.last.remaining), ferry_mib(c->st.bandwidth), pause,
                       most);
}

/* Records that have left the window count as before it; the window is bounded, too. */
static void schedule_stall_age(FerryStallState *st, gint64 before_ms) {
  guint gone = 0;
  while (gone < st->n_records &&
         (st->records[gone].at_ms <= before_ms || st->n_records - gone >= FERRY_STALL_RECORDS)) {
    gint64 remaining = st->records[gone++].remaining;
    st->outside = st->outside < 0 ? remaining : MIN(st->outside, remaining);
  }
  st->n_records -= gone;
  memmove(st->records, st->records + gone, st->n_records * sizeof(st->records[0]));
}

static gboolean schedule_stall_near(const FerryConvergence *c) {
  double margin = (double)c->schedule->stall_margin_percent / 100;
  return (double)c->t.last.remaining <= (double)c->st.best * (1 + margin);
}

/* The lowest level since the stall began, taken out of the history; none: what there was. */
static gint64 take_lowest(FerryStallState *st) {
  guint lowest = 0;
  if (st->n_history == 0)
    return st->best;
  for (guint i = 1; i < st->n_history; i++)
    if (st->history[i] < st->history[lowest])
      lowest = i;
  gint64 value = st->history[lowest];
  st->history[lowest] = st->history[--st->n_history];
  return value;
}

static void schedule_stall_relax(FerryConvergence *c, gint64 at_ms) {
  FerryStallState *st = &c->st;
  if (at_ms < st->relax_at_ms)
    return;
  st->best = take_lowest(st);
  st->patience_ms = (gint64)((double)st->patience_ms * PATIENCE_DECAY);
  st->relax_at_ms = at_ms + st->patience_ms;
}

void ferry_stall_start(FerryConvergence *c) {
  c->st.outside = -1;
}

static void schedule_stall_judge(FerryConvergence *c, gint64 now_us) {
  const FerrySchedule *s = c->schedule;
  FerryStallState *st = &c->st;
  gint64 at_ms = elapsed_ms(c, now_us), remaining = c->t.last.remaining;
  if (st->stalled) {
    if (st->n_history < FERRY_STALL_RECORDS)
      st->history[st->n_history++] = remaining;
    schedule_stall_relax(c, at_ms);
    if (schedule_stall_near(c))
      at_minimum(c, now_us);
    return;
  }
  schedule_stall_age(st, at_ms - s->stall_window_ms);
  double floor = (double)st->outside * (1 - (double)s->stall_margin_percent / 100);
  gboolean stalls = st->outside >= 0 && (double)remaining >= floor;
  st->records[st->n_records++] = (FerryStallRecord){at_ms, remaining};
  if (!stalls)
    return;
  st->stalled = TRUE;
  st->best = st->outside;
  for (guint i = 0; i < st->n_records; i++)
    st->best = MIN(st->best, st->records[i].remaining);
  st->patience_ms = s->stall_window_ms;
  st->relax_at_ms = at_ms + st->patience_ms;
  ferry_decide(c, now_us, FERRY_ACTION_NOTE, 0, FERRY_REASON_STALLED,
               "%.1f MiB remain, and %.1f MiB did more than %" G_GINT64_FORMAT
               " s ago: it stalls; from here on a pass that leaves %.1f MiB is waited for",
               ferry_mib((double)remaining), ferry_mib((double)st->outside),
               s->stall_window_ms / 1000, ferry_mib((double)st->best));
  if (schedule_stall_near(c))
    at_minimum(c, now_us);
}

/* The completion timeout, or that of a switch-over that was decided. */
static void schedule_stall_overtime(FerryConvergence *c, gint64 now_us) {
  FerryStallState *st = &c->st;
  gint64 s = schedule_stall_seconds(c, now_us), whole = c->intent.completion_timeout_ms;
  if (st->switching && s > st->switch_by_s) {
    ferry_decide_abort(c, now_us, FERRY_REASON_SWITCHOVER_TIMEOUT,
                       "the switch-over did not come within %" G_GINT64_FORMAT
                       " s of its decision; %.1f MiB remain at %.1f MiB/s",
                       c->schedule->switchover_s, ferry_mib((double)c->t.last.remaining),
                       ferry_mib(st->bandwidth));
  } else if (!st->switching && whole > 0 && s > whole / 1000) {
    double pause = implied_ms(c);
    if (pause < 0 || !schedule_stall_fits(c, pause, now_us) ||
        !schedule_stall_disrupt(c, pause, TRUE, "the completion timeout has passed", now_us))
      ferry_decide_abort(c, now_us, FERRY_REASON_COMPLETION_TIMEOUT,
                         "not done after %" G_GINT64_FORMAT
                         " s, the completion timeout; %.1f MiB remain at %.1f MiB/s",
                         s, ferry_mib((double)c->t.last.remaining), ferry_mib(st->bandwidth));
  }
}

void ferry_stall_boundary(FerryConvergence *c, gint64 now_us) {
  FerryStallState *st = &c->st;
  if (c->schedule->stall_window_ms <= 0 || !ferry_decidable(c))
    return;
  st->at_boundary = c->t.last.remaining;
  c->ss.tick_us = now_us; /* the next poll is a whole interval away */
  if (!st->switching && st->bandwidth > 0)
    schedule_stall_judge(c, now_us);
  if (ferry_decidable(c))
    schedule_stall_overtime(c, now_us);
}

void ferry_stall_tick(FerryConvergence *c, gint64 now_us) {
  FerryStallState *st = &c->st;
  double rate = c->t.last.rate > 0 ? (double)c->t.last.rate : c->t.rate;
  if (c->schedule->stall_window_ms <= 0 || !ferry_decidable(c))
    return;
  if (rate > 0)
    st->bandwidth = st->bandwidth > 0 ? EWMA_ALPHA * rate + (1 - EWMA_ALPHA) * st->bandwidth : rate;
  schedule_stall_overtime(c, now_us);
}
