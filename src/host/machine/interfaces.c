// SPDX-License-Identifier: Apache-2.0
// This machine's network interfaces, as its network namespace has them now.
#include "host/machine/interfaces.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_INTERFACES 512

static int prefix_of(const guint8 *mask, gsize len) {
  int bits = 0;
  for (gsize i = 0; i < len; i++)
    for (int b = 7; b >= 0 && (mask[i] >> b & 1); b--)
      bits++;
  return bits;
}

static char *address_text(const struct ifaddrs *a) {
  char text[INET6_ADDRSTRLEN];
  if (a->ifa_addr->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)a->ifa_addr, *mask = (const void *)a->ifa_netmask;
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return g_strdup_printf("%s/%d", text,
                           mask ? prefix_of((const guint8 *)&mask->sin_addr, 4) : 32);
  }
  const struct sockaddr_in6 *in = (const void *)a->ifa_addr, *mask = (const void *)a->ifa_netmask;
  if (IN6_IS_ADDR_LINKLOCAL(&in->sin6_addr))
    return NULL;
  inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
  return g_strdup_printf("%s/%d", text,
                         mask ? prefix_of((const guint8 *)&mask->sin6_addr, 16) : 128);
}

static json_t *interfaces_one(json_t *list, const struct ifaddrs *a) {
  json_t *found = ferry_json_find(list, "name", a->ifa_name);
  if (found || json_array_size(list) >= MAX_INTERFACES)
    return found;
  json_t *item = json_pack("{s:s, s:[], s:b}", "name", a->ifa_name, "addresses", "up",
                           (a->ifa_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING));
  if (!item)
    return NULL;
  g_autofree char *path = g_strdup_printf("/sys/class/net/%s/speed", a->ifa_name);
  g_autofree char *text = NULL;
  if (g_file_get_contents(path, &text, NULL, NULL)) {
    gint64 speed = g_ascii_strtoll(text, NULL, 10);
    if (speed > 0)
      ferry_json_set_int(item, "speedMbps", speed);
  }
  json_array_append_new(list, item);
  return item;
}

json_t *ferry_host_local_interfaces(void) {
  json_t *list = json_array();
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) < 0)
    return list;
  for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
    if (a->ifa_flags & IFF_LOOPBACK)
      continue;
    json_t *item = interfaces_one(list, a);
    if (!item || !a->ifa_addr ||
        (a->ifa_addr->sa_family != AF_INET && a->ifa_addr->sa_family != AF_INET6))
      continue;
    g_autofree char *text = address_text(a);
    if (text)
      json_array_append_new(json_object_get(item, "addresses"), json_string(text));
  }
  freeifaddrs(all);
  return list;
}
