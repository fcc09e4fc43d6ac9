// SPDX-License-Identifier: Apache-2.0
#include "policy/resume_defects.h"

/* Both ends of each range, and what lies beside it. */
static void test_ranges(void) {
  static const struct {
    const char *version, *mended;
  } cases[] = {
      {NULL, NULL},         {"9.0.0", NULL},    {"11.1.0", NULL},     {"11.1.99", NULL},
      {"11.2.0", "11.4.0"}, {"11.2", "11.4.0"}, {"11.2.1", "11.4.0"}, {"11.3.0", "11.4.0"},
      {"11.3.9", "11.4.0"}, {"11.4.0", NULL},   {"11.4", NULL},       {"11.10.0", NULL},
      {"12.0.0", NULL},     {"1.13.0", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("libvirt %s", cases[i].version);
    g_assert_cmpstr(ferry_resume_fixed_in(cases[i].version), ==, cases[i].mended);
    g_assert_true((ferry_resume_defect(cases[i].version) != NULL) == (cases[i].mended != NULL));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/policy/resume_defects/ranges", test_ranges);
  return g_test_run();
}
