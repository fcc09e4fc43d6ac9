// SPDX-License-Identifier: Apache-2.0
// The life of one migration as a state table.
#pragma once
#include "model/migration/migration.h"
#include "control/migration_timeouts.h"
#include "control/plan.h"

G_BEGIN_DECLS

/** One step for the migration `migration` (a stored object): follows the table until no row fires,
 * and puts the resulting writes (migration and VMI) and events into `plan`. Reads `store`, writes
 * nothing. Call again whenever the migration, its VMI, a node or another migration changes, and at
 * the plan's wake time. Errors of a commit mean: read again and step again. Pure but for reads. */
void ferry_migration_step(FerryStore *store, const json_t *migration, gint64 now_ms,
                          FerryPlan *plan);

G_END_DECLS
