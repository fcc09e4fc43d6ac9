// SPDX-License-Identifier: Apache-2.0
// What an Evacuation would do: each VM's host, as if those before it were there already, and all
// reasons of those that stay.
#include "control/evacuation/evacuation_plan.h"
#include "../rollout/rollout_world.h"

#define GIB (1LL << 30)

static void set_memory(FerryStore *store, const char *node, const char *capacity) {
  g_autoptr(json_t) old = rollout_world_node(store, node);
  json_t *copy = json_deep_copy(old);
  ferry_json_set_str(copy, "status.capacity.memory", capacity);
  ferry_json_set_int(copy, "status.memoryUsedBytes", 0);
  rollout_world_update(store, &ferry_kind_node, copy);
}

static void set_vmi(FerryStore *store, const char *name, const char *path, json_t *value) {
  g_autoptr(json_t) old = ferry_store_get(store, &ferry_kind_vmi, "default", name);
  json_t *copy = json_deep_copy(old);
  ferry_json_set(copy, path, value);
  rollout_world_update(store, &ferry_kind_vmi, copy);
}

/* h1 with VMs 1 to `n` of 2 GiB each, h2 with 4 GiB, h3 with 3. */
static FerryStore *of_gibs(int n) {
  FerryStore *store = rollout_world_new();
  set_memory(store, "h1", "64Gi");
  set_memory(store, "h2", "4Gi");
  set_memory(store, "h3", "3Gi");
  for (int i = 1; i <= n; i++) {
    g_autofree char *name = g_strdup_printf("vm%d", i);
    rollout_world_vm(store, "h1", i, "running", WORLD_NOW);
    set_vmi(store, name, "status.guestMemoryBytes", json_integer(2 * GIB));
  }
  return store;
}

static const char *of_entry(const json_t *plan, gsize i, const char *what) {
  return ferry_json_str(json_array_get(plan, i), what);
}

/* Three fit, one after another; the fourth finds what the others have left. */
static void test_memory_is_counted_once(void) {
  g_autoptr(FerryStore) store = of_gibs(4);
  gint64 before = ferry_store_revision(store);
  guint failed;
  g_autoptr(json_t) plan = ferry_evacuation_plan(store, "h1", &failed, NULL);
  g_assert_cmpuint(json_array_size(plan), ==, 4);
  g_assert_cmpuint(failed, ==, 1);
  static const char *const targets[] = {"h2", "h3", "h2"};
  for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
    g_assert_cmpstr(of_entry(plan, i, "target"), ==, targets[i]);
    g_assert_cmpstr(of_entry(plan, i, "phase"), ==, "Queued");
  }
  g_assert_cmpstr(of_entry(plan, 3, "phase"), ==, "Failed");
  g_assert_null(of_entry(plan, 3, "target"));
  const char *why = of_entry(plan, 3, "message");
  g_assert_nonnull(strstr(why, "node h2 has 0"));
  g_assert_nonnull(strstr(why, "node h3 has 1"));
  g_assert_nonnull(strstr(why, "SameNode"));
  g_assert_cmpint(ferry_store_revision(store), ==, before);
}

/* One that can't move keeps nobody else, and has its reasons; one that stands still is none. */
static void test_who_stays(void) {
  g_autoptr(FerryStore) store = of_gibs(2);
  set_vmi(store, "vm1", "spec.domain.snapshots", json_pack("[s]", "before"));
  rollout_world_vm(store, "h1", 3, "shutoff", WORLD_NOW);
  guint failed;
  g_autoptr(json_t) plan = ferry_evacuation_plan(store, "h1", &failed, NULL);
  g_assert_cmpuint(json_array_size(plan), ==, 2);
  g_assert_cmpuint(failed, ==, 1);
  g_assert_nonnull(strstr(of_entry(plan, 0, "message"), "(before)"));
  g_assert_cmpstr(of_entry(plan, 1, "target"), ==, "h2");
}

/* What moves already has its place, which is nobody else's. */
static void test_under_way(void) {
  g_autoptr(FerryStore) store = of_gibs(3);
  world_migrate_vm(store, "m", "vm3", "h2");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(m, "status.migrationState.targetNode"), ==, "h2");
  guint failed;
  g_autoptr(json_t) plan = ferry_evacuation_plan(store, "h1", &failed, NULL);
  g_assert_cmpuint(failed, ==, 0);
  g_assert_cmpstr(of_entry(plan, 2, "target"), ==, "h2");
  g_assert_cmpstr(of_entry(plan, 2, "phase"), ==, ferry_phase_name(ferry_phase_of(m)));
  g_assert_cmpstr(of_entry(plan, 0, "target"), !=, of_entry(plan, 1, "target"));
}

/* A rule about other VMs counts those that the plan has placed before. */
static void test_apart(void) {
  g_autoptr(FerryStore) store = of_gibs(3);
  for (int i = 1; i <= 3; i++) {
    g_autofree char *name = g_strdup_printf("vm%d", i);
    set_vmi(store, name, "status.guestMemoryBytes", json_integer(GIB / 4));
    set_vmi(store, name, "metadata.labels", json_pack("{ss}", "app", "db"));
    set_vmi(store, name, "spec.migration", json_pack("{ss}", "vmAntiAffinity", "app=db"));
  }
  guint failed;
  g_autoptr(json_t) plan = ferry_evacuation_plan(store, "h1", &failed, NULL);
  g_assert_cmpuint(failed, ==, 1);
  g_assert_cmpstr(of_entry(plan, 0, "target"), ==, "h2");
  g_assert_cmpstr(of_entry(plan, 1, "target"), ==, "h3");
  g_assert_nonnull(strstr(of_entry(plan, 2, "message"), "such as vm1 (vmAntiAffinity)"));
  g_assert_nonnull(strstr(of_entry(plan, 2, "message"), "such as vm2 (vmAntiAffinity)"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/evacuation_plan/memory-is-counted-once", test_memory_is_counted_once);
  g_test_add_func("/control/evacuation_plan/who-stays", test_who_stays);
  g_test_add_func("/control/evacuation_plan/under-way", test_under_way);
  g_test_add_func("/control/evacuation_plan/apart", test_apart);
  return g_test_run();
}
