// SPDX-License-Identifier: Apache-2.0
// The edge of a migration's steps (step.h): the hypervisor is called, and says what became of it.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Makes the controller and carries out its first decision, the first limit of the pause: before
 * the call, where the hypervisor takes it then. */
void ferry_steer_begin(FerryRunning *run);
/** The same of a migration that is adopted: what an agent before this one had begun goes on, its
 * clocks and what it had done to the guest. */
void ferry_steer_take_over(FerryRunning *run);
/** Looks at the job. */
FerryLook ferry_steer_look(FerryRunning *run);
/** Makes the calls that are due. */
void ferry_steer_act(FerryRunning *run);

G_END_DECLS
