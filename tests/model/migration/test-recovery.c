// SPDX-License-Identifier: Apache-2.0
#include "model/migration/recovery.h"

static json_t *record_of(const FerryRecoveryWord *word) {
  return json_pack("{s:o}", "status", ferry_recovery_patch(word));
}

static void test_says_what_was_said(void) {
  for (guint state = FERRY_RECOVERY_STALLED; state <= FERRY_RECOVERY_GIVEN_UP; state++) {
    FerryRecoveryWord word = {
        (FerryRecoveryState)state, "why", "2026-01-01T00:00:00Z", 3, 2, 49153};
    g_autoptr(json_t) m = record_of(&word);
    g_assert_cmpint(ferry_recovery_of(m), ==, state);
    g_assert_cmpstr(ferry_recovery_message(m), ==, "why");
    g_assert_true(ferry_recovery_is_open(m) ==
                  (state != FERRY_RECOVERY_RECOVERED && state != FERRY_RECOVERY_GIVEN_UP));
    g_assert_cmpint(ferry_recovery_tries(m), ==, 3);
    g_assert_cmpint(ferry_recovery_port(m), ==, 49153);
    /* only where the target has not noticed is there anything to close: later words are stale */
    g_assert_cmpint(ferry_recovery_close_request(m), ==, state == FERRY_RECOVERY_UNNOTICED ? 2 : 0);
  }
  g_assert_null(ferry_recovery_states[FERRY_RECOVERY_GIVEN_UP]);
}

static void test_nothing(void) {
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) odd =
      json_pack("{s:{s:{s:{s:s}}}}", "status", "migrationState", "recovery", "state", "Whatever");
  json_t *all[] = {none, odd, NULL};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    g_assert_cmpint(ferry_recovery_of(all[i]), ==, FERRY_RECOVERY_NONE);
    g_assert_false(ferry_recovery_is_open(all[i]));
    g_assert_null(ferry_recovery_message(all[i]));
    g_assert_cmpint(ferry_recovery_close_request(all[i]), ==, 0);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/recovery/said", test_says_what_was_said);
  g_test_add_func("/model/recovery/nothing", test_nothing);
  return g_test_run();
}
