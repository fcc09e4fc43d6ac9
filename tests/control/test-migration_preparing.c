// SPDX-License-Identifier: Apache-2.0
// What ends a migration whose agent does not come to an end with the target.
#include "world.h"
#include <string.h>

static const char *const phases[] = {"PreparingTarget", "TargetReady"};

/* The migration "m" from h1 to h2, in a phase of the agent's. */
static FerryStore *preparing(const char *phase) {
  FerryStore *store = world_new();
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  world_set(store, "m", "status.phase", json_string(phase));
  return store;
}

static void assert_failed(FerryStore *store, gint64 now, const char *reason, const char *part) {
  g_autoptr(json_t) m = world_step(store, "m", now);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, reason);
  if (!strstr(ferry_json_str(m, "status.message"), part))
    g_error("expected \"%s\" in: %s", part, ferry_json_str(m, "status.message"));
  /* the agent is to stop, and everybody is told where the VM is */
  g_assert_true(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
  g_assert_cmpstr(ferry_json_str(m, "status.migrationState.sourceDomainState"), ==, "running");
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  g_assert_null(ferry_condition_status(vmi, FERRY_CONDITION_MIGRATING));
}

static void assert_phase(FerryStore *store, gint64 now, const char *phase) {
  g_autoptr(json_t) m = world_step(store, "m", now);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, phase);
}

static void test_limit(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    g_autoptr(FerryStore) store = preparing(phases[i]);
    assert_phase(store, WORLD_NOW + FERRY_PREPARE_TIMEOUT_MS - 1, phases[i]);
    assert_failed(
        store, WORLD_NOW + FERRY_PREPARE_TIMEOUT_MS, "TargetNotReady",
        "host h2 did not get ready for the VM within 15 minutes; the VM was not touched. ");
  }
  g_autoptr(FerryStore) store = preparing("Running"); /* libvirt moves it: no matter how long */
  assert_phase(store, WORLD_NOW + 10 * FERRY_PREPARE_TIMEOUT_MS, "Running");
}

/* The agent's clock may be anywhere. */
static void test_clock_of_the_agent(void) {
  g_autoptr(FerryStore) store = preparing("PreparingTarget");
  world_set(store, "m", "status.phaseTransitionTimestamps",
            json_pack("[{ss,ss}]", "phase", "PreparingTarget", "phaseTransitionTimestamp",
                      "2020-01-01T00:00:00Z"));
  assert_phase(store, WORLD_NOW + 1, "PreparingTarget");
}

static void test_what_is_left(void) {
  g_autoptr(FerryStore) store = preparing("PreparingTarget");
  world_set(store, "m", "status.migrationState.targetDisks",
            json_pack("[{ss,ss,sb},{ss,ss,sb}]", "name", "vda", "path", "/nfs/db.qcow2", "create",
                      1, "name", "vdb", "path", "/there/already", "create", 0));
  assert_failed(store, WORLD_NOW + FERRY_PREPARE_TIMEOUT_MS, "TargetNotReady",
                "the agent removes /nfs/db.qcow2 on h2 when it answers");
}

static void test_forecast(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  world_set(store, "m", "spec.forecastOnly", json_true());
  assert_phase(store, WORLD_NOW, "Scheduled");
  world_set(store, "m", "status.phase", json_string("PreparingTarget"));
  assert_failed(store, WORLD_NOW + FERRY_PREPARE_TIMEOUT_MS, "ForecastFailed", "h1 and h2");
}

/* It has some time to answer, counted from when ferryd saw the cancel. */
static void test_cancel(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    gint64 then = WORLD_NOW + FERRY_PREPARE_TIMEOUT_MS - 1000;
    g_autoptr(FerryStore) store = preparing(phases[i]);
    world_set(store, "m", "status.migrationState.abortRequested", json_true());
    world_set(store, "m", "status.migrationState.abortRequestedBy", json_string("ann"));
    assert_phase(store, then, phases[i]);
    assert_phase(store, then + FERRY_CANCEL_TIMEOUT_MS - 1, phases[i]);
    assert_failed(
        store, then + FERRY_CANCEL_TIMEOUT_MS, "Cancelled",
        "cancelled by ann before it began; the VM was not touched, though the agent of h1 "
        "has not answered");
  }
}

/* Its answer ends it at once. */
static void test_cancel_is_answered(void) {
  g_autoptr(FerryStore) store = preparing("PreparingTarget");
  world_set(store, "m", "status.migrationState.abortRequested", json_true());
  assert_phase(store, WORLD_NOW + 10, "PreparingTarget");
  world_set(store, "m", "status.migrationState.agentResult",
            json_pack("{sb,ss,ss}", "returned", 0, "error", "cancelled", "sourceState", "running"));
  assert_failed(store, WORLD_NOW + 20, "Cancelled", "the VM is running on h1 as before");
}

/* A VM that was stopped before libvirt was called leaves nothing to wait for. */
static void test_stopped(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    g_autoptr(FerryStore) store = preparing(phases[i]);
    world_report(store, "h1", "shutoff", "destroyed", WORLD_NOW + 5);
    world_set(store, "m", "status.migrationState.agentResult",
              json_pack("{sb,ss,ss,ss}", "returned", 0, "error", "the VM is not running",
                        "sourceState", "shutoff", "sourceReason", "destroyed"));
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 20);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
    g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "StoppedMeanwhile");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration_preparing/limit", test_limit);
  g_test_add_func("/migration_preparing/clock-of-the-agent", test_clock_of_the_agent);
  g_test_add_func("/migration_preparing/what-is-left", test_what_is_left);
  g_test_add_func("/migration_preparing/forecast", test_forecast);
  g_test_add_func("/migration_preparing/cancel", test_cancel);
  g_test_add_func("/migration_preparing/cancel-is-answered", test_cancel_is_answered);
  g_test_add_func("/migration_preparing/stopped", test_stopped);
  return g_test_run();
}
