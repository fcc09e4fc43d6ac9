// SPDX-License-Identifier: Apache-2.0
#include "model/domain/domain_states.h"

static void test_words(void) {
  static const struct {
    const char *state;
    gboolean reported, runs, alive;
  } cases[] = {
      {"running", TRUE, TRUE, TRUE},   {"blocked", TRUE, TRUE, TRUE},
      {"paused", TRUE, FALSE, TRUE},   {"pmsuspended", TRUE, FALSE, TRUE},
      {"crashed", TRUE, FALSE, FALSE}, {"shutoff", TRUE, FALSE, FALSE},
      {"nostate", TRUE, FALSE, FALSE}, {"shutdown", TRUE, FALSE, FALSE},
      {"gone", FALSE, FALSE, FALSE},   {"unknown", FALSE, FALSE, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *state = cases[i].state;
    g_assert_true(g_strv_contains(ferry_domain_states, state));
    g_assert_true(g_strv_contains(ferry_domain_states_reported, state) == cases[i].reported);
    g_assert_true(ferry_domain_state_runs(state) == cases[i].runs);
    g_assert_true(ferry_domain_state_is_alive(state) == cases[i].alive);
  }
  g_assert_cmpuint(g_strv_length((char **)ferry_domain_states), ==, G_N_ELEMENTS(cases));
  g_assert_false(ferry_domain_state_runs(NULL));
  g_assert_false(ferry_domain_state_is_alive(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain-states/words", test_words);
  return g_test_run();
}
