// SPDX-License-Identifier: Apache-2.0
#include "cli/core/when.h"
#include "base/rfc3339.h"
#include <string.h>

static void test_words(void) {
  gint64 now = ferry_rfc3339_parse("2026-01-02T03:04:05Z");
  g_assert_cmpint(ferry_when_parse("10m", now), ==, now + 600000);
  g_assert_cmpint(ferry_when_parse("2026-01-02T04:00:00Z", now), ==, now + (55 * 60 + 55) * 1000);
  static const char *const none[] = {NULL, "", "soon", "25:00", "02:60", "-5m", "2:3x"};
  for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
    g_assert_cmpint(ferry_when_parse(none[i], now), ==, -1);
}

/* The next such time by this machine's clock, whatever its zone. */
static void test_clock(void) {
  gint64 now = ferry_rfc3339_parse("2026-01-02T03:04:05Z");
  for (int hour = 0; hour < 24; hour++) {
    g_autofree char *text = g_strdup_printf("%02d:30", hour);
    gint64 at = ferry_when_parse(text, now);
    g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(at / 1000);
    g_assert_cmpint(at, >, now);
    g_assert_cmpint(at, <=, now + 25 * 3600 * 1000);
    g_assert_cmpint(g_date_time_get_hour(local), ==, hour);
    g_assert_cmpint(g_date_time_get_minute(local), ==, 30);
  }
}

static void test_passed(void) {
  gint64 now = ferry_rfc3339_parse("2026-01-02T03:04:05Z");
  static const char *const good[] = {"10m", "03:03", "2026-01-02T03:04:06Z"};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_null(ferry_when_problem(good[i], now));
  g_autofree char *none = ferry_when_problem("soon", now);
  g_assert_nonnull(strstr(none, "\"soon\" is not a time"));
  g_autofree char *passed = ferry_when_problem("2026-01-02T04:04:05+02:00", now);
  g_assert_nonnull(strstr(passed, "is 2026-01-02T02:04:05Z, which has passed"));
}

int main(int argc, char **argv) {
  g_setenv("TZ", "UTC", TRUE);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/when/words", test_words);
  g_test_add_func("/when/clock", test_clock);
  g_test_add_func("/when/passed", test_passed);
  return g_test_run();
}
