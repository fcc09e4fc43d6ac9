// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"

static void test_words(void) {
  static const struct {
    const char *a, *b;
    guint limit, distance;
  } cases[] = {
      {"", "", 0, 0},
      {"drain", "drain", 0, 0},
      {"drain", "drian", 2, 2},
      {"drain", "rain", 1, 1},
      {"rain", "drain", 1, 1},
      {"cat", "cut", 1, 1},
      {"kitten", "sitting", 3, 3},
      {"kitten", "sitting", 2, G_MAXUINT},
      {"a", "abcd", 2, G_MAXUINT},
      {"", "abc", 3, 3},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpuint(ferry_edit_distance(cases[i].a, cases[i].b, cases[i].limit), ==,
                     cases[i].distance);
}

static void test_long(void) {
  g_autofree char *most = g_strnfill(253, 'a');
  g_autofree char *more = g_strnfill(254, 'a');
  g_assert_cmpuint(ferry_edit_distance(most, most, 3), ==, 0);
  g_assert_cmpuint(ferry_edit_distance(more, most, 3), ==, G_MAXUINT);
  g_assert_cmpuint(ferry_edit_distance(most, more, 3), ==, G_MAXUINT);
}

static void test_nearest(void) {
  static const char *const words[] = {"migrate", "cancel", "get", NULL};
  g_assert_cmpstr(ferry_nearest("migrat", words), ==, "migrate");
  g_assert_cmpstr(ferry_nearest("cansel", words), ==, "cancel");
  g_assert_cmpstr(ferry_nearest("gte", words), ==, NULL);
  g_assert_cmpstr(ferry_nearest("ge", words), ==, "get");
  g_autofree char *huge = g_strnfill(100000, 'x');
  g_assert_null(ferry_nearest(huge, words));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/edit-distance/words", test_words);
  g_test_add_func("/edit-distance/long", test_long);
  g_test_add_func("/edit_distance/nearest", test_nearest);
  return g_test_run();
}
