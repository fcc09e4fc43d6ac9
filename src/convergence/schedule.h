// SPDX-License-Identifier: Apache-2.0
// Schedules: the convergence rules of other systems, as data. Pure.
#pragma once
#include "base/json.h"
#include "model/kinds/policy_fields.h"

G_BEGIN_DECLS

#define FERRY_SCHEDULE_MAX_STEPS 64

typedef enum {
  FERRY_STEP_SET_DOWNTIME,  /* setDowntime: value in ms */
  FERRY_STEP_AUTO_CONVERGE, /* autoConverge: of a running migration only told, see init */
  FERRY_STEP_SUSPEND,
  FERRY_STEP_POSTCOPY,
  FERRY_STEP_ABORT,
} FerryStepAction;

/** What `limit` of a step counts. */
typedef enum {
  FERRY_LIMIT_ITERATIONS,      /* passes over memory; -1: a last item, one more pass each */
  FERRY_LIMIT_SECONDS_PER_GIB, /* seconds since the start for each GiB of memory */
} FerryLimitUnit;

/** What counts as progress for the progress timeout. */
typedef enum {
  FERRY_PROGRESS_BEST,     /* a new low of what remains */
  FERRY_PROGRESS_PREVIOUS, /* less than at the previous look */
} FerryProgressRule;

typedef struct {
  gint64 limit;
  FerryStepAction action;
  gint64 value;
} FerryScheduleStep;

typedef struct {
  gint64 init_downtime_ms;           /* 0: the hypervisor's default, 300 ms */
  gboolean auto_converge, zero_copy; /* wanted when the migration is started */
  const char *compression;           /* ... and how its memory is compressed; static; NULL: not */
  int connections;                   /* ... and over how many it is sent; 0: one */
  gint64 bandwidth;                  /* bytes/s; 0: no cap */
  FerryLimitUnit unit;
  gboolean since_first; /* passes count since the one at the first look, and a step is due when more
                           than its limit have begun, at a look that finds a new one */
  gint64 tick_ms;       /* how often it looks; 0: at every sample */
  gint64 near_tick_ms;  /* ... once less remains than was sent between two looks so far; 0: same */
  guint n_steps;
  FerryScheduleStep steps[FERRY_SCHEDULE_MAX_STEPS];
  int double_after_rises;      /* double the limit whenever what remains rose, or was nothing, more
                                  often than this; 0: not at all */
  gint64 double_max_ms;        /* ... up to this */
  gint64 completion_s_per_gib; /* 0: none */
  int least_gib;               /* smaller memory, and smaller disks that are copied, count as
                                  so many GiB; 0: both together as one */
  gint64 progress_s;           /* 0: none */
  FerryProgressRule progress;
  int ramp_steps;           /* of the limit, from the first to maxDowntimeMs; 0: no ramp */
  int ramp_after_pass;      /* none before this pass */
  gint64 ramp_every_s;      /* between two, and before the first */
  gint64 stall_window_ms;   /* 0: no stall detector (schedule_stall.c) */
  int stall_margin_percent; /* what counts as the same */
  gint64 switchover_s;      /* given up so long after its switch-over was decided */
} FerrySchedule;

/** Reads oVirt's convergenceSchedule:
 * {"init": [{"name": "setDowntime", "params": ["100"]}, {"name": "autoConverge", "params":
 * ["true"]}], "stalling": [{"limit": 2, "action": {"name": "setDowntime", "params": ["150"]}}, ...,
 * {"limit": -1, "action": {"name": "abort", "params": []}}], "lastItems": [actions or steps]}.
 * Numbers may be strings. Refused (INVALID, with a cause per fault, fields relative to `path`):
 * unknown names or keys, limits that fall, downtimes outside 1..FERRY_DOWNTIME_MAX_MS, more than 64
 * steps, a schedule that does not end in abort, postcopy or suspend. Free with ferry_schedule_free.
 */
FerrySchedule *ferry_schedule_parse(const json_t *object, const char *path, GError **error);
/** Whether one of its steps does that. */
gboolean ferry_schedule_has(const FerrySchedule *schedule, FerryStepAction action);
/** The same format back; a new reference. */
json_t *ferry_schedule_to_json(const FerrySchedule *schedule);
FerrySchedule *ferry_schedule_copy(const FerrySchedule *schedule);
void ferry_schedule_free(FerrySchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySchedule, ferry_schedule_free)

G_END_DECLS
