// SPDX-License-Identifier: Apache-2.0
// Nodes that are emptied because of a taint: KubeVirt's nodeDrainTaintKey.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** How long after one that failed the next begins, ms. */
#define FERRY_DRAIN_TAINT_AGAIN_MS (5 * 60 * 1000)

/** Makes an Evacuation for each node that has a taint with the cluster's nodeDrainTaintKey, any
 * effect, while VMs run there, and ends it when the taint is gone. Where another evacuation of the
 * node is under way nothing is made. Plans a wake where one is due later. Reads `store`, writes
 * nothing; pure but for reads and new uids. */
void ferry_drain_taint_step(FerryStore *store, gint64 now_ms, FerryPlan *plan);

G_END_DECLS
