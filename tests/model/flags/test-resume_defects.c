// SPDX-License-Identifier: Apache-2.0
#include "model/flags/resume_defects.h"

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

/* Both must know how to, and the target must outlive it; what is not known is not allowed. */
static void test_pairs(void) {
  static const struct {
    const char *source, *target;
    gboolean allowed;
  } cases[] = {
      {"9.0.0", "9.0.0", TRUE},   {"11.3.0", "9.0.0", TRUE},   {"9.0.0", "11.3.0", FALSE},
      {"11.4.0", "11.4.0", TRUE}, {"11.3.0", "11.3.0", FALSE}, {"8.4.9", "9.0.0", FALSE},
      {"9.0.0", "8.4.9", FALSE},  {"8.5.0", "8.5.0", TRUE},    {NULL, "9.0.0", FALSE},
      {"9.0.0", NULL, FALSE},     {"11.2.0", "12.0.0", TRUE},  {NULL, NULL, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%s to %s", cases[i].source, cases[i].target);
    g_assert_true(ferry_resume_is_allowed(cases[i].source, cases[i].target) == cases[i].allowed);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/resume_defects/ranges", test_ranges);
  g_test_add_func("/model/resume_defects/pairs", test_pairs);
  return g_test_run();
}
