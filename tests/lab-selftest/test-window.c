// SPDX-License-Identifier: Apache-2.0
// The collector's measurements: gaps, lost seconds, state of memory.
#include <glib.h>
#include <string.h>

#include "../../lab/collector/window.h"

static const int64_t MS = 1000000;

typedef struct {
  FerryWindow w;
  int64_t now;
  uint8_t sequence;
  FerryStatusLine status;
} Guest;

static void say_status(Guest *g) {
  char line[FERRY_LINE_MAX];
  uint32_t n = ferry_report_status(line, &g->status);

  line[n - 1] = '\0';
  g_assert_true(ferry_window_line(&g->w, g->now, line));
}

static void beat(Guest *g, bool moved) {
  ferry_window_heartbeats(&g->w, g->now, 1, ++g->sequence & 0x7f, moved);
}

// The guest runs: a heartbeat each 5 ms, a status each 100 ms, 1000 pages/s.
static void run_ms(Guest *g, int ms) {
  for (int i = 5; i <= ms; i += 5) {
    g->now += 5 * MS;
    g->status.uptime_us += 5000;
    g->status.due += 5;
    g->status.done = g->status.written = g->status.due;
    beat(g, false);
    if (g->status.uptime_us % 100000 == 0)
      say_status(g);
  }
}

static void start(Guest *g) {
  *g = (Guest){.now = 1000 * MS, .status = {.rate = 1000, .ready = 1}};
  ferry_window_init(&g->w, g->now);
  beat(g, false);
  say_status(g);
  run_ms(g, 1000);
}

static double number(const Guest *g, const char *key) {
  json_t *stat = ferry_window_json(&g->w, g->now);
  double value = json_number_value(json_object_get(stat, key));

  g_assert_true(json_is_number(json_object_get(stat, key)));
  json_decref(stat);
  return value;
}

static int intact(const Guest *g) { // 1, 0; -1: unknown
  json_t *stat = ferry_window_json(&g->w, g->now);
  json_t *value = json_object_get(stat, "memory_intact");
  int result = json_is_true(value) ? 1 : json_is_false(value) ? 0 : -1;

  json_decref(stat);
  return result;
}

static void test_undisturbed(void) {
  Guest g;

  start(&g);
  g_assert_cmpfloat_with_epsilon(number(&g, "longest_gap_ms"), 5, 0.01);
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0, 0.001);
  g_assert_cmpfloat_with_epsilon(number(&g, "work_rate_mib_s"), 1000 / 256.0, 0.01);
  g_assert_cmpint(intact(&g), ==, 1);
}

static void test_pause_is_gap_and_lost(void) {
  Guest g;

  start(&g);
  run_ms(&g, 50); // between two status lines
  g.now += 295 * MS;
  g_assert_cmpfloat_with_epsilon(number(&g, "longest_gap_ms"), 295, 0.01); // still open
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0.290, 0.001);
  run_ms(&g, 5);
  g_assert_cmpfloat_with_epsilon(number(&g, "longest_gap_ms"), 300, 0.01);
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0.295, 0.001); // at once
  run_ms(&g, 500);
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0.295, 0.001); // and later
}

static void test_reset_in_a_pause(void) {
  Guest g;

  start(&g);
  g.now += 400 * MS;
  ferry_window_reset(&g.w, g.now);
  g.now += 95 * MS;
  run_ms(&g, 505);
  g_assert_cmpfloat_with_epsilon(number(&g, "longest_gap_ms"), 100, 0.01);
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0.1, 0.011);
}

static void test_slow_work_is_lost(void) {
  Guest g;

  start(&g);
  g.status.due += 500;
  say_status(&g);
  g_assert_cmpfloat_with_epsilon(number(&g, "lost_seconds"), 0.5, 0.001);
}

static void test_move_needs_a_check(void) {
  Guest g;
  uint32_t id;

  start(&g);
  g.now += 5 * MS;
  beat(&g, true);
  id = ferry_window_require_verify(&g.w);
  g_assert_cmpint(intact(&g), ==, -1);
  g.status.verified = id;
  say_status(&g);
  g_assert_cmpint(intact(&g), ==, 1);
  g_assert_cmpfloat(number(&g, "moves"), ==, 1);
}

static void test_error_is_not_forgotten(void) {
  FerryCheckError error = {FERRY_ERROR_PAGE, 42, 3, 1, 2};
  char line[FERRY_LINE_MAX];
  Guest g;

  start(&g);
  line[ferry_report_error(line, &error) - 1] = '\0';
  g_assert_true(ferry_window_line(&g.w, g.now, line));
  g.status.errors = 1;
  say_status(&g);
  ferry_window_reset(&g.w, g.now);
  g_assert_cmpint(intact(&g), ==, 0);
  g_assert_nonnull(strstr(g.w.last_error, "page 42, word 3"));
}

static void test_silent_is_unknown(void) {
  Guest g;

  start(&g);
  g.now += 3000 * MS;
  g_assert_cmpint(intact(&g), ==, -1);
}

static void test_damaged_lines_are_refused(void) {
  Guest g;

  start(&g);
  g_assert_false(ferry_window_line(&g.w, g.now, "S 1 2 3 *00"));
  g_assert_false(ferry_window_line(&g.w, g.now, "S"));
  g_assert_false(ferry_window_line(&g.w, g.now, "*"));
  g_assert_false(ferry_window_line(&g.w, g.now, "[    0.1] some kernel message"));
  g_assert_cmpint(intact(&g), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/collector/window/undisturbed", test_undisturbed);
  g_test_add_func("/collector/window/pause", test_pause_is_gap_and_lost);
  g_test_add_func("/collector/window/reset-in-a-pause", test_reset_in_a_pause);
  g_test_add_func("/collector/window/slow", test_slow_work_is_lost);
  g_test_add_func("/collector/window/move", test_move_needs_a_check);
  g_test_add_func("/collector/window/error", test_error_is_not_forgotten);
  g_test_add_func("/collector/window/silent", test_silent_is_unknown);
  g_test_add_func("/collector/window/damaged", test_damaged_lines_are_refused);
  return g_test_run();
}
