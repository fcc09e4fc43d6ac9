// SPDX-License-Identifier: Apache-2.0
#include "control/node.h"
#include "world.h"

static gboolean silent(json_t *node, gint64 started, gint64 now) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_node_step(node, started, now, plan);
  return !ferry_plan_is_empty(plan);
}

static void test_grace(void) {
  g_autoptr(json_t) n = world_node("h1", "10.0.0.1");
  g_autofree char *last = ferry_rfc3339_format_ms(WORLD_NOW);
  ferry_json_set_str(n, "status.agent.lastReportTime", last);
  g_assert_false(silent(n, 0, WORLD_NOW + FERRY_NODE_GRACE_MS - 1));
  g_assert_true(silent(n, 0, WORLD_NOW + FERRY_NODE_GRACE_MS));
  /* a ferryd that has just started gives agents time to come back */
  g_assert_false(silent(n, WORLD_NOW + 60000, WORLD_NOW + 60000 + 1000));
  ferry_condition_set(n, FERRY_CONDITION_READY, "Unknown", "", "", WORLD_NOW);
  g_assert_false(silent(n, 0, WORLD_NOW + 10 * FERRY_NODE_GRACE_MS)); /* said once */
}

/* What counts as said after the end of something: a report that came later and has been merged. */
static void test_was_heard(void) {
  g_autoptr(json_t) n = world_node("h1", "10.0.0.1");
  gint64 at = WORLD_NOW + 10;
  g_autofree char *last = ferry_rfc3339_format_ms(at);
  ferry_json_set_str(n, "status.agent.lastReportTime", last);
  g_assert_true(ferry_node_was_heard(n, at - 1, at + FERRY_NODE_MERGED_MS));
  g_assert_false(ferry_node_was_heard(n, at + 1, at + 60000));
  g_assert_false(ferry_node_was_heard(n, at - 1, at + FERRY_NODE_MERGED_MS - 1));
  g_assert_true(ferry_node_was_heard(NULL, at, at)); /* a person's word that the host is dead */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/node/grace", test_grace);
  g_test_add_func("/node/was-heard", test_was_heard);
  return g_test_run();
}
