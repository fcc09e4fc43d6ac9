// SPDX-License-Identifier: Apache-2.0
#include "model/migration/way.h"
#include <string.h>

static void test_contains(void) {
  g_assert_true(ferry_way_in_subnet("10.1.2.0/24", "10.1.2.255"));
  g_assert_false(ferry_way_in_subnet("10.1.2.0/24", "10.1.3.0"));
  g_assert_true(ferry_way_in_subnet("10.1.2.128/25", "10.1.2.200"));
  g_assert_false(ferry_way_in_subnet("10.1.2.128/25", "10.1.2.100"));
  g_assert_true(ferry_way_in_subnet("0.0.0.0/0", "8.8.8.8"));
  g_assert_true(ferry_way_in_subnet("fd00:1::/32", "fd00:1:2::3"));
  g_assert_false(ferry_way_in_subnet("fd00:1::/32", "fd00:2::3"));
  g_assert_false(ferry_way_in_subnet("10.0.0.0/8", "fd00::1"));
  g_assert_false(ferry_way_in_subnet("10.0.0.0/40", "10.0.0.1"));
  g_assert_false(ferry_way_in_subnet("10.0.0.0", "10.0.0.0"));
  g_assert_false(ferry_way_in_subnet("rubbish/8", "10.0.0.1"));
}

static json_t *interfaces(void) {
  return json_pack("[{ss,sb,s[s,s]},{ss,sb,s[s,s]}]", "name", "mgmt", "up", 1, "addresses",
                   "10.1.0.1/24", "fd01::1/64", "name", "migr", "up", 1, "addresses", "10.9.1.1/24",
                   "fd09:1::1/64");
}

static json_t *routes(const char *destination, const char *interface, const char *gateway) {
  json_t *list = json_pack("[{ss,ss,ss},{ss,ss},{ss,ss}]", "destination", "0.0.0.0/0", "interface",
                           "mgmt", "gateway", "10.1.0.254", "destination", "10.1.0.0/24",
                           "interface", "mgmt", "destination", "10.9.1.0/24", "interface", "migr");
  if (destination)
    json_array_append_new(list, json_pack("{ss,ss*,ss*}", "destination", destination, "interface",
                                          interface, "gateway", gateway));
  return list;
}

/* What is wrong with the way to `to` over a network of both subnets; NULL: nothing. */
static char *problem_to(const char *to, json_t *own_routes, const char *source) {
  g_autoptr(json_t) list = own_routes;
  g_autoptr(json_t) own = interfaces();
  g_autoptr(json_t) subnets = json_pack("[s,s,s]", "10.9.1.0/24", "10.9.2.0/24", "fd09:1::/64");
  FerryWayNetwork network = {"fast", subnets, NULL};
  g_auto(FerryWay) way = {0};
  FerryWayAnswer answer = ferry_way_find(list, own, to, &way);
  g_assert_cmpint(answer, !=, FERRY_WAY_UNKNOWN);
  if (source && answer == FERRY_WAY_FOUND)
    g_assert_cmpstr(way.source, ==, source);
  return ferry_way_problem(&network, own, answer == FERRY_WAY_FOUND ? &way : NULL, "h1", "h2", to);
}

static void test_on_the_link(void) {
  g_assert_null(problem_to("10.9.1.2", routes(NULL, NULL, NULL), "10.9.1.1"));
}

/* The other subnet is reached by the default route, which is the management network's. */
static void test_missing_route_is_named(void) {
  g_autofree char *text = problem_to("10.9.2.2", routes(NULL, NULL, NULL), "10.1.0.1");
  static const char *const words[] = {"h1",
                                      "10.9.2.2 of h2",
                                      "\"fast\"",
                                      "by mgmt",
                                      "10.1.0.254",
                                      "migr (10.9.1.1)",
                                      "ip route add 10.9.2.2"};
  for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
    if (!strstr(text, words[i]))
      g_error("\"%s\" is not in: %s", words[i], text);
}

static void test_by_the_networks_gateway(void) {
  g_assert_null(problem_to("10.9.2.2", routes("10.9.2.0/24", "migr", "10.9.1.254"), "10.9.1.1"));
}

static void test_what_refuses_is_no_route(void) {
  g_autofree char *text = problem_to("10.9.2.2", routes("10.9.2.0/24", NULL, NULL), NULL);
  g_assert_nonnull(strstr(text, "has no route to 10.9.2.2 of h2"));
  g_autofree char *six = problem_to("fd09:1::2", routes(NULL, NULL, NULL), NULL);
  g_assert_nonnull(strstr(six, "migr (fd09:1::1)")); /* the family's own address */
}

static void test_elsewhere_is_not_the_network(void) {
  g_autofree char *text = problem_to("10.7.0.2", routes(NULL, NULL, NULL), NULL);
  g_assert_nonnull(strstr(text, "is not in Network"));
}

/* A source address that was set on the route counts, as the interface does. */
static void test_source_of_the_route(void) {
  json_t *list = routes(NULL, NULL, NULL);
  json_array_append_new(list, json_pack("{ss,ss,ss,ss}", "destination", "10.9.2.0/24", "interface",
                                        "migr", "gateway", "10.9.1.254", "source", "10.1.0.1"));
  g_autofree char *text = problem_to("10.9.2.2", list, "10.1.0.1");
  g_assert_nonnull(strstr(text, "source address"));
}

static void test_longest_then_cheapest(void) {
  g_autoptr(json_t) own = interfaces();
  g_autoptr(json_t) list =
      json_pack("[{ss,ss,si},{ss,ss,si},{ss,ss,si}]", "destination", "10.9.0.0/16", "interface",
                "mgmt", "metric", 10, "destination", "10.9.2.0/24", "interface", "mgmt", "metric",
                20, "destination", "10.9.2.0/24", "interface", "migr", "metric", 5);
  g_auto(FerryWay) way = {0};
  g_assert_cmpint(ferry_way_find(list, own, "10.9.2.2", &way), ==, FERRY_WAY_FOUND);
  g_assert_cmpstr(way.interface, ==, "migr");
  json_object_set_new(json_array_get(own, 1), "up", json_false());
  g_auto(FerryWay) other = {0};
  g_assert_cmpint(ferry_way_find(list, own, "10.9.2.2", &other), ==, FERRY_WAY_FOUND);
  g_assert_cmpstr(other.interface, ==, "mgmt"); /* the kernel takes no route by a dead link */
  g_auto(FerryWay) none = {0};
  g_assert_cmpint(ferry_way_find(NULL, own, "10.9.2.2", &none), ==, FERRY_WAY_UNKNOWN);
}

static void test_fallback(void) {
  g_autoptr(json_t) network = json_pack("{s:{}}", "spec");
  g_assert_cmpint(ferry_network_fallback(network), ==, FERRY_FALLBACK_WARN);
  for (guint f = 0; ferry_network_fallbacks[f]; f++) {
    ferry_json_set_str(network, "spec.fallback", ferry_network_fallbacks[f]);
    g_assert_cmpint(ferry_network_fallback(network), ==, f);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/way/subnets", test_contains);
  g_test_add_func("/way/on-the-link", test_on_the_link);
  g_test_add_func("/way/missing-route", test_missing_route_is_named);
  g_test_add_func("/way/gateway", test_by_the_networks_gateway);
  g_test_add_func("/way/refuses", test_what_refuses_is_no_route);
  g_test_add_func("/way/elsewhere", test_elsewhere_is_not_the_network);
  g_test_add_func("/way/source", test_source_of_the_route);
  g_test_add_func("/way/longest-then-cheapest", test_longest_then_cheapest);
  g_test_add_func("/way/fallback", test_fallback);
  return g_test_run();
}
