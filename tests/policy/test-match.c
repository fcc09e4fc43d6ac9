// SPDX-License-Identifier: Apache-2.0
// KubeVirt's cases (reference/kubevirt.md), each written (VMI labels, namespace labels).
#include "policy/match.h"

static json_t *labels(const char *prefix, int n) {
  json_t *o = json_object();
  for (int i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf("%s%d", prefix, i);
    json_object_set_new(o, key, json_string("x"));
  }
  return o;
}

static json_t *policy(const char *name, int vm, int ns) {
  return json_pack("{s{ss},s{s{soso}}}", "metadata", "name", name, "spec", "selectors",
                   "virtualMachineInstanceSelector", labels("v", vm), "namespaceSelector",
                   labels("n", ns));
}

static const char *match(json_t **policies, gsize n, int vm, int ns) {
  g_autoptr(json_t) v = labels("v", vm), s = labels("n", ns);
  return ferry_json_str(ferry_policy_match(policies, n, v, s), "metadata.name");
}

static void test_matching(void) {
  json_t *p[] = {policy("one-four", 1, 4), policy("four-two", 4, 2)};
  g_assert_cmpstr(match(p, 1, 9, 9), ==, "one-four");
  g_assert_cmpstr(match(p, 2, 9, 9), ==, "four-two");
  g_assert_null(match(p, 2, 0, 9));
  g_assert_null(match(p, 0, 9, 9));
  /* "aa" beats "zz" at (2,2) in either order */
  json_t *a = policy("aa", 2, 2), *z = policy("zz", 2, 2);
  g_assert_cmpstr(match((json_t *[]){a, z}, 2, 2, 2), ==, "aa");
  g_assert_cmpstr(match((json_t *[]){z, a}, 2, 2, 2), ==, "aa");
  /* (n,0) beats (0,n) */
  json_t *v = policy("zv", 3, 0), *n = policy("an", 0, 3);
  g_assert_cmpstr(match((json_t *[]){n, v}, 2, 3, 3), ==, "zv");
  json_t *all[] = {p[0], p[1], a, z, v, n};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    json_decref(all[i]);
}

static void test_edges(void) {
  g_autoptr(json_t) absent = json_pack("{s{ss},s{}}", "metadata", "name", "absent", "spec");
  g_autoptr(json_t) empty =
      json_pack("{s{ss},s{s{}}}", "metadata", "name", "empty", "spec", "selectors");
  g_assert_null(match(&absent, 1, 2, 2));
  g_assert_cmpstr(match(&empty, 1, 0, 0), ==, "empty");
  /* one wrong label: none; a VM without labels matches only what selects nothing of it */
  json_t *wrong = policy("wrong", 2, 0);
  ferry_json_set_str(wrong, "spec.selectors.virtualMachineInstanceSelector.v1", "y");
  g_assert_null(match(&wrong, 1, 2, 0));
  json_t *ns_only = policy("ns", 0, 1);
  g_assert_cmpstr(match(&ns_only, 1, 0, 1), ==, "ns");
  /* seeds/003 writes "hpc-workloads: true", which YAML reads as a boolean */
  g_autoptr(json_t) boolean = json_pack("{s{ss},s{s{s{sb}}}}", "metadata", "name", "b", "spec",
                                        "selectors", "namespaceSelector", "hpc", 1);
  g_autoptr(json_t) hpc = json_pack("{ss}", "hpc", "true");
  g_assert_nonnull(ferry_policy_match(&boolean, 1, NULL, hpc));
  json_decref(wrong);
  json_decref(ns_only);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/match/cases", test_matching);
  g_test_add_func("/match/edges", test_edges);
  return g_test_run();
}
