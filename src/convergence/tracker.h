// SPDX-License-Identifier: Apache-2.0
// What the samples of a running migration say: the rate, the passes, the best so far. Pure.
#pragma once
#include "convergence/model.h"

G_BEGIN_DECLS

#define FERRY_TRACKER_ROUNDS 12

/** One look at the job. Bytes; all of them whole numbers >= 0. */
typedef struct {
  gint64 processed; /* sent so far, never falls */
  gint64 remaining; /* of memory (and disks) at this moment, as the hypervisor counts it */
  gint64 total;
  gint64 handled;    /* memory whose pages are sent, however small they were made; 0: unknown */
  gint64 follows;    /* disks come first, and this much memory is in neither: bytes */
  gint64 rate;       /* bytes/s as the hypervisor says; 0: unknown */
  gint64 dirty_rate; /* bytes/s as the hypervisor says; 0: unknown */
  int iteration;     /* pass over memory as the hypervisor says; 0: unknown */
  gboolean tells_throttle; /* the hypervisor says how much it holds the guest: */
  int throttle_percent;    /* ... which may lag behind what was decided by seconds */
} FerryConvergenceSample;

typedef struct {
  FerryConvergenceSample last;
  gint64 start_us, last_us; /* last_us: of the last sample */
  gboolean sampled;
  gboolean counted;       /* the hypervisor has counted something: it is set up */
  gint64 disks_processed; /* sent of disks before the first pass over memory began */
  /* rate */
  gint64 window_us, window_processed, window_remaining;
  gboolean window_broken; /* a pass began inside the window: `remaining` says nothing of the rate */
  double wire_rate;       /* bytes/s on the wire, moving average; 0: unknown */
  double efficiency;      /* bytes of guest memory per byte on the wire */
  gboolean measured;      /* efficiency: in a pass that shows it */
  gboolean compresses_all; /* the first pass shows it, too; set before the first sample */
  double rate;             /* bytes of guest memory per second */
  gint64 again_handled, again_processed; /* at the first sample of the third pass; 0: unknown */
  /* best */
  gint64 best_remaining, best_us, moved_us;
  gint64 progress_us; /* of the best, or of a pass that began with less than any before */
  gint64 pass_low;    /* the least that remained in such a pass; 0: this is not such a pass */
  gint64 before_remaining, before_processed; /* at the sample before the last */
  /* passes */
  int iteration;         /* the last one seen */
  gint64 ahead_us;       /* samples know of a later pass since then; 0: they do not */
  gint64 boundary_us;    /* when it began */
  double boundary_v;     /* bytes to send at its first sample; < 0: there was no pass yet */
  double boundary_start; /* bytes to send when it began */
  gint64 boundary_processed;
  gboolean waiting; /* its first sample is still to come */
  gboolean exact;   /* boundary_us is the event's, not guessed from a sample */
  int pass_jump; /* how many passes have begun since the boundary before; 1 unless one was missed */
  double pass_seconds;  /* how long the pass before it took */
  gboolean pass_counts; /* ... and whether that can be trusted */
  double throttle;      /* of the guest, 0..1: a round under it counts for less */
  gboolean told_throttle;
  double held_s, pass_held_s; /* time that the guest was held in this pass, in the one before */
  double leaves; /* what QEMU may leave of the first pass when it looks at the bitmap; bytes */
  double previous_v, best_v;
  FerryRound rounds[FERRY_TRACKER_ROUNDS];
  guint n_rounds, passes;
  FerryWriter writer;
  gboolean fitted;
} FerryTracker;

/** Before the first sample; `now_us` is a monotonic time. */
void ferry_tracker_init(FerryTracker *t, gint64 now_us);
/** Takes a sample. TRUE when it completes a pass boundary (see `boundary_v`, `writer`). */
gboolean ferry_tracker_sample(FerryTracker *t, const FerryConvergenceSample *sample, gint64 now_us);
/** Pass `iteration` began at `now_us`. TRUE when the boundary is complete at once, because the
 * last sample is fresh; else the next sample completes it. */
gboolean ferry_tracker_iteration(FerryTracker *t, int iteration, gint64 now_us);
/** A round measured before the migration began: `dirtied` unique bytes in `seconds`. */
void ferry_tracker_prior(FerryTracker *t, double seconds, double dirtied);
/** Bytes of memory per byte on the wire since the third pass began, by the hypervisor's own count
 * of pages; 0: not known. */
double ferry_tracker_gain_again(const FerryTracker *t);
/** What is to be sent at this moment, with what the guest has probably written since the last
 * look at the dirty bitmap; bytes. */
double ferry_tracker_pending(const FerryTracker *t, gint64 now_us);

G_END_DECLS
