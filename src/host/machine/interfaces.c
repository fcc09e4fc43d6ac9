// SPDX-License-Identifier: Apache-2.0
// Theory of operation: four dumps (links, addresses, routes, rules) over one socket of rtnetlink
// make the tables; they are small, and read whole each time, so that nothing depends on no event
// having been lost. What an interface's speed is only sysfs says without asking its driver.
#include "host/machine/interfaces.h"
#include "base/error.h"
#include "host/machine/rtnetlink.h"
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#define DUMP_TRIES 3 /* it changed while it was read */

static struct nl_sock *interfaces_open(GError **error) {
  struct nl_sock *sock = nl_socket_alloc();
  int failed = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
  if (failed >= 0)
    return sock;
  if (sock)
    nl_socket_free(sock);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the kernel does not tell of this host's network: %s", nl_geterror(failed));
  return NULL;
}

static int on_row(struct nl_msg *message, void *data) {
  const struct nlmsghdr *header = nlmsg_hdr(message);
  ferry_rtnetlink_take(data, header, header->nlmsg_len);
  return NL_OK;
}

/* 0, or a negative number of libnl's. */
static int dump_table(struct nl_sock *sock, int type, void *head, gsize size, gpointer tables) {
  int failed = nl_send_simple(sock, type, NLM_F_DUMP, head, size);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_row, tables);
  return failed < 0 ? failed : nl_recvmsgs_default(sock);
}

static int dump_all(struct nl_sock *sock, FerryRtnetlink *tables) {
  struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
  struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
  struct rtmsg routes = {.rtm_family = AF_UNSPEC};
  struct fib_rule_hdr rules = {.family = AF_UNSPEC};
  int failed = dump_table(sock, RTM_GETLINK, &links, sizeof links, tables);
  if (failed >= 0)
    failed = dump_table(sock, RTM_GETADDR, &addresses, sizeof addresses, tables);
  if (failed >= 0)
    failed = dump_table(sock, RTM_GETROUTE, &routes, sizeof routes, tables);
  if (failed >= 0) /* a kernel without rules has none */
    dump_table(sock, RTM_GETRULE, &rules, sizeof rules, tables);
  return failed;
}

static FerryRtnetlink *read_tables(GError **error) {
  int failed = -NLE_DUMP_INTR;
  for (guint i = 0; i < DUMP_TRIES && failed == -NLE_DUMP_INTR; i++) {
    struct nl_sock *sock = interfaces_open(error);
    if (!sock)
      return NULL;
    g_autoptr(FerryRtnetlink) tables = ferry_rtnetlink_new();
    failed = dump_all(sock, tables);
    nl_socket_free(sock);
    if (failed >= 0 || i == DUMP_TRIES - 1)
      return g_steal_pointer(&tables);
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the kernel does not tell of this host's network: %s", nl_geterror(failed));
  return NULL;
}

static void add_speed(json_t *interface) {
  g_autofree char *path =
      g_strdup_printf("/sys/class/net/%s/speed", ferry_json_str(interface, "name"));
  g_autofree char *text = NULL;
  gint64 speed = g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoll(text, NULL, 10) : 0;
  if (speed > 0)
    ferry_json_set_int(interface, "speedMbps", speed);
}

json_t *ferry_host_local_network(GError **error) {
  g_autoptr(FerryRtnetlink) tables = read_tables(error);
  if (!tables)
    return NULL;
  json_t *interfaces = ferry_rtnetlink_interfaces(tables), *routes = ferry_rtnetlink_routes(tables);
  json_t *out = json_pack("{s:o}", "interfaces", interfaces), *item;
  gsize i;
  json_array_foreach(interfaces, i, item) add_speed(item);
  if (routes)
    json_object_set_new(out, "routes", routes);
  return out;
}

/* ---- the way to one address ---- */

void ferry_host_way_clear(FerryHostWay *way) {
  g_clear_pointer(&way->interface, g_free);
  g_clear_pointer(&way->source, g_free);
  g_clear_pointer(&way->gateway, g_free);
}

static int on_answer(struct nl_msg *message, void *data) {
  const struct nlmsghdr *header = nlmsg_hdr(message);
  ferry_rtnetlink_answer(header, header->nlmsg_len, data);
  return NL_STOP;
}

/* The question, with `to` in it. NULL: it is no address. */
static struct nl_msg *way_question(const char *to) {
  guint8 bytes[16];
  int family = inet_pton(AF_INET, to, bytes) == 1    ? AF_INET
               : inet_pton(AF_INET6, to, bytes) == 1 ? AF_INET6
                                                     : AF_UNSPEC;
  int n = family == AF_INET ? 4 : 16;
  struct rtmsg head = {.rtm_family = (guint8)family, .rtm_dst_len = (guint8)(n * 8)};
  struct nl_msg *message =
      family == AF_UNSPEC ? NULL : nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
  if (message && (nlmsg_append(message, &head, sizeof head, NLMSG_ALIGNTO) < 0 ||
                  nla_put(message, RTA_DST, n, bytes) < 0))
    g_clear_pointer(&message, nlmsg_free);
  return message;
}

gboolean ferry_host_way_to(const char *to, FerryHostWay *way, GError **error) {
  struct nl_msg *message = way_question(to);
  if (!message) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "\"%s\" is not an IP address", to);
    return FALSE;
  }
  struct nl_sock *sock = interfaces_open(error);
  if (!sock) {
    nlmsg_free(message);
    return FALSE;
  }
  FerryRtnetlinkRoute found = {0};
  nl_socket_disable_auto_ack(sock);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &found);
  int failed = nl_send_auto(sock, message);
  if (failed >= 0)
    failed = nl_recvmsgs_default(sock);
  nl_socket_free(sock);
  nlmsg_free(message);
  char name[IF_NAMESIZE] = "";
  if (failed < 0 || !found.interface || !if_indextoname(found.interface, name)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "this host has no route to %s%s%s", to,
                failed < 0 ? ": " : "", failed < 0 ? nl_geterror(failed) : "");
    return FALSE;
  }
  way->interface = g_strdup(name);
  way->source = *found.source ? g_strdup(found.source) : NULL;
  way->gateway = *found.gateway ? g_strdup(found.gateway) : NULL;
  return TRUE;
}
