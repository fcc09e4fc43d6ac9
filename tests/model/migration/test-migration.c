// SPDX-License-Identifier: Apache-2.0
#include "model/migration/migration.h"

static json_t *object(const char *phase, const char *before) {
  return json_pack("{s:{s:s, s:{s:s*}}}", "status", "phase", phase, "migrationState",
                   "sourceDomainStateBefore", before);
}

static void test_final(void) {
  static const struct {
    const char *phase;
    gboolean final;
  } cases[] = {{"Pending", FALSE}, {"Running", FALSE}, {"Succeeded", TRUE}, {"Failed", TRUE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) m = object(cases[i].phase, NULL);
    g_assert_cmpint(ferry_migration_is_final(m), ==, cases[i].final);
  }
  g_autoptr(json_t) none = json_object();
  g_assert_false(ferry_migration_is_final(none));
}

/* A VM that was paused when it was scheduled may be paused when it moves, and no other. */
static void test_state_is_kept(void) {
  static const struct {
    const char *before, *now;
    gboolean kept;
  } cases[] = {
      {NULL, "running", TRUE},      {NULL, "blocked", TRUE},      {NULL, "paused", FALSE},
      {NULL, NULL, FALSE},          {"running", "blocked", TRUE}, {"running", "paused", FALSE},
      {"paused", "paused", TRUE},   {"paused", "running", FALSE}, {"paused", "shutoff", FALSE},
      {"shutoff", "shutoff", TRUE}, {"shutoff", NULL, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) m = object("Scheduled", cases[i].before);
    if (ferry_migration_state_is_kept(m, cases[i].now) != cases[i].kept)
      g_error("%s, now %s", cases[i].before, cases[i].now);
  }
}

static void test_new(void) {
  g_autoptr(json_t) status = ferry_migration_status_new("2026-01-02T03:04:05Z");
  g_assert_cmpstr(ferry_json_str(status, "phase"), ==, "Pending");
  json_t *stamp = json_array_get(ferry_json_get(status, "phaseTransitionTimestamps"), 0);
  g_assert_cmpstr(ferry_json_str(stamp, "phase"), ==, "Pending");
  g_assert_cmpstr(ferry_json_str(stamp, "phaseTransitionTimestamp"), ==, "2026-01-02T03:04:05Z");
}

static void test_numbers(void) {
  g_autoptr(json_t) change = json_pack("{s:s}", "id", "17");
  g_autoptr(json_t) other = json_pack("{s:s}", "id", "x");
  g_assert_cmpint(ferry_migration_change_number(change), ==, 17);
  g_assert_cmpint(ferry_migration_change_number(other), ==, 0);
  g_assert_cmpint(ferry_migration_change_number(NULL), ==, 0);
  g_autoptr(json_t) forecast = json_pack("{s:{s:b}}", "spec", "forecastOnly", 1);
  g_assert_true(ferry_migration_is_forecast(forecast));
  g_assert_false(ferry_migration_is_forecast(change));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/migration/final", test_final);
  g_test_add_func("/model/migration/state-is-kept", test_state_is_kept);
  g_test_add_func("/model/migration/new", test_new);
  g_test_add_func("/model/migration/numbers", test_numbers);
  return g_test_run();
}
