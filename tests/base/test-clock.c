// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

static gint64 three(gpointer data) {
  return 3 + *(gint64 *)data;
}

static gint64 five(gpointer data) {
  return 5 + *(gint64 *)data;
}

static void test_port(void) {
  gint64 base = 100;
  FerryClock clock = {three, five, &base};
  g_assert_cmpint(ferry_clock_monotonic_us(&clock), ==, 103);
  g_assert_cmpint(ferry_clock_wall_ms(&clock), ==, 105);
}

/* Microseconds that never fall, and milliseconds since 1970. */
static void test_system(void) {
  const FerryClock *clock = ferry_clock_system();
  gint64 before = g_get_monotonic_time(), now = ferry_clock_monotonic_us(clock);
  g_assert_cmpint(before, <=, now);
  g_assert_cmpint(now, <=, g_get_monotonic_time());
  gint64 seconds = g_get_real_time() / G_USEC_PER_SEC;
  g_assert_cmpint(ABS(ferry_clock_wall_ms(clock) / 1000 - seconds), <=, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/clock/port", test_port);
  g_test_add_func("/base/clock/system", test_system);
  return g_test_run();
}
