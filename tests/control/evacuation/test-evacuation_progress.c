// SPDX-License-Identifier: Apache-2.0
// When an evacuation is expected to end, told only when another VM has left; its deadline; what it
// came to.
#include "control/evacuation/evacuation_progress.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"
#include <string.h>

#define SECOND 1000

static gint64 began(void) {
  return ferry_rfc3339_parse("2026-01-01T00:00:00Z");
}

static json_t *evacuation(void) {
  return json_pack("{ss,ss,s{ss,ss,ss},s{ss},s{si,s{si,si,si}}}", "apiVersion",
                   "ferry.migration/v1", "kind", "Evacuation", "metadata", "name", "e", "uid", "e",
                   "creationTimestamp", "2026-01-01T00:00:00Z", "spec", "nodeName", "h1", "status",
                   "moved", 0, "plan", "bytes", 1000, "forecastMs", 60000, "boundMs", 40000);
}

static void progress_of(json_t *e, gint64 before, gint64 there, gint64 left, gint64 now) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  FerryEvacuationBytes bytes = {.there = there, .left = left};
  ferry_evacuation_progress(e, before, &bytes, now, plan);
}

static void progress(json_t *e, gint64 before, gint64 left, gint64 now) {
  progress_of(e, before, left, left, now);
}

static const char *expected(const json_t *e) {
  return ferry_json_str(e, "status.expectedEnd");
}

static void test_expected(void) {
  g_autoptr(json_t) e = evacuation();
  progress(e, 0, 1000, began());
  g_assert_cmpstr(expected(e), ==, "2026-01-01T00:01:00Z"); /* as planned */
  progress(e, 0, 1000, began() + 50 * SECOND);
  g_assert_cmpstr(expected(e), ==, "2026-01-01T00:01:00Z"); /* nothing new */
  ferry_json_set_int(e, "status.moved", 1);
  progress(e, 0, 500, began() + 50 * SECOND); /* half in 50 s */
  g_assert_cmpstr(expected(e), ==, "2026-01-01T00:01:40Z");
  json_object_del(ferry_json_get(e, "status"), "plan");
  json_object_del(ferry_json_get(e, "status"), "expectedEnd");
  progress(e, 0, 500, began() + 50 * SECOND);
  g_assert_null(expected(e)); /* nobody knows */
}

/* The plan has disks, and not those that can't leave; what has left is counted as what is there. */
static void test_counted_alike(void) {
  g_autoptr(json_t) e = evacuation();
  ferry_json_set_int(e, "status.plan.bytes", 5000);
  progress_of(e, 0, 1000, 800, began());
  ferry_json_set_int(e, "status.moved", 1);
  progress_of(e, 0, 600, 400, began() + 40 * SECOND); /* 400 in 40 s, and 400 to go */
  g_assert_cmpstr(expected(e), ==, "2026-01-01T00:01:20Z");
}

static void test_deadline(void) {
  g_autoptr(json_t) e = evacuation();
  ferry_json_set_str(e, "spec.deadline", "2026-01-01T00:00:30Z");
  ferry_json_set_int(e, "status.remaining", 3);
  progress(e, 0, 1000, began() + 29 * SECOND);
  g_assert_false(ferry_condition_holds(e, FERRY_CONDITION_DEADLINE_MISSED));
  progress(e, 0, 1000, began() + 30 * SECOND);
  g_assert_true(ferry_condition_holds(e, FERRY_CONDITION_DEADLINE_MISSED));
  g_autoptr(json_t) told = json_deep_copy(e);
  progress(e, 0, 1000, began() + 40 * SECOND);
  g_assert_true(json_equal(told, e)); /* once */
  ferry_json_set_str(e, "spec.deadline", "2026-01-01T00:00:50Z");
  progress(e, 0, 1000, began() + 41 * SECOND);
  g_assert_null(ferry_condition_find(e, FERRY_CONDITION_DEADLINE_MISSED));
  progress(e, 0, 1000, began() + 50 * SECOND);
  g_assert_true(ferry_condition_holds(e, FERRY_CONDITION_DEADLINE_MISSED));
  json_object_del(ferry_json_get(e, "spec"), "deadline");
  progress(e, 0, 1000, began() + 51 * SECOND);
  g_assert_null(ferry_condition_find(e, FERRY_CONDITION_DEADLINE_MISSED));
}

static void test_outcome(void) {
  g_autoptr(json_t) e = evacuation();
  ferry_json_set_str(e, "spec.deadline", "2026-01-01T00:00:30Z");
  ferry_json_set_str(e, "status.expectedEnd", "2026-01-01T00:01:40Z");
  g_autofree char *text = ferry_evacuation_outcome(e, began() + 70 * SECOND);
  g_assert_cmpstr(text, ==,
                  "; it took 70.0 s, 60.0 s were expected, 40.0 s are the least; 40.0 s after its "
                  "deadline");
  g_assert_cmpint(ferry_json_int(e, "status.tookMs", 0), ==, 70 * SECOND);
  g_assert_null(expected(e));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/evacuation_progress/expected", test_expected);
  g_test_add_func("/control/evacuation_progress/counted-alike", test_counted_alike);
  g_test_add_func("/control/evacuation_progress/deadline", test_deadline);
  g_test_add_func("/control/evacuation_progress/outcome", test_outcome);
  return g_test_run();
}
