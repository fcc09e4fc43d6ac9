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

static void test_presence(void) {
  g_autoptr(json_t) ended = object("Failed", NULL), runs = object("Running", NULL);
  g_autoptr(json_t) waits = object("Pending", NULL), put_off = object("Pending", NULL);
  ferry_json_set_str(waits, "status.queue.reason", "LimitReached");
  ferry_json_set_str(put_off, "status.queue.reason", "NotYet");
  g_assert_cmpuint(ferry_migration_presence(ended), ==, 0);
  g_assert_cmpuint(ferry_migration_presence(put_off), ==, 1);
  g_assert_cmpuint(ferry_migration_presence(waits), ==, 2);
  g_assert_cmpuint(ferry_migration_presence(runs), ==, 2);
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

static const char *obstacle(const char *fields, gboolean post_copy, gboolean allowed) {
  g_autoptr(json_t) parsed = json_loads(fields, 0, NULL);
  g_assert_nonnull(parsed);
  return ferry_migration_change_obstacle(parsed, post_copy, allowed);
}

static void test_change_obstacle(void) {
  g_assert_null(obstacle("{\"downtimeMs\": 100}", FALSE, FALSE));
  g_assert_null(obstacle("{\"technique\": \"pre-copy\"}", FALSE, FALSE));
  g_assert_null(obstacle("{\"technique\": \"post-copy\"}", FALSE, TRUE));
  g_assert_nonnull(obstacle("{\"technique\": \"post-copy\"}", FALSE, FALSE));
  /* in post-copy only people can still be told earlier or later */
  g_assert_null(obstacle("{\"stallingLimitSeconds\": 5}", TRUE, TRUE));
  g_assert_nonnull(obstacle("{\"downtimeMs\": 100}", TRUE, TRUE));
  g_assert_nonnull(obstacle("{\"bandwidthMiBps\": 1, \"stallingLimitSeconds\": 5}", TRUE, TRUE));
  g_assert_nonnull(obstacle("{\"technique\": \"pre-copy\"}", TRUE, TRUE));
}

static void test_change_state(void) {
  g_autoptr(json_t) change = json_object();
  g_assert_cmpint(ferry_change_state_of(change), ==, FERRY_CHANGE_NONE);
  g_assert_null(ferry_change_state_name(FERRY_CHANGE_NONE));
  for (guint i = 0; ferry_change_states[i]; i++) {
    ferry_json_set_str(change, "state", ferry_change_states[i]);
    g_assert_cmpint(ferry_change_state_of(change), ==, (int)i + 1);
    g_assert_cmpstr(ferry_change_state_name((FerryChangeState)(i + 1)), ==, ferry_change_states[i]);
  }
  g_assert_cmpstr(ferry_change_state_name(FERRY_CHANGE_APPLIED), ==, "Applied");
  ferry_json_set_str(change, "state", "Applying");
  g_assert_cmpint(ferry_change_state_of(change), ==, FERRY_CHANGE_NONE);
}

static void test_active_on(void) {
  g_autoptr(json_t) vmi =
      json_pack("{s:{s:[{s:s,s:b},{s:s,s:b},{s:s}]}}", "status", "domains", "nodeName", "h1",
                "active", TRUE, "nodeName", "h2", "active", FALSE, "nodeName", "h3");
  g_assert_true(ferry_vmi_is_active_on(vmi, "h1"));
  g_assert_false(ferry_vmi_is_active_on(vmi, "h2"));
  g_assert_false(ferry_vmi_is_active_on(vmi, "h3"));
  g_assert_false(ferry_vmi_is_active_on(vmi, "h4"));
  g_assert_false(ferry_vmi_is_active_on(NULL, "h1"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/migration/final", test_final);
  g_test_add_func("/model/migration/presence", test_presence);
  g_test_add_func("/model/migration/state-is-kept", test_state_is_kept);
  g_test_add_func("/model/migration/new", test_new);
  g_test_add_func("/model/migration/numbers", test_numbers);
  g_test_add_func("/migration/change-obstacle", test_change_obstacle);
  g_test_add_func("/migration/change-state", test_change_state);
  g_test_add_func("/migration/active-on", test_active_on);
  return g_test_run();
}
