// SPDX-License-Identifier: Apache-2.0
#include "world.h"

static void test_conflict(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  json_t *a = json_deep_copy(node), *b = json_deep_copy(node);
  ferry_json_set_int(a, "status.runningVMs", 1);
  ferry_json_set_int(b, "status.runningVMs", 2);
  g_autoptr(FerryPlan) first = ferry_plan_new(), second = ferry_plan_new();
  ferry_plan_write(first, FERRY_WRITE_UPDATE, &ferry_kind_node, a, FALSE);
  ferry_plan_write(second, FERRY_WRITE_UPDATE, &ferry_kind_node, b, FALSE);
  ferry_plan_event(second, node, "Normal", "Lost", "not written either", WORLD_NOW);
  world_commit(store, first);
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_plan_commit(second, store, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_autoptr(GPtrArray) events = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  for (guint i = 0; i < events->len; i++)
    g_assert_cmpstr(ferry_json_str(g_ptr_array_index(events, i), "reason"), !=, "Lost");
}

static void test_wake(void) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_assert_cmpint(ferry_plan_wake_time(plan), ==, G_MAXINT64);
  ferry_plan_wake(plan, 70);
  ferry_plan_wake(plan, 30);
  ferry_plan_wake(plan, 50);
  g_assert_cmpint(ferry_plan_wake_time(plan), ==, 30);
}

static void test_light(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_assert_false(ferry_plan_is_light(plan));
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, json_copy(node), TRUE);
  g_assert_true(ferry_plan_is_light(plan));
  ferry_plan_event(plan, node, "Normal", "Said", "must not be lost", WORLD_NOW);
  g_assert_false(ferry_plan_is_light(plan));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plan/conflict", test_conflict);
  g_test_add_func("/plan/wake", test_wake);
  g_test_add_func("/plan/light", test_light);
  return g_test_run();
}
