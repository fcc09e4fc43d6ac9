// SPDX-License-Identifier: Apache-2.0
// Nodes whose agents fall silent.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

#define FERRY_NODE_GRACE_MS 15000 /* three heartbeats */
/** After so long all of a report has become objects: a Node first, then its domains. */
#define FERRY_NODE_MERGED_MS 500

/** Where the agent of `node` has not reported for FERRY_NODE_GRACE_MS, by ferryd's own stamps and
 * not before `started_ms` (when this ferryd began to listen) plus the grace, sets Ready to Unknown.
 * Plans a wake for when that would be. Pure. */
void ferry_node_step(const json_t *node, gint64 started_ms, gint64 now_ms, FerryPlan *plan);

/** Whether what is stored of the domains of `node` (NULL: it was deleted) is what its host said
 * after `since_ms`, by ferryd's clock. What it said before is no evidence of what came later. Pure.
 */
gboolean ferry_node_was_heard(const json_t *node, gint64 since_ms, gint64 now_ms);

G_END_DECLS
