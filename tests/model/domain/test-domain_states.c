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
    FerryVmState read = ferry_vm_state_parse(state);
    g_assert_cmpstr(ferry_vm_state_name(read), ==, state);
    g_assert_true(ferry_domain_state_runs(read) == cases[i].runs);
    g_assert_true(ferry_domain_state_is_alive(read) == cases[i].alive);
  }
  g_assert_cmpuint(g_strv_length((char **)ferry_domain_states), ==, G_N_ELEMENTS(cases));
  g_assert_cmpuint(G_N_ELEMENTS(cases), ==, FERRY_VM_LAST);
  g_assert_cmpint(ferry_vm_state_parse(NULL), ==, FERRY_VM_UNKNOWN);
  g_assert_cmpint(ferry_vm_state_parse("a word of a later libvirt"), ==, FERRY_VM_UNKNOWN);
  g_autoptr(json_t) object = json_pack("{s:{s:s}}", "status", "state", "paused");
  g_assert_cmpint(ferry_vm_state_of(object, "status.state"), ==, FERRY_VM_PAUSED);
  g_assert_cmpint(ferry_vm_state_of(NULL, "status.state"), ==, FERRY_VM_UNKNOWN);
}

static void test_post_copy(void) {
  g_assert_true(ferry_vm_reason_is_post_copy("postcopy"));
  g_assert_true(ferry_vm_reason_is_post_copy("postcopy-failed"));
  g_assert_false(ferry_vm_reason_is_post_copy("migration"));
  g_assert_false(ferry_vm_reason_is_post_copy(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain-states/words", test_words);
  g_test_add_func("/domain-states/post-copy", test_post_copy);
  return g_test_run();
}
