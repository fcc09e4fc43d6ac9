// SPDX-License-Identifier: Apache-2.0
// What people change while a migration runs.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** A new controller is told what was changed before this agent began. */
void ferry_change_recall(FerryRunning *run);
/** Carries out what waits and writes back what became of it. */
void ferry_change_apply(FerryRunning *run);
/** It has ended: what waits is refused. */
void ferry_change_drop(FerryRunning *run);

G_END_DECLS
