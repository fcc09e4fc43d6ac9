// SPDX-License-Identifier: Apache-2.0
#include "cli/view/text.h"

static void test_durations(void) {
  static const struct {
    gint64 ms;
    const char *text;
  } cases[] = {{-1, "?"},
               {0, "0 ms"},
               {999, "999 ms"},
               {1000, "1.00 s"},
               {1834, "1.83 s"},
               {42130, "42.1 s"},
               {59949, "59.9 s"},
               {59990, "1 min 0 s"},
               {185000, "3 min 5 s"},
               {7800000, "2 h 10 min"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = ferry_duration_format(cases[i].ms);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
}

static void test_fit(void) {
  g_autofree char *cut = ferry_text_fit("abcdef", 4, TRUE);
  g_autofree char *ascii = ferry_text_fit("abcdef", 4, FALSE);
  g_autofree char *whole = ferry_text_fit("abcdef", 6, TRUE);
  g_autofree char *wide = ferry_text_fit("数据库", 4, TRUE);
  g_assert_cmpstr(cut, ==, "abc…");
  g_assert_cmpstr(ascii, ==, "abc~");
  g_assert_cmpstr(whole, ==, "abcdef");
  g_assert_cmpstr(wide, ==, "数…");
  g_assert_cmpuint(ferry_text_width("数a"), ==, 3);
}

static void test_clean(void) {
  g_autofree char *text = ferry_text_clean("a\033[2Jb\nc\xff");
  g_assert_cmpstr(text, ==, "a[2Jb c\xef\xbf\xbd");
}

static void test_titles(void) {
  static const char *const cases[][2] = {{"dataRemainingBytes", "Data Remaining Bytes"},
                                         {"vmiName", "VMI Name"},
                                         {"targetURI", "Target URI"},
                                         {"phase", "Phase"},
                                         {"maxDowntimeMs", "Max Downtime Ms"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *title = ferry_title_from_key(cases[i][0]);
    g_assert_cmpstr(title, ==, cases[i][1]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/text/durations", test_durations);
  g_test_add_func("/cli/text/fit", test_fit);
  g_test_add_func("/cli/text/clean", test_clean);
  g_test_add_func("/cli/text/titles", test_titles);
  return g_test_run();
}
