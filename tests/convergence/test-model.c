// SPDX-License-Identifier: Apache-2.0
// The model against what was measured on real hosts (253 MiB of memory, 1 Gbit/s).
#include "convergence/model.h"
#include <math.h>

#define MIB (1024.0 * 1024)

static const FerryPath gigabit = {119 * MIB, 119 * MIB, 0.027};
static const FerryWriter busy = {
    .pattern = FERRY_WRITER_UNIFORM, .working_set = 128 * MIB, .write_rate = 180 * MIB};

static void near(double got, double wanted, double tolerance) {
  g_test_message("got %g, wanted %g within %g", got, wanted, tolerance);
  g_assert_cmpfloat(fabs(got - wanted), <=, tolerance);
}

static void test_unique(void) {
  FerryWriter cyclic = busy, skewed = busy, idle = busy;
  cyclic.pattern = FERRY_WRITER_CYCLIC;
  skewed.pattern = FERRY_WRITER_SKEWED;
  idle.pattern = FERRY_WRITER_IDLE;
  near(ferry_writer_unique(&busy, 128.0 / 180) / MIB, 128 * (1 - exp(-1)), 1e-6);
  near(ferry_writer_unique(&cyclic, 0.1) / MIB, 18, 1e-6);
  near(ferry_writer_unique(&cyclic, 5) / MIB, 128, 1e-6);
  near(ferry_writer_unique(&skewed, 1e4) / MIB, 128, 1e-3);
  g_assert_cmpfloat(ferry_writer_unique(&skewed, 0.3), <, ferry_writer_unique(&busy, 0.3));
  g_assert_cmpfloat(ferry_writer_unique(&idle, 5), ==, 0);
  g_assert_cmpfloat(ferry_writer_unique(&busy, 0), ==, 0);
}

static void test_min_downtime(void) {
  near(ferry_model_min_downtime(&busy, &gigabit) * 1000, 363, 3);
  FerryWriter cyclic = busy, slow = busy;
  cyclic.pattern = FERRY_WRITER_CYCLIC;
  near(ferry_model_min_downtime(&cyclic, &gigabit), 128.0 / 119, 1e-3);
  slow.write_rate = 100 * MIB;
  near(ferry_model_min_downtime(&slow, &gigabit), 0, 0);
  /* a cap: less is sent before, the pause is still at the link's rate */
  FerryPath capped = {60 * MIB, 119 * MIB, 0.027};
  near(ferry_model_min_downtime(&busy, &capped) * 119, 128 * (1 - 60.0 / 180), 0.1);
  /* each answer is the border of the other questions */
  double rate = ferry_model_min_rate(&busy, 0.273), p;
  FerryPath enough = {rate, rate, 0.027};
  near(ferry_model_min_downtime(&busy, &enough), 0.273, 1e-3);
  p = ferry_model_min_throttle(&busy, &gigabit, 0.273);
  near(p, 1 - 128 / (180 * (128.0 / 119 - 0.273)), 1e-3);
  near(ferry_model_min_throttle(&busy, &gigabit, 0.4), 0, 0);
}

static void test_plateau(void) {
  /* "forced at the plateau" paused for 635 ms on a real host, and the usual signal says 632 ms */
  near(ferry_model_plateau(&busy, 119 * MIB) / (119 * MIB) + 0.027, 0.635, 0.12 * 0.635);
  FerryWriter slow = busy;
  slow.write_rate = 60 * MIB;
  near(ferry_model_plateau(&slow, 119 * MIB), 0, 0);
}

/* limit 330 did not converge in 15 s, 400 did in 7.1 s and 450 in 5.3 s */
static void test_precopy(void) {
  double v1 = ferry_writer_unique(&busy, 253.0 / 119);
  FerryOption low = ferry_model_precopy(&busy, &gigabit, v1, 0.33, 0, 600);
  FerryOption middle = ferry_model_precopy(&busy, &gigabit, v1, 0.40, 0, 600);
  FerryOption high = ferry_model_precopy(&busy, &gigabit, v1, 0.45, 0, 600);
  g_assert_false(isfinite(low.seconds));
  g_assert_true(isfinite(middle.seconds));
  near(253.0 / 119 + high.seconds, 5.3, 0.25 * 5.3);
  near(high.pause, 0.475, 0.05 * 0.475);
  near(middle.pause, 0.428, 0.05 * 0.428);
  g_assert_cmpfloat(middle.seconds, >, high.seconds);
  g_assert_cmpfloat(high.bytes, >=, v1);
  g_assert_true(isinf(ferry_model_precopy_seconds(&busy, &gigabit, v1, 0.33)));
  g_assert_cmpfloat(ferry_model_precopy_seconds(&busy, &gigabit, v1, 0.45), <=, high.seconds);
  /* a throttle above p* lets it converge where it did not; the guest pays for it */
  FerryOption slowed = ferry_model_precopy(&busy, &gigabit, v1, 0.273, 0.3, 600);
  g_assert_true(isfinite(slowed.seconds));
  g_assert_cmpfloat(slowed.lost, >, slowed.pause);
}

static void test_postcopy(void) {
  double v1 = ferry_writer_unique(&busy, 253.0 / 119);
  FerryOption plain = ferry_model_postcopy(&gigabit, v1, busy.working_set, FALSE);
  FerryOption preempt = ferry_model_postcopy(&gigabit, v1, busy.working_set, TRUE);
  near(253.0 / 119 + plain.seconds, 3.15, 0.05 * 3.15); /* measured: 3.15 s in all, */
  near(plain.pause, 0.84, 0.2 * 0.84);                  /* 818-867 ms of gap, */
  near(plain.lost, 0.98, 0.2 * 0.98);                   /* 0.98 s lost; */
  near(preempt.pause, 0.047, 0.035); /* with preempt, QEMU 10.0: 38 to 56 ms of gap */
  near(ferry_model_suspend(&gigabit, v1).pause, v1 / (119 * MIB) + 0.027, 1e-9);
  near(ferry_model_throttle_stall(0.99), 0.99, 1e-9);
}

static void test_bound(void) {
  near(ferry_model_lower_bound(&gigabit, 253 * MIB), 253.0 / 119 + 0.027, 1e-9);
  FerryPath none = {0, 0, 0};
  g_assert_true(isinf(ferry_model_lower_bound(&none, 1)));
  g_assert_false(isfinite(ferry_model_precopy(&busy, &none, 1, 1, 0, 1).seconds));
}

/* A guest that writes as much as before feels nothing, one that writes as much less as it runs less
 * feels all of it. */
static void test_felt(void) {
  g_assert_cmpfloat(fabs(ferry_model_felt(100, 100, 0.5) - 1), <, 1e-9);
  g_assert_cmpfloat(fabs(ferry_model_felt(100, 200, 0.5)), <, 1e-9);
  g_assert_cmpfloat(fabs(ferry_model_felt(100, 150, 0.5) - 0.5), <, 1e-9);
  g_assert_cmpfloat(ferry_model_felt(100, 1000, 0.5), ==, 0);
  g_assert_cmpfloat(ferry_model_felt(0, 10, 0.5), ==,
                    1); /* nothing is known: it costs what it says */
  g_assert_cmpfloat(ferry_model_felt(100, 1, 0.5), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/unique", test_unique);
  g_test_add_func("/model/min-downtime", test_min_downtime);
  g_test_add_func("/model/plateau", test_plateau);
  g_test_add_func("/model/precopy", test_precopy);
  g_test_add_func("/model/postcopy", test_postcopy);
  g_test_add_func("/model/bound", test_bound);
  g_test_add_func("/model/felt", test_felt);
  return g_test_run();
}
