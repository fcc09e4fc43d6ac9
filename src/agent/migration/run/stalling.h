// SPDX-License-Identifier: Apache-2.0
// The word that a migration stalls, or that its post-copy broke.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Tells once when nothing moves for the stalling limit, and once when it moves again. */
void ferry_stalling_check(FerryRunning *run);
/** Tells that the target's hypervisor does not hear this host's, and that it does again. */
void ferry_stalling_control(FerryRunning *run);
/** `error`: why the last look at the job brought nothing, the hypervisor being silent; NULL: it
 * answered. Tells once when that lasts. */
void ferry_stalling_silence(FerryRunning *run, const GError *error);
/** It has ended, and with it the stalling. */
void ferry_stalling_end(FerryRunning *run);

G_END_DECLS
