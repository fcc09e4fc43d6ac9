// SPDX-License-Identifier: Apache-2.0
// The address that a migration's data goes to.
#pragma once
#include "base/json.h"
#include "model/migration/way.h"

G_BEGIN_DECLS

typedef struct {
  char *network;      /* the Network's name; NULL: the management address */
  char *address;      /* of the target; NULL: none is known */
  char *warning;      /* a fallback that people should know of; NULL: none */
  gboolean fell_back; /* past a network that one of the two is not in */
} FerryRoute;
void ferry_route_clear(FerryRoute *route);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRoute, ferry_route_clear)

/** Chooses the network and the target's address on it. `networks` are all Network objects; `wanted`
 * is a Network's name or NULL for the one that holds the role "migration". Both nodes must have an
 * address in it, on interfaces that are up; IPv4 goes before IPv6. Where one has none,
 * spec.fallback decides: allow and warn take the target's management address (first InternalIP),
 * which warn says; deny fails. Where both have one and the source's routes lead elsewhere it fails,
 * whatever the fallback: data would go where status says it doesn't. FALSE: `problem` says why, for
 * people (free with g_free). Source of the rule: oVirt's migration network (seeds/001), with the
 * fallback made explicit and the way looked up. Pure. */
gboolean ferry_network_route(json_t *const *networks, gsize n, const char *wanted,
                             const json_t *source_node, const json_t *target_node,
                             FerryRoute *route, char **problem);

/** Whether `role` is among its spec.roles; a Network that is NULL has none. */
gboolean ferry_network_has_role(const json_t *network, const char *role);
/** The Network of that name, or with NULL the one that holds the role; borrowed; NULL: none. */
const json_t *ferry_network_wanted(json_t *const *networks, gsize n, const char *wanted);

/** What the network's fallback makes of data that do not go over it, which `why` says: allow is
 * silent, warn puts `why` and `then` into route->warning, deny sets `problem` (g_free) and is
 * FALSE.
 */
gboolean ferry_network_falls_back(const json_t *network, const char *why, const char *then,
                                  FerryRoute *route, char **problem);

/** Where a node is in a network. */
typedef struct {
  char *address;   /* NULL: it is not in it */
  char *interface; /* that carries it, or would if it were up; NULL: not known */
  char *problem;   /* why it is not in it, after "node NAME is not in Network NAME: " */
} FerryNetworkPlace;
void ferry_network_place_clear(FerryNetworkPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryNetworkPlace, ferry_network_place_clear)
/** Looks for the first address of `node` in the network, of a family (AF_INET or AF_INET6), on an
 * interface that is up; where the node's interfaces say nothing of it, among status.addresses. */
gboolean ferry_network_place(const json_t *network, const json_t *node, int family,
                             FerryNetworkPlace *place);
/** The same of IPv4 or else IPv6. */
gboolean ferry_network_place_any(const json_t *network, const json_t *node,
                                 FerryNetworkPlace *place);

/** What a way is judged by; borrowed from `network`. */
FerryWayNetwork ferry_network_way(const json_t *network);
/** Why data from `source` to the `address` of `target` would not go over the network: new text;
 * NULL: it does, or the source says nothing of its routes. */
char *ferry_network_way_problem(const json_t *network, const json_t *source, const json_t *target,
                                const char *address);
/** The first address of `node` (status.interfaces, then status.addresses) in the network's subnets,
 * of a family (AF_INET or AF_INET6); free with g_free; NULL: none. */
char *ferry_network_node_address(const json_t *network, const json_t *node, int family);
/** Mbit/s of the slower end of the path from `source` to the target's `address` (NULL: not known);
 * 0: not known. Pure. */
gint64 ferry_network_path_mbps(const json_t *source, const json_t *target, const char *address);
/** The same of both ends, each of which is 0 where it is not known. Pure. */
void ferry_network_ends_mbps(const json_t *source, const json_t *target, const char *address,
                             gint64 *out, gint64 *in);

G_END_DECLS
