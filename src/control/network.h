// SPDX-License-Identifier: Apache-2.0
// Which nodes are in a Network.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** Brings the status of `network` up to date with the `n` nodes: each node's address in it (IPv4
 * before IPv6, "" where it has none), and the condition Ready, which names the nodes that have
 * none. Plans nothing where the status says so already. Pure. */
void ferry_network_step(const json_t *network, json_t *const *nodes, gsize n, gint64 now_ms,
                        FerryPlan *plan);

/** Sets the condition NetworkUnavailable of `node` in place where it is not in a network that has
 * the role "migration" or is required, with the interface's name, or removes it; an event tells of
 * either. Returns whether it changed. A node that has reported no interfaces is not judged. */
gboolean ferry_network_judge_node(json_t *node, json_t *const *networks, gsize n, gint64 now_ms,
                                  FerryPlan *plan);

G_END_DECLS
