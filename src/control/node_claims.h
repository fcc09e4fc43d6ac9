// SPDX-License-Identifier: Apache-2.0
// What an agent says of where its host is, judged before it is believed.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** Goes over `node`, into which a report was just merged (`stored`: as it was before): a peer that
 * is not strictly one, or is another node's, goes, with the condition PeerConflict and an event;
 * an address that another node has and this one had not goes likewise, with the condition
 * AddressConflict where a migration could have used it. status.hypervisor.peerURI is made anew.
 * `nodes` and `networks` are all there are. Pure but for the plan. */
void ferry_node_claims_apply(FerryPlan *plan, json_t *node, const json_t *stored,
                             json_t *const *nodes, gsize n_nodes, json_t *const *networks,
                             gsize n_networks, gint64 now_ms);

/** Leaves in `node`'s status.addresses one InternalIP of each family, the first that other hosts
 * can reach, or else the first: Kubernetes' clients take the list as one with a single entry of
 * each type and family. All addresses stay in status.interfaces. In place; any thread. */
void ferry_node_addresses_reduce(json_t *node);

G_END_DECLS
