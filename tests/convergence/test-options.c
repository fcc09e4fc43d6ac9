// SPDX-License-Identifier: Apache-2.0
// The choice among the ways to end a migration, and the plan for its first pass.
#include "sim_case.h"

/* What a measurement over one second would have said. */
static void measure(Case *c) {
  FerrySimGuest g;
  ferry_sim_guest_init(&g, &c->guest);
  ferry_sim_guest_run(&g, 1, 1);
  c->intent.prior_seconds = 1;
  c->intent.prior_dirtied = 0;
  for (guint i = 0; i < g.n_classes; i++)
    c->intent.prior_dirtied += g.classes[i].unsynced;
}

/* Short on a fast link: what is only known at the end of the first pass comes too late; what was
 * measured before does not. */
static void test_first_pass(void) {
  Case c = plain(700, 700, FERRY_SIM_UNIFORM, 900);
  c.guest.memory = 1400 * MIB;
  c.link.rate = 1192 * MIB;
  c.intent.prefer = FERRY_PREFER_TIME;
  FerrySimResult without = run(&c);
  measure(&c);
  FerrySimResult with = run(&c);
  const json_t *e = entry(&c, "SetDowntime", "FirstPass");
  g_assert_nonnull(e);
  g_assert_cmpint(ferry_json_int(e, "iteration", 0), ==, 1);
  g_assert_cmpfloat(with.seconds, <, 0.95 * without.seconds);
  g_assert_cmpfloat(with.gap, <=, 0.9);
  FerrySchedule high = {.init_downtime_ms = 870};
  c.intent.schedule = &high;
  FerrySimResult best = run(&c);
  g_assert_cmpfloat(with.seconds, <=, 1.05 * best.seconds);
  g_assert_cmpfloat(with.lost, <=, best.lost + 0.005);
  json_decref(c.history);
}

/* an idle guest keeps the smallest pause, measured or not, and a long migration its low start */
static void test_first_pass_low(void) {
  Case idle = plain(0, 0, FERRY_SIM_IDLE, 900), calm = plain(20, 32, FERRY_SIM_UNIFORM, 900);
  idle.link.rate = calm.link.rate = 1192 * MIB;
  measure(&idle);
  g_assert_cmpfloat(run(&idle).gap, <=, 1.3 * idle.link.eps);
  g_assert_null(entry(&idle, "SetDowntime", "FirstPass"));
  calm.guest.memory = 16384 * MIB;
  measure(&calm);
  g_assert_cmpfloat(run(&calm).gap, <=, 1.5 * calm.link.eps);
  g_assert_null(entry(&calm, "SetDowntime", "FirstPass"));
  json_decref(idle.history);
  json_decref(calm.history);
}

/* the cheapest of all that are in time: the pause that can be had for nothing is not spent */
static void test_cheapest(void) {
  Case c = plain(60, 64, FERRY_SIM_UNIFORM, 900);
  c.guest.memory = 2048 * MIB;
  FerrySimResult r = run(&c);
  g_assert_cmpfloat(r.gap, <, 0.15);
  g_assert_cmpint(r.top_throttle, ==, 0);
  /* less time than that takes: the pause grows, within the maximum */
  Case hurried = plain(150, 128, FERRY_SIM_UNIFORM, 900), patient = hurried;
  hurried.intent.max_duration_ms = 3300;
  FerrySimResult fast = run(&hurried), slow = run(&patient);
  g_assert_cmpint(fast.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(fast.seconds, <=, 3.3);
  g_assert_cmpfloat(fast.gap, <=, 0.9);
  g_assert_cmpfloat(slow.lost, <=, fast.lost + 0.001);
  json_decref(c.history);
  json_decref(hurried.history);
  json_decref(patient.history);
}

/* under a cap the limit is compensated, and what waits for the pause is reckoned at the link's rate
 */
static void test_capped(void) {
  Case c = plain(30, 60, FERRY_SIM_UNIFORM, 500);
  c.guest.memory = 1024 * MIB;
  cap(&c, 60);
  c.intent.prefer = FERRY_PREFER_TIME;
  FerrySimResult r = run(&c), best = run_fixed(&c, 470);
  g_assert_cmpfloat(r.gap, <=, 0.5);
  g_assert_cmpfloat(r.seconds, <=, 1.05 * best.seconds);
  json_decref(c.history);
}

/* Where the first pass leaves so much that it is ended at once, post-copy is an end as well, and
 * the one that costs the guest less is taken. Either is what was forecast. */
static void test_first_end(void) {
  Case paused = plain(300, 128, FERRY_SIM_UNIFORM, 1300), moving = paused;
  moving.intent.allow_post_copy = moving.intent.post_copy_preempt = moving.settings.preempt = TRUE;
  FerrySimResult pause = run(&paused), post_copy = run(&moving);
  g_assert_cmpint(pause.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(pause.gap, >, 0.9);
  g_assert_cmpint(post_copy.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(post_copy.gap, <, 0.1);
  g_assert_cmpfloat(post_copy.seconds, <=, 1.05 * pause.seconds);
  g_assert_nonnull(entry(&moving, "StartPostCopy", "Cheapest"));
  const json_t *end = json_array_get(paused.history, json_array_size(paused.history) - 1);
  g_assert_cmpfloat(fabs((double)ferry_json_int(end, "forecastMs", 0) / 1000 - pause.seconds), <,
                    0.12 * pause.seconds);
  end = entry(&moving, "StartPostCopy", "Cheapest");
  g_assert_cmpfloat(fabs((double)ferry_json_int(end, "forecastMs", 0) / 1000 - post_copy.seconds),
                    <, 0.12 * post_copy.seconds);
  json_decref(paused.history);
  json_decref(moving.history);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/options/first-pass", test_first_pass);
  g_test_add_func("/options/first-pass-low", test_first_pass_low);
  g_test_add_func("/options/cheapest", test_cheapest);
  g_test_add_func("/options/capped", test_capped);
  g_test_add_func("/options/first-end", test_first_end);
  return g_test_run();
}
