// SPDX-License-Identifier: Apache-2.0
#include "policy/place/link_share.h"

static void test_share(void) {
  const gint64 none[] = {0, 0}, limits[] = {100, 0}, high[] = {900, 100};
  g_assert_cmpint(ferry_link_share(1000, NULL, 0, 0), ==, 1000);
  g_assert_cmpint(ferry_link_share(1000, NULL, 0, 300), ==, 300);
  g_assert_cmpint(ferry_link_share(1000, none, 1, 0), ==, 500);
  g_assert_cmpint(ferry_link_share(900, none, 2, 0), ==, 300);
  g_assert_cmpint(ferry_link_share(1000, limits, 2, 0), ==, 450); /* 100 are enough for one */
  g_assert_cmpint(ferry_link_share(1000, high, 2, 0), ==, 450);   /* 900 are not to be had */
  g_assert_cmpint(ferry_link_share(1000, high, 2, 200), ==, 200);
  g_assert_cmpint(ferry_link_share(0, none, 2, 0), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/link_share/share", test_share);
  return g_test_run();
}
