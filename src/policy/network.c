// SPDX-License-Identifier: Apache-2.0
#include "policy/network.h"
#include "model/migration/peer_uri.h"
#include <arpa/inet.h>
#include <string.h>

#define MAX_MBPS 10000000 /* ten terabits: more is a mistake of the driver's */

void ferry_route_clear(FerryRoute *route) {
  g_clear_pointer(&route->network, g_free);
  g_clear_pointer(&route->address, g_free);
  g_clear_pointer(&route->warning, g_free);
}

static gboolean parse_address(const char *text, int *family, guint8 out[16]) {
  *family = strchr(text, ':') ? AF_INET6 : AF_INET;
  return inet_pton(*family, text, out) == 1;
}

gboolean ferry_network_contains(const char *subnet, const char *address) {
  const char *slash = strchr(subnet, '/');
  guint8 a[16], b[16];
  int fa, fb;
  guint64 bits;
  if (!slash)
    return FALSE;
  g_autofree char *base = g_strndup(subnet, (gsize)(slash - subnet));
  if (!parse_address(base, &fa, a) || !parse_address(address, &fb, b) || fa != fb ||
      !g_ascii_string_to_unsigned(slash + 1, 10, 0, fa == AF_INET ? 32 : 128, &bits, NULL))
    return FALSE;
  for (guint i = 0; i < bits; i += 8) {
    guint8 mask = bits - i >= 8 ? 0xff : (guint8)(0xff << (8 - (bits - i)));
    if ((a[i / 8] ^ b[i / 8]) & mask)
      return FALSE;
  }
  return TRUE;
}

static gboolean in_network(const json_t *network, const char *address, int family) {
  if ((strchr(address, ':') ? AF_INET6 : AF_INET) != family || !ferry_peer_host_is_valid(address))
    return FALSE; /* of another family, or the connecting host's own (loopback and the like) */
  gsize i;
  json_t *subnet, *subnets = ferry_json_get(network, "spec.subnets");
  if (json_array_size(subnets) == 0) /* an interface alone names it: all but link-local ones */
    return !ferry_network_contains("fe80::/10", address);
  json_array_foreach(subnets, i, subnet) {
    if (json_is_string(subnet) && ferry_network_contains(json_string_value(subnet), address))
      return TRUE;
  }
  return FALSE;
}

char *ferry_network_node_address(const json_t *network, const json_t *node, int family) {
  gsize i, k;
  json_t *item, *text;
  const char *only = ferry_json_str(network, "spec.interface");
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, item) {
    if (!ferry_json_bool(item, "up", TRUE) ||
        (only && g_strcmp0(only, ferry_json_str(item, "name")) != 0))
      continue;
    json_array_foreach(json_object_get(item, "addresses"), k, text) {
      if (!json_is_string(text))
        continue;
      g_autofree char *address = g_strdup(json_string_value(text));
      address[strcspn(address, "/")] = '\0';
      if (in_network(network, address, family))
        return g_steal_pointer(&address);
    }
  }
  if (only)
    return NULL;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    const char *address = ferry_json_str(item, "address");
    if (g_strcmp0(ferry_json_str(item, "type"), "InternalIP") == 0 && address &&
        in_network(network, address, family))
      return g_strdup(address);
  }
  return NULL;
}

/* The first that another host can connect to. */
static const char *management_address(const json_t *node) {
  gsize i;
  json_t *item;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    const char *address = ferry_json_str(item, "address");
    if (g_strcmp0(ferry_json_str(item, "type"), "InternalIP") == 0 && address &&
        ferry_peer_host_is_valid(address))
      return address;
  }
  return NULL;
}

gboolean ferry_network_has_role(const json_t *network, const char *role) {
  return ferry_json_has_word(ferry_json_get(network, "spec.roles"), role);
}

gboolean ferry_network_route(json_t *const *networks, gsize n, const char *wanted,
                             const json_t *source, const json_t *target, FerryRoute *route,
                             char **problem) {
  const json_t *network = NULL;
  for (gsize i = 0; i < n && !network; i++)
    if (wanted ? g_strcmp0(ferry_json_str(networks[i], "metadata.name"), wanted) == 0
               : ferry_network_has_role(networks[i], "migration"))
      network = networks[i];
  if (wanted && !network) {
    *problem = g_strdup_printf("there is no Network \"%s\"; see: ferry get networks", wanted);
    return FALSE;
  }
  const char *name = ferry_json_str(network, "metadata.name");
  const char *source_name = ferry_json_str(source, "metadata.name");
  const char *target_name = ferry_json_str(target, "metadata.name");
  static const int families[] = {AF_INET, AF_INET6};
  for (gsize i = 0; network && i < G_N_ELEMENTS(families); i++) {
    g_autofree char *from = ferry_network_node_address(network, source, families[i]);
    g_autofree char *to = ferry_network_node_address(network, target, families[i]);
    if (from && to) {
      route->network = g_strdup(name);
      route->address = g_steal_pointer(&to);
      return TRUE;
    }
  }
  const char *fallback = network ? ferry_json_str(network, "spec.fallback") : "allow";
  if (network) {
    g_autofree char *v4 = ferry_network_node_address(network, source, AF_INET);
    g_autofree char *v6 = ferry_network_node_address(network, source, AF_INET6);
    g_autofree char *text = g_strdup_printf("Network \"%s\" has no address on node %s", name,
                                            v4 || v6 ? target_name : source_name);
    if (g_strcmp0(fallback, "deny") == 0) {
      *problem = g_strconcat(text, " and its fallback is deny", NULL);
      return FALSE;
    }
    if (g_strcmp0(fallback, "allow") != 0)
      route->warning = g_strconcat(text, "; the management network is used", NULL);
  }
  route->address = g_strdup(management_address(target));
  if (!route->address && network) {
    *problem = g_strdup_printf("node %s has reported no address", target_name);
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
    if (subnet ? !ferry_network_contains(text, address)
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
  g_autofree char *there = NULL;
  gint64 in = address ? speed_at(target, address, FALSE, &there) : 0;
  gint64 out = there ? speed_at(source, address, TRUE, NULL) : 0;
  return MIN(in, out);
}
