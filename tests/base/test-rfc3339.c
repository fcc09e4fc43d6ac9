// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

static void test_times(void) {
  g_autofree char *s = ferry_rfc3339_format(1553830672999);
  g_autofree char *ms = ferry_rfc3339_format_ms(1553830672007);
  g_assert_cmpstr(s, ==, "2019-03-29T03:37:52Z");
  g_assert_cmpstr(ms, ==, "2019-03-29T03:37:52.007Z");
  g_assert_cmpint(ferry_rfc3339_parse(ms), ==, 1553830672007);
  g_assert_cmpint(ferry_rfc3339_parse("2019-03-29T04:37:52+01:00"), ==, 1553830672000);
  g_assert_cmpint(ferry_rfc3339_parse("yesterday"), ==, -1);
  g_assert_cmpint(ferry_rfc3339_parse(NULL), ==, -1);
}

static void test_ages(void) {
  static const struct {
    gint64 s;
    const char *text;
  } cases[] = {
      {-4, "0s"},         {5, "5s"},           {119, "119s"},       {120, "2m"},
      {200, "3m20s"},     {3600, "60m"},       {4 * 3600, "4h"},    {5 * 3600 + 60, "5h1m"},
      {47 * 3600, "47h"}, {51 * 3600, "2d3h"}, {30 * 86400, "30d"}, {900LL * 86400, "2y"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = ferry_age_format(cases[i].s * 1000);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rfc3339/times", test_times);
  g_test_add_func("/rfc3339/ages", test_ages);
  return g_test_run();
}
