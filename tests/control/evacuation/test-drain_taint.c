// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/drain_taint.h"
#include "control/evacuation/evacuation.h"
#include "world.h"
#include <string.h>

#define KEY "kubevirt.io/drain"

static void taint(FerryStore *store, const char *node, const char *key) {
  g_autoptr(json_t) old = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(old);
  ferry_json_set(copy, "spec.taints",
                 key ? json_pack("[{ss,ss}]", "key", key, "effect", "PreferNoSchedule")
                     : json_array());
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

/* One step of it and of each evacuation; the only evacuation after it, or NULL. */
static json_t *step(FerryStore *store, gint64 now) {
  g_autoptr(FerryPlan) taints = ferry_plan_new();
  ferry_drain_taint_step(store, now, taints);
  world_commit(store, taints);
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_evacuation, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_evacuation_step(store, all->pdata[i], now, plan);
    world_commit(store, plan);
  }
  g_autoptr(GPtrArray) left = ferry_store_list(store, &ferry_kind_evacuation, NULL, NULL);
  g_assert_cmpuint(left->len, <=, 1);
  return left->len ? json_incref(left->pdata[0]) : NULL;
}

static guint migrations(FerryStore *store) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  return all->len;
}

static void test_comes_and_goes(void) {
  g_autoptr(FerryStore) store = world_new();
  g_assert_null(step(store, WORLD_NOW));
  taint(store, "h1", "example.org/other");
  g_assert_null(step(store, WORLD_NOW));
  taint(store, "h2", KEY); /* nothing runs there */
  g_assert_null(step(store, WORLD_NOW));
  taint(store, "h2", NULL);
  taint(store, "h1", KEY);
  g_autoptr(json_t) made = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(made, "spec.nodeName"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(made, "status.phase"), ==, "Running");
  g_assert_cmpuint(migrations(store), ==, 1);
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_assert_false(ferry_json_bool(node, "spec.unschedulable", FALSE)); /* the taint does that */
  g_autoptr(json_t) same = step(store, WORLD_NOW + 1000);
  g_assert_cmpstr(ferry_json_str(same, "metadata.uid"), ==, ferry_json_str(made, "metadata.uid"));
  /* taken back before it began: the VM stays */
  taint(store, "h1", NULL);
  g_assert_null(step(store, WORLD_NOW + 2000));
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  g_assert_true(ferry_json_bool(all->pdata[0], "status.migrationState.abortRequested", FALSE));
  g_assert_null(step(store, WORLD_NOW + 3000));
}

static void end_evacuation(FerryStore *store, const json_t *evacuation, const char *phase,
                           gint64 now) {
  json_t *copy = json_deep_copy(evacuation);
  ferry_json_set_str(copy, "status.phase", phase);
  ferry_condition_set(copy, FERRY_CONDITION_COMPLETE, "False", "Test", "", now);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, copy, FALSE);
  world_commit(store, plan);
}

/* What comes to be there later, or could not leave, is moved by another one. */
static void test_again(void) {
  g_autoptr(FerryStore) store = world_new();
  taint(store, "h1", KEY);
  g_autoptr(json_t) first = step(store, WORLD_NOW);
  const char *uid = ferry_json_str(first, "metadata.uid");
  end_evacuation(store, first, "Failed", WORLD_NOW);
  g_autoptr(json_t) soon = step(store, WORLD_NOW + FERRY_DRAIN_TAINT_AGAIN_MS - 1000);
  g_assert_cmpstr(ferry_json_str(soon, "metadata.uid"), ==, uid);
  g_autoptr(json_t) later = step(store, WORLD_NOW + FERRY_DRAIN_TAINT_AGAIN_MS);
  g_assert_cmpstr(ferry_json_str(later, "metadata.uid"), !=, uid);
  g_assert_cmpstr(ferry_json_str(later, "status.phase"), ==, "Running");
  end_evacuation(store, later, "Succeeded", WORLD_NOW + FERRY_DRAIN_TAINT_AGAIN_MS);
  g_autoptr(json_t) third = step(store, WORLD_NOW + FERRY_DRAIN_TAINT_AGAIN_MS + 1000);
  g_assert_cmpstr(ferry_json_str(third, "metadata.uid"), !=, ferry_json_str(later, "metadata.uid"));
}

/* One that a person asked for does the same. */
static void test_beside_another(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_evacuation,
            json_pack("{ss,ss,s{ss,ss,ss,s[s]},s{ss}}", "apiVersion", "ferry.migration/v1", "kind",
                      "Evacuation", "metadata", "name", "e", "uid", "e", "creationTimestamp",
                      "2026-01-01T00:00:00Z", "finalizers", FERRY_EVACUATION_FINALIZER, "spec",
                      "nodeName", "h1"));
  taint(store, "h1", KEY);
  g_autoptr(json_t) mine = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(mine, "metadata.name"), ==, "e");
  taint(store, "h1", NULL);
  g_autoptr(json_t) still = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(still, "metadata.name"), ==, "e");
}

static void test_own_key(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_kubevirt,
            json_pack("{ss,ss,s{ss,ss},s{s{s{ss}}}}", "apiVersion", "kubevirt.io/v1", "kind",
                      "KubeVirt", "metadata", "name", "kubevirt", "namespace", "kubevirt", "spec",
                      "configuration", "migrations", "nodeDrainTaintKey", "example.org/leave"));
  taint(store, "h1", KEY);
  g_assert_null(step(store, WORLD_NOW));
  taint(store, "h1", "example.org/leave");
  g_autoptr(json_t) made = step(store, WORLD_NOW);
  g_assert_nonnull(made);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/drain-taint/comes-and-goes", test_comes_and_goes);
  g_test_add_func("/drain-taint/again", test_again);
  g_test_add_func("/drain-taint/beside-another", test_beside_another);
  g_test_add_func("/drain-taint/own-key", test_own_key);
  return g_test_run();
}
