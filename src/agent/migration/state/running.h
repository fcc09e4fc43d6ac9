// SPDX-License-Identifier: Apache-2.0
// A migration from the moment it is prepared until it has ended: its job, its controller, and what
// was seen and done so far. The worker's own; no lock. What supervise.c and those it uses share.
// Each part has one writer, whose calls the others use: step.c, stall_judge.c, recovery.c and
// doubt.c theirs, running.c the rest. tests/tree/check-owners holds them to it.
#pragma once
#include "agent/carry/flow_source.h"
#include "agent/carry/kept.h"
#include "agent/migration/state/asked.h"
#include "agent/migration/state/inbox.h"
#include "agent/migration/state/measure.h"
#include "agent/migration/state/ports.h"
#include "agent/migration/state/shown.h"
#include "agent/progress/stall_judge.h"
#include "agent/migration/state/step.h"
#include "agent/path/watch.h"
#include "model/migration/recovery.h"

G_BEGIN_DECLS

/** A post-copy that broke (recovery.c). */
typedef struct {
  gboolean begun, told;
  gboolean cancelled_before; /* a cancel came before it broke: that is no word about it */
  FerryRecoveryState state;  /* as shown */
  char *message;             /* owned; as shown */
  char *since;               /* owned; when it broke; NULL: it has not */
  char *failure;             /* owned; why the last try failed; NULL: it has not */
  gint64 tries, closes;      /* so far */
  gint64 next_try_us, next_close_us, looked_us;
  gint64 path_up_us; /* since when the path is open; 0: it is not, or nobody has looked */
  gint64 heard_us;   /* when the target last showed a sign of life; 0: nobody has looked */
  guint16 port;      /* of the target, that the data goes to; 0: not known */
} FerryRecovery;

/** Looks at a domain that libvirt resumed after some switch-over (doubt.c): whether that was before
 * the end of the migration that is looked at. */
typedef struct {
  gboolean ran; /* so at the last look */
  gboolean old; /* it was: this migration has sent memory after it */
  gint64 sent;  /* what it had sent after the first such look; -1: nobody has asked since */
  guint missed; /* ferry_inbox_missed at that look */
} FerryOldResume;

/** Whether this host's copy may run (doubt.c). */
typedef struct {
  gboolean guarded;          /* suspended by this agent: the target may run it (doubt.c) */
  gboolean asked_to_suspend; /* by a call that was given up: it may be suspended at any time */
  gboolean in_doubt;         /* it is not known yet which host has it */
  gboolean locked_told;      /* that the lock manager lets it not go on (doubt.c) */
  gint64 ran_ms;             /* how long it ran here since the switch-over; -1: not known */
  gboolean noted;            /* in this host's book, as it was last looked into */
  gboolean let_go;           /* somebody else has let the copy here go on */
  FerryOldResume before;
} FerryDoubtHere;

typedef struct {
  /* borrowed */
  const FerryMigrationPorts *ports;
  FerryAsked *asked;
  FerryMeasured *measured;
  FerryShown *shown;
  FerryInbox *inbox;
  FerryKept *kept; /* NULL: nobody asks */
  /* own */
  FerryHostJob *job;
  FerrySteps step;
  FerryJobStats last;
  gboolean calling; /* our own call is under way or has returned */
  gboolean cancel_seen;
  gint64 path_us;         /* when it began to send, monotonic */
  gboolean path_changed;  /* its bandwidth was limited by hand: it says nothing of the path */
  gint64 again_bandwidth; /* MiB/s, set by hand in an earlier attempt; 0: none */
  FerryStalling stalling;
  FerryBrokenLink broken;
  FerrySilence silence;
  FerryRecovery recovery;
  FerryDoubtHere doubt;
  FerryPathWatch *watch;  /* of `job`; NULL: none */
  FerryFlowSource *flows; /* the VM's connections, for the target; NULL: nobody there wants them */
} FerryRunning;

/** All of them are borrowed. Nothing runs yet. */
void ferry_running_init(FerryRunning *run, const FerryMigrationPorts *ports, FerryAsked *asked,
                        FerryMeasured *measured, FerryShown *shown, FerryInbox *inbox);
/** Leaves the job to the caller. */
void ferry_running_clear(FerryRunning *run);

/** What the VM had before, where anybody asks. Borrowed. */
void ferry_running_set_kept(FerryRunning *run, FerryKept *kept);
/** Has the VM's connections told to the target, until ferry_running_end_flows. */
void ferry_running_begin_flows(FerryRunning *run);
/** Tells the target no more of the VM's connections; nothing where it was not begun. */
void ferry_running_end_flows(FerryRunning *run);
/** Joins its call; watched no more. */
void ferry_running_close_job(FerryRunning *run);
/** Our own call is under way or has returned, or was lost. */
void ferry_running_note_call(FerryRunning *run, gboolean calling);
/** What libvirt last said of the job. */
void ferry_running_note_stats(FerryRunning *run, const FerryJobStats *stats);
/** Its bandwidth was limited by hand: its rate says nothing of the path. */
void ferry_running_note_limit(FerryRunning *run);
/** The limit (MiB/s) that somebody set in an earlier attempt and that is due again; 0: none. */
void ferry_running_set_again(FerryRunning *run, gint64 bandwidth);

/** Milliseconds since it began, by the monotonic clock; an adopted one began before this agent did.
 */
gint64 ferry_running_elapsed_ms(const FerryRunning *run);
/** Whether a cancel was asked for. */
gboolean ferry_running_is_cancelled(FerryRunning *run);
/** The agent ends, or the migration is cancelled; `run` is a FerryRunning. */
gboolean ferry_running_is_over(gpointer run);
/** Opens the job, waiting `patience_ms` (-1: for ever) for libvirt while it is away. FALSE: no such
 * domain, or the agent ends. */
gboolean ferry_running_open_job(FerryRunning *run, gint64 patience_ms, GError **error);

/** Watches the job's connections until ferry_running_unwatch, which comes before the job is closed.
 */
void ferry_running_watch(FerryRunning *run);
/** Ends the watch and joins its thread; nothing where there is none. */
void ferry_running_unwatch(FerryRunning *run);

/** Writes what steps have written so far. */
void ferry_running_flush(FerryRunning *run);
/** Appends to status.decisions what was done besides the controller's decisions. `value` < 0: none.
 */
void ferry_running_record(FerryRunning *run, FerryAction action, gint64 value, const char *code,
                          const char *reason);
/** Adds to the course; `last`: it has ended. */
void ferry_running_note_course(FerryRunning *run, gboolean last);
/** The memory has begun to move for good, by a person's will. */
void ferry_running_enter_post_copy(FerryRunning *run);

/** From now on it sends; together with any that do already. */
void ferry_running_enter_path(FerryRunning *run);
/** It sends no more. Keeps its rate for the next to that address, where that is the path's: it
 * `moved`, or was cancelled and nothing better is known; alone and unlimited. */
void ferry_running_leave_path(FerryRunning *run, gboolean moved);

G_END_DECLS
