// SPDX-License-Identifier: Apache-2.0
#include "policy/place/moves_bound.h"
#include <string.h>

#define MIB (1LL << 20)

static FerryMove move(const char *target, gint64 mib) {
  return (FerryMove){.source = "h1",
                     .target = target,
                     .bytes = mib * MIB,
                     .out = 100 * MIB,
                     .in = 100 * MIB,
                     .at_once_out = 2,
                     .at_once_in = 2};
}

static void expect_bound(const FerryMove *moves, gsize n, gint64 ms, const char *by) {
  char *text = NULL;
  gint64 bound = ferry_moves_bound(moves, n, &text);
  g_test_message("%s", text ? text : "-");
  g_assert_cmpint(bound, ==, ms);
  g_assert_cmpstr(text, ==, by);
  g_free(text);
}

static void test_bound(void) {
  FerryMove moves[] = {move("h2", 1000), move("h3", 500), move("h2", 500)};
  expect_bound(moves, 1, 10000, "the largest of them by itself");
  expect_bound(moves, 3, 20000, "the link out of h1");
  for (gsize i = 0; i < 3; i++) {
    moves[i].out = 1000 * MIB;
    moves[i].network = "fast";
  }
  expect_bound(moves, 3, 15000, "the link into h2 on Network fast");
  moves[1].in = 10 * MIB;
  expect_bound(moves, 3, 50000, "the largest of them by itself");
}

/* Limits of migrations and of how many there may be at once bound a link too. */
static void test_bound_by_limits(void) {
  FerryMove moves[] = {move("h2", 100), move("h3", 100), move("h4", 100), move("h5", 100)};
  for (gsize i = 0; i < 4; i++)
    moves[i].cap = 10 * MIB;
  expect_bound(moves, 4, 20000, "the link out of h1"); /* 400 MiB, two of 10 at once */
  for (gsize i = 0; i < 4; i++)
    moves[i].out = moves[i].in = moves[i].cap = 0;
  expect_bound(moves, 4, 0, NULL);
  g_assert_cmpint(ferry_moves_forecast(moves, 4, 0), ==, -1);
  expect_bound(NULL, 0, 0, NULL);
  g_assert_cmpint(ferry_moves_forecast(NULL, 0, 0), ==, 0);
}

/* The forecast keeps to the bound and to the limits, whatever the order. */
static void test_forecast(void) {
  FerryMove moves[] = {move("h2", 1000), move("h2", 1000), move("h2", 1000)};
  char *by = NULL;
  gint64 bound = ferry_moves_bound(moves, 3, &by);
  g_free(by);
  gint64 all = ferry_moves_forecast(moves, 3, 0);
  g_assert_cmpint(all, >=, bound);
  g_assert_cmpint(all, <, bound + 5000);
  g_assert_cmpint(moves[0].ends_ms, ==, moves[1].ends_ms); /* they share the link */
  g_assert_cmpint(moves[2].ends_ms, ==, all);
  gint64 single = ferry_moves_forecast(moves, 3, 1);
  g_assert_cmpint(moves[0].ends_ms, <, moves[1].ends_ms);
  g_assert_cmpint(single, >=, bound);
}

static void test_writes(void) {
  FerryMove quiet = move("h2", 1000), busy = quiet, wild = quiet;
  busy.writes = 50 * MIB;
  wild.writes = 500 * MIB;
  gint64 one = ferry_moves_forecast(&quiet, 1, 0), two = ferry_moves_forecast(&busy, 1, 0);
  gint64 three = ferry_moves_forecast(&wild, 1, 0);
  g_assert_cmpint(two, ==, 2 * one);
  g_assert_cmpint(three, ==, 10 * one); /* it ends all the same */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/moves_bound/bound", test_bound);
  g_test_add_func("/moves_bound/by-limits", test_bound_by_limits);
  g_test_add_func("/moves_bound/forecast", test_forecast);
  g_test_add_func("/moves_bound/writes", test_writes);
  return g_test_run();
}
