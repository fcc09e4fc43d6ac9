// SPDX-License-Identifier: Apache-2.0
// What one identity may ask for at once and in a while.
#include "api/http/allowance.h"

#include <string.h>

static void test_allowance(void) {
  g_autoptr(FerryAllowances) all = ferry_allowances_new(G_MAXSIZE);
  const FerryAllowance rule = {.rate = 2, .burst = 4, .in_flight = 3};
  gint64 now = 1000000;
  guint retry;
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==, FERRY_ALLOWED);
  g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==,
                  FERRY_ALLOWED_NO_FLIGHT);
  ferry_allowances_end(all, "a", 0);
  g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 3, now, &retry), ==,
                  FERRY_ALLOWED_NO_RATE);
  g_assert_cmpuint(retry, ==, 1);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 99, now, &retry), ==, FERRY_ALLOWED);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 4, now, &retry), ==,
                  FERRY_ALLOWED_NO_RATE);
  g_assert_cmpuint(retry, ==, 2);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 4, now + 2 * G_USEC_PER_SEC, &retry), ==,
                  FERRY_ALLOWED);
  /* A million names are not a million buckets. */
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *name = g_strdup_printf("name-%u", i);
    now += G_USEC_PER_SEC;
    g_assert_cmpint(ferry_allowances_begin(all, name, &rule, 1, now, &retry), ==, FERRY_ALLOWED);
    ferry_allowances_end(all, name, 0);
  }
  g_assert_cmpuint(ferry_allowances_size(all), <, 3000);
}

/* Who has nothing unread gets one answer, however much others have; who has some, up to his own
 * most and while there is room for all. */
static void test_unread(void) {
  g_autoptr(FerryAllowances) all = ferry_allowances_new(100);
  const FerryAllowance rule = {.rate = 1000, .burst = 1000, .in_flight = 100};
  guint retry;
  static const struct {
    const char *who;
    gsize takes; /* 0: refused */
  } turns[] = {{"a", 40}, {"a", 30},  {"a", 0}, {"b", 20}, {"b", 15},
               {"b", 0},  {"c", 500}, {"c", 0}, {"d", 1},  {"d", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
    g_assert_cmpint(ferry_allowances_begin(all, turns[i].who, &rule, 1, 1, &retry), ==,
                    FERRY_ALLOWED);
    g_assert_cmpint(ferry_allowances_may_answer(all, turns[i].who, 60), ==, turns[i].takes > 0);
    ferry_allowances_hold(all, turns[i].who, turns[i].takes);
  }
  g_assert_cmpuint(ferry_allowances_unread(all), ==, 606);
  ferry_allowances_end(all, "c", 500);
  ferry_allowances_end(all, "a", 40);
  g_assert_true(ferry_allowances_may_answer(all, "a", 60));
  ferry_allowances_end(all, "a", 30);
  ferry_allowances_end(all, "a", 0);
  g_assert_cmpuint(ferry_allowances_unread(all), ==, 36);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/allowance/bucket", test_allowance);
  g_test_add_func("/allowance/unread", test_unread);
  return g_test_run();
}
