// SPDX-License-Identifier: Apache-2.0
#include "policy/candidates.h"
#include <string.h>

static json_t *host(const char *name, gint64 used) {
  return json_pack("{s{ss},s{s{ss},sI,s[{ss,ss}],s{ss,s{ss,ss}}}}", "metadata", "name", name,
                   "status", "capacity", "memory", "8Gi", "memoryUsedBytes", (json_int_t)used,
                   "conditions", "type", "Ready", "status", "True", "hypervisor", "libvirtVersion",
                   "10.0.0", "peer", "scheme", "tls", "host", name);
}

static const json_t *of(const json_t *list, const char *name) {
  return ferry_json_find(list, "nodeName", name);
}

static void test_hosts_beside_each_other(void) {
  json_t *nodes[] = {host("h1", 0), host("h2", 4LL << 30), host("h3", 1LL << 30)};
  g_autoptr(json_t) vmi =
      json_pack("{s{s{s[s]}},s{ss,sI}}", "spec", "domain", "traits", "pstore", "status", "nodeName",
                "h1", "guestMemoryBytes", (json_int_t)1 << 30);
  g_autoptr(json_t) migration = json_object(), config = json_object();
  g_autoptr(json_t) coming = json_pack("{s{ss,s{ss}}}", "status", "phase", "Running",
                                       "migrationState", "targetNode", "h3");
  json_t *migrations[] = {coming};
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 3, .config = config};
  in.migrations = migrations;
  in.n_migrations = 1;
  g_autoptr(json_t) list = ferry_candidates(&in, nodes[2]);
  g_assert_cmpuint(json_array_size(list), ==, 2); /* it runs on h1 */
  g_assert_cmpint(ferry_json_int(of(list, "h2"), "memoryAfterBytes", -1), ==, 3LL << 30);
  g_assert_cmpint(ferry_json_int(of(list, "h3"), "memoryAfterBytes", -1), ==, 6LL << 30);
  g_assert_cmpint(ferry_json_int(of(list, "h3"), "inbound", -1), ==, 1);
  g_assert_cmpint(ferry_json_int(of(list, "h2"), "inbound", -1), ==, 0);
  g_assert_cmpuint(json_array_size(json_object_get(of(list, "h2"), "warnings")), ==, 1);
  g_assert_true(ferry_json_bool(of(list, "h3"), "chosen", FALSE));
  g_assert_false(ferry_json_bool(of(list, "h2"), "chosen", TRUE));
  g_assert_cmpstr(ferry_json_str(of(list, "h3"), "why"), ==,
                  "it has the best score: 600 of 1000 (memory 750, processors 500, link 500, "
                  "inbound 500)");

  ferry_json_set_str(migration, "spec.targetNode", "h2");
  g_autoptr(json_t) named = ferry_candidates(&in, nodes[1]);
  g_assert_cmpuint(json_array_size(named), ==, 1);
  g_assert_cmpstr(ferry_json_str(of(named, "h2"), "why"), ==, "it is named");
  g_autoptr(json_t) nobody = ferry_candidates(&in, NULL);
  g_assert_null(ferry_json_str(of(nobody, "h2"), "why"));
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

/* Each way of being ahead has its words. */
static void test_why(void) {
  json_t *nodes[] = {host("h1", 0), host("h2", 1LL << 30), host("h3", 1LL << 30)};
  g_autoptr(json_t) vmi = json_pack("{s{ss}}", "status", "nodeName", "h1");
  g_autoptr(json_t) migration = json_object(), config = json_object();
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 3, .config = config};
  g_autoptr(json_t) equal = ferry_candidates(&in, nodes[1]);
  g_assert_cmpstr(ferry_json_str(of(equal, "h2"), "why"), ==,
                  "tied with another host, chosen by name");
  ferry_json_set(nodes[2], "spec.taints",
                 json_pack("[{ss,ss}]", "key", "old", "effect", "PreferNoSchedule"));
  g_autoptr(json_t) less = ferry_candidates(&in, nodes[1]);
  g_assert_cmpstr(ferry_json_str(of(less, "h2"), "why"), ==, "the others have drawbacks");
  g_assert_cmpuint(json_array_size(json_object_get(of(less, "h3"), "drawbacks")), ==, 1);
  json_t *more[] = {nodes[0], nodes[1], nodes[2], host("h4", 3LL << 30)};
  ferry_json_set_int(nodes[2], "status.memoryUsedBytes", 0); /* a better score does not help it */
  in.nodes = more;
  in.n_nodes = 4;
  g_autoptr(json_t) better = ferry_candidates(&in, nodes[1]);
  g_assert_nonnull(strstr(ferry_json_str(of(better, "h2"), "why"), "it has the best score"));
  json_decref(more[3]);
  in.nodes = nodes;
  in.n_nodes = 2;
  g_autoptr(json_t) one = ferry_candidates(&in, nodes[1]);
  g_assert_cmpstr(ferry_json_str(of(one, "h2"), "why"), ==, "it is the only one");
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/candidates/beside-each-other", test_hosts_beside_each_other);
  g_test_add_func("/candidates/why", test_why);
  return g_test_run();
}
