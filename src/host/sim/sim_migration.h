// SPDX-License-Identifier: Apache-2.0
// One migration by QEMU's rules, on a virtual clock: no thread, no I/O, no randomness; the same
// calls give the same numbers. Seconds and bytes throughout.
#pragma once
#include "host/sim/sim_guest.h"
#include "host/sim/sim_link.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_SIM_PHASE_ACTIVE,    /* pre-copy */
  FERRY_SIM_PHASE_SWITCHING, /* the guest stands still, the rest is sent at the link's full rate */
  FERRY_SIM_PHASE_POSTCOPY,  /* it runs on the target, the rest is fetched */
  FERRY_SIM_PHASE_COMPLETED,
  FERRY_SIM_PHASE_CANCELLED, /* the guest is on the source, as before */
  FERRY_SIM_PHASE_FAILED,
} FerrySimPhase;

/** What is said before it starts. */
typedef struct {
  gboolean auto_converge, preempt;
  int throttle; /* percent from the start; 0: none */
  /* of auto-converge, percent; 0: QEMU's 20, 10, 99, and 50 of what was sent */
  int throttle_initial, throttle_increment, throttle_max, throttle_trigger;
} FerrySimOptions;

/** Fields are for reading, but by the functions below. */
typedef struct {
  FerrySimGuest guest;
  FerrySimLink link;
  FerrySimOptions options;
  FerrySimPhase phase;
  double now;
  double sent;                   /* wire bytes; what a switch-over sends counts from its start */
  double limit_ms;               /* QEMU's downtime limit */
  double threshold;              /* bytes that may be left at the switch-over */
  double window_at, window_sent; /* where the current 100 ms window began */
  double looked_at;              /* the last look at the dirty log; -1: none yet */
  double looked_left;            /* bytes that it left to send */
  int iteration;                 /* pass over memory, from 1 */
  double period_at, period_sent, period_dirty; /* since auto-converge's last judgement */
  double dirty_rate; /* as QEMU knows it: bytes/s, once a second at most */
  int high_count;    /* judgements that found too much dirty memory */
  double throttle;   /* share of its time that the guest does not run, 0..1 */
  gboolean paused, post_copy_asked;
  double paused_at;
  double began, until, left; /* of SWITCHING and POSTCOPY; left: bytes at its beginning */
  double pause;              /* as QEMU reports it, once it is switching */
  double gap;                /* longest time the guest stood still, seen from outside */
  double lost;               /* seconds of work */
  int top_throttle;          /* percent */
} FerrySimMigration;

/** A migration at time 0 of its own clock, with QEMU's limit of 300 ms. */
void ferry_sim_migration_init(FerrySimMigration *m, const FerrySimGuestSpec *guest,
                              const FerrySimLink *link, const FerrySimOptions *options);

/* What can be told to one under way. */
void ferry_sim_migration_set_limit(FerrySimMigration *m, double ms);
/** 0: none. Also what is left of a switch-over or post-copy takes its new time. */
void ferry_sim_migration_set_rate(FerrySimMigration *m, double bytes_per_s);
/** bytes/s, 0: none. */
void ferry_sim_migration_set_cap(FerrySimMigration *m, double bytes_per_s);
/** As QEMU's monitor takes it: from the next judgements of auto-converge on. */
void ferry_sim_migration_set_throttle_parameters(FerrySimMigration *m, int initial, int increment,
                                                 int max, int trigger);
/** Post-copy begins at the next turn. */
void ferry_sim_migration_start_postcopy(FerrySimMigration *m);
/** The guest stands still from now on. FALSE: it did so already. */
gboolean ferry_sim_migration_suspend(FerrySimMigration *m);
/** Only out of ACTIVE and SWITCHING; FALSE in post-copy and at the end. */
gboolean ferry_sim_migration_cancel(FerrySimMigration *m);
/** The connection broke: FAILED, whatever it did. */
void ferry_sim_migration_fail(FerrySimMigration *m);

/* Time, in steps of the caller's (a step, then a turn) ... */
/** The longest step in which nothing of the migration's own happens. ACTIVE only. */
double ferry_sim_migration_step(const FerrySimMigration *m);
/** Sends for `seconds`, or until nothing is left; the guest runs meanwhile. ACTIVE only. */
void ferry_sim_migration_run(FerrySimMigration *m, double seconds);
/** What QEMU's thread does between two chunks. TRUE: a new pass began (m->iteration). ACTIVE only,
 * may end that. */
gboolean ferry_sim_migration_turn(FerrySimMigration *m);
/** Jumps to the end of SWITCHING or POSTCOPY: COMPLETED. */
void ferry_sim_migration_complete(FerrySimMigration *m);
/* ... or all of it: */
/** Goes on until `to`, or until a pass began or the phase changed: then TRUE, and m->now says
 * when. */
gboolean ferry_sim_migration_advance(FerrySimMigration *m, double to);

/** What QEMU expects of a pause now, ms: its limit at first, then what the last look found by the
 * rate. */
double ferry_sim_migration_expected_ms(const FerrySimMigration *m);
/** Bytes of memory still to be sent. */
double ferry_sim_migration_remaining(const FerrySimMigration *m);
/** Wire bytes sent by now. */
double ferry_sim_migration_sent(const FerrySimMigration *m);

G_END_DECLS
