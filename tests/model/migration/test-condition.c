// SPDX-License-Identifier: Apache-2.0
#include "model/migration/condition.h"

static void test_names(void) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (int type = 0; type < FERRY_CONDITION_LAST; type++) {
    const char *name = ferry_condition_name((FerryConditionType)type);
    g_assert_nonnull(name);
    g_assert_true(g_ascii_isupper(name[0]));
    g_assert_true(g_hash_table_add(seen, (gpointer)name));
  }
}

static void test_read(void) {
  g_autoptr(json_t) node = json_loads("{\"status\":{\"conditions\":["
                                      "{\"type\":\"Ready\",\"status\":\"Unknown\"},"
                                      "{\"type\":\"CopiesUnguarded\",\"status\":\"True\"}]}}",
                                      0, NULL);
  g_assert_cmpstr(ferry_condition_status(node, FERRY_CONDITION_READY), ==, "Unknown");
  g_assert_false(ferry_condition_holds(node, FERRY_CONDITION_READY));
  g_assert_true(ferry_condition_holds(node, FERRY_CONDITION_COPIES_UNGUARDED));
  g_assert_null(ferry_condition_find(node, FERRY_CONDITION_STALLING));
  g_assert_null(ferry_condition_status(NULL, FERRY_CONDITION_READY));
  g_assert_false(ferry_condition_holds(NULL, FERRY_CONDITION_READY));
}

static void test_statuses(void) {
  static const char *const words[] = {"True", "False", "Unknown", NULL};
  for (guint i = 0; words[i]; i++) {
    g_autoptr(json_t) node = json_pack("{s:{s:[{s:s, s:s}]}}", "status", "conditions", "type",
                                       "Ready", "status", words[i]);
    g_assert_cmpint(ferry_condition_holds(node, FERRY_CONDITION_READY), ==, i == 0);
    g_assert_cmpint(ferry_condition_fails(node, FERRY_CONDITION_READY), ==, i == 1);
    g_assert_cmpint(ferry_condition_is_unknown(node, FERRY_CONDITION_READY), ==, i == 2);
    g_assert_cmpint(ferry_condition_entry_holds(ferry_condition_find(node, FERRY_CONDITION_READY)),
                    ==, i == 0);
  }
  g_assert_false(ferry_condition_fails(NULL, FERRY_CONDITION_READY));
  g_assert_false(ferry_condition_is_unknown(NULL, FERRY_CONDITION_READY));
  g_assert_false(ferry_condition_entry_holds(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/condition/names", test_names);
  g_test_add_func("/condition/read", test_read);
  g_test_add_func("/condition/statuses", test_statuses);
  return g_test_run();
}
