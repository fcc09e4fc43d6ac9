// SPDX-License-Identifier: Apache-2.0
// Nodes whose agents fall silent.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

#define FERRY_NODE_GRACE_MS 15000 /* three heartbeats */

/** Where the agent of `node` has not reported for FERRY_NODE_GRACE_MS, by ferryd's own stamps and
 * not before `started_ms` (when this ferryd began to listen) plus the grace, sets Ready to Unknown.
 * Plans a wake for when that would be. Pure. */
void ferry_node_step(const json_t *node, gint64 started_ms, gint64 now_ms, FerryPlan *plan);

G_END_DECLS
