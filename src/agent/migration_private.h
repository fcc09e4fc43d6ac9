// SPDX-License-Identifier: Apache-2.0
// One migration's worker: shared by migration.c (its life) and supervise.c (while it runs).
#pragma once
#include "agent/agent_private.h"
#include "agent/path/bandwidth_link.h"
#include "convergence/model.h"
#include "model/migration/path_source.h"

/** What was measured before a migration; rates in bytes/s; 0: not measured. */
typedef struct {
  int short_s, long_s; /* two periods of different length, in seconds; short_s 0: one only */
  gint64 short_rate, long_rate;
  gint64 resident;  /* bytes of memory that the guest has touched */
  gint64 bandwidth; /* that the last migration to the same address reached */
  gint64 probed;    /* what the path carried just now; no more than the bandwidth limit was sent */
  gboolean probed_limit; /* it carried all of the limit */
  const char
      *path_note; /* why the path was not measured; borrowed, NULL: it was, or not asked for */
} FerryMeasured;

struct _FerryMigration {
  /* set before the thread starts */
  FerryAgent *agent;
  json_t *object;
  const char *uid, *ns, *name, *vmi_name; /* in object */
  gboolean local;                         /* of this host's socket: no server knows it */
  gboolean adopted;
  GThread *thread;
  FerrySettings settings;
  FerryMeasured measured;
  json_t *own_config; /* settings.request.config where it is not the object's own */
  char *uuid;         /* of the domain; written once, under the agent's lock */
  /* the worker's own */
  FerryHostJob *job;
  FerryDelivery *delivery;
  FerryLogContext *log; /* what its lines carry */
  FerryConvergence *convergence;
  json_t *timestamps, *decisions;
  json_t *disks; /* what was prepared on the target: ferry_host_job_disks_plan; NULL: nothing */
  FerryProgress progress;
  FerryCourse course;
  FerryJobStats last;
  gint64 start_us, reported_us, abort_us, course_us;
  int iteration_fed, top_throttle;
  gboolean accepted; /* Running is written */
  gboolean started;  /* libvirt was (or had been) asked */
  gboolean calling;  /* our own call is under way or has returned */
  gboolean cancel_seen, abort_told, was_paused, suspended, limit_set;
  gint64 path_us;          /* when it began to send, monotonic */
  gboolean path_changed;   /* its bandwidth was limited by hand: it says nothing of the path */
  gint64 again_bandwidth;  /* MiB/s, set by hand in an earlier attempt; 0: none */
  gint64 stalling_limit_s; /* 0: stalling is not told */
  gboolean stalling;       /* it was told */
  gint64 moved, moved_us;  /* bytes of memory in post-copy, and since when it is that many */
  gint64 broken_us;        /* when it was last asked whether the connection broke */
  enum { FERRY_BROKEN_UNTOLD, FERRY_BROKEN_IDLE, FERRY_BROKEN_HERE } broken_told;
  gint64 forecast_ms;     /* whole time as the first plan expected it; 0: no plan yet */
  const char *abort_code; /* why convergence gave it up; NULL: it did not */
  char *abort_reason;
  char *path_note; /* measured.path_note */
  GMutex lock;     /* guards all below */
  GCond cond;
  json_t *probe; /* where the target's agent measures the path; NULL: not said yet */
  gboolean cancel, returned, news, done, abandoned;
  GError *call_error;
  GQueue changes;      /* json_t*, entries of status.changes that are to be carried out */
  gint64 changes_seen; /* the highest number of them */
  int iteration_seen;
  gboolean have_completed;
  FerryJobStats completed;
};

/** How it ended, as far as the source knows. */
typedef struct {
  int code;
  const char *reason; /* CamelCase, static; NULL: none */
  char *message;      /* NULL: no error */
  FerryDomainState state;
} FerryOutcome;
void ferry_outcome_clear(FerryOutcome *outcome);

json_t *ferry_migration_phase(FerryMigration *m, const char *phase);
gint64 ferry_migration_elapsed_ms(const FerryMigration *m);
gboolean ferry_migration_cancelled(FerryMigration *m);
gboolean ferry_migration_must_stop(FerryMigration *m);
gboolean ferry_migration_open_job(FerryMigration *m, gint64 patience_ms, GError **error);
/** "nostate" for a domain that is not there: the API's word. */
const char *ferry_migration_state_word(const FerryDomainState *state);

/* supervise.c */
/** Sets the first downtime limit before the call, where the hypervisor takes it. */
void ferry_migration_first_limit(FerryMigration *m);
/** Until the job has ended; FALSE when the agent ends first. */
gboolean ferry_migration_supervise(FerryMigration *m);
/** After that: the domain's state, and the source cleaned up. FALSE when the agent ends first. */
gboolean ferry_migration_settle(FerryMigration *m, FerryOutcome *outcome);

/* change.c: what people change while it runs, and stalling */
/** Takes new entries of status.changes; the lock is held. TRUE where there were any. */
gboolean ferry_migration_see_changes(FerryMigration *m, const json_t *object);
/** A new controller is told what was changed before this agent began. */
void ferry_migration_recall_changes(FerryMigration *m);
/** Carries out what waits and writes back what became of it. */
void ferry_migration_apply_changes(FerryMigration *m);
/** It has ended: what waits is refused. */
void ferry_migration_drop_changes(FerryMigration *m);
/** Tells once when nothing moves for the stalling limit, and once when it moves again. */
void ferry_migration_check_stalling(FerryMigration *m);
/** It has ended, and with it the stalling. */
void ferry_migration_end_stalling(FerryMigration *m);
/** The memory has begun to move for good: the controller and the status are told. */
void ferry_migration_enter_post_copy(FerryMigration *m);
/** Appends to status.decisions what was done and why, with the controller's numbers. `value` < 0:
 * none. */
void ferry_migration_record(FerryMigration *m, const char *action, gint64 value, const char *code,
                            const char *reason);

/** Adds to the course; `last`: it has ended. */
void ferry_migration_note_course(FerryMigration *m, gboolean last);

/** Memory of its VM in bytes, as last reported; at least 1. */
gint64 ferry_migration_memory(FerryMigration *m);

/* measure.c: what is known of guest and path before anything moves */
/** Measures for `seconds` into m->measured: in two periods where there is time for them. */
gboolean ferry_migration_measure(FerryMigration *m, int seconds, GError **error);
/** What is wanted of it, with the rate that the last migration to the same address reached (also in
 * m->measured) for the link's. */
void ferry_migration_intent(FerryMigration *m, FerryConvergenceIntent *intent);
/** From now on it sends; together with any that do already. */
void ferry_migration_use_path(FerryMigration *m);
/** It sends no more. Keeps its rate for the next to that address, where that is the path's: it
 * `moved`, alone and unlimited. */
void ferry_migration_leave_path(FerryMigration *m, gboolean moved);
/** The writer that explains the two rates best. Pure. */
FerryWriter ferry_measured_writer(const FerryMeasured *measured, double bytes);
/** The path as far as it is known, and where that is from (may be NULL). Pure. */
FerryPath ferry_measured_path(const FerryMeasured *measured, const FerryConvergenceIntent *intent,
                              FerryPathSource *from);
/** How far off its rate of writing may be, as a share of it. Pure. */
double ferry_measured_doubt(const FerryWriter *writer);
/** The throttle in percent with which auto-converge has to begin, as no pause that is allowed would
 * do without, or perhaps not; 0: none, or none that is allowed would do either. Pure. */
int ferry_measured_throttle(const FerryMeasured *measured, const FerryConvergenceIntent *intent);

/* path.c: measuring it */
/** The object changed: where to measure may be in it. The lock is held. */
void ferry_migration_see_probe(FerryMigration *m, const json_t *object);
/** Measures the path to the target into m->measured; fails to only in that m->measured says why.
 * FALSE: the target's agent has not said within `patience_ms` where it listens. */
gboolean ferry_migration_measure_path(FerryMigration *m, gint64 patience_ms);
/* bandwidth_target.c */
/** Why the path of `migration` cannot be measured, static; NULL: it can. */
const char *ferry_bandwidth_obstacle(FerryAgent *agent, const json_t *migration);
/** This agent, as it measures with node `peer` for `migration`; all borrowed. */
void ferry_bandwidth_party(FerryAgent *agent, const json_t *migration, const char *peer,
                           FerryBandwidthParty *party);
/** Takes or gives back the turn that `busy`, a flag under the agent's lock, stands for. */
gboolean ferry_bandwidth_turn(FerryAgent *agent, gboolean *busy, gboolean take);

/* throttle.c */
/** Before the call: where the guest may be slowed, arranges how. Keeps the domain as it is. */
void ferry_migration_arm_throttle(FerryMigration *m);
/** The same of a migration that is adopted: what the agent before had arranged. */
void ferry_migration_recall_throttle(FerryMigration *m);

/* forecast.c */
/** From m->measured: status.forecast, a new reference. */
json_t *ferry_migration_forecast(FerryMigration *m);
/** The same. Pure. */
json_t *ferry_migration_forecast_json(const FerryConvergenceIntent *intent,
                                      const FerryMeasured *measured);

/* disks.c */
/** Looks up what the target must hold for the disks to be copied, writes that into the status and
 * only then makes it. FALSE: nothing is left there. */
gboolean ferry_migration_disks_prepare(FerryMigration *m, GError **error);
/** After a failure with the VM still here: removes what was made. What is left behind is said at
 * the end of `*message` (may be NULL). */
void ferry_migration_disks_undo(FerryMigration *m, char **message);
