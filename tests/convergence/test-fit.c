// SPDX-License-Identifier: Apache-2.0
#include "convergence/model.h"
#include <math.h>

#define MIB (1024.0 * 1024)

/* Passes as QEMU makes them with a low limit: each takes as long as the one before left. */
static guint passes(const FerryWriter *w, double first_s, double rate, FerryRound *out, guint n) {
  double seconds = first_s;
  for (guint i = 0; i < n; i++) {
    out[i] = (FerryRound){seconds, ferry_writer_unique(w, seconds), 0};
    seconds = out[i].dirtied / rate;
  }
  return n;
}

static void check(FerryWriterPattern pattern, double set, double rate, guint n) {
  FerryWriter truth = {.pattern = pattern, .working_set = set * MIB, .write_rate = rate * MIB}, got;
  FerryRound rounds[8];
  g_assert_true(
      ferry_writer_fit(&got, rounds, passes(&truth, 2.13, 119 * MIB, rounds, n), INFINITY));
  g_test_message("%s: got %.1f/%.1f %s, residual %.4f", ferry_writer_pattern_name(pattern),
                 got.working_set / MIB, got.write_rate / MIB,
                 ferry_writer_pattern_name(got.pattern), got.residual);
  g_assert_cmpint(got.pattern, ==, pattern);
  g_assert_cmpfloat(fabs(got.working_set / MIB / set - 1), <, 0.03);
  g_assert_cmpfloat(fabs(got.write_rate / MIB / rate - 1), <, 0.06);
  g_assert_cmpfloat(got.residual, <, 0.02);
}

/* real hosts: two rounds gave 126.7/176 for 128/180 and 127.8/223 for 128/240 */
static void test_two_rounds(void) {
  check(FERRY_WRITER_UNIFORM, 128, 180, 2);
  check(FERRY_WRITER_UNIFORM, 128, 240, 2);
}

static void test_patterns(void) {
  check(FERRY_WRITER_UNIFORM, 200, 90, 4);
  check(FERRY_WRITER_CYCLIC, 150, 90, 4);
  check(FERRY_WRITER_SKEWED, 200, 100, 5);
}

/* two rounds fit whatever is asked for, and the answers differ where it matters */
static void test_as(void) {
  FerryWriter truth = {.pattern = FERRY_WRITER_SKEWED,
                       .working_set = 250 * MIB,
                       .write_rate = 190 * MIB},
              skewed, uniform;
  FerryRound rounds[2], one[] = {{2, 100, 0}, {1, 0, 0}};
  FerryPath path = {119 * MIB, 119 * MIB, 0.03};
  passes(&truth, 2.13, 119 * MIB, rounds, 2);
  g_assert_true(ferry_writer_fit_as(&skewed, FERRY_WRITER_SKEWED, rounds, 2, INFINITY));
  g_assert_true(ferry_writer_fit_as(&uniform, FERRY_WRITER_UNIFORM, rounds, 2, INFINITY));
  g_assert_cmpfloat(fabs(skewed.working_set / truth.working_set - 1), <, 0.05);
  g_assert_cmpfloat(skewed.residual, <, 0.02);
  g_assert_cmpfloat(uniform.residual, <, 0.02);
  g_assert_cmpfloat(ferry_model_min_downtime(&skewed, &path), >,
                    1.3 * ferry_model_min_downtime(&uniform, &path));
  g_assert_false(ferry_writer_fit_as(&skewed, FERRY_WRITER_SKEWED, rounds, 1, INFINITY));
  g_assert_false(ferry_writer_fit_as(&skewed, FERRY_WRITER_SKEWED, one, 2, INFINITY));
}

/* what was still to be sent anyway hides a part of what was written */
static void test_rest(void) {
  FerryWriter truth = {.pattern = FERRY_WRITER_UNIFORM, .working_set = 128, .write_rate = 180}, got;
  FerryRound rounds[] = {{2.1, 0, 0}, {0.7, 0, 35}, {0.4, 0, 45}};
  for (guint i = 0; i < G_N_ELEMENTS(rounds); i++)
    rounds[i].dirtied = ferry_writer_unique(&truth, rounds[i].seconds) * (1 - rounds[i].rest / 128);
  g_assert_true(ferry_writer_fit(&got, rounds, G_N_ELEMENTS(rounds), INFINITY));
  g_assert_cmpfloat(fabs(got.working_set - 128), <, 2);
  g_assert_cmpfloat(fabs(got.write_rate - 180), <, 6);
}

static void test_not_enough(void) {
  FerryWriter got;
  FerryRound one[] = {{2, 100, 0}}, alike[] = {{1, 100, 0}, {1, 100, 0}, {1.01, 101, 0}};
  FerryRound idle[] = {{2, 0, 0}};
  g_assert_false(ferry_writer_fit(&got, NULL, 0, INFINITY));
  g_assert_false(ferry_writer_fit(&got, one, 1, INFINITY));
  g_assert_false(ferry_writer_fit(&got, alike, 3, INFINITY));
  g_assert_true(ferry_writer_fit(&got, idle, 1, INFINITY));
  g_assert_cmpint(got.pattern, ==, FERRY_WRITER_IDLE);
}

/* a guest that calmed down: the old rounds are dropped, or the residual says that it can't be */
static void test_change(void) {
  FerryWriter before = {.pattern = FERRY_WRITER_UNIFORM, .working_set = 500, .write_rate = 900};
  FerryWriter after = {.pattern = FERRY_WRITER_UNIFORM, .working_set = 60, .write_rate = 40}, got;
  FerryRound rounds[6] = {{4, 0, 0}, {3.9, 0, 0}, {2, 0, 0}, {0.6, 0, 0}, {0.2, 0, 0}};
  for (guint i = 0; i < 5; i++)
    rounds[i].dirtied = ferry_writer_unique(i < 2 ? &before : &after, rounds[i].seconds);
  g_assert_true(ferry_writer_fit(&got, rounds, 5, INFINITY));
  g_assert_cmpfloat(got.residual, <, 0.15);
  g_assert_cmpfloat(fabs(got.working_set - 60), <, 6);
}

static void test_memory(void) {
  FerryWriter got;
  FerryRound linear[] = {{2, 200, 0}, {1, 100, 0}};
  g_assert_true(ferry_writer_fit(&got, linear, 2, 1000));
  g_assert_cmpfloat(got.working_set, <=, 1000);
}

static void test_guess(void) {
  FerryWriter got = ferry_writer_guess(2, 40, INFINITY);
  g_assert_cmpint(got.pattern, ==, FERRY_WRITER_UNIFORM);
  g_assert_cmpfloat(fabs(ferry_writer_unique(&got, 2) - 40), <,
                    0.01); /* it explains what was seen */
  g_assert_cmpfloat(got.residual, >, 0.15);
  g_assert_cmpfloat(ferry_writer_guess(2, 40, 50).working_set, <=, 50);
  g_assert_cmpint(ferry_writer_guess(2, 0, INFINITY).pattern, ==, FERRY_WRITER_IDLE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/fit/two-rounds", test_two_rounds);
  g_test_add_func("/fit/patterns", test_patterns);
  g_test_add_func("/fit/as", test_as);
  g_test_add_func("/fit/rest", test_rest);
  g_test_add_func("/fit/not-enough", test_not_enough);
  g_test_add_func("/fit/change", test_change);
  g_test_add_func("/fit/memory", test_memory);
  g_test_add_func("/fit/guess", test_guess);
  return g_test_run();
}
