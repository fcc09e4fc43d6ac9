// SPDX-License-Identifier: Apache-2.0
#include "policy/place/score.h"

static const FerryHostFacts empty = {800, 1000, 0, 8, 1000, 0};
static const FerryHostFacts full = {100, 1000, 24, 8, 1000, 0};

static void test_spread_and_pack(void) {
  FerryHostFacts hosts[] = {empty, full};
  FerryHostScore s[2];
  ferry_score_hosts(hosts, 2, FALSE, s);
  g_assert_cmpint(s[0].memory, ==, 800);
  g_assert_cmpint(s[0].processors, ==, 1000);
  g_assert_cmpint(s[1].processors, ==, 250);
  g_assert_cmpint(s[0].total, ==, (4 * 800 + 3 * 1000 + 2 * 1000 + 1000) / 10);
  g_assert_cmpint(s[0].total, >, s[1].total);
  ferry_score_hosts(hosts, 2, TRUE, s);
  g_assert_cmpint(s[0].memory, ==, 200);
  g_assert_cmpint(s[0].total, <, s[1].total);
}

/* The way and what is on it count either way. */
static void test_link(void) {
  FerryHostFacts hosts[] = {empty, empty, empty};
  FerryHostScore s[3];
  hosts[1].speed_mbps = 100;
  hosts[2].inbound = 3;
  for (int pack = 0; pack <= 1; pack++) {
    ferry_score_hosts(hosts, 3, pack, s);
    g_assert_cmpint(s[1].link, ==, 100);
    g_assert_cmpint(s[2].inbound, ==, 250);
    g_assert_cmpint(s[0].total, >, s[1].total);
    g_assert_cmpint(s[0].total, >, s[2].total);
  }
}

/* What nobody knows is neither good nor bad. */
static void test_unknown(void) {
  FerryHostFacts nothing = {-1, -1, -1, 0, 0, -1};
  FerryHostScore s;
  for (int pack = 0; pack <= 1; pack++) {
    ferry_score_hosts(&nothing, 1, pack, &s);
    g_assert_cmpint(s.total, ==, 500);
  }
  g_autofree char *text = ferry_score_text(&s);
  g_assert_cmpstr(text, ==, "500 of 1000 (memory 500, processors 500, link 500, inbound 500)");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/score/spread-and-pack", test_spread_and_pack);
  g_test_add_func("/score/link", test_link);
  g_test_add_func("/score/unknown", test_unknown);
  return g_test_run();
}
