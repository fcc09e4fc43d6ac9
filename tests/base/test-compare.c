// SPDX-License-Identifier: Apache-2.0
#include "base/compare.h"

static void test_orders(void) {
  const char *a = "a", *b = "b", *same = "a";
  g_assert_cmpint(ferry_compare_text(a, b), <, 0);
  g_assert_cmpint(ferry_compare_text(b, a), >, 0);
  g_assert_cmpint(ferry_compare_text(a, same), ==, 0);
  g_assert_cmpint(ferry_compare_keys(a, b, NULL), <, 0);
  g_assert_cmpint(ferry_compare_text_at(&a, &b), <, 0);
  g_assert_cmpint(ferry_compare_text_at(&a, &same), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/compare/orders", test_orders);
  return g_test_run();
}
