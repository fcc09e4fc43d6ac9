// SPDX-License-Identifier: Apache-2.0
// The life of one migration as a state table.
#pragma once
#include "model/migration/migration.h"
#include "control/plan.h"

G_BEGIN_DECLS

/** How long things may take before the controller gives up, in ms. */
#define FERRY_UNSCHEDULABLE_TIMEOUT_MS (5 * 60 * 1000) /* KubeVirt's */
#define FERRY_ACCEPT_TIMEOUT_MS (30 * 1000)            /* agent takes a Scheduled migration */
#define FERRY_PREPARE_TIMEOUT_MS (15 * 60 * 1000)      /* target gets ready; KubeVirt's */
#define FERRY_CANCEL_TIMEOUT_MS (30 * 1000)            /* agent answers a cancel before Running */
#define FERRY_OUTCOME_TIMEOUT_MS (30 * 1000)           /* target reports the domain */
#define FERRY_LOST_AGENT_TIMEOUT_MS (10 * 60 * 1000)   /* source agent silent while Running */

/** One step for the migration `migration` (a stored object): follows the table until no row fires,
 * and puts the resulting writes (migration and VMI) and events into `plan`. Reads `store`, writes
 * nothing. Call again whenever the migration, its VMI, a node or another migration changes, and at
 * the plan's wake time. Errors of a commit mean: read again and step again. Pure but for reads. */
void ferry_migration_step(FerryStore *store, const json_t *migration, gint64 now_ms,
                          FerryPlan *plan);

G_END_DECLS
