// SPDX-License-Identifier: Apache-2.0
// A migration that failed through its target is tried again on another host.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/** Whether it stayed through its target's fault, retries are left, the VM is as it was, and
 * another host can take it now. */
gboolean ferry_step_guard_retry(FerryStep *s);
/** Notes the attempt that failed and goes back to Scheduling, as the next one. */
void ferry_step_act_retry(FerryStep *s);
/** Goes back to Scheduling, as the next attempt: its agent has not begun it. */
void ferry_step_act_freeze(FerryStep *s);
/** Drops an agent's result that is of an earlier attempt. */
void ferry_step_drop_stale_result(FerryStep *s);

G_END_DECLS
