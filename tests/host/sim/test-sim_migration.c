// SPDX-License-Identifier: Apache-2.0
// Each of QEMU's rules that the simulation is to obey, looked at step by step. A guest with round
// numbers is sent over a link with round numbers, so that each time can be reckoned by hand.
#include "host/sim/sim_migration.h"
#include <math.h>

#define MIB (1024.0 * 1024)

static const FerrySimLink gigabit = {.rate = 119 * MIB, .efficiency = 1, .eps = 0.027};

static FerrySimGuestSpec guest(double rate, double set) {
  return (FerrySimGuestSpec){.memory = 253 * MIB,
                             .working_set = set * MIB,
                             .write_rate = rate * MIB,
                             .pattern = set > 0 ? FERRY_SIM_UNIFORM : FERRY_SIM_IDLE,
                             .vcpus = 1};
}

static void begin(FerrySimMigration *m, double rate, double set, const FerrySimLink *link,
                  const FerrySimOptions *options) {
  FerrySimGuestSpec spec = guest(rate, set);
  ferry_sim_migration_init(m, &spec, link ? link : &gigabit,
                           options ? options : &(FerrySimOptions){0});
}

/* One step and one turn; TRUE: a pass began. */
static gboolean once(FerrySimMigration *m) {
  ferry_sim_migration_run(m, ferry_sim_migration_step(m));
  return ferry_sim_migration_turn(m);
}

static void close_to(double got, double wanted, double tolerance) {
  g_test_message("got %g, wanted %g within %g", got, wanted, tolerance);
  g_assert_cmpfloat(fabs(got - wanted), <=, tolerance);
}

/* the threshold is worked out each 100 ms, from what that window sent */
static void test_windows(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 200);
  double at = 0, sent = 0, threshold = 0;
  int windows = 0;
  while (m.now < 3) {
    once(&m);
    if (m.window_at > at) {
      windows++;
      g_assert_cmpfloat(m.window_at - at, >=, 0.1 - 1e-6);
      g_assert_cmpfloat(m.window_at - at, <=, 0.1 + 0.05);
      close_to(m.threshold, (m.sent - sent) / (m.now - at) * 0.2, 1);
      close_to(m.threshold, 119 * MIB * 0.2, 0.02 * MIB);
    } else {
      g_assert_cmpfloat(m.threshold, ==, threshold); /* as it was */
    }
    at = m.window_at;
    threshold = m.threshold;
    sent = m.window_sent;
  }
  g_assert_cmpint(windows, >=, 20);
  /* a new limit counts from the next window on */
  ferry_sim_migration_set_limit(&m, 2000);
  g_assert_cmpfloat(m.threshold, ==, threshold);
  double until = m.window_at + 0.1;
  while (m.phase == FERRY_SIM_PHASE_ACTIVE && m.now + ferry_sim_migration_step(&m) < until - 1e-6)
    once(&m);
  g_assert_cmpfloat(m.threshold, ==, threshold);
  for (int i = 0; i < 4 && m.phase == FERRY_SIM_PHASE_ACTIVE; i++)
    once(&m);
  g_assert_cmpfloat(m.threshold, >, 5 * threshold);
}

/* the dirty log is read only when less than the threshold is known to be left */
static void test_sync_below_threshold(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 20);
  int passes = 0;
  double looked = -1;
  while (m.now < 8) {
    ferry_sim_migration_run(&m, ferry_sim_migration_step(&m));
    double left = ferry_sim_migration_remaining(&m);
    gboolean pass = ferry_sim_migration_turn(&m);
    g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_ACTIVE); /* 20 ms are too few for this guest */
    if (pass) {
      g_assert_cmpfloat(left, <, m.threshold);
      g_assert_cmpfloat(ferry_sim_migration_remaining(&m), >=, m.threshold);
      g_assert_true(looked < 0 || m.now - looked > 0.049);
      looked = m.now;
      passes++;
    }
    if (!pass && left >= m.threshold)
      g_assert_cmpfloat(ferry_sim_migration_remaining(&m), ==, left);
  }
  g_assert_cmpint(passes, >=, 4);
  g_assert_cmpint(m.iteration, ==, passes + 1);
}

/* it switches over where what a look found is less than the threshold, and not before */
static void test_switch_over(void) {
  FerrySimMigration m;
  begin(&m, 0, 0, NULL, NULL);
  double left = 0;
  while (m.phase == FERRY_SIM_PHASE_ACTIVE) {
    left = ferry_sim_migration_remaining(&m);
    once(&m);
  }
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_SWITCHING);
  g_assert_cmpfloat(m.left, <, m.threshold);
  g_assert_cmpfloat(left, >=, 0.9 * m.threshold); /* at the first look: the limit is a target */
  close_to(m.pause, 0.3 + 0.027, 0.02);
  double at = m.now;
  g_assert_false(ferry_sim_migration_advance(&m, at + m.pause / 2));
  close_to(ferry_sim_migration_remaining(&m), m.left / 2, 1);
  g_assert_true(ferry_sim_migration_advance(&m, at + 10));
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_COMPLETED);
  close_to(m.now, at + m.pause, 1e-9);
  close_to(m.gap, m.pause, 1e-9);
  close_to(ferry_sim_migration_sent(&m), 253 * MIB, 1);
  g_assert_cmpfloat(ferry_sim_migration_remaining(&m), ==, 0);
}

/* a cap shapes the threshold, and is lifted for the rest */
static void test_cap(void) {
  FerrySimMigration m;
  FerrySimLink capped = gigabit;
  capped.cap = 60 * MIB;
  begin(&m, 0, 0, &capped, NULL);
  ferry_sim_migration_set_limit(&m, 500);
  while (m.phase == FERRY_SIM_PHASE_ACTIVE)
    once(&m);
  close_to(m.threshold, 30 * MIB, 0.5 * MIB);
  close_to(m.pause, m.left / (119 * MIB) + 0.027, 1e-6);
  g_assert_cmpfloat(m.pause, <, 0.5 * 60 / 119 + 0.03);
  /* set while it runs, it holds from the next chunk on */
  begin(&m, 0, 0, NULL, NULL);
  g_assert_false(ferry_sim_migration_advance(&m, 0.5));
  double sent = ferry_sim_migration_sent(&m);
  close_to(sent, 0.5 * 119 * MIB, 0.1 * MIB);
  ferry_sim_migration_set_cap(&m, 10 * MIB);
  g_assert_false(ferry_sim_migration_advance(&m, 1.5));
  close_to(ferry_sim_migration_sent(&m) - sent, 10 * MIB, 0.1 * MIB);
}

/* 20 %, then 10 % more, a second apart at least, 99 % at most */
static void test_throttle_steps(void) {
  FerrySimMigration m;
  FerrySimOptions options = {.auto_converge = TRUE};
  begin(&m, 20000, 40, NULL, &options); /* three passes a second */
  ferry_sim_migration_set_limit(&m, 1);
  static const int wanted[] = {20, 30, 40, 50, 60, 70, 80, 90, 99};
  guint step = 0;
  double last = 0;
  int judged = 0;
  double period = 0;
  while (m.now < 120 && step < G_N_ELEMENTS(wanted)) {
    int before = (int)lround(m.throttle * 100);
    once(&m);
    if (m.period_at > period) {
      g_assert_cmpfloat(m.period_at - period, >=, 1);
      judged++;
    }
    period = m.period_at;
    int now = (int)lround(m.throttle * 100);
    if (now == before)
      continue;
    g_assert_cmpint(now, ==, wanted[step++]);
    g_assert_cmpint(judged, >=, 2); /* too much dirty memory twice */
    g_assert_cmpfloat(m.now - last, >=, 2);
    judged = 0;
    last = m.now;
  }
  g_assert_cmpuint(step, ==, G_N_ELEMENTS(wanted));
  ferry_sim_migration_advance(&m, m.now + 5);
  g_assert_cmpint(m.top_throttle, ==, 99);
  begin(&m, 20000, 200, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 1);
  while (m.now < 20)
    once(&m);
  g_assert_cmpfloat(m.throttle, ==, 0);
  options = (FerrySimOptions){.auto_converge = TRUE, .throttle_initial = 45};
  begin(&m, 20000, 200, NULL, &options);
  ferry_sim_migration_set_limit(&m, 1);
  while (m.throttle <= 0)
    once(&m);
  g_assert_cmpint(m.top_throttle, ==, 45);
}

/* through the monitor it takes two judgements to get to any percentage, and to a lower one as well
 */
static void test_throttle_parameters(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, &(FerrySimOptions){.auto_converge = TRUE});
  ferry_sim_migration_set_limit(&m, 1);
  static const int wanted[] = {37, 62, 15};
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
    ferry_sim_migration_set_throttle_parameters(&m, wanted[i], wanted[i] - 1, wanted[i], 1);
    double at = m.now;
    while (lround(m.throttle * 100) != wanted[i]) {
      once(&m);
      g_assert_cmpfloat(m.now - at, <, 2 * (1 + 128.0 / 119)); /* looks come with the passes */
    }
    g_assert_cmpfloat(m.now - at, >, 0);
    at = m.now;
    while (m.now < at + 5) {
      once(&m);
      g_assert_cmpint((int)lround(m.throttle * 100), ==, wanted[i]);
    }
  }
}

/* QEMU's dirty rate is at most a second old, and saturates at the rate of sending */
static void test_dirty_rate(void) {
  FerrySimMigration m;
  begin(&m, 240, 128, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 20);
  while (m.now < 12)
    once(&m);
  close_to(m.dirty_rate / MIB, 119, 12);
}

static void test_post_copy(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 20);
  while (m.iteration < 2)
    once(&m);
  ferry_sim_migration_start_postcopy(&m);
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_ACTIVE); /* at the next turn, not now */
  once(&m);
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_POSTCOPY);
  close_to(m.pause, 0.027, 1e-9); /* what QEMU says; the guest stands still for longer */
  g_assert_cmpfloat(m.gap, >, 0.5);
  g_assert_false(ferry_sim_migration_cancel(&m)); /* there is no way back */
  double left = ferry_sim_migration_remaining(&m), sent = ferry_sim_migration_sent(&m);
  close_to(m.until - m.now, 0.027 + left / (119 * MIB), 1e-3);
  double half = (m.until - m.now) / 2;
  g_assert_false(ferry_sim_migration_advance(&m, m.now + half));
  close_to(ferry_sim_migration_remaining(&m), left / 2, 1);
  g_assert_true(ferry_sim_migration_advance(&m, m.now + 60));
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_COMPLETED);
  close_to(ferry_sim_migration_sent(&m) - sent, left, 1); /* each page once */
  double lazy = m.gap;
  begin(&m, 180, 128, NULL, &(FerrySimOptions){.preempt = TRUE});
  ferry_sim_migration_set_limit(&m, 20);
  while (m.iteration < 2)
    once(&m);
  ferry_sim_migration_start_postcopy(&m);
  once(&m);
  g_assert_cmpfloat(m.gap, <, lazy / 2); /* requested pages overtake the stream */
}

static void test_cancel(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, NULL);
  g_assert_false(ferry_sim_migration_advance(&m, 1));
  g_assert_true(ferry_sim_migration_cancel(&m));
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_CANCELLED);
  g_assert_cmpfloat(m.gap, ==, 0);
  double now = m.now;
  g_assert_false(ferry_sim_migration_advance(&m, 5));
  g_assert_cmpfloat(m.now, ==, now); /* nothing goes on */
  g_assert_false(ferry_sim_migration_cancel(&m));
  begin(&m, 0, 0, NULL, NULL);
  while (m.phase == FERRY_SIM_PHASE_ACTIVE)
    once(&m);
  g_assert_true(ferry_sim_migration_cancel(&m)); /* also while it switches over */
}

/* a guest that stands still dirties nothing: the next look ends it, however low the limit */
static void test_suspend(void) {
  FerrySimMigration m;
  begin(&m, 180, 128, NULL, NULL);
  ferry_sim_migration_set_limit(&m, 5);
  while (m.now < 3)
    once(&m);
  double at = m.now, left = ferry_sim_migration_remaining(&m) + 128 * MIB;
  g_assert_true(ferry_sim_migration_suspend(&m));
  g_assert_false(ferry_sim_migration_suspend(&m));
  while (ferry_sim_migration_advance(&m, 30))
    ;
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_COMPLETED);
  close_to(m.gap, m.now - at, 1e-9);
  g_assert_cmpfloat(m.now - at, <=, left / (119 * MIB) + 0.2);
}

/* however often it is looked at, it takes the same course */
static void test_advance(void) {
  double total[2];
  for (int fine = 0; fine < 2; fine++) {
    FerrySimMigration m;
    int passes = 0;
    begin(&m, 180, 128, NULL, NULL);
    ferry_sim_migration_set_limit(&m, 450);
    for (double to = 0; m.phase != FERRY_SIM_PHASE_COMPLETED && to < 60; to += fine ? 0.001 : 7)
      while (ferry_sim_migration_advance(&m, to))
        passes += m.phase == FERRY_SIM_PHASE_ACTIVE;
    g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_COMPLETED);
    g_assert_cmpint(passes, >=, 3);
    total[fine] = m.now;
  }
  close_to(total[1], total[0], 0.1 * total[0]);
  close_to(total[0], 5.3, 0.15 * 5.3); /* measured on real hosts */
}

static void test_link(void) {
  FerrySimLink l = gigabit;
  l.drop_at = 2, l.drop_end = 4, l.drop_to = 0.5;
  g_assert_cmpfloat(ferry_sim_link_rate(&l, 1), ==, l.rate);
  g_assert_cmpfloat(ferry_sim_link_rate(&l, 3), ==, l.rate / 2);
  g_assert_cmpfloat(ferry_sim_link_rate(&l, 4), ==, l.rate);
  g_assert_cmpfloat(ferry_sim_link_next_change(&l, 0), ==, 2);
  g_assert_cmpfloat(ferry_sim_link_next_change(&l, 3), ==, 4);
  g_assert_true(isinf(ferry_sim_link_next_change(&l, 4)));
  close_to(ferry_sim_link_sending(&l, 1, 2 * l.rate), 3, 1e-9); /* 1 s whole, 2 s halved */
  l.cap = l.rate * 0.7;
  g_assert_cmpfloat(ferry_sim_link_wire_rate(&l, 1), ==, l.cap);
  g_assert_cmpfloat(ferry_sim_link_wire_rate(&l, 3), ==, l.rate / 2);
  /* the rate of what is under way may change: also of a switch-over */
  FerrySimMigration m;
  begin(&m, 0, 0, NULL, NULL);
  while (m.phase == FERRY_SIM_PHASE_ACTIVE)
    once(&m);
  double pause = m.pause;
  ferry_sim_migration_set_rate(&m, 119 * MIB / 2);
  close_to(m.pause, 2 * pause, 1e-6);
  ferry_sim_migration_fail(&m);
  g_assert_cmpint(m.phase, ==, FERRY_SIM_PHASE_FAILED);
  g_assert_false(ferry_sim_migration_cancel(&m));
}

/* what a link that loses packets carries lies between its least and its best, and what a transfer
 * takes is the sum of its waves */
static void test_waves(void) {
  FerrySimLink l = gigabit;
  l.wave_s = 0.5;
  l.wave_least = 0.6;
  double sent = 0, least = l.rate, most = 0;
  for (double at = 0; at < 20; at += 0.5) {
    double rate = ferry_sim_link_rate(&l, at + 0.1);
    sent += 0.5 * rate;
    least = MIN(least, rate);
    most = MAX(most, rate);
    close_to(ferry_sim_link_next_change(&l, at + 0.1), at + 0.5, 1e-6);
  }
  g_assert_cmpfloat(least, >=, 0.6 * l.rate);
  g_assert_cmpfloat(most, <=, l.rate);
  g_assert_cmpfloat(most - least, >, 0.2 * l.rate);
  close_to(ferry_sim_link_sending(&l, 0, sent), 20, 1e-6);
  l.cap = 0.3 * l.rate; /* below all of them */
  close_to(ferry_sim_link_sending_capped(&l, 0, 10 * l.cap), 10, 1e-6);
}

/* bursts: in each stretch as long as said, and not always at its beginning; one that calms down and
 * one that starts with the migration */
static void test_activity(void) {
  FerrySimGuest g = {.spec = guest(100, 50)};
  g.spec.busy_s = 1;
  g.spec.quiet_s = 3;
  g.spec.pattern = FERRY_SIM_BURSTY;
  int late = 0;
  for (int n = 0; n < 20; n++) {
    double busy = 0;
    for (double at = 0; at < 4; at += 0.01)
      busy += 0.01 * (ferry_sim_guest_activity(&g, n * 4 + at) >= 1);
    close_to(busy, 1, 0.03);
    late += ferry_sim_guest_activity(&g, n * 4 + 0.01) < 1;
    double change = ferry_sim_guest_next_change(&g, n * 4 + 0.001);
    g_assert_cmpfloat(ferry_sim_guest_activity(&g, change), !=,
                      ferry_sim_guest_activity(&g, n * 4 + 0.001));
  }
  g_assert_cmpint(late, >, 10);
  g.spec.pattern = FERRY_SIM_CALMING;
  g_assert_cmpfloat(ferry_sim_guest_activity(&g, 0.9), ==, 1);
  g_assert_cmpfloat(ferry_sim_guest_activity(&g, 1.1), <, 0.1);
  close_to(ferry_sim_guest_next_change(&g, 0.5), 1, 1e-6);
  g.spec.pattern = FERRY_SIM_STARTING;
  g_assert_cmpfloat(ferry_sim_guest_activity(&g, -0.5), ==, 0);
  g_assert_cmpfloat(ferry_sim_guest_activity(&g, 0), ==, 1);
}

/* xbzrle: the first pass is sent whole, what comes again is not */
static void test_again(void) {
  FerrySimMigration plain, less;
  FerrySimLink l = gigabit;
  FerrySimGuestSpec g = guest(60, 100);
  FerrySimOptions options = {0};
  ferry_sim_migration_init(&plain, &g, &l, &options);
  l.again = 8;
  ferry_sim_migration_init(&less, &g, &l, &options);
  while (plain.phase != FERRY_SIM_PHASE_COMPLETED)
    ferry_sim_migration_advance(&plain, plain.now + 1);
  while (less.phase != FERRY_SIM_PHASE_COMPLETED)
    ferry_sim_migration_advance(&less, less.now + 1);
  g_assert_cmpfloat(less.sent, >=, 0.95 * g.memory);
  g_assert_cmpfloat(less.sent - g.memory, <, 0.5 * (plain.sent - g.memory));
  g_assert_cmpfloat(less.pause, <, plain.pause);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sim-migration/windows", test_windows);
  g_test_add_func("/sim-migration/sync-below-threshold", test_sync_below_threshold);
  g_test_add_func("/sim-migration/switch-over", test_switch_over);
  g_test_add_func("/sim-migration/cap", test_cap);
  g_test_add_func("/sim-migration/throttle-steps", test_throttle_steps);
  g_test_add_func("/sim-migration/throttle-parameters", test_throttle_parameters);
  g_test_add_func("/sim-migration/dirty-rate", test_dirty_rate);
  g_test_add_func("/sim-migration/post-copy", test_post_copy);
  g_test_add_func("/sim-migration/cancel", test_cancel);
  g_test_add_func("/sim-migration/suspend", test_suspend);
  g_test_add_func("/sim-migration/advance", test_advance);
  g_test_add_func("/sim-migration/link", test_link);
  g_test_add_func("/sim-migration/waves", test_waves);
  g_test_add_func("/sim-migration/activity", test_activity);
  g_test_add_func("/sim-migration/again", test_again);
  return g_test_run();
}
