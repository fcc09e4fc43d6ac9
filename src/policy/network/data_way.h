// SPDX-License-Identifier: Apache-2.0
// Over which network all of a migration's connections go: memory, disks, or libvirtd's own where it
// is tunnelled.
#pragma once
#include "policy/network/network.h"

G_BEGIN_DECLS

/** As ferry_network_route, for a migration with the resolved `config`. Where it names the target
 * itself (migrateURI) or is tunnelled, `route->address` is NULL, and the network is that which
 * carries this, where both hosts and the way are in it; where they are not, the network's fallback
 * decides, and a way past a network that both are in is refused. Disks that have a URI of their
 * own must go over the network that is named. Only IP addresses are judged here: a name is for the
 * source's agent, which resolves it. Pure. */
gboolean ferry_data_way(json_t *const *networks, gsize n, const json_t *config,
                        const json_t *source_node, const json_t *target_node, FerryRoute *route,
                        char **problem);

G_END_DECLS
