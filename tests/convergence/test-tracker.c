// SPDX-License-Identifier: Apache-2.0
#include "convergence/tracker.h"
#include <math.h>

#define RATE 100.0 /* bytes/ms = 100000 bytes/s */

static void feed(FerryTracker *t, gint64 ms, gint64 processed, gint64 remaining, int iteration) {
  FerryConvergenceSample s = {
      .processed = processed, .remaining = remaining, .total = 200000, .iteration = iteration};
  ferry_tracker_sample(t, &s, ms * 1000);
}

static void test_rate(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  for (int ms = 0; ms <= 2000; ms += 250)
    feed(&t, ms, (gint64)(ms * RATE), 200000 - (gint64)(ms * RATE), 1);
  g_assert_cmpfloat(fabs(t.rate - 1000 * RATE), <, 1);
  g_assert_cmpfloat(fabs(t.efficiency - 1), <, 0.01);
}

static void test_zero_pages(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  feed(&t, 0, 0, 200000, 1);
  feed(&t, 250, 25000, 175000, 1);
  feed(&t, 500, 25100, 75000, 1); /* 100000 bytes of zero pages in one window */
  feed(&t, 750, 50100, 50000, 1);
  g_assert_cmpfloat(fabs(t.rate - 1000 * RATE), <, 0.02 * 1000 * RATE);
}

static void test_compression(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  for (int ms = 0; ms < 1000; ms += 250) /* zero pages would look the same in the first pass */
    feed(&t, ms, (gint64)(ms * RATE / 2), 100000 - (gint64)(ms * RATE), 1);
  g_assert_cmpfloat(t.efficiency, ==, 1);
  feed(&t, 1000, (gint64)(1000 * RATE / 2), 300000, 2);
  ferry_tracker_iteration(&t, 2, 1000000);
  for (int ms = 1250; ms <= 3500; ms += 250)
    feed(&t, ms, (gint64)(ms * RATE / 2), 400000 - (gint64)(ms * RATE), 2);
  g_assert_cmpfloat(fabs(t.efficiency - 2), <, 0.05);
  g_assert_cmpfloat(fabs(t.rate - 1000 * RATE), <, 0.03 * 1000 * RATE);
}

/* The first pass over memory begins when the disks are done, and so does what it taught. */
static void test_disks_first(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  for (int ms = 0; ms <= 4000; ms += 100) {
    FerryConvergenceSample s = {.processed = (gint64)(ms * RATE),
                                .remaining = 400000 - (gint64)(ms * RATE),
                                .total = 400000,
                                .follows = 200000};
    ferry_tracker_sample(&t, &s, ms * 1000);
    g_assert_cmpint(t.last.remaining, ==, s.remaining + 200000);
  }
  for (int ms = 4100; ms <= 6000; ms += 100)
    feed(&t, ms, (gint64)(ms * RATE), 200000 - (gint64)((ms - 4100) * RATE), 1);
  ferry_tracker_iteration(&t, 2, 6100000);
  feed(&t, 6100, 610000, 80000, 2);
  g_assert_cmpuint(t.n_rounds, ==, 1);
  g_assert_cmpfloat(fabs(t.rounds[0].seconds - 2), <, 0.01);
  g_assert_cmpfloat(fabs(t.rounds[0].dirtied - 80000), <, 1000);
  g_assert_cmpint(t.disks_processed, ==, 410000);
}

/* a pass of 2 s left 80000 bytes, the next one 64000: W and w follow whenever the sample comes */
static void rounds(gint64 late_ms) {
  FerryTracker t;
  FerryWriter truth = {.pattern = FERRY_WRITER_UNIFORM, .working_set = 100000, .write_rate = 90000};
  ferry_tracker_init(&t, 0);
  double v = 200000, done = 0, began = 0;
  for (int pass = 1; pass <= 3; pass++) {
    double length = v / RATE; /* ms */
    for (double ms = (double)late_ms; ms < length - 10; ms += 100)
      feed(&t, (gint64)(began + ms), (gint64)(done + ms * RATE), (gint64)(v - ms * RATE), pass);
    began += length;
    done += v;
    v = ferry_writer_unique(&truth, length / 1000);
    feed(&t, (gint64)began + late_ms, (gint64)done + (gint64)((double)late_ms * RATE),
         (gint64)v - (gint64)((double)late_ms * RATE), pass + 1);
    g_assert_true(ferry_tracker_iteration(&t, pass + 1, ((gint64)began + late_ms) * 1000));
    g_assert_cmpfloat(fabs(t.boundary_start - v), <=, 1 + (double)late_ms * RATE);
  }
  g_assert_true(t.fitted);
  g_test_message("late %d ms: %.0f/%.0f", (int)late_ms, t.writer.working_set, t.writer.write_rate);
  g_assert_cmpfloat(fabs(t.writer.working_set / 100000 - 1), <, 0.04);
  g_assert_cmpfloat(fabs(t.writer.write_rate / 90000 - 1), <, 0.08);
}

static void test_rounds(void) {
  rounds(0);
  rounds(20);
  rounds(60);
}

/* The guest is held for the second half of a pass only: the round counts three quarters. */
static void test_told_throttle(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  t.throttle = 0.5; /* decided long before it was in force */
  for (int ms = 0; ms <= 2000; ms += 100) {
    FerryConvergenceSample s = {.processed = (gint64)(ms * RATE),
                                .remaining = ms < 2000 ? 200000 - (gint64)(ms * RATE) : 80000,
                                .total = 200000,
                                .iteration = ms < 2000 ? 1 : 2,
                                .tells_throttle = TRUE,
                                .throttle_percent = ms > 1000 ? 50 : 0};
    ferry_tracker_sample(&t, &s, ms * 1000);
  }
  g_assert_true(ferry_tracker_iteration(&t, 2, 2000 * 1000));
  g_assert_cmpuint(t.n_rounds, ==, 1);
  g_assert_cmpfloat(fabs(t.rounds[0].seconds - 1.5), <, 0.01);
}

static void test_lost_event(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  feed(&t, 0, 0, 200000, 1);
  feed(&t, 1000, 100000, 100000, 1);
  feed(&t, 2250, 225000, 60000, 2); /* the event may still come */
  g_assert_cmpint((int)t.passes, ==, 0);
  feed(&t, 2500, 250000, 35000, 2); /* it will not */
  g_assert_cmpint((int)t.passes, ==, 1);
  g_assert_cmpint(t.iteration, ==, 2);
  g_assert_cmpint((int)t.n_rounds, ==, 0); /* its length is not known */
  g_assert_false(ferry_tracker_iteration(&t, 2, 2600 * 1000));
}

static void test_waiting(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  feed(&t, 0, 0, 200000, 1);
  feed(&t, 1800, 180000, 20000, 1);
  g_assert_false(ferry_tracker_iteration(&t, 2, 2000 * 1000)); /* no sample since */
  feed(&t, 2100, 210000, 70000, 2);
  g_assert_cmpint((int)t.passes, ==, 1);
  g_assert_cmpfloat(fabs(t.boundary_start - 80000), <, 4000);
  g_assert_cmpint((int)t.n_rounds, ==, 1);
}

static void test_best(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  feed(&t, 0, 0, 100, 1);
  feed(&t, 1000, 10, 40, 1);
  feed(&t, 2000, 20, 90, 2);
  feed(&t, 3000, 20, 50, 2);
  g_assert_cmpint(t.best_remaining, ==, 40);
  g_assert_cmpint(t.best_us, ==, 1000000);
  g_assert_cmpint(t.moved_us, ==, 2000000);
}

/* a high limit makes QEMU look before the first pass has ended: what it left is no news */
static void test_first_rest(void) {
  for (int high = 0; high < 2; high++) {
    FerryTracker t;
    ferry_tracker_init(&t, 0);
    t.leaves = high ? 50000 : 0;
    feed(&t, 0, 0, 200000, 1);
    feed(&t, 1000, 100000, 100000, 1);
    feed(&t, 1500, 150000, 80000, 2);
    g_assert_true(ferry_tracker_iteration(&t, 2, 1500 * 1000));
    g_assert_cmpfloat(fabs(t.boundary_start - 80000), <, 1000);
    g_assert_cmpuint(t.n_rounds, ==, 1);
    /* 30000 are new, and the rest hides more of that kind */
    g_assert_cmpfloat(fabs(t.rounds[0].dirtied - (high ? 38300 : 80000)), <, 1000);
  }
}

static void test_prior(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  ferry_tracker_prior(&t, 0, 100);
  g_assert_false(t.fitted);
  ferry_tracker_prior(&t, 2, 100);
  g_assert_true(t.fitted);
  g_assert_cmpfloat(fabs(ferry_writer_unique(&t.writer, 2) - 100), <, 0.01);
  g_assert_cmpfloat(t.writer.residual, >, 0.15); /* a guess, and known to be one */
  ferry_tracker_init(&t, 0);
  ferry_tracker_prior(&t, 1, 0);
  g_assert_true(t.fitted);
  g_assert_cmpint(t.writer.pattern, ==, FERRY_WRITER_IDLE);
}

/* Passes over what xbzrle makes small end within a window; the hypervisor's pages tell what it
 * gains all the same. What the first two passes sent, which fill the cache, does not count. */
static void test_gain_again(void) {
  FerryTracker t;
  ferry_tracker_init(&t, 0);
  FerryConvergenceSample s = {.total = 200 << 20, .remaining = 1 << 20, .handled = 199 << 20};
  s.processed = 199 << 20;
  ferry_tracker_sample(&t, &s, 1000000);
  g_assert_cmpfloat(ferry_tracker_gain_again(&t), ==, 0);
  for (int pass = 2; pass < 6; pass++) {
    s.iteration = pass;
    s.remaining = 50 << 20;
    ferry_tracker_iteration(&t, pass, 1000000 + pass * 70000);
    ferry_tracker_sample(&t, &s, 1001000 + pass * 70000);
    s.processed += pass == 2 ? 50 << 20 : 2 << 20;
    s.handled += 50 << 20;
  }
  g_assert_cmpfloat(fabs(ferry_tracker_gain_again(&t) - 25), <, 0.01);
  s.handled = 0; /* one that counts no pages */
  s.iteration = 6;
  ferry_tracker_sample(&t, &s, 1500000);
  g_assert_cmpfloat(ferry_tracker_gain_again(&t), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/tracker/rate", test_rate);
  g_test_add_func("/tracker/zero-pages", test_zero_pages);
  g_test_add_func("/tracker/compression", test_compression);
  g_test_add_func("/tracker/disks-first", test_disks_first);
  g_test_add_func("/tracker/rounds", test_rounds);
  g_test_add_func("/tracker/told-throttle", test_told_throttle);
  g_test_add_func("/tracker/lost-event", test_lost_event);
  g_test_add_func("/tracker/waiting", test_waiting);
  g_test_add_func("/tracker/best", test_best);
  g_test_add_func("/tracker/first-rest", test_first_rest);
  g_test_add_func("/tracker/prior", test_prior);
  g_test_add_func("/tracker/gain-again", test_gain_again);
  return g_test_run();
}
