// SPDX-License-Identifier: Apache-2.0
// What one controller knows: all parts read it, and each writes its own part of it.
#pragma once
#include "base/quantity.h"
#include "convergence/strategy.h"

G_BEGIN_DECLS

/** State of the intent-driven part (intent.c). */
typedef struct {
  double reference; /* earliest end, in seconds from the start, that the maximum would have given */
  double earliest;  /* ... and as it was forecast, by whatever is permitted */
  double plan_limit; /* D in seconds */
  double plan_rate;  /* the rate the plan was made with */
  double forecast;   /* seconds from start to end, as the first plan expects; 0: no plan yet */
  double promised;   /* when the plan should have ended, seconds from the start */
  gint64 planned_us, verdict_us; /* verdict_us: infeasible since then; 0: it is not */
  guint broken;                  /* promises that were not kept */
  guint raised_at, throttled_at; /* passes */
  gint64 throttle_due_us;  /* when a throttle of a plan has shown what it does; 0: none is set */
  double unslowed_rate;    /* the guest's of writing, as the throttle was set; 0: none was */
  double unfelt;           /* the share of the throttle that it does not feel, 0..1 */
  guint lowered;           /* how often the limit was */
  int told_throttle;       /* percent, as the hypervisor said it last */
  gint64 first_verdict_us; /* 0: it never was infeasible */
  gint64 limit_us;         /* when the limit was set */
  gboolean planned, released;
  gboolean waits;         /* a dear end is put off for a better moment */
  gboolean first_planned; /* the first pass has its plan */
  gint64 needed_ms;       /* the pause that would do, as the last verdict said */
  double plan_end;      /* seconds from the start, as the plan in force has it; 0: there is none */
  gboolean asked;       /* a person, what is to become of it */
  gboolean noted;       /* a verdict of infeasibility stands */
  gboolean doubtful;    /* ... with a probability only */
  gboolean provisional; /* ... from two passes only, or from less */
  guint withdrawn;      /* verdicts that were taken back */
} FerryIntentState;

/** State of the schedule interpreter (schedule_run.c). */
typedef struct {
  guint next;            /* index of the next stalling step */
  int acted_iteration;   /* of the last action: last items wait for another pass */
  gint64 tick_us;        /* of the last tick */
  gint64 tick_remaining; /* what remained then; < 0: none yet */
  gint64 low_us;         /* when it last fell against the previous tick (or the best) */
  int rising;            /* ticks at which it rose */
  int pass, first_pass;  /* at the last tick, at the first; 0: there was none */
  guint ticks;           /* so far */
  gint64 tick_processed; /* what had been sent then */
  gboolean near;         /* looks more often from here on */
  gint64 ramp_us;        /* of the ramp's last step; 0: it has not begun */
} FerryScheduleState;

#define FERRY_STALL_RECORDS 256

typedef struct {
  gint64 at_ms, remaining; /* at a pass boundary */
} FerryStallRecord;

/** State of the stall detector (schedule_stall.c). Times are ms since the start, unless _us. */
typedef struct {
  FerryStallRecord records[FERRY_STALL_RECORDS]; /* inside the window, oldest first */
  guint n_records;
  gint64 outside;   /* the least that remained before the window; < 0: nothing is so old yet */
  double bandwidth; /* bytes/s, smoothed; 0: unknown */
  gboolean stalled;
  gint64 best; /* what is waited for */
  gint64 patience_ms, relax_at_ms;
  gint64 history[FERRY_STALL_RECORDS]; /* what remained since it stalls */
  guint n_history;
  gboolean switching; /* the limit was raised for the switch-over */
  gint64 switch_by_s;
  gint64 at_boundary; /* what remained at the last; 0: there was none */
} FerryStallState;

struct _FerryConvergence {
  FerryConvergenceIntent intent;
  FerrySchedule *schedule; /* own copy; NULL: intent */
  FerryTracker t;
  gint64 start_us, deadline_us; /* deadline 0: none */
  gint64 limit_ms;
  int throttle_percent;
  gboolean post_copy_asked, post_copy, suspended, aborted;
  gboolean no_post_copy, no_throttle, no_suspend; /* refused by the hypervisor */
  gboolean keep_precopy, refused_post_copy;       /* why no_post_copy holds */
  gboolean pinned;                                /* a person set the limit */
  FerryConvergence *observed; /* what the intent would decide; NULL: it does, or isn't asked */
  const FerryStrategy *strategy;
  gpointer state; /* of a strategy that is in none of the following; ferry_convergence_state() */
  FerryIntentState is;
  FerryScheduleState ss;
  FerryStallState st;
  GQueue pending;  /* FerryConvergenceDecision* */
  json_t *history; /* list */
};

/** The state of a strategy, state_size bytes. */
static inline gpointer ferry_convergence_state(const FerryConvergence *c) {
  return c->state;
}

static inline double ferry_mib(double bytes) {
  return bytes / (double)FERRY_MIB;
}

G_END_DECLS
