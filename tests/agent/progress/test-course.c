// SPDX-License-Identifier: Apache-2.0
#include "agent/progress/course.h"

static gint64 at(const FerryCourse *c, gsize i) {
  return ferry_json_int(json_array_get(c->rows, i), "elapsedMs", -1);
}

static void test_is_bounded_and_even(void) {
  FerryCourse c;
  g_autoptr(json_t) e = json_pack("{s:i, s:i, s:i}", "iteration", 3, "remainingBytes", 7,
                                  "dirtyRateBytesPerSecond", -1);
  ferry_course_init(&c, NULL);
  gint64 widest = 0;
  for (gint64 ms = 0; ms < 3600 * 1000; ms += 50)
    ferry_course_add(&c, e, ms, FALSE);
  ferry_course_add(&c, e, 3600 * 1000, TRUE);
  gsize n = json_array_size(c.rows);
  g_assert_cmpuint(n, <=, FERRY_COURSE_MAX);
  g_assert_cmpuint(n, >=, FERRY_COURSE_MAX / 2);
  g_assert_cmpint(at(&c, 0), ==, 0);
  g_assert_cmpint(at(&c, n - 1), ==, 3600 * 1000);
  for (gsize i = 1; i < n; i++) {
    g_assert_cmpint(at(&c, i), >, at(&c, i - 1));
    widest = MAX(widest, at(&c, i) - at(&c, i - 1));
  }
  g_assert_cmpint(widest, <=, 2 * 3600 * 1000 / (gint64)n + 50);
  g_assert_cmpint(ferry_json_int(json_array_get(c.rows, 1), "remainingBytes", 0), ==, 7);
  g_assert_null(json_object_get(json_array_get(c.rows, 1), "dirtyRateBytesPerSecond"));
  ferry_course_clear(&c);
}

static void test_goes_on_where_another_agent_ended(void) {
  FerryCourse c, d;
  g_autoptr(json_t) e = json_object();
  ferry_course_init(&c, NULL);
  g_assert_true(ferry_course_add(&c, e, 0, FALSE));
  g_assert_false(ferry_course_add(&c, e, 100, FALSE));
  g_assert_true(ferry_course_add(&c, e, 250, FALSE));
  ferry_course_init(&d, c.rows);
  g_assert_false(ferry_course_add(&d, e, 200, TRUE)); /* time does not run backwards */
  g_assert_false(ferry_course_add(&d, e, 300, FALSE));
  g_assert_true(ferry_course_add(&d, e, 300, TRUE));
  g_assert_cmpuint(json_array_size(d.rows), ==, 3);
  g_assert_cmpuint(json_array_size(c.rows), ==, 2);
  ferry_course_clear(&c);
  ferry_course_clear(&d);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/course/bounded", test_is_bounded_and_even);
  g_test_add_func("/course/goes-on", test_goes_on_where_another_agent_ended);
  return g_test_run();
}
