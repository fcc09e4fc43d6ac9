// SPDX-License-Identifier: Apache-2.0
// While a post-copy that broke is resumed the migration goes on, and says what it waits for.
#include "model/migration/recovery.h"
#include "world.h"
#include <string.h>

static FerryStore *running(void) {
  FerryStore *store = world_new();
  world_migrate(store, "m", NULL);
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  world_set(store, "m", "status.migrationState.mode", json_string("PostCopy"));
  return store;
}

static json_t *say(FerryStore *store, FerryRecoveryState state, const char *message) {
  FerryRecoveryWord word = {state, message, "2026-01-01T00:00:00Z", 1, 0, 0};
  g_autoptr(json_t) patch = ferry_recovery_patch(&word);
  world_set(store, "m", "status.migrationState.recovery",
            json_deep_copy(ferry_json_get(patch, "migrationState.recovery")));
  return world_step(store, "m", WORLD_NOW + 1000);
}

static void test_is_said(void) {
  FerryStore *store = running();
  for (guint state = FERRY_RECOVERY_STALLED; state <= FERRY_RECOVERY_RESUMING; state++) {
    g_autofree char *text = g_strdup_printf("word %u", state);
    g_autoptr(json_t) m = say(store, (FerryRecoveryState)state, text);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Running");
    g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyBroken");
    g_assert_cmpstr(ferry_json_str(m, "status.message"), ==, text);
    g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
    g_assert_cmpstr(ferry_json_str(vmi, "status.migrationState.recovery.message"), ==, text);
  }
  g_autoptr(json_t) m = say(store, FERRY_RECOVERY_RECOVERED, "well again");
  g_assert_null(ferry_json_get(m, "status.reason"));
  g_assert_null(ferry_json_get(m, "status.message"));
  ferry_store_free(store);
}

/* What the result says counts from then on. */
static void test_result_counts(void) {
  FerryStore *store = running();
  world_set(store, "m", "status.migrationState.agentResult",
            json_pack("{s:b, s:i, s:s, s:s, s:s}", "returned", 1, "errorCode", 9, "error", "broke",
                      "sourceState", "paused", "sourceReason", "postcopy-failed"));
  world_report(store, "h1", "paused", "postcopy-failed", WORLD_NOW);
  world_report(store, "h2", "running", "postcopy-failed", WORLD_NOW);
  g_autoptr(json_t) m = say(store, FERRY_RECOVERY_GIVEN_UP, "no more");
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyFailed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "--postcopy-resume"));
  ferry_store_free(store);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/migration_recovery/said", test_is_said);
  g_test_add_func("/control/migration_recovery/result", test_result_counts);
  return g_test_run();
}
