// SPDX-License-Identifier: Apache-2.0
#include "control/looks.h"
#include "world.h"

static void tell(FerryStore *store, const char *node, const char *kind, const char *name) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(n);
  ferry_json_set(copy, "status.looks", json_pack("[{ss,ss}]", "kind", kind, "name", name));
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

/* What all hosts are to look for is told once, to whom has it not. */
static void test_told_once(void) {
  g_autoptr(FerryStore) store = world_new();
  tell(store, "h1", "port", "::1 80");
  tell(store, "h2", "file", "/a");
  g_autoptr(json_t) first = json_object();
  ferry_looks_answer(store, NULL, first);
  const json_t *looks = json_object_get(first, "looks");
  g_assert_cmpuint(json_array_size(looks), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(looks, 0), "name"), ==, "/a"); /* in order */
  const char *hash = ferry_json_str(first, "looksHash");
  g_assert_nonnull(hash);
  g_autoptr(json_t) again = json_object();
  ferry_looks_answer(store, hash, again);
  g_assert_null(json_object_get(again, "looks"));
  g_autoptr(json_t) other = json_object();
  ferry_looks_answer(store, "another", other);
  g_assert_nonnull(json_object_get(other, "looks"));
}

/* Another store's are not taken for this one's. */
static void test_of_this_store(void) {
  g_autoptr(FerryStore) one = world_new();
  tell(one, "h1", "file", "/b");
  g_autoptr(json_t) answer = json_object();
  ferry_looks_answer(one, NULL, answer);
  g_autoptr(FerryStore) two = world_new();
  g_autoptr(json_t) none = json_object();
  ferry_looks_answer(two, NULL, none);
  g_assert_cmpuint(json_array_size(json_object_get(none, "looks")), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/looks/told-once", test_told_once);
  g_test_add_func("/looks/of-this-store", test_of_this_store);
  return g_test_run();
}
