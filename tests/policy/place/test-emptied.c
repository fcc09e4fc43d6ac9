// SPDX-License-Identifier: Apache-2.0
#include "policy/place/emptied.h"

static void test_key(void) {
  g_autoptr(json_t) config = json_pack("{s:s}", "nodeDrainTaintKey", "mine");
  g_assert_cmpstr(ferry_placement_drain_key(NULL), ==, "kubevirt.io/drain");
  g_assert_cmpstr(ferry_placement_drain_key(config), ==, "mine");
}

static void test_taints(void) {
  static const struct {
    const char *key, *effect;
    gboolean emptied;
  } cases[] = {{"gpu", "NoSchedule", FALSE},
               {"ferry.migration/rollout", "PreferNoSchedule", FALSE},
               {"gone", "NoExecute", TRUE},
               {"drain", "NoSchedule", TRUE}};
  g_autoptr(json_t) node = json_object();
  g_assert_false(ferry_node_is_emptied(node, "drain"));
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    ferry_json_set(node, "spec.taints",
                   json_pack("[{s:s, s:s}]", "key", cases[i].key, "effect", cases[i].effect));
    g_assert_cmpint(ferry_node_is_emptied(node, "drain"), ==, cases[i].emptied);
  }
  ferry_json_set(node, "spec.taints", json_array());
  ferry_json_set_bool(node, "spec.unschedulable", TRUE);
  g_assert_true(ferry_node_is_emptied(node, "drain"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/emptied/key", test_key);
  g_test_add_func("/emptied/taints", test_taints);
  return g_test_run();
}
