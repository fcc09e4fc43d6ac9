// SPDX-License-Identifier: Apache-2.0
// From samples to rates and rounds.
//
// Theory of operation: the rate is a moving average over windows of at least 200 ms. It is kept as
// two numbers: what the wire carries (from `processed`) and how much guest memory one such byte
// stands for (from `remaining`, within one pass), because compression makes them differ. Zero
// pages cost nothing on the wire; windows full of them are left out, or the first pass would
// promise a rate that nothing else has, and what the first pass says of compression does not count,
// unless all pages are compressed.
// Disks that are copied first are progress, and no pass: the first pass begins with the memory.
// A pass boundary gives one round: how long the pass took and how many different bytes were dirtied
// in it, which is what there is to send now less what was still left of the pass before. A boundary
// that was missed (a lost event, a jump of the counter) gives a boundary but no round: a wrong
// round is worse than none.
#include "convergence/tracker.h"
#include <math.h>
#include <string.h>

#define WINDOW_US 200000
#define WEIGHT 0.4
#define ZERO_PAGES 4.0       /* memory per wire byte that only zero pages reach */
#define UNSEEN_PASS 0.95     /* less memory per wire byte: a pass began unseen in the window */
#define LOST_EVENT_US 150000 /* a pass that samples show for so long has lost its event */
#define FRESH_US 40000       /* a sample this old still shows the boundary */
#define SAME_MOMENT_US 5000
#define MOSTLY_REST 0.85      /* beyond this a round says nothing */
#define GUESSED 0.2           /* residual of what was not fitted: more than is trusted */
#define CLOSER 0.98           /* a pass that begins with so much of the best one's is progress */
#define SHORTEST_S 0.015      /* rounds below this are noise */
#define LEAST_AGAIN (8 << 20) /* less memory that was sent again says nothing */

void ferry_tracker_init(FerryTracker *t, gint64 now_us) {
  *t = (FerryTracker){.start_us = now_us,
                      .last_us = now_us,
                      .best_us = now_us,
                      .progress_us = now_us,
                      .moved_us = now_us,
                      .best_remaining = G_MAXINT64,
                      .efficiency = 1,
                      .boundary_us = now_us,
                      .boundary_v = -1,
                      .boundary_start = -1,
                      .previous_v = -1,
                      .best_v = INFINITY,
                      .iteration = 1,
                      .exact = TRUE};
}

static void push_round(FerryTracker *t, double seconds, double dirtied, double rest) {
  if (t->n_rounds == FERRY_TRACKER_ROUNDS) {
    memmove(t->rounds, t->rounds + 1, sizeof(t->rounds) - sizeof(t->rounds[0]));
    t->n_rounds--;
  }
  t->rounds[t->n_rounds++] = (FerryRound){seconds, dirtied, rest};
  FerryWriter writer;
  double memory = t->last.total > 0 ? (double)t->last.total : INFINITY;
  if (ferry_writer_fit(&writer, t->rounds, t->n_rounds, memory)) {
    t->writer = writer;
    t->fitted = TRUE;
  } else if (t->fitted) { /* rounds all alike: they can only confirm or refute what is known */
    double expected = ferry_writer_unique(&t->writer, seconds);
    if (t->writer.working_set > 0)
      expected *= MAX(0, 1 - rest / t->writer.working_set);
    t->writer.residual = dirtied > 0 ? fabs(expected / dirtied - 1) : 1;
  } else if (t->n_rounds >= 2) {
    t->writer = (FerryWriter){.pattern = FERRY_WRITER_UNIFORM,
                              .working_set = dirtied * 1.05,
                              .write_rate = 3 * dirtied / seconds,
                              .residual = GUESSED,
                              .rounds = t->n_rounds};
    t->fitted = TRUE;
  }
}

void ferry_tracker_prior(FerryTracker *t, double seconds, double dirtied) {
  if (seconds <= 0 || dirtied < 0)
    return;
  push_round(t, seconds, dirtied, 0);
  if (!t->fitted)
    t->writer = ferry_writer_guess(seconds, dirtied, INFINITY);
  t->fitted = TRUE;
}

static void open_window(FerryTracker *t, gint64 now_us) {
  t->window_us = now_us;
  t->window_processed = t->last.processed;
  t->window_remaining = t->last.remaining;
  t->window_broken = FALSE;
}

static void close_window(FerryTracker *t, gint64 now_us) {
  double seconds = (double)(now_us - t->window_us) / 1e6;
  double wire = (double)(t->last.processed - t->window_processed) / seconds;
  double memory = (double)(t->window_remaining - t->last.remaining) / seconds;
  gboolean zero_pages = !t->window_broken && wire > 0 && memory > ZERO_PAGES * wire;
  if (wire > 0 && !zero_pages) {
    t->wire_rate = t->wire_rate > 0 ? t->wire_rate + WEIGHT * (wire - t->wire_rate) : wire;
    if ((t->passes > 0 || t->compresses_all) && !t->window_broken && memory > UNSEEN_PASS * wire) {
      t->efficiency += (t->measured ? WEIGHT : 1) * (memory / wire - t->efficiency);
      t->measured = TRUE;
    }
    t->rate = t->wire_rate * t->efficiency;
  }
  open_window(t, now_us);
}

/* What the first pass leaves lies all over the memory, not in the working set: it hides its share
 * of what was written. */
static void push_first(FerryTracker *t, double seconds, double fresh, double rest) {
  double whole = (double)(t->last.processed - t->disks_processed + t->last.remaining);
  push_round(t, seconds, whole > rest ? fresh / (1 - rest / whole) : fresh, 0);
}

/* The pass that began at boundary_us still had `v` bytes to send when `processed` were sent in all,
 * shortly after its beginning. */
static void tracker_complete(FerryTracker *t, double v, gint64 processed) {
  /* Nothing gets lost: what was dirtied is what remains now, less what remained then, plus what
   * was sent in between. That holds however late the sample is. */
  gboolean first = t->boundary_v < 0;
  double before = first ? (double)t->before_remaining : t->boundary_v;
  gint64 before_processed = first ? t->before_processed : t->boundary_processed;
  double rest = before - (double)(processed - before_processed) * t->efficiency;
  if (first) /* its zero pages cost nothing to send, so the sum alone does not hold there */
    rest = MIN(rest, MIN(t->leaves, v));
  double fresh = MAX(0, v - rest);
  rest = MAX(0, rest);
  double seconds = t->told_throttle ? MAX(0, t->pass_seconds - t->pass_held_s)
                                    : t->pass_seconds * (1 - t->throttle);
  t->passes++;
  t->previous_v = t->boundary_start;
  t->boundary_start = t->pass_counts ? MAX(v, rest + fresh) : MAX(v, fresh / t->pass_jump);
  t->pass_low = t->boundary_start < CLOSER * t->best_v ? MAX(1, (gint64)v) : 0;
  t->best_v = MIN(t->best_v, t->boundary_start);
  if (t->pass_counts && seconds >= SHORTEST_S && rest < MOSTLY_REST * MAX(t->boundary_start, 1))
    first ? push_first(t, seconds, fresh, rest) : push_round(t, seconds, fresh, rest);
  else if (!t->fitted && t->pass_jump > 1 && t->passes > 2) /* several short passes, much alike */
    push_round(t, seconds / t->pass_jump, fresh / t->pass_jump, 0);
  t->boundary_v = v;
  t->boundary_processed = processed;
  t->waiting = FALSE;
}

static void tracker_begin(FerryTracker *t, int iteration, gint64 now_us, gboolean exact) {
  t->pass_seconds = (double)(now_us - t->boundary_us) / 1e6;
  t->pass_counts = iteration == t->iteration + 1 && t->exact && exact && !t->waiting;
  t->pass_jump = iteration - t->iteration;
  t->pass_held_s = t->held_s;
  t->held_s = 0;
  t->iteration = iteration;
  t->boundary_us = now_us;
  t->exact = exact;
  t->waiting = TRUE;
  t->ahead_us = 0;
  t->window_broken = TRUE;
}

gboolean ferry_tracker_iteration(FerryTracker *t, int iteration, gint64 now_us) {
  if (iteration <= t->iteration)
    return FALSE;
  tracker_begin(t, iteration, now_us, TRUE);
  gint64 age = now_us - t->last_us;
  gboolean rose = t->last.remaining > t->before_remaining;
  if (!t->sampled || age > FRESH_US || (age > SAME_MOMENT_US && !rose))
    return FALSE;
  tracker_complete(t, (double)t->last.remaining, t->last.processed);
  return TRUE;
}

/* From the third pass on: the second fills xbzrle's cache. */
static void count_again(FerryTracker *t, const FerryConvergenceSample *sample) {
  if (t->passes < 2 || t->again_handled > 0)
    return;
  t->again_handled = sample->handled;
  t->again_processed = sample->processed;
}

gboolean ferry_tracker_sample(FerryTracker *t, const FerryConvergenceSample *sample,
                              gint64 now_us) {
  gboolean after_disks = t->sampled && t->last.follows > 0 && sample->follows <= 0;
  gboolean first = !t->sampled || after_disks, boundary = FALSE;
  if (first || sample->processed > t->last.processed)
    t->moved_us = now_us;
  if (first && t->iteration <= 1)
    t->boundary_us = now_us; /* what was before is not part of the first pass */
  if (after_disks) {         /* what remains is counted anew */
    t->disks_processed = sample->processed;
    t->best_remaining = G_MAXINT64;
  }
  if (sample->tells_throttle && !first) {
    t->told_throttle = TRUE;
    t->held_s += (double)(now_us - t->last_us) / 1e6 * sample->throttle_percent / 100;
  }
  t->before_remaining = first ? G_MAXINT64 : t->last.remaining;
  t->before_processed = first ? sample->processed : t->last.processed;
  t->last = *sample;
  t->last.remaining += sample->follows;
  t->last.total += sample->follows;
  t->last_us = now_us;
  t->sampled = TRUE;
  count_again(t, sample);
  if (first)
    open_window(t, now_us);
  if (sample->iteration <= t->iteration)
    t->ahead_us = 0;
  else if (t->ahead_us == 0)
    t->ahead_us = now_us;
  else if (now_us - t->ahead_us >= LOST_EVENT_US)
    tracker_begin(t, sample->iteration, t->ahead_us, FALSE);
  if (!first && t->last.remaining > t->before_remaining)
    t->window_broken = TRUE;
  if (now_us - t->window_us >= WINDOW_US)
    close_window(t, now_us);
  /* while the job is set up nothing is counted yet: that nothing remains is no best, and that
   * nothing moves no fault of the link */
  t->counted |= sample->total > 0 || sample->remaining > 0 || sample->processed > 0;
  if (!t->counted) {
    t->moved_us = now_us;
    if (t->best_remaining == G_MAXINT64)
      t->best_us = t->progress_us = now_us;
  } else if (t->last.remaining < t->best_remaining) {
    t->best_remaining = t->last.remaining;
    t->best_us = t->progress_us = now_us;
  } else if (t->last.remaining < t->pass_low) {
    t->pass_low = t->last.remaining;
    t->progress_us = now_us;
  }
  if (t->waiting) {
    double late = (double)(now_us - t->boundary_us) / 1e6 * t->wire_rate;
    tracker_complete(t, (double)sample->remaining + late * t->efficiency,
                     sample->processed - (gint64)late);
    boundary = TRUE;
  }
  return boundary;
}

double ferry_tracker_gain_again(const FerryTracker *t) {
  gint64 memory = t->last.handled - t->again_handled, wire = t->last.processed - t->again_processed;
  gboolean enough = t->again_handled > 0 && memory >= LEAST_AGAIN && wire > 0;
  return enough ? (double)memory / (double)wire : 0;
}

double ferry_tracker_pending(const FerryTracker *t, gint64 now_us) {
  double rest = (double)t->last.remaining;
  if (!t->fitted || t->passes == 0)
    return rest;
  double seconds = (double)MAX(0, now_us - t->boundary_us) / 1e6 * (1 - t->throttle);
  double set = t->writer.working_set, fresh = ferry_writer_unique(&t->writer, seconds);
  return set > 0 ? rest + fresh * MAX(0, 1 - rest / set) : rest;
}
