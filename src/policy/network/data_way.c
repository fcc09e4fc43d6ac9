// SPDX-License-Identifier: Apache-2.0
#include "policy/network/data_way.h"
#include "model/flags/migration_flags.h"
#include "model/migration/peer_uri.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

/* The IP address in the field's URI; NULL: it has none. */
static char *address_of_uri(const json_t *config, const char *field) {
  const char *text = ferry_json_str(config, field);
  g_autoptr(GUri) uri = text ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri ? g_uri_get_host(uri) : NULL;
  return host && g_hostname_is_ip_address(host) ? g_strdup(host) : NULL;
}

/* Where data go that libvirt is not told of an address for; `what` gets the words for it. */
static char *own_address(const json_t *config, const json_t *target, const char **what) {
  if (ferry_migration_flag_on(config, "tunnelled")) {
    const char *host = ferry_json_str(ferry_peer_of_node(target), "host");
    *what = "tunnelled, all data take libvirtd's own connection";
    return host && g_hostname_is_ip_address(host) ? g_strdup(host) : NULL;
  }
  *what = "data go to the migrateURI";
  return address_of_uri(config, "migrateURI");
}

/* Why data from `source` to `address` are not in the network: new text, NULL: they are, as far as
 * addresses tell. */
static char *data_way_outside(const json_t *network, const json_t *source, const char *address) {
  g_auto(FerryNetworkPlace) place = {0};
  const char *name = ferry_json_str(network, "metadata.name");
  if (!ferry_way_in_subnets(ferry_json_get(network, "spec.subnets"), address))
    return g_strdup_printf("to %s, which is not in Network \"%s\"", address, name);
  if (!ferry_network_place(network, source, strchr(address, ':') ? AF_INET6 : AF_INET, &place))
    return g_strdup_printf("to %s, and node %s is not in Network \"%s\": %s", address,
                           ferry_json_str(source, "metadata.name"), name, place.problem);
  return NULL;
}

static gboolean go_own_way(const json_t *network, const json_t *config, const json_t *source,
                           const json_t *target, FerryRoute *route, char **problem) {
  const char *what;
  g_autofree char *address = own_address(config, target, &what);
  if (!network || !address)
    return TRUE;
  g_autofree char *why = data_way_outside(network, source, address);
  if (!why) {
    *problem = ferry_network_way_problem(network, source, target, address);
    route->network = *problem ? NULL : g_strdup(ferry_json_str(network, "metadata.name"));
    return *problem == NULL;
  }
  g_autofree char *text = g_strdup_printf("%s, %s", what, why);
  return ferry_network_falls_back(network, text, "", route, problem);
}

/* Disks with a URI of their own, beside memory that a network carries. */
static gboolean disks_go_along(const json_t *network, const json_t *config, const json_t *source,
                               const json_t *target, char **problem) {
  g_autofree char *address = address_of_uri(config, "disksURI");
  if (!address)
    return TRUE;
  g_autofree char *why = data_way_outside(network, source, address);
  if (!why)
    why = ferry_network_way_problem(network, source, target, address);
  if (why)
    *problem = g_strdup_printf("the disksURI sends disks another way than the memory: %s", why);
  return why == NULL;
}

gboolean ferry_data_way(json_t *const *networks, gsize n, const json_t *config,
                        const json_t *source, const json_t *target, FerryRoute *route,
                        char **problem) {
  const char *wanted = ferry_json_str(config, "network");
  if (ferry_migration_flag_on(config, "offline"))
    return TRUE;
  if (!ferry_migration_uses_network(config))
    return go_own_way(ferry_network_wanted(networks, n, wanted), config, source, target, route,
                      problem);
  if (!ferry_network_route(networks, n, wanted, source, target, route, problem))
    return FALSE;
  return !route->network || disks_go_along(ferry_network_wanted(networks, n, route->network),
                                           config, source, target, problem);
}
