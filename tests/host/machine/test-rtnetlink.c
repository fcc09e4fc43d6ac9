// SPDX-License-Identifier: Apache-2.0
// Messages of kinds that a test's kernel need not have (VLAN, bond), and broken ones.
#include "host/machine/rtnetlink.h"
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

static struct nl_msg *message_of(int type, const void *head, gsize size) {
  struct nl_msg *m = nlmsg_alloc_simple(type, 0);
  g_assert_cmpint(nlmsg_append(m, (void *)head, size, NLMSG_ALIGNTO), ==, 0);
  return m;
}

static void take(FerryRtnetlink *t, struct nl_msg *m) {
  ferry_rtnetlink_take(t, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
  nlmsg_free(m);
}

static void add_link(FerryRtnetlink *t, int index, const char *name, const char *kind, guint master,
                     guint over, int vlan) {
  struct ifinfomsg head = {.ifi_index = index, .ifi_flags = IFF_UP | IFF_RUNNING};
  struct nl_msg *m = message_of(RTM_NEWLINK, &head, sizeof head);
  nla_put_string(m, IFLA_IFNAME, name);
  nla_put_u32(m, IFLA_MTU, 9000);
  if (master)
    nla_put_u32(m, IFLA_MASTER, master);
  if (over)
    nla_put_u32(m, IFLA_LINK, over);
  if (kind) {
    struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
    nla_put_string(m, IFLA_INFO_KIND, kind);
    struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
    if (vlan >= 0)
      nla_put_u16(m, IFLA_VLAN_ID, (guint16)vlan);
    nla_nest_end(m, data);
    nla_nest_end(m, info);
  }
  take(t, m);
}

static void add_address(FerryRtnetlink *t, guint index, const char *text, guint8 bits) {
  struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = bits, .ifa_index = index};
  struct nl_msg *m = message_of(RTM_NEWADDR, &head, sizeof head);
  guint32 address = inet_addr(text);
  nla_put(m, IFA_LOCAL, sizeof address, &address);
  take(t, m);
}

static FerryRtnetlink *stack_of_links(void) {
  FerryRtnetlink *t = ferry_rtnetlink_new();
  add_link(t, 2, "eth0", NULL, 4, 0, -1);
  add_link(t, 3, "eth1", NULL, 4, 0, -1);
  add_link(t, 4, "bond0", "bond", 0, 0, -1);
  add_link(t, 5, "bond0.71", "vlan", 6, 4, 71);
  add_link(t, 6, "br71", "bridge", 0, 0, -1);
  add_address(t, 6, "10.9.1.1", 24);
  return t;
}

static void test_bond_vlan_bridge(void) {
  g_autoptr(FerryRtnetlink) t = stack_of_links();
  g_autoptr(json_t) list = ferry_rtnetlink_interfaces(t);
  g_autofree char *text = ferry_json_dump(ferry_json_find(list, "name", "bond0.71"));
  const json_t *vlan = ferry_json_find(list, "name", "bond0.71");
  g_assert_cmpint(ferry_json_int(vlan, "vlan", 0), ==, 71);
  g_assert_cmpstr(ferry_json_str(vlan, "over"), ==, "bond0");
  g_assert_cmpstr(ferry_json_str(vlan, "master"), ==, "br71");
  g_assert_cmpstr(ferry_json_str(ferry_json_find(list, "name", "eth0"), "master"), ==, "bond0");
  g_assert_cmpstr(ferry_json_str(ferry_json_find(list, "name", "eth0"), "kind"), ==, "physical");
  const json_t *bridge = ferry_json_find(list, "name", "br71");
  g_assert_true(ferry_json_bool(bridge, "up", FALSE));
  g_assert_cmpint(ferry_json_int(bridge, "mtuBytes", 0), ==, 9000);
  g_assert_cmpstr(json_string_value(json_array_get(json_object_get(bridge, "addresses"), 0)), ==,
                  "10.9.1.1/24");
}

/* Cut off anywhere, or with any byte another one, it is read without harm. */
static void test_broken(void) {
  struct ifinfomsg head = {.ifi_index = 2, .ifi_flags = IFF_UP};
  struct nl_msg *m = message_of(RTM_NEWLINK, &head, sizeof head);
  nla_put_string(m, IFLA_IFNAME, "eth0");
  nla_put_u32(m, IFLA_MTU, 1500);
  gsize n = nlmsg_hdr(m)->nlmsg_len;
  g_autofree guint8 *bytes = g_memdup2(nlmsg_hdr(m), n);
  nlmsg_free(m);
  for (gsize cut = 0; cut < n; cut++) {
    g_autoptr(FerryRtnetlink) t = ferry_rtnetlink_new();
    g_autofree guint8 *copy = g_memdup2(bytes, MAX(1, cut));
    ferry_rtnetlink_take(t, copy, cut);
    g_autoptr(json_t) list = ferry_rtnetlink_interfaces(t);
    g_assert_cmpuint(json_array_size(list), ==, 0);
  }
  for (gsize i = 0; i < n * 8; i++) {
    g_autoptr(FerryRtnetlink) t = ferry_rtnetlink_new();
    FerryRtnetlinkRoute route;
    g_autofree guint8 *copy = g_memdup2(bytes, n);
    copy[i / 8] ^= (guint8)(1 << i % 8);
    ferry_rtnetlink_take(t, copy, n);
    g_autoptr(json_t) list = ferry_rtnetlink_interfaces(t);
    g_assert_false(ferry_rtnetlink_answer(copy, n, &route));
  }
}

static void add_route(FerryRtnetlink *t, guint i) {
  struct rtmsg head = {.rtm_family = AF_INET,
                       .rtm_dst_len = 32,
                       .rtm_table = RT_TABLE_MAIN,
                       .rtm_type = RTN_UNICAST};
  struct nl_msg *m = message_of(RTM_NEWROUTE, &head, sizeof head);
  guint32 to = htonl(0x0a000000 + i);
  nla_put(m, RTA_DST, sizeof to, &to);
  nla_put_u32(m, RTA_OIF, 6);
  take(t, m);
}

/* A router with all of the internet's routes is no evidence, and no load. */
static void test_too_many_routes(void) {
  g_autoptr(FerryRtnetlink) t = stack_of_links();
  for (guint i = 0; i < FERRY_RTNETLINK_MAX_ROUTES; i++)
    add_route(t, i);
  g_autoptr(json_t) all = ferry_rtnetlink_routes(t);
  g_assert_cmpuint(json_array_size(all), ==, FERRY_RTNETLINK_MAX_ROUTES);
  add_route(t, 70000);
  g_assert_null(ferry_rtnetlink_routes(t));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rtnetlink/bond-vlan-bridge", test_bond_vlan_bridge);
  g_test_add_func("/rtnetlink/broken", test_broken);
  g_test_add_func("/rtnetlink/too-many-routes", test_too_many_routes);
  return g_test_run();
}
