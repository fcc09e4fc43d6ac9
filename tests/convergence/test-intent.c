// SPDX-License-Identifier: Apache-2.0
// The intent-driven controller on single simulated guests, one question each.
#include "sim/cells.h"
#include <math.h>
#include <string.h>

#define MIB (1024.0 * 1024)

typedef struct {
  FerrySimGuestSpec guest;
  FerrySimLink link;
  FerrySimSettings settings;
  FerryConvergenceIntent intent;
  json_t *history;
} Case;

/* The guest of the measurements: 253 MiB, 1 Gbit/s. */
static Case plain(double rate, double set, FerrySimPattern pattern, gint64 max_ms) {
  return (Case){.guest = {.memory = 253 * MIB,
                          .working_set = set * MIB,
                          .write_rate = rate * MIB,
                          .pattern = pattern,
                          .vcpus = 1,
                          .busy_s = 8,
                          .quiet_s = 4},
                .link = {.rate = 119 * MIB, .efficiency = 1, .eps = 0.027},
                .settings = {.seed = 7, .give_up_s = 120},
                .intent = {.max_downtime_ms = max_ms,
                           .switchover_cost_ms = 27,
                           .infeasible_patience_ms = 30000}};
}

static FerrySimResult run(Case *c) {
  if (c->history)
    json_decref(c->history);
  FerrySimResult r = ferry_sim_migrate(&c->guest, &c->link, &c->settings, &c->intent, &c->history);
  g_test_message("outcome %d after %.2f s, gap %.0f ms, lost %.2f s, throttle %d %%", r.outcome,
                 r.seconds, r.gap * 1000, r.lost, r.top_throttle);
  return r;
}

static const json_t *entry(const Case *c, const char *action, const char *code) {
  size_t i;
  json_t *e;
  json_array_foreach(c->history, i, e) if (!strcmp(ferry_json_str(e, "action"), action) &&
                                           !strcmp(ferry_json_str(e, "code"), code)) return e;
  return NULL;
}

static void test_idle(void) {
  Case c = plain(0, 0, FERRY_SIM_IDLE, 900);
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 1.3 * c.link.eps);
  g_assert_cmpfloat(r.seconds, <=, 1.05 * 253 / 119 + c.link.eps);
  json_decref(c.history);
}

/* where the usual signal would have asked for 632 ms, the model finds that 450 will do */
static void test_tight(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 450);
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.450);
  g_assert_false(r.noted);
  g_assert_cmpfloat(r.seconds, <, 7);
  json_decref(c.history);
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

static void test_throttle(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  c.intent.can_throttle = TRUE;
  c.intent.max_slowdown_percent = 50;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.300);
  g_assert_cmpint(r.top_throttle, >, 0);
  /* QEMU's own throttle reached 30 % and lost 0.77 s there */
  g_assert_cmpint(r.top_throttle, <=, 50);
  g_assert_cmpfloat(r.lost, <, 1.5);
  json_decref(c.history);
  /* a guest that converges is not slowed */
  Case calm = plain(60, 128, FERRY_SIM_UNIFORM, 300);
  calm.intent.can_throttle = TRUE;
  calm.intent.max_slowdown_percent = 50;
  g_assert_cmpint(run(&calm).top_throttle, ==, 0);
  json_decref(calm.history);
}

static void test_post_copy(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  c.intent.allow_post_copy = TRUE;
  FerrySimResult r = run(&c);
  g_assert_true(r.post_copy);
  g_assert_true(r.noted); /* without preempt the guest stands still for longer than allowed */
  g_assert_nonnull(entry(&c, "StartPostCopy", "NotConverging"));
  c.intent.post_copy_preempt = c.settings.preempt = TRUE;
  c.intent.max_downtime_ms = 440; /* pre-copy could keep that too, much later */
  r = run(&c);
  g_assert_true(r.post_copy);
  g_assert_false(r.noted);
  g_assert_cmpfloat(r.gap, <=, 0.440);
  g_assert_nonnull(entry(&c, "StartPostCopy", "Cheapest"));
  json_decref(c.history);
}

static void test_cap(void) {
  Case c = plain(60, 100, FERRY_SIM_UNIFORM, 300);
  c.link.cap = 60 * MIB;
  c.intent.bandwidth_cap = (gint64)c.link.cap;
  c.intent.link_rate = (gint64)c.link.rate;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.300);
  /* without knowing the link a limit above the wish would be a risk, so none is taken */
  c.intent.link_rate = 0;
  r = run(&c);
  g_assert_cmpfloat(r.largest_limit, <=, 273);
  json_decref(c.history);
}

static void test_drop(void) {
  Case c = plain(90, 128, FERRY_SIM_UNIFORM, 400);
  c.guest.memory = 600 * MIB;
  c.link.drop_at = 3;
  c.link.drop_to = 0.5;
  c.link.drop_end = 20;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.400 + 0.005);
  json_decref(c.history);
}

static void test_phased(void) {
  Case c = plain(250, 150, FERRY_SIM_PHASED, 200);
  FerrySimResult r = run(&c); /* infeasible while busy; the quiet phase is taken */
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(r.gap, <=, 0.205);
  json_decref(c.history);
}

static void test_deadline(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  c.intent.infeasible_patience_ms = 0;
  c.intent.max_duration_ms = 9000;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_ABORTED);
  g_assert_cmpfloat(fabs(r.seconds - 9), <, 0.5);
  g_assert_nonnull(entry(&c, "Abort", "DeadlineExceeded"));
  json_decref(c.history);
}

/* a dirty rate that was measured beforehand spares the guess of the first pass */
static void test_prior(void) {
  Case c = plain(20, 32, FERRY_SIM_UNIFORM, 300);
  FerrySimResult without = run(&c);
  c.intent.prior_seconds = 1;
  c.intent.prior_dirtied = 32 * MIB * (1 - exp(-20.0 / 32));
  FerrySimResult with = run(&c);
  g_assert_cmpint(with.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpfloat(with.gap, <=, without.gap);
  json_decref(c.history);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/intent/idle", test_idle);
  g_test_add_func("/intent/tight", test_tight);
  g_test_add_func("/intent/infeasible", test_infeasible);
  g_test_add_func("/intent/throttle", test_throttle);
  g_test_add_func("/intent/post-copy", test_post_copy);
  g_test_add_func("/intent/cap", test_cap);
  g_test_add_func("/intent/drop", test_drop);
  g_test_add_func("/intent/phased", test_phased);
  g_test_add_func("/intent/deadline", test_deadline);
  g_test_add_func("/intent/prior", test_prior);
  return g_test_run();
}
