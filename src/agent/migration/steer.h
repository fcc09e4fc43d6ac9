// SPDX-License-Identifier: Apache-2.0
// What the convergence controller is told, and what it decides carried out.
#pragma once
#include "agent/migration/running.h"

G_BEGIN_DECLS

/** Makes the controller and carries out its first decision, the first limit of the pause: before
 * the call, where the hypervisor takes it then. */
void ferry_steer_begin(FerryRunning *run);
/** The same of a migration that is adopted: what an agent before this one had begun goes on, its
 * clocks and what it had done to the guest. */
void ferry_steer_take_over(FerryRunning *run);
/** New numbers of the job. */
void ferry_steer_feed(FerryRunning *run, const FerryJobStats *stats);
/** Carries out and records what the controller decides now. */
void ferry_steer_decide(FerryRunning *run);

G_END_DECLS
