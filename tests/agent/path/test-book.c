// SPDX-License-Identifier: Apache-2.0
#include "agent/path/book.h"

static void test_rates(void) {
  FerryPathBook *b = ferry_path_book_new();
  g_assert_cmpint(ferry_path_book_rate(b, "10.0.0.2"), ==, 0);
  g_assert_cmpint(ferry_path_book_rate(b, NULL), ==, 0);
  ferry_path_book_set_rate(b, "10.0.0.2", 5);
  ferry_path_book_set_rate(b, "10.0.0.2", 6);
  g_assert_cmpint(ferry_path_book_rate(b, "10.0.0.2"), ==, 6);
  g_assert_cmpint(ferry_path_book_rate(b, "10.0.0.3"), ==, 0);
  ferry_path_book_free(b);
}

/* only who sent alone from its beginning to its end knows the path */
static void test_alone(void) {
  FerryPathBook *b = ferry_path_book_new();
  gint64 first = ferry_path_book_enter(b);
  g_assert_true(ferry_path_book_leave(b, first));
  first = ferry_path_book_enter(b);
  gint64 second = ferry_path_book_enter(b);
  g_assert_false(ferry_path_book_leave(b, first));
  g_assert_false(ferry_path_book_leave(b, second));
  while (g_get_monotonic_time() <= second + 1)
    g_usleep(10); /* the clock's next tick */
  gint64 third = ferry_path_book_enter(b);
  g_assert_true(ferry_path_book_leave(b, third));
  ferry_path_book_free(b);
}

static void test_turns(void) {
  FerryPathBook *b = ferry_path_book_new();
  g_assert_true(ferry_path_book_turn(b, FERRY_PATH_TURN_IN, TRUE));
  g_assert_false(ferry_path_book_turn(b, FERRY_PATH_TURN_IN, TRUE));
  g_assert_true(ferry_path_book_turn(b, FERRY_PATH_TURN_OUT, TRUE)); /* another one */
  g_assert_true(ferry_path_book_turn(b, FERRY_PATH_TURN_IN, FALSE));
  g_assert_true(ferry_path_book_turn(b, FERRY_PATH_TURN_IN, TRUE));
  ferry_path_book_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/book/rates", test_rates);
  g_test_add_func("/agent/book/alone", test_alone);
  g_test_add_func("/agent/book/turns", test_turns);
  return g_test_run();
}
