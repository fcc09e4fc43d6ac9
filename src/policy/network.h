// SPDX-License-Identifier: Apache-2.0
// The address that a migration's data goes to.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct {
  char *network; /* the Network's name; NULL: the management address */
  char *address; /* of the target; NULL: none is known */
  char *warning; /* a fallback that people should know of; NULL: none */
} FerryRoute;
void ferry_route_clear(FerryRoute *route);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRoute, ferry_route_clear)

/** Chooses the network and the target's address on it. `networks` are all Network objects; `wanted`
 * is a Network's name or NULL for the one that holds the role "migration". The network must have an
 * address on both nodes; IPv4 goes before IPv6. Where it has none, spec.fallback decides: allow and
 * warn take the target's management address (first InternalIP), which warn says; deny fails. FALSE:
 * `problem` says why, for people (free with g_free). Source of the rule: oVirt's migration network
 * (seeds/001), with the fallback made explicit. Pure. */
gboolean ferry_network_route(json_t *const *networks, gsize n, const char *wanted,
                             const json_t *source_node, const json_t *target_node,
                             FerryRoute *route, char **problem);

/** Whether `role` is among its spec.roles; a Network that is NULL has none. */
gboolean ferry_network_has_role(const json_t *network, const char *role);
/** Whether an address ("10.1.2.3") lies in a subnet ("10.1.0.0/16"); IPv4 and IPv6. */
gboolean ferry_network_contains(const char *subnet, const char *address);
/** The first address of `node` (status.interfaces, then status.addresses) in the network's subnets,
 * of a family (AF_INET or AF_INET6); free with g_free; NULL: none. */
char *ferry_network_node_address(const json_t *network, const json_t *node, int family);
/** Mbit/s of the slower end of the path from `source` to the target's `address` (NULL: not known);
 * 0: not known. Pure. */
gint64 ferry_network_path_mbps(const json_t *source, const json_t *target, const char *address);

G_END_DECLS
