// SPDX-License-Identifier: Apache-2.0
// What one identity may ask for at once and in a while.
#include "api/http/allowance.h"

#include <string.h>

static void test_allowance(void) {
  g_autoptr(FerryAllowances) all = ferry_allowances_new();
  const FerryAllowance rule = {.rate = 2, .burst = 4, .in_flight = 3};
  gint64 now = 1000000;
  guint retry;
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==, FERRY_ALLOWED);
  g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==,
                  FERRY_ALLOWED_NO_FLIGHT);
  ferry_allowances_end(all, "a");
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
    ferry_allowances_end(all, name);
  }
  g_assert_cmpuint(ferry_allowances_size(all), <, 3000);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/allowance/bucket", test_allowance);
  return g_test_run();
}
