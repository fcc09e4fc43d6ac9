// SPDX-License-Identifier: Apache-2.0
// What a controller's step looks at has to do with what it is about, and not with what else there
// is: each step is taken beside few idle VMs and beside many, with as many ended migrations, and
// the objects that the store gave out are counted.
#include "control/evacuation/drain_taint.h"
#include "control/evacuation/evacuation.h"
#include "control/expiry.h"
#include "world.h"

#define FEW 10
#define MANY 10000
#define BATCH 500

static json_t *idle_vmi(guint i) {
  g_autofree char *name = g_strdup_printf("idle-%05u", i);
  g_autofree char *uid = g_strdup_printf("%08x-2222-4333-8444-555555555555", i);
  return json_pack("{ss,ss,s{ss,ss,ss},s{ss},s{ss,ss,s[{ss,ss,sb}]}}", "apiVersion",
                   "kubevirt.io/v1", "kind", "VirtualMachineInstance", "metadata", "name", name,
                   "namespace", "default", "uid", uid, "spec", "domainName", name, "status",
                   "phase", "Running", "nodeName", "h3", "domains", "nodeName", "h3", "state",
                   "running", "active", 1);
}

static json_t *ended_migration(guint i) {
  g_autofree char *name = g_strdup_printf("ended-%05u", i);
  g_autofree char *vm = g_strdup_printf("idle-%05u", i);
  return json_pack("{ss,ss,s{ss,ss,ss,ss},s{ss},s{ss,s{ss,ss}}}", "apiVersion", "kubevirt.io/v1",
                   "kind", "VirtualMachineInstanceMigration", "metadata", "name", name, "namespace",
                   "default", "uid", name, "creationTimestamp", "2025-12-31T00:00:00Z", "spec",
                   "vmiName", vm, "status", "phase", "Succeeded", "migrationState", "sourceNode",
                   "h4", "targetNode", "h3");
}

static void add_all(FerryStore *store, const FerryKind *kind, json_t *(*make)(guint i), guint n) {
  for (guint first = 0; first < n; first += BATCH) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    for (guint i = first; i < MIN(n, first + BATCH); i++)
      ferry_plan_write(plan, FERRY_WRITE_CREATE, kind, make(i), FALSE);
    world_commit(store, plan);
  }
}

static guint64 visited(FerryStore *store) {
  FerryStoreStats stats;
  ferry_store_stats(store, &stats);
  return stats.visited;
}

static void step_migration(FerryStore *store) {
  json_decref(world_step(store, "m", WORLD_NOW));
}

static void step_evacuation(FerryStore *store) {
  g_autoptr(json_t) e = ferry_store_get(store, &ferry_kind_evacuation, "", "e");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_evacuation_step(store, e, WORLD_NOW, plan);
  g_assert_false(ferry_plan_is_empty(plan));
}

static void step_time(FerryStore *store) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_eviction_step(store, WORLD_NOW, plan);
  ferry_drain_taint_step(store, WORLD_NOW, plan);
  ferry_expiry_step(store, WORLD_NOW, plan);
}

static void step_heartbeat(FerryStore *store) {
  world_heartbeat(store, "h1", WORLD_NOW);
}

static void step_report(FerryStore *store) {
  world_report(store, "h1", "paused", "user", WORLD_NOW);
}

static void step_full_report(FerryStore *store) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      json_pack("{sb,s[{ss,ss,ss,ss,sb}]}", "full", 1, "domains", "uuid", WORLD_UUID, "name",
                "new-name", "state", "running", "reason", "booted", "active", 1);
  ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
  g_assert_no_error(error);
}

static const struct {
  const char *name;
  void (*take)(FerryStore *store);
} steps[] = {
    {"migration", step_migration}, {"evacuation", step_evacuation},
    {"time", step_time},           {"heartbeat", step_heartbeat},
    {"report", step_report},       {"full-report", step_full_report},
};

static void count_steps(guint n, guint64 counts[G_N_ELEMENTS(steps)]) {
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    g_autoptr(FerryStore) store = world_new();
    add_all(store, &ferry_kind_vmi, idle_vmi, n);
    add_all(store, &ferry_kind_vmim, ended_migration, n);
    world_add(store, &ferry_kind_evacuation,
              json_pack("{ss,ss,s{ss,ss,ss},s{ss}}", "apiVersion", "ferry.migration/v1", "kind",
                        "Evacuation", "metadata", "name", "e", "uid", "e", "creationTimestamp",
                        "2026-01-01T00:00:00Z", "spec", "nodeName", "h1"));
    world_migrate(store, "m", NULL);
    guint64 before = visited(store);
    steps[i].take(store);
    counts[i] = visited(store) - before;
  }
}

static void test_not_with_the_store(void) {
  guint64 few[G_N_ELEMENTS(steps)], many[G_N_ELEMENTS(steps)];
  count_steps(FEW, few);
  count_steps(MANY, many);
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    g_test_message("%s: %" G_GUINT64_FORMAT " objects", steps[i].name, few[i]);
    if (few[i] != many[i])
      g_error("a step of \"%s\" looks at %" G_GUINT64_FORMAT " objects beside %d idle VMs and at "
              "%" G_GUINT64_FORMAT " beside %d",
              steps[i].name, few[i], FEW, many[i], MANY);
  }
  /* counting counts: a list of all is seen */
  g_autoptr(FerryStore) store = world_new();
  add_all(store, &ferry_kind_vmi, idle_vmi, FEW);
  guint64 before = visited(store);
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  g_assert_cmpuint(all->len, ==, FEW + 1);
  g_assert_cmpuint(visited(store) - before, ==, all->len);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/step_work/not-with-the-store", test_not_with_the_store);
  return g_test_run();
}
