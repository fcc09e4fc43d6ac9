// SPDX-License-Identifier: Apache-2.0
// What is said of an intent that cannot be kept: early, with what would do, and taken back when
// wrong.
#include "sim_case.h"
#include <stdlib.h>

static int count(const Case *c, const char *code) {
  size_t i;
  json_t *e;
  int n = 0;
  json_array_foreach(c->history, i, e) n += strcmp(ferry_json_str(e, "action"), "Note") == 0 &&
                                            strcmp(ferry_json_str(e, "code"), code) == 0;
  return n;
}

static void test_infeasible(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_ABORTED);
  g_assert_cmpint(r.noted_rounds, <=, 2);
  const json_t *note = entry(&c, "Note", "Infeasible");
  g_assert_nonnull(note);
  /* it names a pause that would do, and that one does */
  Case again = plain(180, 128, FERRY_SIM_UNIFORM, ferry_json_int(note, "value", 0) + 30);
  g_assert_cmpint(again.intent.max_downtime_ms, <, 500);
  g_assert_cmpint(run(&again).outcome, ==, FERRY_SIM_DONE);
  json_decref(c.history);
  json_decref(again.history);
}

/* with more bandwidth, or slowed by as much as was named, it would have done */
static void test_other_ways(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  run(&c);
  const char *reason = ferry_json_str(entry(&c, "Note", "Infeasible"), "reason");
  const char *rate = strstr(reason, "pause, or "), *slow = strstr(reason, "a slow-down of ");
  g_assert_nonnull(rate);
  g_assert_nonnull(slow);
  Case faster = plain(180, 128, FERRY_SIM_UNIFORM, 300), slowed = faster;
  faster.link.rate = g_ascii_strtod(rate + strlen("pause, or "), NULL) * MIB;
  g_assert_cmpfloat(faster.link.rate, <, 180 * MIB);
  g_assert_cmpint(run(&faster).outcome, ==, FERRY_SIM_DONE);
  slowed.intent.can_throttle = TRUE;
  slowed.intent.max_slowdown_percent =
      (int)g_ascii_strtod(slow + strlen("a slow-down of "), NULL) + 10;
  g_assert_cmpint(slowed.intent.max_slowdown_percent, <, 60);
  g_assert_cmpint(run(&slowed).outcome, ==, FERRY_SIM_DONE);
  slowed.intent.can_throttle = FALSE; /* what is allowed already is not asked for once more */
  run(&slowed);
  reason = ferry_json_str(entry(&slowed, "Note", "Infeasible"), "reason");
  g_assert_null(strstr(reason, "a slow-down of "));
  g_assert_nonnull(strstr(reason, "allowMonitorCommands"));
  json_decref(c.history);
  json_decref(faster.history);
  json_decref(slowed.history);
}

/* two rounds of a skewed guest look like a uniform one that can be moved: said all the same */
static void test_skewed(void) {
  Case c = plain(190, 250, FERRY_SIM_SKEWED, 200);
  c.guest.memory = 2048 * MIB;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_ABORTED);
  g_assert_true(r.noted);
  g_assert_cmpint(r.noted_rounds, <=, 2);
  g_assert_cmpint(count(&c, "Feasible"), ==, 0);
  json_decref(c.history);
}

/* ... and of a uniform one, which can: taken back, once it is known */
static void test_withdrawn(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 450);
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.450);
  g_assert_cmpint(count(&c, "Infeasible"), ==, 0);
  g_assert_cmpint(count(&c, "Doubtful"), ==, 1);
  const json_t *note = entry(&c, "Note", "Doubtful"); /* of the guest that it was feared to be */
  g_assert_nonnull(strstr(ferry_json_str(note, "reason"), "as skewed as"));
  g_assert_nonnull(strstr(ferry_json_str(note, "reason"), "with a probability of about"));
  g_assert_cmpint(ferry_json_int(note, "value", 0), >, 450);
  g_assert_cmpint(count(&c, "Feasible"), ==, 1);
  json_decref(c.history);
}

static void test_quiet_guests(void) {
  static const double guests[][2] = {{0, 0}, {20, 32}, {60, 128}, {90, 64}};
  for (gsize i = 0; i < G_N_ELEMENTS(guests); i++) {
    Case c = plain(guests[i][0], guests[i][1], i ? FERRY_SIM_UNIFORM : FERRY_SIM_IDLE, 900);
    g_assert_cmpint(run(&c).outcome, ==, FERRY_SIM_DONE);
    g_assert_cmpint(count(&c, "Infeasible"), ==, 0);
    json_decref(c.history);
  }
}

/* A throttle takes a second or two to take hold: what passes show until then is no verdict on it,
 * and nothing else is done meanwhile. */
static void test_throttle_takes_hold(void) {
  Case c = plain(285, 24, FERRY_SIM_CYCLIC, 100);
  c.intent.can_throttle = TRUE;
  c.intent.max_slowdown_percent = 95;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.200);
  g_assert_nonnull(entry(&c, "SetThrottle", "NotConverging"));
  g_assert_cmpint(count(&c, "Infeasible"), ==, 0);
  json_decref(c.history);
}

/* a guest that wavers at the border is not commented on for ever */
static void test_few_words(void) {
  Case c = plain(250, 150, FERRY_SIM_PHASED, 100);
  c.guest.busy_s = 1.5;
  c.guest.quiet_s = 0.4;
  c.intent.infeasible_patience_ms = 0;
  run(&c);
  g_assert_cmpint(count(&c, "Infeasible"), >=, 1);
  g_assert_cmpint(count(&c, "Infeasible") + count(&c, "Feasible"), <=, 8);
  json_decref(c.history);
}

/* the link falls after the first pass, so that not even a guest that stood still would make it */
static void test_too_late(void) {
  Case c = plain(60, 200, FERRY_SIM_UNIFORM, 200);
  c.link.drop_at = 2.6;
  c.link.drop_to = 0.1;
  c.link.drop_end = 100;
  c.intent.max_duration_ms = 5500;
  c.intent.infeasible_patience_ms = 0;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_ABORTED);
  g_assert_true(r.noted);
  g_assert_cmpint(r.noted_rounds, <=, 2);
  g_assert_cmpfloat(r.noted_s, <, 4.8); /* and not when the 5.5 seconds are over */
  g_assert_nonnull(strstr(ferry_json_str(entry(&c, "Note", "Infeasible"), "reason"), "more time"));
  json_decref(c.history);
}

/* Over a seeded grid of steady guests on steady links. Of those that can't be moved within their
 * intent nearly all are told within two rounds, by a verdict or by a doubt with its probability, as
 * two rounds of a skewed guest or of one that writes page after page are those of a uniform one. Of
 * those that can, hardly any is told by a verdict; and a doubt is as probable as it says. The cells
 * are none of those on which that probability was counted (90001 to 92500, and the same from
 * 190001, 290001, 390001 and 490001 on). */
static void test_grid(void) {
  enum { CELLS = 5000 };
  int feasible = 0, infeasible = 0, in_error = 0, told = 0, doubted[3] = {0}, justly[3] = {0};
  int said[3] = {0};                              /* percent */
  const char *text = g_getenv("FERRY_SIM_FIRST"); /* to judge it by other cells */
  guint32 first = text ? (guint32)strtoul(text, NULL, 10) : 590001;
  for (guint32 seed = first; seed < first + CELLS; seed++) {
    FerrySimCell cell;
    ferry_sim_cell(&cell, seed);
    if (cell.guest.pattern == FERRY_SIM_PHASED || cell.guest.pattern == FERRY_SIM_IDLE ||
        cell.link.drop_to > 0 || cell.settings.lose_events > 0)
      continue;
    Case c = {0};
    FerrySimResult r = ferry_sim_run_preset(&cell, ferry_preset_find("intent"),
                                            FERRY_SIM_KNOWS_NOTHING, &c.history);
    gboolean can = ferry_sim_within(&cell, &r) || ferry_sim_feasible(&cell, NULL);
    int rounds = G_MAXINT; /* of the first verdict, an abort's included */
    size_t i;
    json_t *e;
    json_array_foreach(c.history, i, e) if (g_str_equal(ferry_json_str(e, "action"), "Note") &&
                                            g_str_equal(ferry_json_str(e, "code"), "Infeasible"))
        rounds = MIN(rounds, (int)ferry_json_int(e, "iteration", 0) - 1);
    const json_t *doubt = entry(&c, "Note", "Doubtful");
    if (doubt) {
      const char *reason = ferry_json_str(doubt, "reason");
      int which = strstr(reason, "page after page") ? 1 : strstr(reason, "after each pass") ? 2 : 0;
      doubted[which]++;
      justly[which] += !can;
      said[which] = (int)g_ascii_strtoll(strstr(reason, "about ") + strlen("about "), NULL, 10);
      if (!can)
        rounds = MIN(rounds, (int)ferry_json_int(doubt, "iteration", 0) - 1);
    }
    if (r.outcome == FERRY_SIM_ABORTED)
      rounds = MIN(rounds, r.iterations - 1);
    feasible += can;
    infeasible += !can;
    told += !can && rounds <= 2;
    in_error += can && rounds < G_MAXINT;
    if (!can && rounds > 2)
      g_test_message("cell %u was told after %d rounds", seed, rounds);
    if (can && rounds < G_MAXINT)
      g_test_message("cell %u (%s) was told in error after %d rounds", seed,
                     ferry_sim_pattern_name(cell.guest.pattern), rounds);
    json_decref(c.history);
  }
  g_test_message("%d infeasible, %d told within two rounds; %d feasible, %d told in error; doubts: "
                 "skewed %d, justly %d, cyclic %d, justly %d, shrinking %d, justly %d",
                 infeasible, told, feasible, in_error, doubted[0], justly[0], doubted[1], justly[1],
                 doubted[2], justly[2]);
  g_assert_cmpint(infeasible, >=, 90);
  g_assert_cmpint(100 * told, >=, 98 * infeasible);
  g_assert_cmpint(100 * in_error, <=, 3 * feasible);
  for (int i = 0; i < 3; i++) {
    if (doubted[i] >= 40) /* of fewer the share is chance */
      g_assert_cmpint(ABS(100 * justly[i] / doubted[i] - said[i]), <=, 10);
  }
  g_assert_cmpint(doubted[0], >=, 80);
  g_assert_cmpint(doubted[1], >=, 80);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/verdict/infeasible", test_infeasible);
  g_test_add_func("/verdict/other-ways", test_other_ways);
  g_test_add_func("/verdict/skewed", test_skewed);
  g_test_add_func("/verdict/withdrawn", test_withdrawn);
  g_test_add_func("/verdict/quiet-guests", test_quiet_guests);
  g_test_add_func("/verdict/few-words", test_few_words);
  g_test_add_func("/verdict/throttle-takes-hold", test_throttle_takes_hold);
  g_test_add_func("/verdict/too-late", test_too_late);
  g_test_add_func("/verdict/grid", test_grid);
  return g_test_run();
}
