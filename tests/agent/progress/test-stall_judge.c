// SPDX-License-Identifier: Apache-2.0
#include "agent/progress/stall_judge.h"

#define US 1000000LL

static void test_stall(void) {
  FerryStalling s = {.limit_s = 5};
  FerryConvergenceStall seen = {.stalled_ms = 5000};
  g_assert_false(ferry_stall_judge(&s, &seen, FALSE));
  seen.stalled_ms = 5001;
  g_assert_true(ferry_stall_judge(&s, &seen, FALSE));
  g_assert_false(ferry_stall_judge(&s, &seen, TRUE)); /* in post-copy it cannot */
  s.limit_s = 0;
  g_assert_false(ferry_stall_judge(&s, &seen, FALSE)); /* not to be told */
  g_autofree char *words = ferry_stall_text(&seen, TRUE, FALSE);
  g_assert_true(g_str_has_prefix(words, "no progress for 5 s"));
}

/* The controller finds that it moves, and knows nothing of a target that hears nothing. */
static void test_news(void) {
  FerryStalling s = {.limit_s = 5};
  g_assert_false(ferry_stall_is_news(&s, FALSE));
  g_assert_true(ferry_stall_is_news(&s, TRUE));
  s.told = TRUE;
  g_assert_false(ferry_stall_is_news(&s, TRUE));
  g_assert_true(ferry_stall_is_news(&s, FALSE));
  s.deaf = TRUE;
  g_assert_false(ferry_stall_is_news(&s, FALSE));
  s.told = FALSE;
  g_assert_true(ferry_stall_is_news(&s, TRUE));
}

static void test_broken(void) {
  FerryBrokenLink b = {0};
  g_assert_false(ferry_broken_is_due(&b, 100, US));
  g_assert_false(ferry_broken_is_due(&b, 100, 10 * US)); /* 9 s */
  g_assert_true(ferry_broken_is_due(&b, 100, 11 * US));
  g_assert_false(ferry_broken_is_due(&b, 100, 11 * US + 1000)); /* asked once a second */
  g_assert_true(ferry_broken_tells(&b, FALSE));
  g_assert_true(ferry_broken_is_due(&b, 100, 13 * US));
  g_assert_false(ferry_broken_tells(&b, FALSE)); /* said once */
  g_assert_true(ferry_broken_tells(&b, TRUE));   /* and once more when it is known for sure */
  g_assert_true(ferry_broken_is_due(&b, 100, 15 * US)); /* there may be something to do */
  g_assert_false(ferry_broken_tells(&b, TRUE));
  g_assert_false(ferry_broken_tells(&b, FALSE));
  g_assert_false(ferry_broken_is_due(&b, 101, 16 * US)); /* it moves: all begins anew */
  g_assert_true(ferry_broken_is_due(&b, 101, 26 * US));
  g_assert_true(ferry_broken_tells(&b, FALSE));
}

static void test_silence(void) {
  FerrySilence s = {0};
  g_assert_false(ferry_silence_tells(&s, FALSE, US));
  g_assert_false(ferry_silence_tells(&s, TRUE, 2 * US));
  g_assert_false(ferry_silence_tells(&s, TRUE, 7 * US - 1));
  g_assert_true(ferry_silence_tells(&s, TRUE, 7 * US));
  g_assert_false(ferry_silence_tells(&s, TRUE, 60 * US)); /* said once */
  g_assert_false(ferry_silence_tells(&s, FALSE, 61 * US));
  g_assert_false(ferry_silence_tells(&s, TRUE, 62 * US)); /* it answered: all begins anew */
  g_assert_true(ferry_silence_tells(&s, TRUE, 67 * US));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/stall/limit", test_stall);
  g_test_add_func("/agent/stall/news", test_news);
  g_test_add_func("/agent/stall/broken", test_broken);
  g_test_add_func("/agent/stall/silence", test_silence);
  return g_test_run();
}
