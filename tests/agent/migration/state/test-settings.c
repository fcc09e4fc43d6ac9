// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/settings.h"

static FerryConvergenceIntent intent_of(FerrySettings *s, json_t **object, const char *config) {
  json_t *c = json_loads(config, 0, NULL);
  g_assert_nonnull(c);
  *object = json_pack("{s:{s:{s:o}}}", "status", "migrationState", "migrationConfiguration", c);
  FerryConvergenceIntent intent;
  ferry_settings_read(s, *object);
  ferry_settings_intent(s, 2LL << 30, &intent);
  return intent;
}

#define INTENT(i, config)                                                                          \
  FerrySettings s_##i;                                                                             \
  g_autoptr(json_t) o_##i = NULL;                                                                  \
  FerryConvergenceIntent i = intent_of(&s_##i, &o_##i, config)

static void test_intent(void) {
  INTENT(i, "{\"preset\":\"intent\",\"maxDowntimeMs\":250,\"maxDurationMs\":60000,"
            "\"maxSlowdownPercent\":20,\"infeasiblePatienceMs\":30000,"
            "\"linkRateBytesPerSecond\":5000,\"postCopyPreempt\":true,\"allowPostCopy\":true}");
  g_assert_null(i.schedule);
  g_assert_cmpint(i.max_downtime_ms, ==, 250);
  g_assert_cmpint(i.max_duration_ms, ==, 60000);
  g_assert_cmpint(i.max_slowdown_percent, ==, 20);
  g_assert_cmpint(i.infeasible_patience_ms, ==, 30000);
  g_assert_cmpint(i.link_rate, ==, 5000);
  g_assert_true(i.post_copy_preempt && i.allow_post_copy);
  g_assert_false(i.can_throttle);
  ferry_settings_clear(&s_i);
}

/* Encrypted, unless somebody said otherwise. */
static void test_tls(void) {
  INTENT(i, "{}");
  INTENT(k, "{\"disableTLS\":true}");
  INTENT(l, "{\"disableTLS\":false}");
  g_assert_true(!i.schedule && !k.schedule && !l.schedule);
  g_assert_true(s_i.request.tls);
  g_assert_false(s_k.request.tls);
  g_assert_true(s_l.request.tls);
  ferry_settings_clear(&s_i);
  ferry_settings_clear(&s_k);
  ferry_settings_clear(&s_l);
}

static void test_preset(void) {
  INTENT(i, "{\"preset\":\"nova\",\"completionTimeoutPerGiB\":800,\"progressTimeout\":0}");
  g_assert_nonnull(i.schedule);
  g_assert_cmpuint(i.schedule->n_steps, ==, 10);
  g_assert_cmpint(i.schedule->unit, ==, FERRY_LIMIT_SECONDS_PER_GIB);
  g_assert_cmpint(i.schedule->completion_s_per_gib, ==, 800);
  /* somebody stronger said another */
  INTENT(k, "{\"preset\":\"nova\",\"completionTimeoutPerGiB\":10,\"progressTimeout\":0}");
  g_assert_cmpint(k.schedule->completion_s_per_gib, ==, 0);
  g_assert_cmpint(k.completion_timeout_ms, ==, 20000);
  ferry_settings_clear(&s_i);
  ferry_settings_clear(&s_k);
}

static void test_schedule(void) {
  INTENT(i, "{\"schedule\":{\"init\":[],\"stalling\":[{\"limit\":3,\"action\":{\"name\":"
            "\"abort\"}}]}}");
  g_assert_nonnull(i.schedule);
  g_assert_cmpuint(i.schedule->n_steps, ==, 1);
  g_assert_cmpint(i.schedule->steps[0].action, ==, FERRY_STEP_ABORT);
  ferry_settings_clear(&s_i);
}

static void test_timeouts(void) {
  INTENT(i, "{\"progressTimeout\":150,\"migrationProgressTimeout\":7,"
            "\"completionTimeoutPerGiB\":100,\"copiedDiskBytes\":2147483648}");
  g_assert_cmpint(i.progress_timeout_ms, ==, 7000);
  g_assert_cmpint(i.completion_timeout_ms, ==, 400000); /* 2 GiB of memory, 2 of disks */
  g_assert_cmpint(i.disk_bytes, ==, 2LL << 30);
  ferry_settings_clear(&s_i);
}

/* An empty list of disks is none, as libvirt has it. */
static void test_disks(void) {
  INTENT(i, "{\"copyStorageAll\":true,\"migrateDisks\":[\"vda\"]}");
  INTENT(k, "{\"copyStorageAll\":true,\"migrateDisks\":[]}");
  g_assert_cmpint(i.disk_bytes + k.disk_bytes, ==, 0);
  g_assert_true(s_i.request.copy_disks && s_k.request.copy_disks);
  g_assert_cmpstr(s_i.request.disks[0], ==, "vda");
  g_assert_null(s_k.request.disks);
  ferry_settings_clear(&s_i);
  ferry_settings_clear(&s_k);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/settings/intent", test_intent);
  g_test_add_func("/settings/tls", test_tls);
  g_test_add_func("/settings/preset", test_preset);
  g_test_add_func("/settings/schedule", test_schedule);
  g_test_add_func("/settings/timeouts", test_timeouts);
  g_test_add_func("/settings/disks", test_disks);
  return g_test_run();
}
