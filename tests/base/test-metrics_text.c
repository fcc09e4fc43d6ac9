// SPDX-License-Identifier: Apache-2.0
#include "base/metrics_text.h"
#include <math.h>

static void test_samples(void) {
  g_autoptr(GString) out = g_string_new(NULL);
  ferry_metrics_family(out, "ferry_x", "gauge", "A back\\slash\nand \"quotes\".");
  ferry_metrics_sample(out, "ferry_x", 1.5, "vm", "a\"b\\c\nd", "node", NULL, NULL);
  ferry_metrics_sample(out, "ferry_x", 17179869184.0, NULL);
  ferry_metrics_sample(out, "ferry_x", NAN, NULL);
  ferry_metrics_sample(out, "ferry_x", -INFINITY, NULL);
  ferry_metrics_figure(out, "ferry_y", "counter", "Why.", 0);
  g_assert_cmpstr(out->str, ==,
                  "# HELP ferry_x A back\\\\slash\\nand \"quotes\".\n"
                  "# TYPE ferry_x gauge\n"
                  "ferry_x{vm=\"a\\\"b\\\\c\\nd\",node=\"\"} 1.5\n"
                  "ferry_x 17179869184\n"
                  "ferry_x NaN\n"
                  "ferry_x -Inf\n"
                  "# HELP ferry_y Why.\n"
                  "# TYPE ferry_y counter\n"
                  "ferry_y 0\n");
}

static void test_histogram(void) {
  static const double bounds[] = {0.5, 1, 2};
  g_autoptr(FerryHistogram) h = ferry_histogram_new(bounds, G_N_ELEMENTS(bounds));
  g_autoptr(GString) out = g_string_new(NULL);
  ferry_histogram_observe(h, 0.5); /* a bound belongs to its bucket */
  ferry_histogram_observe(h, 0.75);
  ferry_histogram_observe(h, 7);
  ferry_histogram_observe(h, NAN);
  ferry_metrics_histogram(out, "ferry_t_seconds", h, "verb", "get", NULL);
  g_assert_cmpstr(out->str, ==,
                  "ferry_t_seconds_bucket{verb=\"get\",le=\"0.5\"} 1\n"
                  "ferry_t_seconds_bucket{verb=\"get\",le=\"1\"} 2\n"
                  "ferry_t_seconds_bucket{verb=\"get\",le=\"2\"} 2\n"
                  "ferry_t_seconds_bucket{verb=\"get\",le=\"+Inf\"} 3\n"
                  "ferry_t_seconds_sum{verb=\"get\"} 8.25\n"
                  "ferry_t_seconds_count{verb=\"get\"} 3\n");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/metrics-text/samples", test_samples);
  g_test_add_func("/metrics-text/histogram", test_histogram);
  return g_test_run();
}
