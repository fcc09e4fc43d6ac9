// SPDX-License-Identifier: Apache-2.0
#include "control/node_claims.h"
#include "world.h"
#include <string.h>

static void report_from(FerryStore *store, const char *node, const char *peer,
                        const char *address) {
  g_autoptr(GError) error = NULL;
  g_autofree char *prefix = g_strconcat(address, "/24", NULL);
  json_t *hypervisor = json_object();
  json_object_set_new(hypervisor, "peerURI", json_string("qemu+ext://x/system?command=id"));
  if (peer)
    json_object_set_new(hypervisor, "peer", ferry_json_parse(peer, strlen(peer), NULL));
  g_autoptr(json_t) body = json_pack(
      "{s:{s:o, s:[{s:s, s:s}], s:[{s:s, s:[s]}]}}", "node", "hypervisor", hypervisor, "addresses",
      "type", "InternalIP", "address", address, "interfaces", "name", "eth0", "addresses", prefix);
  ferry_inventory_report(store, node, body, WORLD_NOW, &error);
  g_assert_no_error(error);
}

static json_t *stored(FerryStore *store, const char *name) {
  return ferry_store_get(store, &ferry_kind_node, "", name);
}

#define TLS(host) "{\"scheme\":\"tls\",\"host\":\"" host "\"}"

static const char *peer_of(const json_t *node) {
  return ferry_json_str(node, "status.hypervisor.peer.host");
}

static void test_own(void) {
  g_autoptr(FerryStore) store = world_new();
  report_from(store, "h1", TLS("h1.example.com"), "10.0.0.1");
  g_autoptr(json_t) h1 = stored(store, "h1");
  g_assert_cmpstr(peer_of(h1), ==, "h1.example.com");
  g_assert_cmpstr(ferry_json_str(h1, "status.hypervisor.peerURI"), ==,
                  "qemu+tls://h1.example.com/system"); /* and not what was reported */
  g_assert_null(ferry_condition_status(h1, FERRY_CONDITION_PEER_CONFLICT));
  report_from(store, "h1", NULL, "10.0.0.1");
  g_autoptr(json_t) none = stored(store, "h1");
  g_assert_null(ferry_json_str(none, "status.hypervisor.peerURI"));
}

/* What another node is called, what it said first, or what address it has. */
static void test_of_another(void) {
  static const char *const claims[] = {TLS("h2"), TLS("h2.example.com"), TLS("10.0.0.2")};
  for (gsize i = 0; i < G_N_ELEMENTS(claims); i++) {
    g_autoptr(FerryStore) store = world_new();
    report_from(store, "h2", TLS("h2.example.com"), "10.0.0.2");
    report_from(store, "h1", claims[i], "10.0.0.1");
    g_autoptr(json_t) h1 = stored(store, "h1");
    g_autoptr(json_t) h2 = stored(store, "h2");
    g_assert_null(peer_of(h1));
    g_assert_cmpstr(ferry_condition_status(h1, FERRY_CONDITION_PEER_CONFLICT), ==, "True");
    g_assert_cmpstr(peer_of(h2), ==, "h2.example.com");
    report_from(store, "h2", TLS("h2.example.com"), "10.0.0.2");
    g_autoptr(json_t) again = stored(store, "h2"); /* the victim loses nothing */
    g_assert_cmpstr(peer_of(again), ==, "h2.example.com");
    g_assert_null(ferry_condition_status(again, FERRY_CONDITION_PEER_CONFLICT));
    report_from(store, "h1", TLS("h1"), "10.0.0.1");
    g_autoptr(json_t) mended = stored(store, "h1");
    g_assert_cmpstr(peer_of(mended), ==, "h1");
    g_assert_null(ferry_condition_status(mended, FERRY_CONDITION_PEER_CONFLICT));
  }
}

/* A node's name is its own, whoever said it before. */
static void test_name_wins(void) {
  g_autoptr(FerryStore) store = world_new();
  report_from(store, "h1", TLS("h3"), "10.0.0.1");
  world_add(store, &ferry_kind_node, world_node("h3", "10.0.0.3"));
  report_from(store, "h3", TLS("h3"), "10.0.0.3");
  report_from(store, "h1", TLS("h3"), "10.0.0.1");
  g_autoptr(json_t) h1 = stored(store, "h1");
  g_autoptr(json_t) h3 = stored(store, "h3");
  g_assert_null(peer_of(h1));
  g_assert_cmpstr(peer_of(h3), ==, "h3");
}

/* Where such a thing got past the report's own check, it goes here. */
static void test_no_peer(void) {
  static const char *const bad[] = {"{\"scheme\":\"ext\",\"host\":\"x\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h1?no_verify=1\"}", "{}",
                                    "{\"scheme\":\"ssh\",\"host\":\"h1\",\"command\":\"id\"}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(json_t) before = world_node("h1", "10.0.0.1");
    g_autoptr(json_t) after = json_deep_copy(before);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_json_set(after, "status.hypervisor.peer", ferry_json_parse(bad[i], strlen(bad[i]), NULL));
    ferry_node_claims_apply(plan, after, before, &before, 1, NULL, 0, WORLD_NOW);
    g_assert_null(ferry_json_get(after, "status.hypervisor.peer"));
    g_assert_null(ferry_json_get(after, "status.hypervisor.peerURI"));
    g_assert_cmpstr(ferry_condition_status(after, FERRY_CONDITION_PEER_CONFLICT), ==, "True");
  }
}

static void test_address_of_another(void) {
  g_autoptr(FerryStore) store = world_new();
  report_from(store, "h2", TLS("h2"), "10.0.0.2");
  report_from(store, "h1", TLS("h1"), "10.0.0.2");
  g_autoptr(json_t) h1 = stored(store, "h1");
  g_autoptr(json_t) h2 = stored(store, "h2");
  g_assert_cmpuint(json_array_size(ferry_json_get(h1, "status.addresses")), ==, 0);
  g_assert_cmpstr(ferry_condition_status(h1, FERRY_CONDITION_ADDRESS_CONFLICT), ==, "True");
  g_assert_cmpuint(json_array_size(ferry_json_get(h2, "status.addresses")), ==, 1);
  report_from(store, "h1", TLS("h1"), "10.0.0.1");
  g_autoptr(json_t) mended = stored(store, "h1");
  g_assert_null(ferry_condition_status(mended, FERRY_CONDITION_ADDRESS_CONFLICT));
  g_assert_cmpuint(json_array_size(ferry_json_get(mended, "status.addresses")), ==, 1);
}

/* A host on several networks shows one address of each family. */
static void one_of_each_family(void) {
  static const char before[] =
      "{\"status\":{\"addresses\":[{\"type\":\"Hostname\",\"address\":\"h1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"127.0.0.2\"},"
      "{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"10.1.0.1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"fe80::1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"fd00::1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"fd01::1\"}]}}";
  static const char after[] =
      "{\"status\":{\"addresses\":[{\"type\":\"Hostname\",\"address\":\"h1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"},"
      "{\"type\":\"InternalIP\",\"address\":\"fd00::1\"}]}}";
  g_autoptr(json_t) node = ferry_json_parse(before, strlen(before), NULL);
  g_autoptr(json_t) wanted = ferry_json_parse(after, strlen(after), NULL);
  ferry_node_addresses_reduce(node);
  g_assert_true(json_equal(node, wanted));
  ferry_node_addresses_reduce(node);
  g_assert_true(json_equal(node, wanted));
}

/* What nobody can reach is better than nothing. */
static void only_unusable(void) {
  g_autoptr(json_t) node = json_pack("{s:{s:[{s:s, s:s}]}}", "status", "addresses", "type",
                                     "InternalIP", "address", "127.0.0.1");
  ferry_node_addresses_reduce(node);
  g_assert_cmpuint(json_array_size(ferry_json_get(node, "status.addresses")), ==, 1);
  g_autoptr(json_t) none = json_object();
  ferry_node_addresses_reduce(none);
  g_assert_cmpuint(json_object_size(none), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/node_claims/own", test_own);
  g_test_add_func("/control/node_claims/of-another", test_of_another);
  g_test_add_func("/control/node_claims/name-wins", test_name_wins);
  g_test_add_func("/control/node_claims/no-peer", test_no_peer);
  g_test_add_func("/control/node_claims/address", test_address_of_another);
  g_test_add_func("/node_claims/one-of-each-family", one_of_each_family);
  g_test_add_func("/node_claims/only-unusable", only_unusable);
  return g_test_run();
}
