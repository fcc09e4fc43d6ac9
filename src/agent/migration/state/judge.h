// SPDX-License-Identifier: Apache-2.0
// What hosts, job and call say of a running migration, put together: whether it goes on, what to do
// about giving it up, and how it ended. Pure: no lock, no clock, no I/O; what was seen comes in,
// what is to be done comes out, and the worker's thread (supervise.c, settle.c) does it.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_LOOK_RUNNING,
  FERRY_LOOK_OVER,    /* no job of ours is there (any more) */
  FERRY_LOOK_UNKNOWN, /* libvirt did not say, being busy: the job may go on */
  FERRY_LOOK_LOST,    /* there is no connection */
} FerryLook;

/** What one look at the job brought. */
typedef struct {
  const FerryJobStats *stats;    /* NULL: they did not come */
  const GError *error;           /* why not */
  const FerryDomainState *state; /* NULL: not asked, or not said */
  gboolean calling;              /* our own call is under way or has returned */
} FerryLookInput;
/** What a look at the job means. Pure. */
FerryLook ferry_judge_look(const FerryLookInput *seen);
/** Whether the domain's state is needed for that. */
gboolean ferry_judge_needs_state(const FerryLookInput *seen, gboolean may_be_post_copy);
/** Whether it has begun to run on the target while the source still sends. */
gboolean ferry_judge_is_post_copy(const FerryDomainState *state);

/** A migration that is to be given up: a cancel, or the controller's word. */
typedef struct {
  gint64 tried_us; /* when it was last tried */
  gboolean told;   /* the status says what becomes of the cancel */
} FerryGivingUp;
typedef struct {
  gboolean abort;     /* call of the hypervisor */
  const char *status; /* for status.migrationState.abortStatus; NULL: nothing to write */
} FerryGivingUpPlan;
/** `cancel`: a person wants it; `gave_up`: the controller does. Again and again until the job is
 * gone; in post-copy there is no way back, which is said once. */
FerryGivingUpPlan ferry_judge_giving_up(FerryGivingUp *state, gboolean cancel, gboolean gave_up,
                                        gboolean post_copy, gint64 now_us);

/** How it ended, as far as the source knows. */
typedef struct {
  int code;
  const char *reason; /* CamelCase, static; NULL: none */
  char *message;      /* owned; NULL: no error */
  FerryHostHint hint; /* what the hypervisor's error says of what is to be done */
  FerryDomainState state;
} FerryOutcome;
void ferry_outcome_clear(FerryOutcome *outcome);

typedef struct {
  const GError *error; /* of the call; NULL: none, or the call was not ours */
  gboolean calling;    /* it was ours */
  gboolean cancelled;
  const char *abort_code;   /* why the controller gave it up; NULL: it did not */
  const char *abort_reason; /* in words */
  FerryDomainState state;   /* of the domain here, after the end */
  const char *target;       /* the target's name, for words */
} FerryJobEnd;
/** Fills an empty outcome. */
void ferry_judge_end(const FerryJobEnd *end, FerryOutcome *outcome);
/** Whether the call's return was only that of its connection, so that the migration may go on. */
gboolean ferry_judge_lost_call(gboolean returned, const GError *error);
/** Whether a migration whose call was lost goes on: by the domain's state and the job's numbers
 * (NULL: not said). */
gboolean ferry_judge_goes_on(const FerryDomainState *state, const FerryJobStats *stats);
/** Whether the source was left paused by the migration or by Ferry (`suspended`), and not by
 * somebody else. */
gboolean ferry_judge_left_paused(const FerryDomainState *state, gboolean was_paused,
                                 gboolean suspended);

G_END_DECLS
