// SPDX-License-Identifier: Apache-2.0
// A running migration as a machine of steps: what was seen goes in with the time, calls of the
// hypervisor and writes of the status come out. Pure: no lock, no clock, no sleep and no I/O, so
// that the same code runs on a virtual clock. Its edge (supervise.c) does the calls, says what
// became of each, and writes.
//
// step.c alone writes FerrySteps: what the edge knows comes in by ferry_step_set_*.
//
// A turn: ferry_step_see with a look at the job; then ferry_step_next as long as it has a call,
// each answered by ferry_step_done; then ferry_step_forecast. Writes may be taken at any time.
#pragma once
#include "agent/migration/state/judge.h"
#include "base/json.h"
#include "convergence/controller.h"

G_BEGIN_DECLS

typedef struct {
  /* what is known before it begins */
  gboolean may_post_copy; /* post-copy was enabled when it began */
  gboolean scheduled;     /* other systems' rules drive it, and these forecast nothing */
  gboolean was_paused;    /* before it began, by somebody else */
  json_t *ways;           /* owned; of its connections; NULL: not looked up */
  gboolean started;       /* libvirt was (or had been) asked */
  gint64 start_us;
  /* what its steps come to */
  FerryConvergence *convergence; /* owned; NULL: it has not begun */
  gint64 forecast_ms;            /* whole time as the first plan expected it; 0: no plan yet */
  int iteration_fed, top_throttle;
  gboolean post_copy; /* the memory moves for good */
  gboolean suspended; /* by the controller */
  gboolean limit_set; /* the hypervisor has the controller's limit of the pause */
  gboolean running;   /* at the last look */
  gboolean seen;      /* there was a look */
  gboolean limit_due; /* the limit is to be tried again, once in this turn */
  gboolean cancel;    /* a person wants its end */
  FerryGivingUp giving_up;
  const char *abort_code; /* why the controller gave it up, static; NULL: it did not */
  char *abort_reason;     /* owned; the same in words */
  GQueue writes;          /* FerryStepWrite*, owned */
} FerrySteps;

/** Before anything has begun; cleared by ferry_step_clear. */
void ferry_step_init(FerrySteps *step);
void ferry_step_clear(FerrySteps *step);

/** Whether post-copy is enabled for it. */
void ferry_step_set_may_post_copy(FerrySteps *step, gboolean may_post_copy);
/** Other systems' rules drive it. */
void ferry_step_set_scheduled(FerrySteps *step, gboolean scheduled);
/** How long it is expected to take, in ms; 0: not known. */
void ferry_step_set_forecast(FerrySteps *step, gint64 total_ms);
/** Whether somebody had paused the guest before. */
void ferry_step_set_was_paused(FerrySteps *step, gboolean was_paused);
/** The ways of its connections (taken over); NULL: not known. */
void ferry_step_set_ways(FerrySteps *step, json_t *ways);
/** Since when it counts its time, by the monotonic clock. */
void ferry_step_set_start(FerrySteps *step, gint64 start_us);
/** libvirt was asked, by this agent or one before it. */
void ferry_step_set_started(FerrySteps *step);
/** The controller of an agent before this one had suspended the guest, or not. */
void ferry_step_set_suspended(FerrySteps *step, gboolean suspended);
/** The hypervisor has a limit of the pause, by a person's will. */
void ferry_step_set_limit(FerrySteps *step);
/** People were told that a cancel is heard. */
void ferry_step_set_cancel_told(FerrySteps *step);

/** A new controller for `intent`: its first decision is the first limit. */
void ferry_step_begin(FerrySteps *step, const FerryConvergenceIntent *intent, gint64 now_us);

typedef struct {
  FerryLookInput look;
  gint64 follows; /* bytes that the job's numbers do not count yet */
  int iteration;  /* the memory pass that was last told of by an event; 0: none */
  gboolean cancel;
} FerryStepInput;
/** A look at the job. Its numbers go to the controller while it runs. */
FerryLook ferry_step_see(FerrySteps *step, const FerryStepInput *input, gint64 now_us);

typedef enum {
  FERRY_STEP_CALL_SET_DOWNTIME, /* value: ms */
  FERRY_STEP_CALL_START_POSTCOPY,
  FERRY_STEP_CALL_SUSPEND,
  FERRY_STEP_CALL_SET_THROTTLE, /* value: percent */
  FERRY_STEP_CALL_ABORT,
} FerryStepCallKind;
typedef struct {
  FerryStepCallKind kind;
  gint64 value;
  gboolean decided; /* by the controller, as `action`; else it is only tried again */
  FerryAction action;
} FerryStepCall;
/** The next call that is to be made now; FALSE: none. */
gboolean ferry_step_next(FerrySteps *step, gint64 now_us, FerryStepCall *call);
/** What became of it; `refused` NULL: it was done. */
void ferry_step_done(FerrySteps *step, const FerryStepCall *call, const char *refused,
                     gint64 now_us);
/** The memory has begun to move for good, by whoever's will. */
void ferry_step_enter_post_copy(FerrySteps *step);
/** Records what was done besides the controller's decisions. `value` < 0: none. */
void ferry_step_record(FerrySteps *step, FerryAction action, gint64 value, const char *code,
                       const char *reason, gint64 now_us);
/** Once, when the first plan expects an end: status.forecast without its time, to be scored when
 * the migration has ended. New reference; NULL: no news. */
json_t *ferry_step_forecast(FerrySteps *step, gint64 now_us);

/** Either a string of status.migrationState, or an entry of status.decisions. */
typedef struct {
  const char *key, *value; /* static; NULL: a decision */
  json_t *estimate;        /* owned: the controller's numbers */
  gint64 elapsed_ms;
  FerryAction action;
  char *code, *reason; /* owned */
  gint64 number;       /* < 0: none */
} FerryStepWrite;
/** The next write, the caller's from now on; NULL: none. */
FerryStepWrite *ferry_step_take_write(FerrySteps *step);
void ferry_step_write_free(FerryStepWrite *write);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryStepWrite, ferry_step_write_free)

G_END_DECLS
