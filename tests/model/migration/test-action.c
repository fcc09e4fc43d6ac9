// SPDX-License-Identifier: Apache-2.0
#include "model/migration/action.h"

static void test_words(void) {
  g_assert_null(ferry_action_name(FERRY_ACTION_NONE));
  g_assert_cmpint(ferry_action_parse(NULL), ==, FERRY_ACTION_NONE);
  g_assert_cmpint(ferry_action_parse("Dance"), ==, FERRY_ACTION_NONE);
  for (FerryAction a = FERRY_ACTION_NONE + 1; a < FERRY_ACTION_LAST; a++)
    g_assert_cmpint(ferry_action_parse(ferry_action_name(a)), ==, a);
}

static void test_units(void) {
  g_assert_cmpstr(ferry_unit_word(ferry_action_unit(FERRY_ACTION_SET_DOWNTIME)), ==, "ms");
  g_assert_cmpstr(ferry_unit_word(ferry_action_unit(FERRY_ACTION_SET_THROTTLE)), ==, "percent");
  g_assert_cmpint(ferry_action_unit(FERRY_ACTION_ABORT), ==, FERRY_UNIT_NONE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/migration/action/words", test_words);
  g_test_add_func("/model/migration/action/units", test_units);
  return g_test_run();
}
