// SPDX-License-Identifier: Apache-2.0
#include "policy/network/network.h"
#include <string.h>
#include <sys/socket.h>

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

static json_t *fast_network(const char *fallback) {
  return json_pack("{s{ss},s{s[s],s[s],ss}}", "metadata", "name", "fast", "spec", "roles",
                   "migration", "subnets", "10.9.0.0/16", "fallback", fallback);
}

static void set_interface(json_t *n, const char *name, const char *key, json_t *value) {
  json_object_set_new(ferry_json_find(ferry_json_get(n, "status.interfaces"), "name", name), key,
                      value);
}

/* A dead NIC is when one evacuates: over management where that is allowed, else a refusal that
 * names it. Its address is not the management network's, though it comes first. */
static void test_dead_link(void) {
  g_autoptr(json_t) warn = fast_network("warn");
  g_autoptr(json_t) deny = fast_network("deny");
  g_autoptr(json_t) h1 = node("h1", "10.1.0.1", "10.9.0.1/24", NULL);
  g_autoptr(json_t) h2 = node("h2", "10.9.0.2", "10.9.0.2/24", NULL);
  g_autofree char *problem = NULL;
  set_interface(h2, "mig", "up", json_false());
  set_interface(h2, "mig", "downReason", json_string("it has no carrier"));
  set_interface(h2, "mgmt", "addresses", json_pack("[s]", "10.1.0.2/24"));
  g_auto(FerryRoute) r = {0};
  g_assert_true(ferry_network_route(&warn, 1, NULL, h1, h2, &r, &problem));
  g_assert_null(r.network);
  g_assert_cmpstr(r.address, ==, "10.1.0.2");
  g_assert_nonnull(strstr(r.warning, "mig (10.9.0.2) is down: it has no carrier"));
  g_auto(FerryRoute) none = {0};
  g_assert_false(ferry_network_route(&deny, 1, NULL, h1, h2, &none, &problem));
  g_assert_nonnull(strstr(problem, "node h2"));
  g_assert_nonnull(strstr(problem, "mig (10.9.0.2)"));
}

/* Two subnets of one network: the route decides, and no fallback hides that it is missing. */
static void test_two_subnets(void) {
  g_autoptr(json_t) network = fast_network("allow");
  g_autoptr(json_t) h1 = node("h1", "10.1.0.1", "10.9.1.1/24", NULL);
  g_autoptr(json_t) h2 = node("h2", "10.1.0.2", "10.9.2.2/24", NULL);
  g_autofree char *problem = NULL;
  ferry_json_set(h1, "status.routes",
                 json_pack("[{ss,ss,ss},{ss,ss}]", "destination", "0.0.0.0/0", "interface", "mgmt",
                           "gateway", "10.1.0.254", "destination", "10.9.1.0/24", "interface",
                           "mig"));
  g_auto(FerryRoute) none = {0};
  g_assert_false(ferry_network_route(&network, 1, NULL, h1, h2, &none, &problem));
  g_assert_nonnull(strstr(problem, "would leave by mgmt"));
  json_array_append_new(ferry_json_get(h1, "status.routes"),
                        json_pack("{ss,ss,ss}", "destination", "10.9.2.0/24", "interface", "mig",
                                  "gateway", "10.9.1.254"));
  g_auto(FerryRoute) r = {0};
  g_clear_pointer(&problem, g_free);
  g_assert_true(ferry_network_route(&network, 1, NULL, h1, h2, &r, &problem));
  g_assert_cmpstr(r.network, ==, "fast");
  g_assert_cmpstr(r.address, ==, "10.9.2.2");
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
  g_test_add_func("/network/route", test_route);
  g_test_add_func("/network/dead-link", test_dead_link);
  g_test_add_func("/network/two-subnets", test_two_subnets);
  g_test_add_func("/network/interface-only", test_interface_only);
  return g_test_run();
}
