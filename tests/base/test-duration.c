// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

static void test_read(void) {
  static const struct {
    const char *text;
    gint64 ms;
  } good[] = {{"300ms", 300}, {"90s", 90000},        {"10m", 600000}, {"1h30m", 5400000},
              {"1.5s", 1500}, {"1m30s250ms", 90250}, {"60", 60000},   {"0s", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    gint64 ms = -1;
    g_assert_true(ferry_duration_parse(good[i].text, &ms));
    g_assert_cmpint(ms, ==, good[i].ms);
  }
}

static void test_refused(void) {
  static const char *const bad[] = {NULL,  "",      "s",    "-1s",  "+1s",          "1d",   "1s2",
                                    "1 s", "1..2s", "infs", "1e3s", "99999999999h", "1sfoo"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    gint64 ms = -1;
    g_assert_false(ferry_duration_parse(bad[i], &ms));
    g_assert_cmpint(ms, ==, -1);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/duration/read", test_read);
  g_test_add_func("/duration/refused", test_refused);
  return g_test_run();
}
