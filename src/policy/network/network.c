// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a node is in a network by an address that lies in its subnets, on an
// interface that is up. Two nodes that are in it are joined by it only where the source's routes
// lead there by such an interface (model/migration/way.h); where one is not in it, the network's
// fallback decides whether the management network will do. Of both families IPv4 is tried first.
#include "policy/network/network.h"
#include "model/migration/node_address.h"
#include "model/migration/peer_uri.h"
#include <string.h>
#include <sys/socket.h>

#define MAX_MBPS 10000000 /* ten terabits: more is a mistake of the driver's */

void ferry_route_clear(FerryRoute *route) {
  g_clear_pointer(&route->network, g_free);
  g_clear_pointer(&route->address, g_free);
  g_clear_pointer(&route->warning, g_free);
}

static gboolean in_network(const json_t *network, const char *address, int family) {
  return (strchr(address, ':') ? AF_INET6 : AF_INET) == family &&
         ferry_peer_host_is_valid(address) && /* not the connecting host's own, as loopback is */
         ferry_way_in_subnets(ferry_json_get(network, "spec.subnets"), address);
}

void ferry_network_place_clear(FerryNetworkPlace *place) {
  g_clear_pointer(&place->address, g_free);
  g_clear_pointer(&place->interface, g_free);
  g_clear_pointer(&place->problem, g_free);
}

/* The first address of the interface in the network; new text. */
static char *address_on(const json_t *network, const json_t *interface, int family) {
  gsize i;
  json_t *text;
  json_array_foreach(json_object_get(interface, "addresses"), i, text) {
    g_autofree char *address = g_strdup(json_is_string(text) ? json_string_value(text) : "");
    address[strcspn(address, "/")] = '\0';
    if (*address && in_network(network, address, family))
      return g_steal_pointer(&address);
  }
  return NULL;
}

/* What is known of no interface, for older agents and hosts that are seen from elsewhere. */
static char *address_alone(const json_t *network, const json_t *node, int family) {
  gsize i;
  json_t *item;
  if (ferry_json_str(network, "spec.interface"))
    return NULL;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    const char *address = ferry_internal_address(item);
    if (address && in_network(network, address, family))
      return g_strdup(address);
  }
  return NULL;
}

static void say_down(FerryNetworkPlace *place, const json_t *interface, const char *address) {
  const char *why = ferry_json_str(interface, "downReason");
  if (place->problem)
    return;
  place->interface = g_strdup(ferry_json_str(interface, "name"));
  place->problem =
      g_strdup_printf("its interface %s%s%s%s is down: %s", place->interface, address ? " (" : "",
                      address ? address : "", address ? ")" : "", why ? why : "no carrier");
}

gboolean ferry_network_place(const json_t *network, const json_t *node, int family,
                             FerryNetworkPlace *place) {
  gsize i;
  json_t *interface;
  const char *only = ferry_json_str(network, "spec.interface");
  gboolean seen = FALSE;
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, interface) {
    const char *name = ferry_json_str(interface, "name");
    if (only && g_strcmp0(only, name) != 0)
      continue;
    g_autofree char *address = address_on(network, interface, family);
    gboolean up = ferry_json_bool(interface, "up", TRUE);
    seen = seen || only;
    if (!up && (address || only))
      say_down(place, interface, address);
    if (!up || !address)
      continue;
    ferry_network_place_clear(place);
    place->address = g_steal_pointer(&address);
    place->interface = g_strdup(name);
    return TRUE;
  }
  if (!place->problem)
    place->address = address_alone(network, node, family);
  if (!place->address && !place->problem)
    place->problem = only && !seen ? g_strdup_printf("it has no interface %s", only)
                     : only        ? g_strdup_printf("its interface %s has no address in it", only)
                                   : g_strdup("it has no address in it");
  return place->address != NULL;
}

gboolean ferry_network_place_any(const json_t *network, const json_t *node,
                                 FerryNetworkPlace *place) {
  g_auto(FerryNetworkPlace) six = {0};
  if (ferry_network_place(network, node, AF_INET, place))
    return TRUE;
  if (!ferry_network_place(network, node, AF_INET6, &six) && (place->interface || !six.interface))
    return FALSE;
  ferry_network_place_clear(place);
  *place = six;
  six = (FerryNetworkPlace){0};
  return place->address != NULL;
}

char *ferry_network_node_address(const json_t *network, const json_t *node, int family) {
  g_auto(FerryNetworkPlace) place = {0};
  return ferry_network_place(network, node, family, &place) ? g_steal_pointer(&place.address)
                                                            : NULL;
}

/* Whether the interface that has the address is known to be down. */
static gboolean is_down(const json_t *node, const char *address) {
  gsize i, k;
  json_t *interface, *text;
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, interface)
      json_array_foreach(json_object_get(interface, "addresses"), k, text) {
    const char *own = json_string_value(text);
    gsize n = own ? strcspn(own, "/") : 0;
    if (n == strlen(address) && strncmp(own, address, n) == 0)
      return !ferry_json_bool(interface, "up", TRUE);
  }
  return FALSE;
}

/* The first that another host can connect to, on an interface that is up; new text.
 * status.addresses has only one of each family, so the interfaces are looked through, too. */
static char *management_address(const json_t *node) {
  gsize i;
  json_t *item;
  static const int families[] = {AF_INET, AF_INET6};
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    const char *address = ferry_internal_address(item);
    if (address && ferry_peer_host_is_valid(address) && !is_down(node, address))
      return g_strdup(address);
  }
  for (gsize k = 0; k < G_N_ELEMENTS(families); k++)
    json_array_foreach(ferry_json_get(node, "status.interfaces"), i, item) {
      char *address =
          ferry_json_bool(item, "up", TRUE) ? address_on(NULL, item, families[k]) : NULL;
      if (address)
        return address;
    }
  return NULL;
}

gboolean ferry_network_has_role(const json_t *network, const char *role) {
  return ferry_json_has_word(ferry_json_get(network, "spec.roles"), role);
}

FerryWayNetwork ferry_network_way(const json_t *network) {
  return (FerryWayNetwork){ferry_json_str(network, "metadata.name"),
                           ferry_json_get(network, "spec.subnets"),
                           ferry_json_str(network, "spec.interface")};
}

char *ferry_network_way_problem(const json_t *network, const json_t *source, const json_t *target,
                                const char *address) {
  g_auto(FerryWay) way = {0};
  const json_t *interfaces = ferry_json_get(source, "status.interfaces");
  FerryWayAnswer answer =
      ferry_way_find(ferry_json_get(source, "status.routes"), interfaces, address, &way);
  FerryWayNetwork own = ferry_network_way(network);
  if (answer == FERRY_WAY_UNKNOWN)
    return NULL; /* the source's agent asks its kernel */
  return ferry_way_problem(&own, interfaces, answer == FERRY_WAY_FOUND ? &way : NULL,
                           ferry_json_str(source, "metadata.name"),
                           ferry_json_str(target, "metadata.name"), address);
}

/* The target's address in the network that the source has a way to. TRUE: both are in the network;
 * then either `route` has it, or `problem` says why no data would go over it. */
static gboolean route_over(const json_t *network, const json_t *source, const json_t *target,
                           FerryRoute *route, char **problem) {
  static const int families[] = {AF_INET, AF_INET6};
  g_autofree char *first = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(families); i++) {
    g_autofree char *from = ferry_network_node_address(network, source, families[i]);
    g_autofree char *to = ferry_network_node_address(network, target, families[i]);
    g_autofree char *obstacle =
        from && to ? ferry_network_way_problem(network, source, target, to) : NULL;
    if (!from || !to)
      continue;
    if (!obstacle) {
      route->network = g_strdup(ferry_json_str(network, "metadata.name"));
      route->address = g_steal_pointer(&to);
      return TRUE;
    }
    if (!first)
      first = g_steal_pointer(&obstacle);
  }
  *problem = g_steal_pointer(&first);
  return *problem != NULL;
}

gboolean ferry_network_falls_back(const json_t *network, const char *why, const char *then,
                                  FerryRoute *route, char **problem) {
  switch (ferry_network_fallback(network)) {
  case FERRY_FALLBACK_DENY:
    *problem = g_strconcat(why, ", and its fallback is deny", NULL);
    return FALSE;
  case FERRY_FALLBACK_WARN:
    route->warning = g_strconcat(why, then, NULL);
    return TRUE;
  case FERRY_FALLBACK_ALLOW:
    return TRUE;
  }
  return TRUE;
}

/* Where one of the two is not in the network: what its fallback says. */
static gboolean route_past(const json_t *network, const json_t *source, const json_t *target,
                           FerryRoute *route, char **problem) {
  g_auto(FerryNetworkPlace) here = {0}, there = {0};
  const char *name = ferry_json_str(network, "metadata.name");
  gboolean in = ferry_network_place_any(network, source, &here);
  gboolean out = ferry_network_place_any(network, target, &there);
  g_autofree char *text =
      in && out ? g_strdup_printf("nodes %s and %s have no addresses of one family in Network "
                                  "\"%s\"",
                                  ferry_json_str(source, "metadata.name"),
                                  ferry_json_str(target, "metadata.name"), name)
                : g_strdup_printf("node %s is not in Network \"%s\": %s",
                                  ferry_json_str(in ? target : source, "metadata.name"), name,
                                  in ? there.problem : here.problem);
  route->fell_back = TRUE;
  return ferry_network_falls_back(network, text, "; the management network is used", route,
                                  problem);
}

const json_t *ferry_network_wanted(json_t *const *networks, gsize n, const char *wanted) {
  for (gsize i = 0; i < n; i++)
    if (wanted ? g_strcmp0(ferry_json_str(networks[i], "metadata.name"), wanted) == 0
               : ferry_network_has_role(networks[i], "migration"))
      return networks[i];
  return NULL;
}

gboolean ferry_network_route(json_t *const *networks, gsize n, const char *wanted,
                             const json_t *source, const json_t *target, FerryRoute *route,
                             char **problem) {
  const json_t *network = ferry_network_wanted(networks, n, wanted);
  if (wanted && !network) {
    *problem = g_strdup_printf("there is no Network \"%s\"; see: ferry get networks", wanted);
    return FALSE;
  }
  if (network && route_over(network, source, target, route, problem))
    return *problem == NULL;
  if (network && !route_past(network, source, target, route, problem))
    return FALSE;
  route->address = management_address(target);
  if (!route->address && network) {
    *problem =
        g_strdup_printf("node %s has reported no address", ferry_json_str(target, "metadata.name"));
    return FALSE;
  }
  return TRUE; /* without any address libvirt chooses by the peer's host name */
}

static gboolean has_address(const json_t *interface, const char *address, gboolean subnet,
                            char **found) {
  gsize i;
  json_t *item;
  json_array_foreach(json_object_get(interface, "addresses"), i, item) {
    const char *text = json_string_value(item);
    if (!text)
      continue;
    gsize n = strcspn(text, "/");
    if (subnet ? !ferry_way_in_subnet(text, address)
               : strncmp(text, address, n) != 0 || address[n] != '\0')
      continue;
    if (found)
      *found = g_strdup(text);
    return TRUE;
  }
  return FALSE;
}

/* Mbit/s of the node's interface that has `address`, or with `subnet` one in whose subnet it lies;
 * 0: none, or not known. `found` gets the interface's own, with its prefix. */
static gint64 speed_at(const json_t *node, const char *address, gboolean subnet, char **found) {
  gsize i;
  json_t *interface;
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, interface) {
    gint64 speed = ferry_json_int(interface, "speedMbps", 0);
    if (ferry_json_bool(interface, "up", TRUE) && has_address(interface, address, subnet, found))
      return speed <= MAX_MBPS ? MAX(0, speed) : 0;
  }
  return 0;
}

/* Of the slower end of the path to `address`; 0: not known. A source that is on another subnet
 * sends through routers, of which nobody here knows the speed. */
gint64 ferry_network_path_mbps(const json_t *source, const json_t *target, const char *address) {
  gint64 out, in;
  ferry_network_ends_mbps(source, target, address, &out, &in);
  return MIN(in, out);
}

void ferry_network_ends_mbps(const json_t *source, const json_t *target, const char *address,
                             gint64 *out, gint64 *in) {
  g_autofree char *there = NULL;
  *in = address ? speed_at(target, address, FALSE, &there) : 0;
  *out = there ? speed_at(source, address, TRUE, NULL) : 0;
}
