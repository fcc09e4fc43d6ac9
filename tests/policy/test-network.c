// SPDX-License-Identifier: Apache-2.0
#include "policy/network.h"
#include <string.h>
#include <sys/socket.h>

static void test_contains(void) {
  g_assert_true(ferry_network_contains("10.1.2.0/24", "10.1.2.255"));
  g_assert_false(ferry_network_contains("10.1.2.0/24", "10.1.3.0"));
  g_assert_true(ferry_network_contains("10.1.2.128/25", "10.1.2.200"));
  g_assert_false(ferry_network_contains("10.1.2.128/25", "10.1.2.100"));
  g_assert_true(ferry_network_contains("0.0.0.0/0", "8.8.8.8"));
  g_assert_true(ferry_network_contains("fd00:1::/32", "fd00:1:2::3"));
  g_assert_false(ferry_network_contains("fd00:1::/32", "fd00:2::3"));
  g_assert_false(ferry_network_contains("10.0.0.0/8", "fd00::1"));
  g_assert_false(ferry_network_contains("10.0.0.0/40", "10.0.0.1"));
  g_assert_false(ferry_network_contains("10.0.0.0", "10.0.0.0"));
  g_assert_false(ferry_network_contains("rubbish/8", "10.0.0.1"));
}

static json_t *node(const char *name, const char *mgmt, const char *mig, const char *mig6) {
  json_t *n = json_pack("{s{ss},s{s[{ss,ss}],s[{ss,s[s]}]}}", "metadata", "name", name, "status",
                        "addresses", "type", "InternalIP", "address", mgmt, "interfaces", "name",
                        "mgmt", "addresses", mgmt);
  json_t *list = ferry_json_get(n, "status.interfaces");
  if (mig)
    json_array_append_new(list, json_pack("{ss,s[s]}", "name", "mig", "addresses", mig));
  if (mig6)
    json_array_append_new(list, json_pack("{ss,s[s]}", "name", "mig6", "addresses", mig6));
  return n;
}

static void test_route(void) {
  g_autoptr(json_t) network =
      json_pack("{s{ss},s{s[s],s[ss],ss}}", "metadata", "name", "fast", "spec", "roles",
                "migration", "subnets", "10.9.0.0/24", "fd00::/64", "fallback", "warn");
  g_autoptr(json_t) h1 = node("h1", "10.1.0.1", "10.9.0.1/24", "fd00::1/64");
  g_autoptr(json_t) h2 = node("h2", "10.1.0.2", "10.9.0.2/24", "fd00::2/64");
  g_autoptr(json_t) h3 = node("h3", "10.1.0.3", NULL, NULL);
  g_autoptr(json_t) h6 = node("h6", "10.1.0.6", NULL, "fd00::6/64");
  g_autofree char *problem = NULL;
  {
    g_auto(FerryRoute) r = {0};
    g_assert_true(ferry_network_route(&network, 1, NULL, h1, h2, &r, &problem));
    g_assert_cmpstr(r.address, ==, "10.9.0.2"); /* IPv4 first */
    g_assert_cmpstr(r.network, ==, "fast");
    g_assert_null(r.warning);
  }
  {
    g_auto(FerryRoute) r = {0};
    g_assert_true(ferry_network_route(&network, 1, "fast", h1, h6, &r, &problem));
    g_assert_cmpstr(r.address, ==, "fd00::6");
  }
  {
    g_auto(FerryRoute) r = {0};
    g_assert_true(ferry_network_route(&network, 1, NULL, h1, h3, &r, &problem));
    g_assert_cmpstr(r.address, ==, "10.1.0.3");
    g_assert_null(r.network);
    g_assert_nonnull(strstr(r.warning, "h3")); /* said: that is what warn is for */
  }
  ferry_json_set_str(network, "spec.fallback", "allow");
  {
    g_auto(FerryRoute) r = {0};
    g_assert_true(ferry_network_route(&network, 1, NULL, h1, h3, &r, &problem));
    g_assert_cmpstr(r.address, ==, "10.1.0.3");
    g_assert_null(r.warning); /* it was said to be all right */
  }
  ferry_json_set_str(network, "spec.fallback", "deny");
  {
    g_auto(FerryRoute) r = {0};
    g_assert_false(ferry_network_route(&network, 1, NULL, h3, h2, &r, &problem));
    g_assert_nonnull(strstr(problem, "h3"));
    g_clear_pointer(&problem, g_free);
  }
  {
    g_auto(FerryRoute) r = {0};
    g_assert_false(ferry_network_route(&network, 1, "slow", h1, h2, &r, &problem));
    g_assert_nonnull(strstr(problem, "slow"));
    g_clear_pointer(&problem, g_free);
  }
  {
    g_auto(FerryRoute) r = {0};
    g_assert_true(ferry_network_route(NULL, 0, NULL, h1, h2, &r, &problem));
    g_assert_cmpstr(r.address, ==, "10.1.0.2");
    g_assert_null(r.warning);
  }
}

/* an interface alone is a network, too; what only reaches the next host on a wire is no address */
static void test_interface_only(void) {
  g_autoptr(json_t) network = json_pack("{s{ss},s{s[s],ss}}", "metadata", "name", "bond", "spec",
                                        "roles", "migration", "interface", "mig6");
  g_autoptr(json_t) h1 = node("h1", "10.1.0.1", "10.9.0.1/24", "fe80::1/64");
  g_assert_null(ferry_network_node_address(network, h1, AF_INET6));
  g_autoptr(json_t) h2 = node("h2", "10.1.0.2", "10.9.0.2/24", "fd00::2/64");
  g_autofree char *six = ferry_network_node_address(network, h2, AF_INET6);
  g_assert_cmpstr(six, ==, "fd00::2");
  g_assert_null(ferry_network_node_address(network, h2, AF_INET));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/network/contains", test_contains);
  g_test_add_func("/network/route", test_route);
  g_test_add_func("/network/interface-only", test_interface_only);
  return g_test_run();
}
