// SPDX-License-Identifier: Apache-2.0
// With whom a VM is to be, and with whom not: each term by itself, hard and soft, where the others
// are and where they are on their way to.
#include "policy/place/affinity.h"
#include "base/error.h"
#include <string.h>

static json_t *vm(const char *name, const char *app, const char *node) {
  return json_pack("{s{ss,ss,ss,s{ss}},s{ss,s[{ss,ss}],ss}}", "metadata", "name", name, "namespace",
                   "default", "uid", name, "labels", "app", app, "status", "nodeName", node,
                   "domains", "nodeName", node, "state", "running", "phase", "Running");
}

static json_t *host(const char *name, const char *rack) {
  return json_pack("{s{ss,s{ss}}}", "metadata", "name", name, "labels", "rack", rack);
}

typedef struct {
  GString *text;
  guint n, of_vms, apart;
} Said;

static void on_found(gboolean of_vms, gboolean apart, const char *text, gpointer data) {
  Said *said = data;
  said->n++;
  said->of_vms += of_vms;
  said->apart += apart;
  g_string_append_printf(said->text, "%s\n", text);
}

static Said against(const FerryAffinity *a, const json_t *node, gboolean hard) {
  Said said = {.text = g_string_new(NULL)};
  ferry_affinity_against(a, node, hard, on_found, &said);
  return said;
}

static void expect(const FerryAffinity *a, const json_t *node, gboolean hard, guint n,
                   const char *part) {
  Said said = against(a, node, hard);
  g_test_message("%s", said.text->str);
  g_assert_cmpuint(said.n, ==, n);
  if (part)
    g_assert_nonnull(strstr(said.text->str, part));
  g_string_free(said.text, TRUE);
}

static void test_labels_of_hosts(void) {
  g_autoptr(json_t) a = host("h1", "a"), b = host("h2", "b"), own = vm("db", "db", "h0");
  g_autoptr(json_t) config = json_pack("{s[ss],s[s]}", "nodeAffinity", "rack=a", "!retired",
                                       "preferredNodeAffinity", "rack!=a");
  g_autoptr(FerryAffinity) affinity = ferry_affinity_new(config, own, NULL, 0, NULL, 0);
  g_assert_false(ferry_affinity_is_of_vms(config));
  expect(affinity, a, TRUE, 0, NULL);
  expect(affinity, b, TRUE, 1, "rack=a (nodeAffinity)");
  expect(affinity, a, FALSE, 1, "preferredNodeAffinity");
  expect(affinity, b, FALSE, 0, NULL);
  ferry_json_set_str(b, "metadata.labels.retired", "yes");
  expect(affinity, b, TRUE, 2, "!retired");
}

static void test_apart(void) {
  g_autoptr(json_t) h1 = host("h1", "a"), h2 = host("h2", "a"), h3 = host("h3", "a");
  json_t *others[] = {vm("db1", "db", "h1"), vm("db2", "db", "h2"), vm("db3", "db", "h2"),
                      vm("web", "web", "h3")};
  g_autoptr(json_t) config = json_pack("{s[s]}", "vmAntiAffinity", "app=db");
  g_autoptr(json_t) moves = json_pack("{s{ss,s{ss,ss}}}", "status", "phase", "Running",
                                      "migrationState", "vmiUID", "db3", "targetNode", "h3");
  g_assert_true(ferry_affinity_is_of_vms(config));
  g_autoptr(FerryAffinity) still = ferry_affinity_new(config, others[0], others, 4, NULL, 0);
  expect(still, h1, TRUE, 0, NULL); /* it is itself there */
  expect(still, h2, TRUE, 1, "2 VMs with app=db, such as db2");
  expect(still, h3, TRUE, 0, NULL);
  g_autoptr(FerryAffinity) moving = ferry_affinity_new(config, others[0], others, 4, &moves, 1);
  expect(moving, h2, TRUE, 1, "db2"); /* it may stay */
  expect(moving, h3, TRUE, 1, "1 VM with app=db, such as db3");
  ferry_json_set_str(moves, "status.phase", "Failed");
  g_autoptr(FerryAffinity) ended = ferry_affinity_new(config, others[0], others, 4, &moves, 1);
  expect(ended, h3, TRUE, 0, NULL);
  ferry_json_set_str(others[1], "metadata.namespace", "other");
  ferry_json_set_str(others[2], "status.phase", "Failed");
  ferry_json_set(others[2], "status.domains", json_array()); /* and does not run */
  g_autoptr(FerryAffinity) none = ferry_affinity_new(config, others[0], others, 4, NULL, 0);
  expect(none, h2, TRUE, 0, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    json_decref(others[i]);
}

/* With what is written on the hosts now. */
static void expect_among(json_t *const *others, gsize n_others, json_t *const *nodes, gsize to,
                         guint n, const char *part) {
  g_autoptr(json_t) config = json_pack("{s[s]}", "vmAffinity", "app=web");
  g_autoptr(FerryAffinity) a = ferry_affinity_new(config, others[0], others, n_others, NULL, 0);
  ferry_affinity_take_nodes(a, nodes, 3);
  expect(a, nodes[to], TRUE, n, part);
}

static void test_together(void) {
  json_t *nodes[] = {host("h1", "a"), host("h2", "a"), host("h3", "a")};
  json_t *others[] = {vm("w1", "web", "h1"), vm("w2", "web", "h1")};
  expect_among(others, 2, nodes, 1, 1, "node h2 has no VM with app=web");
  ferry_json_set_bool(nodes[0], "spec.unschedulable", TRUE); /* emptied: one must be the first */
  expect_among(others, 2, nodes, 1, 0, NULL);
  ferry_json_set_str(others[1], "status.nodeName", "h3"); /* who is followed then */
  expect_among(others, 2, nodes, 1, 1, NULL);
  expect_among(others, 2, nodes, 2, 0, NULL);
  ferry_json_set_bool(nodes[2], "spec.unschedulable", TRUE); /* they would hold each other */
  expect_among(others, 2, nodes, 1, 0, NULL);
  expect_among(others, 1, nodes, 1, 0, NULL); /* there is nobody */
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    json_decref(others[i]);
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

/* A taint that stays, or that a rollout sets, empties no host. */
static void test_together_and_taints(void) {
  static const struct {
    const char *key, *effect;
    guint n;
  } cases[] = {{"gpu", "NoSchedule", 1},
               {"busy", "PreferNoSchedule", 1},
               {"gone", "NoExecute", 0},
               {"kubevirt.io/drain", "NoSchedule", 0}};
  json_t *nodes[] = {host("h1", "a"), host("h2", "a"), host("h3", "a")};
  json_t *others[] = {vm("w1", "web", "h1"), vm("w2", "web", "h1")};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    ferry_json_set(nodes[0], "spec.taints",
                   json_pack("[{ss,ss}]", "key", cases[i].key, "effect", cases[i].effect));
    expect_among(others, 2, nodes, 1, cases[i].n, NULL);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    json_decref(others[i]);
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

static void test_terms(void) {
  g_autoptr(GError) causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  g_autoptr(json_t) spec = json_pack("{s[sss],s[s]}", "vmAffinity", "app=web", "a b c", "",
                                     "preferredNodeAffinity", "rack in (a");
  ferry_affinity_check(spec, "spec", causes);
  g_assert_cmpuint(ferry_error_n_causes(causes), ==, 3);
  g_assert_cmpstr(ferry_error_cause(causes, 0)->field, ==, "spec.preferredNodeAffinity[0]");
  g_assert_cmpstr(ferry_error_cause(causes, 1)->field, ==, "spec.vmAffinity[1]");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/affinity/labels-of-hosts", test_labels_of_hosts);
  g_test_add_func("/affinity/apart", test_apart);
  g_test_add_func("/affinity/together", test_together);
  g_test_add_func("/affinity/together-and-taints", test_together_and_taints);
  g_test_add_func("/affinity/terms", test_terms);
  return g_test_run();
}
