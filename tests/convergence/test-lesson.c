// SPDX-License-Identifier: Apache-2.0
// What a migration teaches, how it is kept, and what is made of it: aged, bounded, validated.
#include "base/rfc3339.h"
#include "sim_case.h"

#define NOW 1790000000000LL
#define DAY (24 * 3600 * 1000LL)

/* What a simulated guest's move teaches comes near what it is. */
static void test_taught(void) {
  Case c = plain(60, 128, FERRY_SIM_UNIFORM, 300);
  FerryLesson lesson = {0};
  c.settings.learnt = &lesson;
  g_assert_cmpint(run(&c).outcome, ==, FERRY_SIM_DONE);
  g_assert_true(lesson.valid);
  g_assert_cmpuint(lesson.writer.rounds, >, 0);
  g_assert_cmpfloat(fabs(lesson.writer.write_rate / (60 * MIB) - 1), <, 0.1);
  g_assert_cmpfloat(fabs(lesson.writer.working_set / (128 * MIB) - 1), <, 0.25);
  g_assert_cmpfloat(fabs(lesson.switchover_s - 0.027), <, 0.012);
  g_assert_cmpfloat(lesson.gain.zstd, ==, 0); /* nobody compressed */
  json_decref(c.history);
  c.history = NULL;
  c.link.efficiency = 2.5;
  c.settings.means = FERRY_MEAN_ZSTD | FERRY_MEAN_PARALLEL;
  c.intent.compresses_all = TRUE;
  run(&c);
  g_assert_cmpfloat(fabs(lesson.gain.zstd - 2.5), <, 0.1);
  json_decref(c.history);
}

/* One that was slowed says nothing of what it writes when it is not. */
static void test_slowed(void) {
  Case c = plain(180, 128, FERRY_SIM_UNIFORM, 300);
  FerryLesson lesson = {0};
  c.settings.learnt = &lesson;
  c.intent.can_throttle = TRUE;
  c.intent.max_slowdown_percent = 60;
  FerrySimResult r = run(&c);
  g_assert_cmpint(r.outcome, ==, FERRY_SIM_DONE);
  g_assert_cmpint(r.top_throttle, >, 1);
  g_assert_cmpuint(lesson.writer.rounds, ==, 0);
  json_decref(c.history);
}

static json_t *taught(double rate, double set, int gain, gint64 ms) {
  FerryLesson l = {.valid = TRUE,
                   .writer = {.pattern = FERRY_WRITER_CYCLIC,
                              .working_set = set,
                              .write_rate = rate,
                              .rounds = 3},
                   .gain = {.zstd = gain / 100.0},
                   .switchover_s = (double)ms / 1000};
  return ferry_lesson_to_json(&l);
}

static void add(json_t *list, const char *uid, gint64 days_ago, json_t *lesson) {
  ferry_lessons_add(list, lesson, uid, NOW - days_ago * DAY);
  json_decref(lesson);
}

static void test_kept(void) {
  g_autoptr(json_t) list = json_array();
  FerryLesson l;
  ferry_lessons_read(NULL, NOW, &l);
  g_assert_false(l.valid);
  for (int i = 0; i < 9; i++) {
    g_autofree char *uid = g_strdup_printf("u%d", i);
    add(list, uid, 9 - i, taught(50 * MIB, 100 * MIB, 200, 30));
    add(list, uid, 0, taught(1, 1, 100, 10)); /* the same migration once more */
  }
  g_assert_cmpuint(json_array_size(list), ==, FERRY_LESSONS_MAX);
  g_assert_cmpstr(ferry_json_str(json_array_get(list, 0), "migrationUid"), ==, "u4");
  add(list, "late", 100, taught(1, 1, 100, 10)); /* one that ended long before is the oldest */
  g_assert_null(ferry_json_find(list, "migrationUid", "late"));
  ferry_lessons_read(list, NOW, &l);
  g_assert_true(l.valid && l.steady);
  g_assert_cmpint(l.writer.pattern, ==, FERRY_WRITER_CYCLIC);
  g_assert_cmpfloat(l.writer.write_rate, ==, 50 * MIB);
  g_assert_cmpfloat(fabs(l.gain.zstd - 2), <, 1e-6);
  g_assert_cmpfloat(fabs(l.switchover_s - 0.03), <, 1e-6);
  ferry_lessons_read(list, NOW + 70 * DAY, &l); /* too long ago */
  g_assert_false(l.valid);
  ferry_lessons_read(list, NOW - 30 * DAY, &l); /* from the future: a clock went wrong */
  g_assert_false(l.valid);
}

/* The newer counts more: 7 days halve. */
static void test_aged(void) {
  g_autoptr(json_t) list = json_array();
  FerryLesson l;
  add(list, "old", 7, taught(50 * MIB, 100 * MIB, 400, 60));
  add(list, "new", 0, taught(50 * MIB, 100 * MIB, 100, 30));
  ferry_lessons_read(list, NOW, &l);
  g_assert_cmpfloat(fabs(l.gain.zstd - 2), <, 1e-6); /* (400 / 2 + 100) / 1.5 */
  g_assert_cmpfloat(fabs(l.switchover_s - 0.04), <, 1e-6);
}

/* A guest that writes otherwise than the last time is not known. */
static void test_changed(void) {
  g_autoptr(json_t) list = json_array();
  FerryLesson l;
  add(list, "one", 1, taught(50 * MIB, 100 * MIB, 200, 30));
  ferry_lessons_read(list, NOW, &l);
  g_assert_cmpuint(l.writer.rounds, >, 0);
  g_assert_false(l.steady); /* once is no habit */
  FerryConvergenceIntent intent = {0};
  ferry_lesson_apply(&l, &intent);
  g_assert_cmpfloat(intent.prior_seconds, ==, 0);
  g_assert_cmpint(intent.switchover_cost_ms, ==, 30);
  add(list, "two", 0, taught(150 * MIB, 100 * MIB, 200, 30));
  ferry_lessons_read(list, NOW, &l);
  g_assert_cmpuint(l.writer.rounds, ==, 0);
  g_assert_cmpfloat(l.gain.zstd, >, 1); /* its pages are what they were */
}

/* What comes from outside may be anything. */
static void test_nonsense(void) {
  static const char *const lessons[] = {
      "[7, null, {}, {\"time\": 7}]",
      "[{\"time\": \"2026-09-21T00:00:00Z\", \"pattern\": \"odd\", \"workingSetBytes\": 5}]",
      "[{\"time\": \"2026-09-21T00:00:00Z\", \"pattern\": \"cyclic\", \"workingSetBytes\": -5,"
      " \"writeRateBytesPerSecond\": 5}]",
      "[{\"time\": \"2026-09-21T00:00:00Z\", \"pattern\": \"cyclic\", \"workingSetBytes\": 5,"
      " \"writeRateBytesPerSecond\": 0, \"compressionGainPercent\": 3, \"switchoverMs\": -1}]",
      "[{\"time\": \"2026-09-21T00:00:00Z\", \"compressionGainPercent\": 100000000,"
      " \"xbzrleGainPercent\": \"7\", \"switchoverMs\": 1e12}]",
  };
  gint64 now = ferry_rfc3339_parse("2026-09-21T12:00:00Z");
  for (gsize i = 0; i < G_N_ELEMENTS(lessons); i++) {
    g_autoptr(json_t) list = json_loads(lessons[i], 0, NULL);
    FerryLesson l;
    g_assert_nonnull(list);
    ferry_lessons_read(list, now, &l);
    if (l.valid)
      g_error("%s teaches something", lessons[i]);
    l = ferry_lesson_read(json_array_get(list, json_array_size(list) - 1));
    g_assert_false(l.valid);
  }
}

/* To JSON and back; and the round that a controller begins with makes the same writer again. */
static void test_round(void) {
  FerryLesson l = {.valid = TRUE,
                   .steady = TRUE,
                   .writer = {.pattern = FERRY_WRITER_UNIFORM,
                              .working_set = 100 * MIB,
                              .write_rate = 40 * MIB,
                              .rounds = 2},
                   .gain = {.zstd = 2.25, .xbzrle = 0.9},
                   .switchover_s = 0.031};
  g_autoptr(json_t) o = ferry_lesson_to_json(&l);
  FerryLesson back = ferry_lesson_read(o);
  g_assert_true(back.valid && back.steady);
  g_assert_cmpfloat(back.gain.zstd, ==, 2.25);
  g_assert_cmpfloat(back.gain.xbzrle, ==, 0.9);
  g_assert_cmpfloat(back.switchover_s, ==, 0.031);
  FerryConvergenceIntent intent = {0};
  ferry_lesson_apply(&back, &intent);
  FerryWriter w = ferry_writer_guess(intent.prior_seconds, intent.prior_dirtied, INFINITY);
  g_assert_cmpfloat(fabs(w.write_rate / (40 * MIB) - 1), <, 1e-6);
  g_assert_cmpfloat(fabs(w.working_set / (100 * MIB) - 1), <, 1e-6);
  intent = (FerryConvergenceIntent){.prior_seconds = 1, .switchover_cost_ms = 20};
  ferry_lesson_apply(&back, &intent); /* what was measured just now is known better */
  g_assert_cmpfloat(intent.prior_seconds, ==, 1);
  g_assert_cmpint(intent.switchover_cost_ms, ==, 20);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lesson/taught", test_taught);
  g_test_add_func("/lesson/slowed", test_slowed);
  g_test_add_func("/lesson/kept", test_kept);
  g_test_add_func("/lesson/aged", test_aged);
  g_test_add_func("/lesson/changed", test_changed);
  g_test_add_func("/lesson/nonsense", test_nonsense);
  g_test_add_func("/lesson/round", test_round);
  return g_test_run();
}
