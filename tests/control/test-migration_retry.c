// SPDX-License-Identifier: Apache-2.0
#include "world.h"
#include <string.h>

/* A migration that runs, as the agent of h1 writes it. */
static FerryStore *running(const char *target) {
  FerryStore *store = world_new();
  world_add(store, &ferry_kind_node, world_node("h3", "10.0.0.3"));
  world_migrate(store, "m", target);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  world_set(store, "m", "status.phase", json_string("Running"));
  return store;
}

static void result(FerryStore *store, const char *reason, int attempt) {
  json_t *r = json_pack("{s:b, s:s, s:s, s:s}", "returned", 1, "error", "No route to host",
                        "sourceState", "running", "reason", reason);
  if (attempt)
    ferry_json_set_int(r, "attempt", attempt);
  world_set(store, "m", "status.migrationState.agentResult", r);
}

static void test_other_host(void) {
  g_autoptr(FerryStore) store = running(NULL);
  g_autoptr(json_t) before = world_get(store, "m");
  g_autofree char *first = g_strdup(ferry_json_str(before, "status.migrationState.targetNode"));
  result(store, "MigrationFailed", 0);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  g_assert_cmpstr(ferry_json_str(m, "status.migrationState.targetNode"), !=, first);
  g_assert_cmpint(ferry_json_int(m, "status.migrationState.attempt", 0), ==, 1);
  g_assert_null(ferry_json_get(m, "status.migrationState.agentResult"));
  g_assert_nonnull(ferry_json_get(m, "status.migrationState.migrationConfiguration"));
  const json_t *tried = ferry_json_find(ferry_json_get(m, "status.attempts"), "nodeName", first);
  g_assert_cmpstr(ferry_json_str(tried, "message"), ==, "No route to host");
  g_assert_cmpuint(json_array_size(ferry_json_get(m, "status.phaseTransitionTimestamps")), ==, 3);
  /* a late word of the first attempt does not end the second */
  result(store, "MigrationFailed", 0);
  world_set(store, "m", "status.phase", json_string("Running"));
  g_autoptr(json_t) late = world_step(store, "m", WORLD_NOW + 20);
  g_assert_cmpstr(ferry_json_str(late, "status.phase"), ==, "Running");
  g_assert_null(ferry_json_get(late, "status.migrationState.agentResult"));
  /* no third host: it fails, with the reason */
  result(store, "MigrationFailed", 1);
  g_autoptr(json_t) end = world_step(store, "m", WORLD_NOW + 30);
  g_assert_cmpstr(ferry_json_str(end, "status.phase"), ==, "Failed");
  g_assert_nonnull(strstr(ferry_json_str(end, "status.message"), "No route to host"));
  /* that was found out before it was tried again, not after */
  g_assert_cmpuint(json_array_size(ferry_json_get(end, "status.attempts")), ==, 1);
  g_assert_cmpint(ferry_json_int(end, "status.migrationState.attempt", 0), ==, 1);
}

static void expect_failed(FerryStore *store) {
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_null(ferry_json_get(m, "status.attempts"));
}

static void test_not_again(void) {
  g_autoptr(FerryStore) named = running("h2");
  result(named, "MigrationFailed", 0);
  expect_failed(named);
  g_autoptr(FerryStore) guest = running(NULL);
  result(guest, "CompletionTimeout", 0);
  expect_failed(guest);
  g_autoptr(FerryStore) cancelled = running(NULL);
  world_set(cancelled, "m", "status.migrationState.abortRequested", json_true());
  result(cancelled, "MigrationFailed", 0);
  expect_failed(cancelled);
  g_autoptr(FerryStore) suspended = running(NULL);
  result(suspended, "TargetLibvirtLost", 0);
  world_set(suspended, "m", "status.migrationState.agentResult.sourceState", json_string("paused"));
  world_report(suspended, "h1", "paused", "user", WORLD_NOW + 5);
  expect_failed(suspended);
  g_autoptr(FerryStore) doubted = running(NULL); /* its agent may suspend it yet */
  result(doubted, "TargetLibvirtLost", 0);
  world_set(doubted, "m", "status.migrationState.doubt",
            json_pack("{s:{s:s}}", "source", "state", "Suspended"));
  g_autoptr(json_t) waits = world_step(doubted, "m", WORLD_NOW + 10);
  g_assert_null(ferry_json_get(waits, "status.attempts"));
  g_assert_nonnull(ferry_json_get(waits, "status.migrationState.doubt"));
  g_autoptr(FerryStore) none = running(NULL);
  world_set(none, "m", "status.migrationState.migrationConfiguration.retries", json_integer(0));
  result(none, "MigrationFailed", 0);
  expect_failed(none);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration-retry/other-host", test_other_host);
  g_test_add_func("/migration-retry/not-again", test_not_again);
  return g_test_run();
}
