// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, without threads or sockets: fair turns by cost, seats and bounds of each level,
// an identity's allowance, and what is taken from a proxy.
#include "api/http/flow.h"

#include <string.h>

#define HEAVY FERRY_LEVEL_HEAVY

/* A request is the number of its flow. */
static void put_one(FerryFlows *f, FerryLevel level, guint flow, double cost, gint64 now_us) {
  g_autofree char *name = g_strdup_printf("user-%u", flow);
  guint retry;
  g_assert_true(ferry_flows_put(f, level, name, cost, GUINT_TO_POINTER(flow), now_us, &retry));
}

static guint take_one(FerryFlows *f, FerryLevel level) {
  guint flow = GPOINTER_TO_UINT(ferry_flows_take(f, level));
  if (flow)
    ferry_flows_done(f, level);
  return flow;
}

/* Whoever comes once is served before the rest of a queue that was there first. */
static void test_turns(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  for (guint i = 0; i < 50; i++)
    put_one(f, HEAVY, 1, 1, 0);
  g_assert_cmpuint(take_one(f, HEAVY), ==, 1);
  put_one(f, HEAVY, 2, 1, 0);
  put_one(f, HEAVY, 3, 1, 0);
  guint first = 0;
  for (guint i = 0; i < 3; i++)
    first |= 1u << take_one(f, HEAVY);
  g_assert_cmpuint(first & 12, ==, 12);
  while (take_one(f, HEAVY))
    ;
  g_assert_cmpuint(ferry_flows_waiting(f, HEAVY), ==, 0);
}

/* One whose requests cost ten times as much gets a tenth of the turns. */
static void test_costs(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  guint taken[3] = {0};
  for (guint i = 0; i < 60; i++) {
    put_one(f, HEAVY, 1, 10, 0);
    put_one(f, HEAVY, 2, 1, 0);
  }
  for (guint i = 0; i < 44; i++)
    taken[take_one(f, HEAVY)]++;
  g_assert_cmpuint(taken[1], >=, 3);
  g_assert_cmpuint(taken[1], <=, 5);
  while (take_one(f, HEAVY))
    ;
}

/* Silence earns nothing: who comes late shares from then on, and doesn't catch up. */
static void test_no_credit(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  for (guint i = 0; i < 30; i++)
    put_one(f, HEAVY, 1, 1, 0);
  for (guint i = 0; i < 20; i++)
    take_one(f, HEAVY);
  for (guint i = 0; i < 30; i++)
    put_one(f, HEAVY, 2, 1, 0);
  guint taken[3] = {0};
  for (guint i = 0; i < 10; i++)
    taken[take_one(f, HEAVY)]++;
  g_assert_cmpuint(taken[1], >=, 4);
  g_assert_cmpuint(taken[2], >=, 4);
  while (take_one(f, HEAVY))
    ;
}

static void test_seats(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  guint seats = ferry_level_rules[HEAVY].seats;
  for (guint i = 0; i < seats + 2; i++)
    put_one(f, HEAVY, 1 + i, 1, 0);
  put_one(f, FERRY_LEVEL_AGENTS, 1, 1, 0);
  for (guint i = 0; i < seats; i++)
    g_assert_nonnull(ferry_flows_take(f, HEAVY));
  g_assert_null(ferry_flows_take(f, HEAVY));
  g_assert_cmpuint(ferry_flows_running(f, HEAVY), ==, seats);
  g_assert_nonnull(ferry_flows_take(f, FERRY_LEVEL_AGENTS)); /* another level's are free */
  ferry_flows_done(f, HEAVY);
  g_assert_nonnull(ferry_flows_take(f, HEAVY));
  ferry_flows_done(f, HEAVY);
  g_assert_nonnull(ferry_flows_take(f, HEAVY));
  for (guint i = 0; i < seats; i++)
    ferry_flows_done(f, HEAVY);
  ferry_flows_done(f, FERRY_LEVEL_AGENTS);
}

static void test_bounds(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  const FerryLevelRule *rule = &ferry_level_rules[HEAVY];
  guint retry = 0;
  for (guint i = 0; i < rule->per_flow; i++)
    put_one(f, HEAVY, 1, 1, 0);
  g_assert_false(ferry_flows_put(f, HEAVY, "user-1", 1, f, 0, &retry));
  g_assert_cmpuint(retry, >=, 1);
  for (guint i = rule->per_flow; i < rule->total; i++)
    put_one(f, HEAVY, 2 + i, 1, 0);
  g_assert_false(ferry_flows_put(f, HEAVY, "user-late", 1, f, 0, &retry));
  g_assert_cmpuint(ferry_flows_waiting(f, HEAVY), ==, rule->total);
  /* Nobody waits beyond the rule's time; the oldest goes first. */
  gint64 end = (gint64)rule->wait_ms * 1000;
  g_assert_null(ferry_flows_take_late(f, HEAVY, end));
  guint late = 0;
  while (ferry_flows_take_late(f, HEAVY, end + 1))
    late++;
  g_assert_cmpuint(late, ==, rule->total);
  g_assert_cmpuint(ferry_flows_running(f, HEAVY), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flow/turns", test_turns);
  g_test_add_func("/flow/costs", test_costs);
  g_test_add_func("/flow/no-credit", test_no_credit);
  g_test_add_func("/flow/seats", test_seats);
  g_test_add_func("/flow/bounds", test_bounds);
  return g_test_run();
}
