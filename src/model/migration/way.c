// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what a host's kernel would do is computed here of what its agent reported,
// so that a check says what the agent will find when it asks the kernel itself, which it does
// before libvirt is called. Both are judged by one function.
#include "model/migration/way.h"
#include <arpa/inet.h>
#include <string.h>

const char *const ferry_network_fallbacks[] = {[FERRY_FALLBACK_ALLOW] = "allow",
                                               [FERRY_FALLBACK_WARN] = "warn",
                                               [FERRY_FALLBACK_DENY] = "deny",
                                               NULL};

FerryFallback ferry_network_fallback(const json_t *network) {
  const char *said = ferry_json_str(network, "spec.fallback");
  for (guint f = 0; said && ferry_network_fallbacks[f]; f++)
    if (g_str_equal(said, ferry_network_fallbacks[f]))
      return (FerryFallback)f;
  return FERRY_FALLBACK_WARN;
}

static gboolean parse_address(const char *text, int *family, guint8 out[16]) {
  *family = strchr(text, ':') ? AF_INET6 : AF_INET;
  return inet_pton(*family, text, out) == 1;
}

/* The length of the prefix of `subnet`, where `address` lies in it; -1: it does not. */
static int way_prefix(const char *subnet, const char *address) {
  const char *slash = strchr(subnet, '/');
  guint8 a[16], b[16];
  int fa, fb;
  guint64 bits;
  if (!slash)
    return -1;
  g_autofree char *base = g_strndup(subnet, (gsize)(slash - subnet));
  if (!parse_address(base, &fa, a) || !parse_address(address, &fb, b) || fa != fb ||
      !g_ascii_string_to_unsigned(slash + 1, 10, 0, fa == AF_INET ? 32 : 128, &bits, NULL))
    return -1;
  for (guint i = 0; i < bits; i += 8) {
    guint8 mask = bits - i >= 8 ? 0xff : (guint8)(0xff << (8 - (bits - i)));
    if ((a[i / 8] ^ b[i / 8]) & mask)
      return -1;
  }
  return (int)bits;
}

gboolean ferry_way_in_subnet(const char *subnet, const char *address) {
  return way_prefix(subnet, address) >= 0;
}

gboolean ferry_way_in_subnets(const json_t *subnets, const char *address) {
  gsize i;
  json_t *subnet;
  if (json_array_size(subnets) == 0)
    return !ferry_way_in_subnet("fe80::/10", address);
  json_array_foreach((json_t *)subnets, i, subnet) {
    if (json_is_string(subnet) && ferry_way_in_subnet(json_string_value(subnet), address))
      return TRUE;
  }
  return FALSE;
}

void ferry_way_clear(FerryWay *way) {
  g_clear_pointer(&way->interface, g_free);
  g_clear_pointer(&way->source, g_free);
  g_clear_pointer(&way->gateway, g_free);
}

/* ---- what the kernel would choose ---- */

static const json_t *best_route(const json_t *routes, const json_t *interfaces, const char *to) {
  const json_t *best = NULL;
  int longest = -1;
  gsize i;
  json_t *route;
  json_array_foreach((json_t *)routes, i, route) {
    const char *destination = ferry_json_str(route, "destination");
    const char *name = ferry_json_str(route, "interface");
    const json_t *interface = name ? ferry_json_find(interfaces, "name", name) : NULL;
    int prefix = destination ? way_prefix(destination, to) : -1;
    if (prefix < 0 || (interface && !ferry_json_bool(interface, "up", TRUE)))
      continue;
    if (prefix > longest || (prefix == longest && ferry_json_int(route, "metric", 0) <
                                                      ferry_json_int(best, "metric", 0))) {
      longest = prefix;
      best = route;
    }
  }
  return best;
}

/* The interface's address that packets to `next` come from: the first in its subnet, or else the
 * first of the family. New text; NULL: it has none. */
static char *source_on(const json_t *interface, const char *next) {
  gboolean six = strchr(next, ':') != NULL;
  const char *first = NULL;
  gsize i;
  json_t *item;
  json_array_foreach(json_object_get(interface, "addresses"), i, item) {
    const char *text = json_string_value(item);
    if (!text || (strchr(text, ':') != NULL) != six)
      continue;
    if (ferry_way_in_subnet(text, next))
      return g_strndup(text, strcspn(text, "/"));
    if (!first)
      first = text;
  }
  return first ? g_strndup(first, strcspn(first, "/")) : NULL;
}

FerryWayAnswer ferry_way_find(const json_t *routes, const json_t *interfaces, const char *to,
                              FerryWay *way) {
  if (!routes)
    return FERRY_WAY_UNKNOWN;
  const json_t *route = best_route(routes, interfaces, to);
  const char *name = ferry_json_str(route, "interface");
  if (!name) /* none at all, or one that refuses */
    return FERRY_WAY_NONE;
  const char *gateway = ferry_json_str(route, "gateway"), *source = ferry_json_str(route, "source");
  way->interface = g_strdup(name);
  way->gateway = g_strdup(gateway);
  way->source = source
                    ? g_strdup(source)
                    : source_on(ferry_json_find(interfaces, "name", name), gateway ? gateway : to);
  return FERRY_WAY_FOUND;
}

/* ---- what is thought of it ---- */

/* The first address of the network on an interface, of the family of `to`; new text. */
static char *address_in(const FerryWayNetwork *network, const json_t *interface, const char *to) {
  gboolean six = strchr(to, ':') != NULL;
  gsize i;
  json_t *item;
  if (network->interface && g_strcmp0(ferry_json_str(interface, "name"), network->interface) != 0)
    return NULL;
  json_array_foreach(json_object_get(interface, "addresses"), i, item) {
    const char *text = json_string_value(item);
    g_autofree char *address = text ? g_strndup(text, strcspn(text, "/")) : NULL;
    if (address && (strchr(address, ':') != NULL) == six &&
        ferry_way_in_subnets(network->subnets, address))
      return g_steal_pointer(&address);
  }
  return NULL;
}

/* "migr (10.9.1.1)", the interface that carries the network; `name` gets it borrowed. */
static char *carrier_text(const FerryWayNetwork *network, const json_t *interfaces, const char *to,
                          const char **name) {
  gsize i;
  json_t *interface;
  json_array_foreach((json_t *)interfaces, i, interface) {
    g_autofree char *address = address_in(network, interface, to);
    if (!address)
      continue;
    *name = ferry_json_str(interface, "name");
    return g_strdup_printf("%s (%s)", *name, address);
  }
  *name = network->interface;
  return g_strdup(network->interface ? network->interface : "an interface of the network");
}

static char *way_text(const FerryWay *way) {
  g_autoptr(GString) text = g_string_new(way->interface);
  if (way->source)
    g_string_append_printf(text, " (from %s", way->source);
  if (way->gateway)
    g_string_append_printf(text, "%sby the gateway %s", way->source ? ", " : " (", way->gateway);
  if (way->source || way->gateway)
    g_string_append_c(text, ')');
  return g_string_free(g_steal_pointer(&text), FALSE);
}

char *ferry_way_problem(const FerryWayNetwork *network, const json_t *interfaces,
                        const FerryWay *way, const char *from, const char *there, const char *to) {
  const char *carrier = NULL;
  g_autofree char *right = carrier_text(network, interfaces, to, &carrier);
  g_autofree char *taken = way ? way_text(way) : NULL;
  if (!ferry_way_in_subnets(network->subnets, to))
    return g_strdup_printf("%s of %s, where data would go, is not in Network \"%s\"", to, there,
                           network->name);
  if (!way)
    return g_strdup_printf("%s has no route to %s of %s over Network \"%s\", which %s carries: add "
                           "one there, such as ip route add %s via GATEWAY dev %s",
                           from, to, there, network->name, right, to,
                           carrier ? carrier : "INTERFACE");
  const json_t *interface = ferry_json_find(interfaces, "name", way->interface);
  g_autofree char *own = interface ? address_in(network, interface, to) : NULL;
  if (!own && (interface || json_array_size(interfaces) > 0))
    return g_strdup_printf(
        "%s has no route to %s of %s over Network \"%s\": data would leave by %s, not by %s; add "
        "the route on %s, such as ip route add %s via GATEWAY dev %s",
        from, to, there, network->name, taken, right, from, to, carrier ? carrier : "INTERFACE");
  if (way->source && !ferry_way_in_subnets(network->subnets, way->source))
    return g_strdup_printf(
        "%s reaches %s of %s by %s, and that source address is not in Network \"%s\", which %s "
        "carries: give the route on %s the network's own (ip route change ... src ADDRESS)",
        from, to, there, taken, network->name, right, from);
  return NULL;
}
