// SPDX-License-Identifier: Apache-2.0
#include "control/looks.h"
#include "world.h"
#include <string.h>

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

/* However much one host names, and of whatever kind: the others' are looked for. */
static void test_greedy_host(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", "h1");
  json_t *copy = json_deep_copy(n), *many = json_array();
  g_autofree char *longest = g_strnfill(513, 'x');
  json_array_append_new(many, json_pack("{ss,ss}", "kind", "file", "name", longest));
  json_array_append_new(many, json_pack("{ss,ss}", "kind", "file", "name", "/a\x01"));
  json_array_append_new(many, json_pack("{ss,ss}", "kind", "moon", "name", "/a"));
  json_array_append_new(many, json_pack("{ss,ss}", "kind", "pool", "name", "a"));
  for (int i = 0; i < 252; i++) {
    g_autofree char *name = g_strdup_printf("/aaa/%0400d", i);
    json_array_append_new(many, json_pack("{ss,ss}", "kind", "directory", "name", name));
  }
  ferry_json_set(copy, "status.looks", many);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
  tell(store, "h2", "file", "/b");
  FerryLooks *looks = ferry_looks_new(store);
  g_autoptr(json_t) answer = json_object();
  ferry_looks_answer(looks, 1000, NULL, answer);
  const json_t *told = json_object_get(answer, "looks");
  gsize i, bytes = 0;
  const json_t *look;
  gboolean others = FALSE;
  json_array_foreach((json_t *)told, i, look) {
    const char *name = ferry_json_str(look, "name");
    bytes += strlen(name);
    others |= g_str_equal(name, "/b");
    g_assert_true(others || g_str_has_prefix(name, "/aaa/"));
  }
  g_assert_true(others);
  g_assert_cmpuint(bytes, >, 30000);
  g_assert_cmpuint(bytes, <, 34000);
  ferry_looks_free(looks);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/looks/told-once", test_told_once);
  g_test_add_func("/looks/gathered-anew", test_gathered_anew);
  g_test_add_func("/looks/greedy-host", test_greedy_host);
  return g_test_run();
}
