// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/run/adopt.h"
#include "convergence/controller.h"
#include <string.h>

static json_t *object(const char *status) {
  json_t *s = json_loads(status, 0, NULL);
  g_assert_nonnull(s);
  return json_pack("{s:o}", "status", s);
}

static void test_stalling(void) {
  g_autoptr(json_t) yes = object("{\"conditions\":[{\"type\":\"Stalling\",\"status\":\"True\"}]}");
  g_autoptr(json_t) no = object("{\"conditions\":[{\"type\":\"Stalling\",\"status\":\"False\"}]}");
  g_autoptr(json_t) never = object("{}");
  g_assert_true(ferry_adopt_stalling(yes));
  g_assert_false(ferry_adopt_stalling(no));
  g_assert_false(ferry_adopt_stalling(never));
}

static void test_elapsed(void) {
  g_autoptr(json_t) m = object("{\"phaseTransitionTimestamps\":[{\"phase\":\"Running\","
                               "\"phaseTransitionTimestamp\":\"1970-01-01T00:01:40Z\"}]}");
  g_autoptr(json_t) bare = object("{}");
  g_assert_cmpint(ferry_adopt_elapsed_ms(m, 7000, 130000), ==, 7000);
  g_assert_cmpint(ferry_adopt_elapsed_ms(m, -1, 130000), ==, 30000);
  g_assert_cmpint(ferry_adopt_elapsed_ms(m, -1, 90000), ==, 0); /* the clock was set back */
  g_assert_cmpint(ferry_adopt_elapsed_ms(bare, -1, 130000), ==, 0);
}

static void test_best(void) {
  g_autoptr(json_t) m = object("{\"course\":[{\"elapsedMs\":10,\"remainingBytes\":0},"
                               "{\"elapsedMs\":1000,\"remainingBytes\":500},"
                               "{\"elapsedMs\":2000,\"remainingBytes\":600}],"
                               "\"progress\":{\"elapsedMs\":4500,\"dataRemainingBytes\":700}}");
  g_autoptr(json_t) bare = object("{}");
  gint64 best = 0, stalled_ms = 0;
  g_assert_true(ferry_adopt_best(m, &best, &stalled_ms));
  g_assert_cmpint(best, ==, 500);
  g_assert_cmpint(stalled_ms, ==, 3500);
  g_assert_false(ferry_adopt_best(bare, &best, &stalled_ms));
}

static void test_throttle(void) {
#define SET(value) "{\"action\":\"SetThrottle\",\"throttlePercent\":" value ",\"reason\":\"r\"}"
  g_autoptr(json_t) two = object("{\"decisions\":[" SET("30") "," SET("40") "]}");
  g_autoptr(json_t) off = object("{\"decisions\":[" SET("30") "," SET("0") "]}");
  g_autoptr(json_t) refused =
      object("{\"decisions\":[" SET("30") ",{\"action\":\"Refuse\",\"throttlePercent\":0,"
                                          "\"reason\":\"busy\"}]}");
  g_autoptr(json_t) other =
      object("{\"decisions\":[" SET("30") ",{\"action\":\"Refuse\"},{\"action\":\"Note\"}]}");
  g_autoptr(json_t) none = object("{}");
  g_assert_cmpint(ferry_adopt_throttle(two), ==, 40);
  g_assert_cmpint(ferry_adopt_throttle(off), ==, 0);
  g_assert_cmpint(ferry_adopt_throttle(refused), ==, 0);
  g_assert_cmpint(ferry_adopt_throttle(other), ==, 30);
  g_assert_cmpint(ferry_adopt_throttle(none), ==, 0);
}

/* of disks that are copied first nothing says how much memory follows */
static void test_best_of_disks(void) {
  g_autoptr(json_t) m = object("{\"course\":[{\"elapsedMs\":10,\"remainingBytes\":900}],"
                               "\"progress\":{\"elapsedMs\":4500,\"dataRemainingBytes\":7,"
                               "\"diskTotalBytes\":300}}");
  gint64 best = 0, stalled_ms = 0;
  g_assert_true(ferry_adopt_best(m, &best, &stalled_ms));
  g_assert_cmpint(best, ==, 900);
}

/* what was done to the guest is known to the controller that takes over */
static void test_guest(void) {
  FerryConvergenceIntent intent = {.max_downtime_ms = 50,
                                   .max_slowdown_percent = 60,
                                   .can_throttle = TRUE,
                                   .completion_timeout_ms = 60000,
                                   .allow_workload_disruption = TRUE};
  FerryConvergenceSample sample = {.processed = 1000,
                                   .remaining = 600,
                                   .total = 2000,
                                   .rate = 1000,
                                   .tells_throttle = TRUE,
                                   .throttle_percent = 40};
  const gint64 second = G_USEC_PER_SEC;
  FerryConvergenceDecision d;
  /* throttled by a decision: nobody raised it */
  g_autoptr(FerryConvergence) c = ferry_convergence_new(&intent, 50 * second);
  ferry_convergence_began(c, 20 * second);
  ferry_convergence_recall_guest(c, FALSE, 40, 50 * second);
  while (ferry_convergence_next(c, 50 * second, &d))
    g_free(d.reason);
  ferry_convergence_sample(c, &sample, 50 * second);
  g_assert_false(ferry_convergence_next(c, 50 * second, &d));
  /* suspended when its time was over: it has as long again, once */
  g_autoptr(FerryConvergence) s = ferry_convergence_new(&intent, 150 * second);
  ferry_convergence_began(s, 60 * second);
  ferry_convergence_recall_guest(s, TRUE, 0, 150 * second);
  while (ferry_convergence_next(s, 150 * second, &d))
    g_free(d.reason);
  ferry_convergence_sample(s, &sample, 179 * second);
  g_assert_false(ferry_convergence_next(s, 179 * second, &d));
  ferry_convergence_sample(s, &sample, 181 * second);
  g_assert_true(ferry_convergence_next(s, 181 * second, &d));
  g_assert_cmpint(d.action, ==, FERRY_ACTION_ABORT);
  g_free(d.reason);
}

/* the clocks of progress and of the whole go on in the controller that takes over */
static void test_clocks(void) {
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 50, .progress_timeout_ms = 5000, .completion_timeout_ms = 60000};
  FerryConvergenceSample sample = {.processed = 1000, .remaining = 600, .total = 2000};
  g_autoptr(FerryConvergence) c = ferry_convergence_new(&intent, 0);
  ferry_convergence_recall(c, 500, 6 * G_USEC_PER_SEC);
  ferry_convergence_sample(c, &sample, 10 * G_USEC_PER_SEC);
  FerryConvergenceStall stall;
  ferry_convergence_stall(c, 10 * G_USEC_PER_SEC, &stall);
  g_assert_cmpint(stall.best_remaining, ==, 500);
  g_assert_cmpint(stall.stalled_ms, ==, 4000);
  /* the whole, from its beginning an hour before this controller */
  FerryConvergenceIntent whole = {.max_downtime_ms = 50, .completion_timeout_ms = 60000};
  g_autoptr(FerryConvergence) late = ferry_convergence_new(&whole, 3600LL * G_USEC_PER_SEC);
  ferry_convergence_began(late, 3550LL * G_USEC_PER_SEC);
  FerryConvergenceDecision d;
  gboolean ended = FALSE;
  for (gint64 second = 3601; second < 3613; second++) {
    ferry_convergence_sample(late, &sample, second * G_USEC_PER_SEC);
    sample.processed += 10;
    while (ferry_convergence_next(late, second * G_USEC_PER_SEC, &d)) {
      ended |= strcmp(d.code, "CompletionTimeout") == 0;
      g_free(d.reason);
    }
    g_assert_cmpint(ended, ==, second > 3610);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/adopt/stalling", test_stalling);
  g_test_add_func("/adopt/elapsed", test_elapsed);
  g_test_add_func("/adopt/best", test_best);
  g_test_add_func("/adopt/clocks", test_clocks);
  g_test_add_func("/adopt/throttle", test_throttle);
  g_test_add_func("/adopt/best-of-disks", test_best_of_disks);
  g_test_add_func("/adopt/guest", test_guest);
  return g_test_run();
}
