// SPDX-License-Identifier: Apache-2.0
#include "control/doubt/open_doubt.h"
#include "world.h"

/* m from h1 to h2, ended, whose source says that its copy waits. */
static FerryStore *in_doubt(void) {
  FerryStore *store = world_new();
  g_autofree char *end = ferry_rfc3339_format_ms(WORLD_NOW);
  world_migrate(store, "m", NULL);
  world_set(store, "m", "status.migrationState.sourceNode", json_string("h1"));
  world_set(store, "m", "status.migrationState.targetNode", json_string("h2"));
  world_set(store, "m", "status.migrationState.endTimestamp", json_string(end));
  world_set(store, "m", "status.migrationState.doubt.source.state", json_string("Suspended"));
  world_set(store, "m", "status.phase", json_string("Failed"));
  return store;
}

static gboolean is_open(FerryStore *store, gint64 now_ms, gint64 *until_ms) {
  g_autoptr(json_t) m = world_get(store, "m");
  return ferry_open_doubt(store, m, now_ms, until_ms);
}

/* As long as its host has it active; only for a while where it says nothing of it. */
static void test_by_the_record(void) {
  g_autoptr(FerryStore) store = in_doubt();
  gint64 until_ms = -1, late = WORLD_NOW + FERRY_OPEN_DOUBT_GRACE_MS;
  world_report(store, "h1", "paused", "user", WORLD_NOW);
  g_assert_true(is_open(store, late, &until_ms));
  g_assert_cmpint(until_ms, ==, 0);
  world_report(store, "h1", "shutoff", "destroyed", WORLD_NOW);
  g_assert_true(is_open(store, late - 1, &until_ms));
  g_assert_cmpint(until_ms, ==, late);
  g_assert_false(is_open(store, late, NULL));
  world_report(store, "h2", "running", "migrated", WORLD_NOW); /* the other one's is not its own */
  g_assert_false(is_open(store, late, NULL));
}

static void test_over(void) {
  g_autoptr(FerryStore) store = in_doubt();
  world_set(store, "m", "status.migrationState.sourceNode", json_string("h9"));
  g_assert_false(is_open(store, WORLD_NOW, NULL)); /* there is no such Node */
  world_set(store, "m", "status.migrationState.sourceNode", json_string("h1"));
  g_assert_true(is_open(store, WORLD_NOW, NULL));
  world_set(store, "m", "status.migrationState.vmiUID", json_string("another"));
  g_assert_false(is_open(store, WORLD_NOW + FERRY_OPEN_DOUBT_GRACE_MS, NULL));
  world_set(store, "m", "status.migrationState.doubt.source.state", json_string("GoesOn"));
  g_assert_false(is_open(store, WORLD_NOW, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/open-doubt/by-the-record", test_by_the_record);
  g_test_add_func("/open-doubt/over", test_over);
  return g_test_run();
}
