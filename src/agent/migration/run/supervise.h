// SPDX-License-Identifier: Apache-2.0
// While a migration runs: numbers in, decisions carried out, progress told.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Until the job has ended; FALSE when the agent ends first. */
gboolean ferry_supervise(FerryRunning *run);

G_END_DECLS
