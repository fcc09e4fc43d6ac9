// SPDX-License-Identifier: Apache-2.0
// What the parts of one controller share; of this folder only.
#pragma once
#include "convergence/strategy.h"
#include "model/migration/reasons.h"
#include "base/quantity.h"

#define FERRY_HISTORY_MAX 200

#define FERRY_TRUSTED 0.15      /* residual up to which the model is believed */
#define FERRY_BROKEN_PROMISES 2 /* after so many only what was seen is believed */
#define FERRY_MARGIN 1.1
#define FERRY_CANDIDATES 18 /* limits that are priced */
#define FERRY_START_LEAST_MS 5
#define FERRY_TAKE_UP_S 0.2 /* from a pass's end to a new limit in force: event, call, window */

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

/** Queues a decision, records it, and takes its effect into the state. */
void ferry_decide(FerryConvergence *c, gint64 now_us, FerryConvergenceAction action, gint64 value,
                  FerryReason code, const char *format, ...) G_GNUC_PRINTF(6, 7);
/** Whether anything can still be decided. */
gboolean ferry_decidable(const FerryConvergence *c);
/** Abort, unless post-copy was asked for or the end is decided already. */
void ferry_decide_abort(FerryConvergence *c, gint64 now_us, FerryReason code, const char *format,
                        ...) G_GNUC_PRINTF(4, 5);

/** The path that this controller reckons with; rate 0: not known yet. */
FerryPath ferry_intent_path(const FerryConvergence *c);

/* options.c: what each way to end costs, and the choice */

typedef struct {
  FerryOption all[2 * FERRY_CANDIDATES + 24];
  guint n;
} FerryOptions;

/** The largest limit in seconds of pause without eps. */
double ferry_intent_room(const FerryConvergence *c);
/** The first limit, in seconds. Below it nothing is gained: what is left then costs less than the
 * switch-over. */
double ferry_intent_low(const FerryConvergence *c);
/** Seconds since the start. */
double ferry_intent_elapsed(const FerryConvergence *c, gint64 now_us);
/** Below this QEMU switches over, in bytes on the wire. */
double ferry_intent_threshold(const FerryConvergence *c);
/** The strongest throttle (0..1) that is permitted and can be carried out. */
double ferry_intent_throttle_bound(const FerryConvergence *c);
/** The price of `limit` seconds with `v` bytes to send. */
FerryOption ferry_options_price(const FerryConvergence *c, const FerryPath *path, double v,
                                double limit, double throttle);
FerryOption ferry_options_postcopy(const FerryConvergence *c, const FerryPath *path, double v);
/** Whether the stalls of that post-copy surely keep the maximum. */
gboolean ferry_options_postcopy_keeps(const FerryConvergence *c, const FerryOption *o);
/** What the guest pays, more for what it loses in one piece, and the time at the price that the
 * intent prefers. Seconds of work. */
double ferry_option_cost(const FerryConvergence *c, const FerryOption *o);
/** The share of the earliest end's time that may be spent beyond it on a cheaper end. */
double ferry_intent_slack(const FerryConvergence *c);
/** Fills `options` (empty before); the first is what is set now. */
void ferry_options_gather(const FerryConvergence *c, const FerryPath *path, double v, double now,
                          FerryOptions *options);
/** By when it is to end, in seconds from the start: the earliest end that was in sight, and the
 * slack; INFINITY: none was yet. */
double ferry_intent_bound(const FerryConvergence *c);
/** Whether a better moment than `o` may be waited for: what that costs, if none comes, is a small
 * part of what `o` does, and there is time for another pass of `v` bytes. */
gboolean ferry_options_worth_waiting(const FerryConvergence *c, const FerryPath *path,
                                     const FerryOption *o, double v, double now);
/** Two passes fit every pattern: whether a guest that wrote the same in turn, page after page,
 * could end for much less than `o` (NULL: nothing is within the intent). */
gboolean ferry_options_hopeful(const FerryConvergence *c, const FerryPath *path, double v,
                               double now, const FerryOption *o);
/** Seconds to the earliest end within the intent, a throttled one only where there is no other;
 * INFINITY: none. */
double ferry_options_earliest(const FerryConvergence *c, const FerryOptions *options, double now);
/** The cheapest within the intent that ends late by ferry_intent_slack() at most; NULL: none is
 * within. */
const FerryOption *ferry_options_choose(const FerryConvergence *c, const FerryOptions *options,
                                        double now);
/** Two passes fit every pattern: whether nothing would be within the intent if the guest wrote the
 * same with 80/20 skew; that guest is then in `skewed`. */
gboolean ferry_options_doubtful(const FerryConvergence *c, const FerryPath *path, double v,
                                double now, FerryWriter *skewed);
/** The limit for the first pass, `pass` seconds old, by what was measured beforehand; 0: low. */
double ferry_options_first_pass(const FerryConvergence *c, const FerryPath *path, double pass,
                                double now);
/** The smallest limit, beyond what is allowed, that would end it in time for such a guest. */
double ferry_options_needed_limit(const FerryConvergence *c, const FerryPath *path, double v,
                                  double now, const FerryWriter *writer);

/* verdict.c: saying that the intent cannot be kept, and taking it back */

/** It cannot; `provisional`: as far as it is known. Said once, and once more when it is sure. */
void ferry_verdict_infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                              gboolean provisional);
/** It cannot if the guest writes as `writer` does, which it may (or the tracker's, though less is
 * left after each pass), or unless it writes page after page (`writer` NULL): a doubt with its
 * probability, said once. */
void ferry_verdict_doubtful(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                            const FerryWriter *writer);
/** `o` keeps the intent after all: a verdict that stands is withdrawn. */
void ferry_verdict_feasible(FerryConvergence *c, gint64 now_us, const FerryOption *o);

/** The state of a strategy, state_size bytes. */
static inline gpointer ferry_convergence_state(const FerryConvergence *c) {
  return c->state;
}

/* schedule_stall.c */
/** The stall detector of a schedule that has one: at the start, at a pass boundary, at each tick.
 */
void ferry_stall_start(FerryConvergence *c);
void ferry_stall_boundary(FerryConvergence *c, gint64 now_us);
void ferry_stall_tick(FerryConvergence *c, gint64 now_us);

static inline double ferry_mib(double bytes) {
  return bytes / (double)FERRY_MIB;
}
