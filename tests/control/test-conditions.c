// SPDX-License-Identifier: Apache-2.0
#include "control/conditions.h"
#include "base/json.h"

#define SET(status, message, at)                                                                   \
  ferry_condition_set(o, FERRY_CONDITION_READY, status, "Because", message, at)

static void test_set(void) {
  g_autoptr(json_t) o = json_object();
  g_assert_true(SET("True", "it is", 1000));
  const json_t *c = ferry_condition_find(o, FERRY_CONDITION_READY);
  g_assert_cmpstr(ferry_json_str(c, "lastTransitionTime"), ==, "1970-01-01T00:00:01Z");
  g_assert_false(SET("True", "it is", 2000)); /* nothing new */
  g_assert_true(SET("True", "it still is", 3000));
  c = ferry_condition_find(o, FERRY_CONDITION_READY);
  g_assert_cmpstr(ferry_json_str(c, "message"), ==, "it still is");
  g_assert_cmpstr(ferry_json_str(c, "lastTransitionTime"), ==, "1970-01-01T00:00:01Z");
  g_assert_true(SET("False", "no more", 4000)); /* it has flipped */
  c = ferry_condition_find(o, FERRY_CONDITION_READY);
  g_assert_cmpstr(ferry_json_str(c, "lastTransitionTime"), ==, "1970-01-01T00:00:04Z");
  g_assert_cmpuint(json_array_size(ferry_json_get(o, "status.conditions")), ==, 1);
}

static void test_remove(void) {
  g_autoptr(json_t) o = json_object();
  g_assert_false(ferry_condition_remove(o, FERRY_CONDITION_READY));
  SET("True", "it is", 1000);
  ferry_condition_set(o, FERRY_CONDITION_STALLING, "True", "Because", "too", 1000);
  g_assert_true(ferry_condition_remove(o, FERRY_CONDITION_READY));
  g_assert_null(ferry_condition_find(o, FERRY_CONDITION_READY));
  g_assert_nonnull(ferry_condition_find(o, FERRY_CONDITION_STALLING));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/conditions/set", test_set);
  g_test_add_func("/conditions/remove", test_remove);
  return g_test_run();
}
