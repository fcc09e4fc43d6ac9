// SPDX-License-Identifier: Apache-2.0
// This machine's network as the kernel tells of it, in a network namespace of the test's own.
#include "host/machine/interfaces.h"
#include "host/network_bed.h"

static json_t *network_now(void) {
  g_autoptr(GError) error = NULL;
  json_t *network = ferry_host_local_network(&error);
  g_assert_no_error(error);
  return network;
}

static json_t *interface_of(const json_t *network, const char *name) {
  return ferry_json_find(ferry_json_get(network, "interfaces"), "name", name);
}

/* The kernel tells of a carrier some time after it has changed. */
static void assert_up(const char *name, const char *reason) {
  gint64 until_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (;;) {
    g_autoptr(json_t) network = network_now();
    const json_t *item = interface_of(network, name);
    const char *told = ferry_json_str(item, "downReason");
    g_assert_nonnull(item);
    if (reason ? told && strstr(told, reason) : ferry_json_bool(item, "up", FALSE)) {
      g_assert_cmpint(ferry_json_bool(item, "up", FALSE), ==, reason == NULL);
      return;
    }
    if (g_get_monotonic_time() > until_us)
      g_error("%s is to be %s, and is told of as %s", name, reason ? reason : "up",
              told ? told : "up");
    g_usleep(20000);
  }
}

static void test_kinds(void) {
  g_autoptr(json_t) network = network_now();
  const json_t *bridge = interface_of(network, "b0"), *mac = interface_of(network, "mac");
  g_assert_cmpstr(ferry_json_str(bridge, "kind"), ==, "bridge");
  g_assert_cmpint(ferry_json_int(bridge, "mtuBytes", 0), ==, 1400);
  g_assert_cmpstr(ferry_json_str(interface_of(network, "nic"), "master"), ==, "b0");
  g_assert_cmpstr(ferry_json_str(mac, "kind"), ==, "macvlan");
  g_assert_cmpstr(ferry_json_str(mac, "over"), ==, "plain");
  g_assert_null(interface_of(network, "lo"));
  g_assert_null(interface_of(network, "vnet0")); /* a VM's tap */
  g_autofree char *addresses = ferry_json_dump(json_object_get(bridge, "addresses"));
  g_assert_cmpstr(addresses, ==, "[\"10.9.1.1/24\",\"fd09:1::1/64\"]");
}

/* A bridge runs as long as any port does, a VM's tap, too; the network behind it needs its NIC. */
static void test_a_bridge_without_its_uplink(void) {
  assert_up("b0", NULL);
  bed_ip("ip link set other down");
  assert_up("nic", "no carrier");
  assert_up("b0", "nic");
  bed_ip("ip link set other up");
  assert_up("b0", NULL);
  bed_ip("ip link set b0 down");
  assert_up("b0", "set down");
  bed_ip("ip link set b0 up; ip -6 addr add fd09:1::1/64 dev b0 nodad");
}

static void test_routes_and_ways(void) {
  g_autoptr(GError) error = NULL;
  bed_ip("ip route add default via 10.9.1.254; ip route add 10.9.2.0/24 via 10.9.1.253 metric 7;"
         "ip route add unreachable 10.66.0.0/16");
  g_autoptr(json_t) network = network_now();
  json_t *routes = ferry_json_get(network, "routes");
  const json_t *far = ferry_json_find(routes, "destination", "10.9.2.0/24");
  g_assert_cmpstr(ferry_json_str(far, "gateway"), ==, "10.9.1.253");
  g_assert_cmpstr(ferry_json_str(far, "interface"), ==, "b0");
  g_assert_cmpint(ferry_json_int(far, "metric", 0), ==, 7);
  g_assert_nonnull(ferry_json_find(routes, "destination", "0.0.0.0/0"));
  g_assert_null(
      ferry_json_str(ferry_json_find(routes, "destination", "10.66.0.0/16"), "interface"));
  g_auto(FerryHostWay) way = {0};
  g_assert_true(ferry_host_way_to("10.9.2.7", &way, &error));
  g_assert_cmpstr(way.interface, ==, "b0");
  g_assert_cmpstr(way.source, ==, "10.9.1.1");
  g_assert_cmpstr(way.gateway, ==, "10.9.1.253");
  g_auto(FerryHostWay) six = {0};
  g_assert_true(ferry_host_way_to("fd09:1::2", &six, &error));
  g_assert_cmpstr(six.source, ==, "fd09:1::1");
  g_assert_null(six.gateway);
  g_auto(FerryHostWay) none = {0};
  g_assert_false(ferry_host_way_to("10.66.1.1", &none, &error));
  g_assert_nonnull(strstr(error->message, "no route to 10.66.1.1"));
  g_clear_error(&error);
  g_assert_false(ferry_host_way_to("h2", &none, &error));
}

/* Where rules of the machine's own choose the table, the main one says nothing. */
static void test_own_rules(void) {
  bed_ip("ip rule add from 10.9.1.1 lookup 100");
  g_autoptr(json_t) network = network_now();
  g_assert_null(ferry_json_get(network, "routes"));
  bed_ip("ip rule del from 10.9.1.1 lookup 100");
  g_autoptr(json_t) again = network_now();
  g_assert_nonnull(ferry_json_get(again, "routes"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!bed_namespace()) {
    g_test_message("no network namespace of its own");
    return 77;
  }
  int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  struct ifreq request = {.ifr_name = "vnet0", .ifr_flags = IFF_TAP | IFF_NO_PI};
  g_assert_cmpint(ioctl(tap, TUNSETIFF, &request), ==, 0);
  bed_ip(
      "ip link set lo up; ip link add b0 type bridge; ip link add nic type veth peer name other;"
      "ip link add plain type veth peer name plain0; ip link set plain0 up; ip link set plain up;"
      "ip link add mac link plain type macvlan; ip link set vnet0 master b0 up;"
      "ip link set nic master b0 up; ip link set other up; ip link set b0 mtu 1400 up;"
      "ip addr add 10.9.1.1/24 dev b0; ip -6 addr add fd09:1::1/64 dev b0 nodad");
  g_test_add_func("/interfaces/kinds", test_kinds);
  g_test_add_func("/interfaces/bridge-without-uplink", test_a_bridge_without_its_uplink);
  g_test_add_func("/interfaces/routes-and-ways", test_routes_and_ways);
  g_test_add_func("/interfaces/own-rules", test_own_rules);
  int result = g_test_run();
  close(tap);
  return result;
}
