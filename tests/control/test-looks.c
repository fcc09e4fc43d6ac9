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
  FerryLooks *looks = ferry_looks_new(store);
  g_autoptr(json_t) first = json_object();
  ferry_looks_answer(looks, 1000, NULL, first);
  const json_t *told = json_object_get(first, "looks");
  g_assert_cmpuint(json_array_size(told), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(told, 0), "name"), ==, "/a"); /* in order */
  const char *hash = ferry_json_str(first, "looksHash");
  g_assert_nonnull(hash);
  g_autoptr(json_t) again = json_object();
  ferry_looks_answer(looks, 1100, hash, again);
  g_assert_null(json_object_get(again, "looks"));
  g_autoptr(json_t) other = json_object();
  ferry_looks_answer(looks, 1200, "another", other);
  g_assert_nonnull(json_object_get(other, "looks"));
  ferry_looks_free(looks);
}

/* What hosts name is gathered anew after a second, and by a clock that was set back. */
static void test_gathered_anew(void) {
  static const gint64 later_ms[] = {2000, 500};
  for (gsize i = 0; i < G_N_ELEMENTS(later_ms); i++) {
    g_autoptr(FerryStore) store = world_new();
    FerryLooks *looks = ferry_looks_new(store);
    g_autoptr(json_t) none = json_object();
    ferry_looks_answer(looks, 1000, NULL, none);
    g_assert_cmpuint(json_array_size(json_object_get(none, "looks")), ==, 0);
    tell(store, "h1", "file", "/b");
    g_autoptr(json_t) soon = json_object();
    ferry_looks_answer(looks, 1999, NULL, soon);
    g_assert_cmpuint(json_array_size(json_object_get(soon, "looks")), ==, 0);
    g_autoptr(json_t) later = json_object();
    ferry_looks_answer(looks, later_ms[i], NULL, later);
    g_assert_cmpuint(json_array_size(json_object_get(later, "looks")), ==, 1);
    ferry_looks_free(looks);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/looks/told-once", test_told_once);
  g_test_add_func("/looks/gathered-anew", test_gathered_anew);
  return g_test_run();
}
