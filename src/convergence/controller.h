// SPDX-License-Identifier: Apache-2.0
// Control of one running migration: samples and pass boundaries in, decisions with reasons out.
// Pure: no I/O, no clock (`now_us` is a monotonic time of the caller's), no randomness. One thread
// at a time per controller.
#pragma once
#include "base/json.h"
#include "convergence/schedule.h"
#include "convergence/tracker.h"

G_BEGIN_DECLS

/** What is wanted of this migration, from its resolved configuration. Fields left 0 mean "not
 * stated". A `strategy` decides: that of a `schedule`, the intent's, or another. */
typedef struct _FerryStrategy FerryStrategy; /* convergence/strategy.h */
typedef struct {
  gint64 max_downtime_ms;       /* the pause may not exceed this; at least 1 */
  gint64 switchover_cost_ms;    /* eps: what a switch-over costs with nothing to send; 0: 30 */
  gint64 completion_timeout_ms; /* of the whole migration; 0: none */
  gint64 progress_timeout_ms;   /* without a new best `remaining`; 0: none */
  gint64 link_timeout_ms;       /* without one byte sent; 0: none */
  gboolean allow_post_copy;
  gboolean allow_workload_disruption;
  /* of the intent */
  gint64 max_duration_ms;      /* by when it is to be done; 0: whenever */
  int max_slowdown_percent;    /* how much the guest may be slowed, 0..99; 0: not at all */
  gboolean can_throttle;       /* SET_THROTTLE can be carried out */
  gboolean post_copy_preempt;  /* requested pages overtake the stream */
  gint64 bandwidth_cap;        /* bytes/s, lifted at the switch-over; 0: none */
  gint64 link_rate;            /* bytes/s of the link without the cap; 0: unknown */
  gint64 switchover_bandwidth; /* bytes/s that QEMU was told to reckon the pause with; 0: what it
                                  measures */
  gint64 memory_bytes;         /* of the guest (and disks to copy): timeouts per GiB; 0: unknown */
  gint64 disk_bytes;           /* the part of it that is disks to copy */
  gint64 infeasible_patience_ms;       /* abort when it stayed infeasible for so long; 0: never */
  double prior_seconds, prior_dirtied; /* unique bytes written in that time, measured before */
  const FerrySchedule *schedule;       /* copied; NULL: none */
  const FerryStrategy *strategy; /* NULL: the schedule's where there is one, else the intent */
} FerryConvergenceIntent;

typedef enum {
  FERRY_CONVERGENCE_SET_DOWNTIME, /* value: ms */
  FERRY_CONVERGENCE_START_POSTCOPY,
  FERRY_CONVERGENCE_SUSPEND, /* pause the guest on the source so that it converges */
  FERRY_CONVERGENCE_ABORT,
  FERRY_CONVERGENCE_NOTE, /* nothing to do, but to tell: it does not converge, with the numbers */
  FERRY_CONVERGENCE_SET_THROTTLE, /* value: percent of its time that the guest does not run; only
                                     where the intent says that it can be carried out */
} FerryConvergenceAction;

typedef struct {
  FerryConvergenceAction action;
  gint64 value;
  const char *code; /* CamelCase, static: "NotConverging", "ProgressTimeout" */
  char *reason;     /* words with numbers; owned by whoever took the decision */
} FerryConvergenceDecision;

typedef struct _FerryConvergence FerryConvergence;

/** A controller of a migration that starts at `now_us`. Its first decision is the first limit. */
FerryConvergence *ferry_convergence_new(const FerryConvergenceIntent *intent, gint64 now_us);
/** The migration began before its controller did: its duration, its completion timeout and a
 * schedule's times count from `start_us`. Before the first sample. */
void ferry_convergence_began(FerryConvergence *convergence, gint64 start_us);
/** ... and at best `best_remaining` bytes remained, at `best_us`. Before the first sample. */
void ferry_convergence_recall(FerryConvergence *convergence, gint64 best_remaining, gint64 best_us);
void ferry_convergence_free(FerryConvergence *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryConvergence, ferry_convergence_free)

/** Feeds a sample; every 50 to 250 ms. */
void ferry_convergence_sample(FerryConvergence *c, const FerryConvergenceSample *sample,
                              gint64 now_us);
/** After ferry_convergence_began(): what was done to the guest before, which a new decision has to
 * know of. `throttle_percent` is what was decided last. */
void ferry_convergence_recall_guest(FerryConvergence *convergence, gboolean suspended,
                                    int throttle_percent, gint64 now_us);
/** Pass `iteration` (2: the first pass is over) over memory began. Feed a fresh sample first. */
void ferry_convergence_iteration(FerryConvergence *c, int iteration, gint64 now_us);
/** The migration is in post-copy (whoever started it): nothing is decided from here on. */
void ferry_convergence_post_copy(FerryConvergence *c);
/** The caller could not carry out `action` (the hypervisor refused it): the controller goes on as
 * if it had not been decided, and does not decide it again. */
void ferry_convergence_refused(FerryConvergence *c, FerryConvergenceAction action);

/** The next decision, TRUE while there is one; g_free out->reason. Call until FALSE after each
 * feed and at least once a second (timeouts). */
gboolean ferry_convergence_next(FerryConvergence *c, gint64 now_us, FerryConvergenceDecision *out);

/** To be asked before a limit of the bandwidth is raised to `bandwidth` bytes/s: the downtime limit
 * in ms that must be in force first, or 0. A limit that makes up for the old cap would allow a
 * longer pause at the new rate, and QEMU takes up a rate before the controller can see it. */
gint64 ferry_convergence_before_bandwidth(FerryConvergence *convergence, gint64 bandwidth,
                                          gint64 now_us);
/** What a person asked for while it runs: from now on the limit is `downtime_ms` and the bandwidth
 * `bandwidth` bytes/s (0: as before), both already set in the hypervisor. The controller does not
 * move that limit any more, reckons with both, and forgets an earlier verdict. */
void ferry_convergence_override(FerryConvergence *c, gint64 downtime_ms, gint64 bandwidth,
                                gint64 now_us);
/** TRUE: a person wants it to stay in pre-copy; FALSE: it may switch again where the intent does.
 */
void ferry_convergence_keep_precopy(FerryConvergence *c, gboolean keep);

/** How it gets on: what remained at best, and for how long there was no new best. */
typedef struct {
  gint64 best_remaining, stalled_ms;
  gint64 rate, dirty_rate; /* bytes/s; 0: unknown */
} FerryConvergenceStall;
/** How long there was no new best, and what the rates are. */
void ferry_convergence_stall(const FerryConvergence *c, gint64 now_us, FerryConvergenceStall *out);

/** The downtime limit decided last, in ms. */
gint64 ferry_convergence_downtime_ms(const FerryConvergence *c);
/** "SetDowntime", "StartPostCopy", "Suspend", "Abort", "Note", "SetThrottle". */
const char *ferry_convergence_action_name(FerryConvergenceAction action);

/** What is known of the guest and the path at this moment, as `ferry explain` shows it: elapsedMs,
 * iteration, remainingBytes, rateBytesPerSecond, dirtyRateBytesPerSecond, limitMs,
 * throttlePercent, and once there are two rounds workingSetBytes, writeRateBytesPerSecond,
 * pattern, residual, minDowntimeMs, and once there is a plan forecastMs (from the start to the end,
 * as the first plan expected). A new reference. */
json_t *ferry_convergence_estimate(const FerryConvergence *c, gint64 now_us);
/** Each decision so far (the newest 200), oldest first: its estimate at that moment, with action,
 * value, code and reason. A new reference. */
json_t *ferry_convergence_history(const FerryConvergence *c);

G_END_DECLS
