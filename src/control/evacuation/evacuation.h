// SPDX-License-Identifier: Apache-2.0
// Emptying a node: every VM that runs there gets a migration.
#pragma once
#include "control/plan.h"
#include "model/migration/evacuation.h"

G_BEGIN_DECLS

#define FERRY_EVACUATION_BACKOFF_MS (20 * 1000) /* KubeVirt's; doubles with each failure */
#define FERRY_EVACUATION_MAX_BACKOFF_MS (320 * 1000)
#define FERRY_EVACUATION_TRIES 5 /* of one VM, then it counts as failed */
/* Within which the hosts have told of a VM that has moved. */
#define FERRY_EVACUATION_ARRIVAL_MS (10 * 1000)
/* After which what is active there and is no VM of the node's counts as not moved. */
#define FERRY_EVACUATION_STRAYS_MS (15 * 1000)
#define FERRY_EVACUATION_AHEAD 16 /* migrations that one evacuation has in the queue at most */

/** One step for `evacuation` (a stored object): cordons its node at the beginning, cancels what is
 * on its way there, makes a migration for each VM that runs there, again after a failure, and
 * brings status up to date. It has ended once no VM is there and none is on its way. On a
 * deletion cancels what has not begun and lets the object go. Call again whenever a migration, a
 * VM or the evacuation changes and at the plan's wake time. Reads `store`, writes nothing; pure but
 * for reads and new uids. */
void ferry_evacuation_step(FerryStore *store, const json_t *evacuation, gint64 now_ms,
                           FerryPlan *plan);

/** Whether the VM runs on `node`, or is paused there. */
gboolean ferry_evacuation_concerns(const json_t *vmi, const char *node);

/** Tries again what `kubectl drain` asked for: migrations that were evictions and failed, as long
 * as their node is cordoned, the VM is there and no Evacuation does it. Plans a wake for the next
 * one. Pure as above. */
void ferry_eviction_step(FerryStore *store, gint64 now_ms, FerryPlan *plan);

G_END_DECLS
