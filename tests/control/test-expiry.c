// SPDX-License-Identifier: Apache-2.0
#include "control/expiry.h"
#include "world.h"

static guint count(FerryStore *store, const FerryKind *kind) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, kind, NULL, NULL);
  return all->len;
}

static void test_expiry(void) {
  g_autoptr(FerryStore) store = world_new();
  for (int i = 0; i < 8; i++) {
    g_autofree char *name = g_strdup_printf("m%d", i);
    g_autofree char *end = ferry_rfc3339_format_ms(WORLD_NOW + i * 1000);
    world_migrate(store, name, NULL);
    world_set(store, name, "status.migrationState.endTimestamp", json_string(end));
    world_set(store, name, "status.phase", json_string("Succeeded"));
  }
  world_migrate(store, "pending", NULL);
  g_autoptr(FerryPlan) events = ferry_plan_new();
  g_autoptr(json_t) about = world_node("h1", "10.0.0.1");
  ferry_plan_event(events, about, "Normal", "Old", "old", WORLD_NOW - FERRY_EVENT_TTL_MS - 1000);
  ferry_plan_event(events, about, "Normal", "New", "new", WORLD_NOW);
  world_commit(store, events);
  guint before = count(store, &ferry_kind_event);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_expiry_step(store, WORLD_NOW, plan);
  world_commit(store, plan);
  g_assert_cmpuint(count(store, &ferry_kind_event), ==, before - 1);
  g_assert_cmpuint(count(store, &ferry_kind_vmim), ==, FERRY_FINISHED_PER_VMI + 1);
  g_autoptr(json_t) newest = world_get(store, "m7");
  g_autoptr(json_t) oldest = world_get(store, "m0");
  g_assert_nonnull(newest);
  g_assert_null(oldest);
}

/* A record in doubt is kept while its host has the copy; a Node that is gone has none. */
static void test_doubt(void) {
  for (int gone = 0; gone < 2; gone++) {
    g_autoptr(FerryStore) store = world_new();
    for (int i = 0; i < 8; i++) {
      g_autofree char *name = g_strdup_printf("m%d", i);
      g_autofree char *end = ferry_rfc3339_format_ms(WORLD_NOW + i * 1000);
      world_migrate(store, name, NULL);
      world_set(store, name, "status.migrationState.endTimestamp", json_string(end));
      world_set(store, name, "status.phase", json_string("Failed"));
    }
    world_set(store, "m0", "status.migrationState.sourceNode", json_string(gone ? "h9" : "h1"));
    world_set(store, "m0", "status.migrationState.doubt.source.state", json_string("Suspended"));
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_expiry_step(store, WORLD_NOW + (gone ? 10 : 60 * 60) * 1000, plan);
    world_commit(store, plan);
    g_autoptr(json_t) m0 = world_get(store, "m0");
    g_assert_cmpint(m0 == NULL, ==, gone);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/expiry/expiry", test_expiry);
  g_test_add_func("/expiry/doubt", test_doubt);
  return g_test_run();
}
