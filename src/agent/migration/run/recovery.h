// SPDX-License-Identifier: Apache-2.0
// A post-copy whose connection broke is made whole again by calling libvirt once more
// (VIR_MIGRATE_POSTCOPY_RESUME), for as long as both hosts hold their part of the VM and until
// somebody cancels. What may be done when is judged by mend.h. The worker's own; no lock.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Goes on from what an agent before this one wrote. Ended with ferry_recovery_clear. */
void ferry_recovery_recall(FerryRunning *run);
void ferry_recovery_clear(FerryRunning *run);
/** People were told that it broke. */
void ferry_recovery_note_told(FerryRunning *run);
/** A turn of a post-copy that runs: remembers by which port its data goes. */
void ferry_recovery_note_path(FerryRunning *run);
/** A turn of one in which nothing has moved for FERRY_BROKEN_S, or whose source has noticed and
 * whose call goes on. May block for some seconds. */
void ferry_recovery_turn(FerryRunning *run);
/** It moves (again). */
void ferry_recovery_moves(FerryRunning *run);

typedef enum {
  FERRY_RECOVERY_AGAIN, /* libvirt was called again: supervise it */
  FERRY_RECOVERY_LEFT,  /* there is nothing to be resumed, or nothing to be done about it */
  FERRY_RECOVERY_ENDED, /* the agent ends */
} FerryRecoveryEnd;
/** Once its call has returned (with `error`, which may be NULL). `state` is that of the domain
 * here, and is kept up to date. */
FerryRecoveryEnd ferry_recovery_run(FerryRunning *run, FerryDomainState *state,
                                    const GError *error);
/** It has ended: `moved` after all, or not. */
void ferry_recovery_end(FerryRunning *run, gboolean moved);

G_END_DECLS
