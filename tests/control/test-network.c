// SPDX-License-Identifier: Apache-2.0
#include "control/network.h"
#include "world.h"

static json_t *network(void) {
  return json_pack("{ss,ss,s{ss},s{s[s],s[ss],ss}}", "apiVersion", "ferry.migration/v1", "kind",
                   "Network", "metadata", "name", "fast", "spec", "roles", "migration", "subnets",
                   "10.9.0.0/24", "fd00::/64", "fallback", "deny");
}

/* Steps the network in the store; whether anything was written. */
static gboolean step(FerryStore *store) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) object = ferry_store_get(store, &ferry_kind_network, "", "fast");
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  ferry_network_step(object, (json_t *const *)nodes->pdata, nodes->len, WORLD_NOW, plan);
  gboolean written = !ferry_plan_is_empty(plan);
  world_commit(store, plan);
  return written;
}

static void join(FerryStore *store, const char *node, const char *address) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(n);
  ferry_json_set(copy, "status.interfaces",
                 json_pack("[{ss,s[s]}]", "name", "migr", "addresses", address));
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

static void test_nodes(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_network, network());
  g_assert_true(step(store));
  g_autoptr(json_t) none = ferry_store_get(store, &ferry_kind_network, "", "fast");
  g_assert_cmpstr(ferry_condition_status(none, FERRY_CONDITION_READY), ==, "False");
  join(store, "h1", "10.9.0.1/24");
  g_assert_true(step(store));
  g_autoptr(json_t) one = ferry_store_get(store, &ferry_kind_network, "", "fast");
  const json_t *nodes = ferry_json_get(one, "status.nodes");
  g_assert_cmpstr(ferry_json_str(ferry_json_find(nodes, "nodeName", "h1"), "address"), ==,
                  "10.9.0.1");
  g_assert_cmpstr(ferry_json_str(ferry_json_find(nodes, "nodeName", "h2"), "address"), ==, "");
  const json_t *ready = ferry_json_find(ferry_json_get(one, "status.conditions"), "type", "Ready");
  g_assert_cmpstr(ferry_json_str(ready, "message"), ==,
                  "1 of 2 nodes: h2 (it has no address in it)");
  join(store, "h2", "fd00::2/64");
  g_assert_true(step(store));
  g_autoptr(json_t) both = ferry_store_get(store, &ferry_kind_network, "", "fast");
  g_assert_cmpstr(ferry_condition_status(both, FERRY_CONDITION_READY), ==, "True");
  g_assert_false(step(store)); /* nothing changed: nothing is written */
}

/* The migration link of h1 goes down and comes back. */
static void test_a_dead_link_is_named(void) {
  g_autoptr(json_t) object = network();
  g_autoptr(json_t) node = json_pack("{s{ss},s{s[{ss,sb,ss,s[s]}]}}", "metadata", "name", "h1",
                                     "status", "interfaces", "name", "migr", "up", 0, "downReason",
                                     "it has no carrier", "addresses", "10.9.0.1/24");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_assert_true(ferry_network_judge_node(node, &object, 1, WORLD_NOW, plan));
  const char *text =
      ferry_json_str(ferry_condition_find(node, FERRY_CONDITION_NETWORK_UNAVAILABLE), "message");
  g_assert_nonnull(strstr(text, "interface migr (10.9.0.1) is down: it has no carrier"));
  g_assert_false(ferry_plan_is_empty(plan)); /* an event */
  g_assert_false(ferry_network_judge_node(node, &object, 1, WORLD_NOW, plan));
  ferry_json_set(ferry_json_get(node, "status"), "interfaces",
                 json_pack("[{ss,sb,s[s]}]", "name", "migr", "up", 1, "addresses", "10.9.0.1/24"));
  g_assert_true(ferry_network_judge_node(node, &object, 1, WORLD_NOW, plan));
  g_assert_null(ferry_condition_find(node, FERRY_CONDITION_NETWORK_UNAVAILABLE));
}

/* Neither the role's nor a required one: nobody need know. */
static void test_a_network_that_nobody_needs(void) {
  g_autoptr(json_t) object = network();
  g_autoptr(json_t) node =
      json_pack("{s{ss},s{s[{ss,sb,s[s]}]}}", "metadata", "name", "h1", "status", "interfaces",
                "name", "mgmt", "up", 1, "addresses", "10.1.0.1/24");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_json_set(object, "spec.roles", json_array());
  g_assert_false(ferry_network_judge_node(node, &object, 1, WORLD_NOW, plan));
  ferry_json_set_bool(object, "spec.required", TRUE);
  g_assert_true(ferry_network_judge_node(node, &object, 1, WORLD_NOW, plan));
  g_assert_true(ferry_condition_holds(node, FERRY_CONDITION_NETWORK_UNAVAILABLE));
}

static void test_no_nodes(void) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) object = network();
  ferry_network_step(object, NULL, 0, WORLD_NOW, plan);
  g_assert_false(ferry_plan_is_empty(plan));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/network/nodes", test_nodes);
  g_test_add_func("/network/no-nodes", test_no_nodes);
  g_test_add_func("/network/dead-link", test_a_dead_link_is_named);
  g_test_add_func("/network/not-needed", test_a_network_that_nobody_needs);
  return g_test_run();
}
