// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every message is copied to where it is aligned, checked against the length
// that it names and read attribute by attribute by libnl, with a policy for each attribute that is
// used. A link, an address or a route is a row of its table; the fields of a Node are made of the
// rows afterwards, since a bridge depends on its ports and an address on its link.
#include "host/machine/rtnetlink.h"
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#define MAX_ROWS 65536 /* of each table: more is no machine's */

typedef struct {
  guint index, flags, mtu, master, over;
  int vlan; /* -1: none */
  char name[IFNAMSIZ], kind[16];
  gboolean counted;
  FerryRtnetlinkCounters counters;
} Link;

typedef struct {
  guint link;
  char text[64]; /* with its prefix length */
} Address;

typedef struct {
  guint link, metric;
  char destination[64], gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];
} Route;

struct _FerryRtnetlink {
  GArray *links, *addresses, *routes;
  gboolean own_rules; /* which table is asked isn't the kernel's default */
};

FerryRtnetlink *ferry_rtnetlink_new(void) {
  FerryRtnetlink *t = g_new0(FerryRtnetlink, 1);
  t->links = g_array_new(FALSE, TRUE, sizeof(Link));
  t->addresses = g_array_new(FALSE, TRUE, sizeof(Address));
  t->routes = g_array_new(FALSE, TRUE, sizeof(Route));
  return t;
}

void ferry_rtnetlink_free(FerryRtnetlink *t) {
  g_array_unref(t->links);
  g_array_unref(t->addresses);
  g_array_unref(t->routes);
  g_free(t);
}

/* ---- messages ---- */

/* An address of a family in words; FALSE: it has not the family's length. */
static gboolean rtnetlink_address(int family, struct nlattr *attribute, char *out, gsize size) {
  int bytes = family == AF_INET ? 4 : family == AF_INET6 ? 16 : -1;
  return attribute && nla_len(attribute) == bytes &&
         inet_ntop(family, nla_data(attribute), out, (socklen_t)size) != NULL;
}

static void read_link_info(struct nlattr *attribute, Link *link) {
  static struct nla_policy policy[IFLA_INFO_MAX + 1] = {[IFLA_INFO_KIND] = {.type = NLA_STRING}};
  static struct nla_policy vlan[IFLA_VLAN_MAX + 1] = {[IFLA_VLAN_ID] = {.type = NLA_U16}};
  struct nlattr *info[IFLA_INFO_MAX + 1], *data[IFLA_VLAN_MAX + 1];
  if (nla_parse_nested(info, IFLA_INFO_MAX, attribute, policy) < 0 || !info[IFLA_INFO_KIND])
    return;
  nla_strlcpy(link->kind, info[IFLA_INFO_KIND], sizeof link->kind);
  if (g_str_equal(link->kind, "vlan") && info[IFLA_INFO_DATA] &&
      nla_parse_nested(data, IFLA_VLAN_MAX, info[IFLA_INFO_DATA], vlan) >= 0 && data[IFLA_VLAN_ID])
    link->vlan = nla_get_u16(data[IFLA_VLAN_ID]);
}

static gboolean rtnetlink_is_name(const char *text) {
  return *text && g_utf8_validate(text, -1, NULL);
}

static void take_link(FerryRtnetlink *t, struct nlmsghdr *header) {
  static struct nla_policy policy[IFLA_MAX + 1] = {
      [IFLA_IFNAME] = {.type = NLA_STRING, .maxlen = IFNAMSIZ},
      [IFLA_MTU] = {.type = NLA_U32},
      [IFLA_MASTER] = {.type = NLA_U32},
      [IFLA_LINK] = {.type = NLA_U32},
  };
  struct nlattr *a[IFLA_MAX + 1];
  const struct ifinfomsg *m = nlmsg_data(header);
  if (nlmsg_parse(header, sizeof *m, a, IFLA_MAX, policy) < 0 || !a[IFLA_IFNAME] ||
      m->ifi_index <= 0 || m->ifi_family == AF_BRIDGE)
    return;
  Link link = {.index = (guint)m->ifi_index, .flags = m->ifi_flags, .vlan = -1};
  nla_strlcpy(link.name, a[IFLA_IFNAME], sizeof link.name);
  link.mtu = a[IFLA_MTU] ? nla_get_u32(a[IFLA_MTU]) : 0;
  link.master = a[IFLA_MASTER] ? nla_get_u32(a[IFLA_MASTER]) : 0;
  /* where the other end is in another namespace its index says nothing here */
  link.over = a[IFLA_LINK] && !a[IFLA_LINK_NETNSID] ? nla_get_u32(a[IFLA_LINK]) : 0;
  if (a[IFLA_LINKINFO])
    read_link_info(a[IFLA_LINKINFO], &link);
  if (a[IFLA_STATS64] &&
      nla_len(a[IFLA_STATS64]) >= (int)(offsetof(struct rtnl_link_stats64, tx_bytes) + 8)) {
    struct rtnl_link_stats64 stats = {0};
    memcpy(&stats, nla_data(a[IFLA_STATS64]), MIN(sizeof stats, (gsize)nla_len(a[IFLA_STATS64])));
    link.counters = (FerryRtnetlinkCounters){stats.rx_bytes, stats.tx_bytes};
    link.counted = TRUE;
  }
  if (rtnetlink_is_name(link.name) && (!*link.kind || rtnetlink_is_name(link.kind)))
    g_array_append_val(t->links, link);
}

static void take_address(FerryRtnetlink *t, struct nlmsghdr *header) {
  static struct nla_policy policy[IFA_MAX + 1] = {[IFA_FLAGS] = {.type = NLA_U32}};
  struct nlattr *a[IFA_MAX + 1];
  const struct ifaddrmsg *m = nlmsg_data(header);
  if (nlmsg_parse(header, sizeof *m, a, IFA_MAX, policy) < 0)
    return;
  guint flags = a[IFA_FLAGS] ? nla_get_u32(a[IFA_FLAGS]) : m->ifa_flags;
  struct nlattr *own = a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS];
  char text[INET6_ADDRSTRLEN];
  Address address = {.link = m->ifa_index};
  if ((flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) || m->ifa_scope == RT_SCOPE_LINK ||
      !rtnetlink_address(m->ifa_family, own, text, sizeof text))
    return;
  if (m->ifa_prefixlen > (m->ifa_family == AF_INET ? 32 : 128))
    return;
  g_snprintf(address.text, sizeof address.text, "%s/%u", text, m->ifa_prefixlen);
  g_array_append_val(t->addresses, address);
}

/* Of several next hops the first one's. */
static void first_hop(struct nlattr *attribute, int family, Route *route) {
  const struct rtnexthop *hop = nla_data(attribute);
  int n = nla_len(attribute);
  struct nlattr *a[RTA_MAX + 1];
  if (n < (int)sizeof *hop || hop->rtnh_len < sizeof *hop || hop->rtnh_len > n)
    return;
  route->link = (guint)hop->rtnh_ifindex;
  if (nla_parse(a, RTA_MAX, (struct nlattr *)RTNH_DATA(hop), hop->rtnh_len - (int)sizeof *hop,
                NULL) >= 0)
    rtnetlink_address(family, a[RTA_GATEWAY], route->gateway, sizeof route->gateway);
}

/* FALSE: it is not one that a packet to elsewhere takes. `table` gets the number of its table. */
static gboolean read_route(struct nlmsghdr *header, Route *route, guint *table) {
  static struct nla_policy policy[RTA_MAX + 1] = {[RTA_OIF] = {.type = NLA_U32},
                                                  [RTA_PRIORITY] = {.type = NLA_U32},
                                                  [RTA_TABLE] = {.type = NLA_U32}};
  static const char *const any[] = {"0.0.0.0", "::"};
  struct nlattr *a[RTA_MAX + 1];
  char text[INET6_ADDRSTRLEN];
  const struct rtmsg *m = nlmsg_data(header);
  gboolean six = m->rtm_family == AF_INET6;
  if (nlmsg_parse(header, sizeof *m, a, RTA_MAX, policy) < 0 ||
      (m->rtm_family != AF_INET && !six) || m->rtm_dst_len > (six ? 128 : 32) ||
      (m->rtm_flags & RTNH_F_DEAD))
    return FALSE;
  *table = a[RTA_TABLE] ? nla_get_u32(a[RTA_TABLE]) : m->rtm_table;
  if (!rtnetlink_address(m->rtm_family, a[RTA_DST], text, sizeof text))
    g_strlcpy(text, any[six], sizeof text);
  g_snprintf(route->destination, sizeof route->destination, "%s/%u", text, m->rtm_dst_len);
  gboolean refuses =
      m->rtm_type == RTN_UNREACHABLE || m->rtm_type == RTN_BLACKHOLE || m->rtm_type == RTN_PROHIBIT;
  route->metric = a[RTA_PRIORITY] ? nla_get_u32(a[RTA_PRIORITY]) : 0;
  if (refuses)
    return TRUE;
  route->link = a[RTA_OIF] ? nla_get_u32(a[RTA_OIF]) : 0;
  rtnetlink_address(m->rtm_family, a[RTA_GATEWAY], route->gateway, sizeof route->gateway);
  rtnetlink_address(m->rtm_family, a[RTA_PREFSRC], route->source, sizeof route->source);
  if (a[RTA_MULTIPATH])
    first_hop(a[RTA_MULTIPATH], m->rtm_family, route);
  return m->rtm_type == RTN_UNICAST || m->rtm_type == RTN_LOCAL;
}

static void take_route(FerryRtnetlink *t, struct nlmsghdr *header) {
  Route route = {0};
  guint table;
  const struct rtmsg *m = nlmsg_data(header);
  if (read_route(header, &route, &table) && table == RT_TABLE_MAIN && m->rtm_type != RTN_LOCAL &&
      !(m->rtm_flags & RTM_F_CLONED) && !g_str_has_prefix(route.destination, "fe80:"))
    g_array_append_val(t->routes, route);
}

/* The kernel makes three: local, main and default, which is empty. */
static void take_rule(FerryRtnetlink *t, struct nlmsghdr *header) {
  struct nlattr *a[FRA_MAX + 1];
  const struct fib_rule_hdr *m = nlmsg_data(header);
  if (nlmsg_parse(header, sizeof *m, a, FRA_MAX, NULL) < 0)
    return;
  guint table = a[FRA_TABLE] && nla_len(a[FRA_TABLE]) >= 4 ? nla_get_u32(a[FRA_TABLE]) : m->table;
  if (table != RT_TABLE_LOCAL && table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT)
    t->own_rules = TRUE;
}

static void take_message(FerryRtnetlink *t, struct nlmsghdr *header) {
  static const struct {
    guint16 type;
    gsize head;
    void (*take)(FerryRtnetlink *t, struct nlmsghdr *header);
  } known[] = {{RTM_NEWLINK, sizeof(struct ifinfomsg), take_link},
               {RTM_NEWADDR, sizeof(struct ifaddrmsg), take_address},
               {RTM_NEWROUTE, sizeof(struct rtmsg), take_route},
               {RTM_NEWRULE, sizeof(struct fib_rule_hdr), take_rule}};
  if (t->links->len + t->addresses->len + t->routes->len > MAX_ROWS)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (header->nlmsg_type == known[i].type && nlmsg_valid_hdr(header, (int)known[i].head))
      known[i].take(t, header);
}

typedef void (*RtnetlinkEach)(struct nlmsghdr *header, gpointer data);

static void each_message(const void *bytes, gsize n, RtnetlinkEach each, gpointer data) {
  g_autofree guint8 *copy = g_malloc(n + 1); /* aligned, whatever the caller's is */
  memcpy(copy, bytes, n);
  int left = (int)MIN(n, G_MAXINT / 2);
  for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)copy; nlmsg_ok(h, left);
       h = nlmsg_next(h, &left))
    each(h, data);
}

static void take_each(struct nlmsghdr *header, gpointer data) {
  take_message(data, header);
}

void ferry_rtnetlink_take(FerryRtnetlink *t, const void *bytes, gsize n) {
  each_message(bytes, n, take_each, t);
}

static void answer_each(struct nlmsghdr *header, gpointer data) {
  FerryRtnetlinkRoute *out = data;
  Route route = {0};
  guint table;
  if (out->interface || header->nlmsg_type != RTM_NEWROUTE ||
      !nlmsg_valid_hdr(header, (int)sizeof(struct rtmsg)) || !read_route(header, &route, &table))
    return;
  out->interface = route.link;
  g_strlcpy(out->source, route.source, sizeof out->source);
  g_strlcpy(out->gateway, route.gateway, sizeof out->gateway);
}

gboolean ferry_rtnetlink_answer(const void *bytes, gsize n, FerryRtnetlinkRoute *out) {
  *out = (FerryRtnetlinkRoute){0};
  each_message(bytes, n, answer_each, out);
  return out->interface != 0;
}

/* ---- the tables as fields ---- */

static const Link *rtnetlink_link(const FerryRtnetlink *t, guint index) {
  for (guint i = 0; index && i < t->links->len; i++)
    if (g_array_index(t->links, Link, i).index == index)
      return &g_array_index(t->links, Link, i);
  return NULL;
}

const char *ferry_rtnetlink_name(const FerryRtnetlink *t, guint index) {
  const Link *link = rtnetlink_link(t, index);
  return link ? link->name : NULL;
}

gboolean ferry_rtnetlink_counters(const FerryRtnetlink *t, const char *name,
                                  FerryRtnetlinkCounters *out) {
  for (guint i = 0; i < t->links->len; i++) {
    const Link *link = &g_array_index(t->links, Link, i);
    if (!g_str_equal(link->name, name))
      continue;
    *out = link->counters;
    return link->counted;
  }
  return FALSE;
}

static gboolean link_runs(const Link *link) {
  return (link->flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

static gboolean is_tap(const Link *link) {
  return g_str_equal(link->kind, "tun");
}

/* Whether what is behind this port is wire: hardware, or something that is built on it. */
static gboolean is_wire(const Link *link) {
  static const char *const built[] = {"", "bond", "team", "vlan", NULL};
  return g_strv_contains(built, link->kind);
}

/* Why no packet leaves the machine by this bridge though it runs: new text; NULL: one may. */
static char *dead_uplinks(const FerryRtnetlink *t, const Link *bridge) {
  g_autoptr(GString) names = g_string_new(NULL);
  gboolean wired = FALSE;
  for (guint i = 0; i < t->links->len; i++) {
    const Link *port = &g_array_index(t->links, Link, i);
    wired = wired || (port->master == bridge->index && is_wire(port));
  }
  for (guint i = 0; i < t->links->len; i++) {
    const Link *port = &g_array_index(t->links, Link, i);
    if (port->master != bridge->index || is_tap(port) || (wired && !is_wire(port)))
      continue;
    if (link_runs(port))
      return NULL;
    g_string_append_printf(names, "%s%s", names->len ? ", " : "", port->name);
  }
  return names->len ? g_strdup_printf("no uplink of the bridge has a carrier (%s)", names->str)
                    : NULL;
}

/* New text; NULL: it is up. */
static char *down_reason(const FerryRtnetlink *t, const Link *link) {
  if (!(link->flags & IFF_UP))
    return g_strdup("it is set down");
  if (!(link->flags & IFF_RUNNING))
    return g_strdup("it has no carrier");
  return g_str_equal(link->kind, "bridge") ? dead_uplinks(t, link) : NULL;
}

static json_t *addresses_of_link(const FerryRtnetlink *t, const Link *link) {
  json_t *list = json_array();
  for (guint i = 0; i < t->addresses->len; i++) {
    const Address *a = &g_array_index(t->addresses, Address, i);
    if (a->link == link->index)
      json_array_append_new(list, json_string(a->text));
  }
  return list;
}

static void rtnetlink_set_name(const FerryRtnetlink *t, json_t *item, const char *key,
                               guint index) {
  const char *name = ferry_rtnetlink_name(t, index);
  if (name)
    ferry_json_set_str(item, key, name);
}

json_t *ferry_rtnetlink_interfaces(const FerryRtnetlink *t) {
  json_t *list = json_array();
  for (guint i = 0; i < t->links->len; i++) {
    const Link *link = &g_array_index(t->links, Link, i);
    json_t *addresses = addresses_of_link(t, link);
    if ((link->flags & IFF_LOOPBACK) || (is_tap(link) && json_array_size(addresses) == 0) ||
        json_array_size(list) >= FERRY_RTNETLINK_MAX_INTERFACES) {
      json_decref(addresses);
      continue;
    }
    g_autofree char *down = down_reason(t, link);
    json_t *item = json_pack(
        "{s:s, s:o, s:b, s:s, s:I}", "name", link->name, "addresses", addresses, "up", down == NULL,
        "kind", *link->kind ? link->kind : "physical", "mtuBytes", (json_int_t)link->mtu);
    if (down)
      ferry_json_set_str(item, "downReason", down);
    if (link->vlan >= 0)
      ferry_json_set_int(item, "vlan", link->vlan);
    if (link->over != link->index)
      rtnetlink_set_name(t, item, "over", link->over);
    rtnetlink_set_name(t, item, "master", link->master);
    json_array_append_new(list, item);
  }
  return list;
}

json_t *ferry_rtnetlink_routes(const FerryRtnetlink *t) {
  if (t->own_rules || t->routes->len > FERRY_RTNETLINK_MAX_ROUTES)
    return NULL;
  json_t *list = json_array();
  for (guint i = 0; i < t->routes->len; i++) {
    const Route *r = &g_array_index(t->routes, Route, i);
    json_t *item =
        json_pack("{s:s, s:I}", "destination", r->destination, "metric", (json_int_t)r->metric);
    rtnetlink_set_name(t, item, "interface", r->link);
    if (*r->gateway)
      ferry_json_set_str(item, "gateway", r->gateway);
    if (*r->source)
      ferry_json_set_str(item, "source", r->source);
    json_array_append_new(list, item);
  }
  return list;
}
