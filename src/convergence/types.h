// SPDX-License-Identifier: Apache-2.0
// What a controller is asked and what it decides; the controller itself is in controller.h.
#pragma once
#include "convergence/schedule.h"
#include "convergence/tracker.h"
#include "model/migration/action.h"

G_BEGIN_DECLS

/** What ends an intent that stays out of reach (`intent.onInfeasible`; in the order of its words).
 */
typedef enum {
  FERRY_INFEASIBLE_GIVE_UP,
  FERRY_INFEASIBLE_TAKE_BEST, /* the shortest pause there is, however long */
  FERRY_INFEASIBLE_ASK,       /* a person changes it or cancels it, or a timeout ends it */
} FerryInfeasible;

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
  FerryPrefer prefer;
  FerryInfeasible on_infeasible;
  gboolean observe_only;    /* the intent decides and is recorded, `schedule` acts; NULL: nobody */
  gint64 max_duration_ms;   /* by when it is to be done; 0: whenever */
  int max_slowdown_percent; /* how much the guest may be slowed, 0..99; 0: not at all */
  gboolean can_throttle;    /* SET_THROTTLE can be carried out */
  gboolean post_copy_preempt;  /* requested pages overtake the stream */
  gint64 bandwidth_cap;        /* bytes/s, lifted at the switch-over; 0: none */
  gint64 link_rate;            /* bytes/s of the link without the cap; 0: unknown */
  gint64 switchover_bandwidth; /* bytes/s that QEMU was told to reckon the pause with; 0: what it
                                  measures */
  gint64 memory_bytes;         /* of the guest (and disks to copy): timeouts per GiB; 0: unknown */
  gint64 disk_bytes;           /* the part of it that is disks to copy */
  gint64 infeasible_patience_ms;       /* abort when it stayed infeasible for so long; 0: never */
  gboolean compresses_all;             /* every page is compressed, in the first pass, too */
  double prior_seconds, prior_dirtied; /* unique bytes written in that time, measured before */
  const FerrySchedule *schedule;       /* copied; NULL: none */
  const FerryStrategy *strategy; /* NULL: the schedule's where there is one, else the intent */
} FerryConvergenceIntent;

typedef struct {
  FerryAction action;
  gint64 value;
  const char *code; /* CamelCase, static: "NotConverging", "ProgressTimeout" */
  char *reason;     /* words with numbers; owned by whoever took the decision */
} FerryConvergenceDecision;

typedef struct _FerryConvergence FerryConvergence;

G_END_DECLS
