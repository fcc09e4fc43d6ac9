// SPDX-License-Identifier: Apache-2.0
// Two copies of one guest that speak at once, and a hand-over, which is none.
#include <glib.h>
#include <string.h>
#include "../../lab/collector/overlap.h"

#define MS 1000000LL

static FerryTalk talks[3];

static int64_t beats(size_t who, int64_t from_ms, int64_t to_ms) {
  int64_t both = 0;
  for (int64_t t = from_ms; t < to_ms; t += 5)
    both += ferry_talk_beat(talks, G_N_ELEMENTS(talks), who, t * MS);
  return both / MS;
}

static void test_hand_over(void) {
  memset(talks, 0, sizeof talks);
  g_assert_cmpint(beats(0, 1000, 2000), ==, 0);
  g_assert_cmpint(beats(1, 2003, 3000), ==, 0); /* a pause of 8 ms */
  g_assert_cmpint(beats(0, 3002, 4000), ==, 0); /* and back */
}

static void test_both(void) {
  memset(talks, 0, sizeof talks);
  beats(0, 1000, 2000);
  int64_t both = 0;
  for (int64_t t = 2000; t < 2300; t += 5) {
    both += ferry_talk_beat(talks, G_N_ELEMENTS(talks), 0, t * MS);
    both += ferry_talk_beat(talks, G_N_ELEMENTS(talks), 2, t * MS + MS);
  }
  g_assert_cmpint(both / MS, >=, 285);
  g_assert_cmpint(both / MS, <=, 300);
  g_assert_cmpint(beats(2, 2301, 3000) + beats(0, 3000, 3100), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/collector/overlap/hand-over", test_hand_over);
  g_test_add_func("/collector/overlap/both", test_both);
  return g_test_run();
}
