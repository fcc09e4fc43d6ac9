// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "convergence/schedule.h"
#include <string.h>

static FerrySchedule *parse(const char *text, GError **error) {
  g_autoptr(json_t) o = json_loads(text, JSON_DECODE_ANY, NULL);
  g_assert_nonnull(o);
  return ferry_schedule_parse(o, "spec.schedule", error);
}

/* as oVirt's engine writes it */
static const char minimal[] =
    "{\"init\":[{\"name\":\"setDowntime\",\"params\":[\"100\"]},"
    "{\"name\":\"autoConverge\",\"params\":[\"true\"]}],"
    "\"stalling\":[{\"limit\":2,\"action\":{\"name\":\"setDowntime\",\"params\":[\"150\"]}},"
    "{\"limit\":3,\"action\":{\"name\":\"setDowntime\",\"params\":[200]}},"
    "{\"limit\":4,\"action\":{\"name\":\"postcopy\",\"params\":[]}},"
    "{\"limit\":-1,\"action\":{\"name\":\"abort\",\"params\":[]}}]}";

static void test_parse(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerrySchedule) s = parse(minimal, &error);
  g_assert_no_error(error);
  g_assert_cmpint(s->init_downtime_ms, ==, 100);
  g_assert_true(s->auto_converge);
  g_assert_cmpint((int)s->n_steps, ==, 4);
  g_assert_cmpint(s->steps[1].value, ==, 200);
  g_assert_cmpint(s->steps[2].action, ==, FERRY_STEP_POSTCOPY);
  g_assert_cmpint(s->steps[3].limit, ==, -1);
}

static void test_round_trip(void) {
  g_autoptr(FerrySchedule) s = parse(minimal, NULL);
  g_autoptr(json_t) o = ferry_schedule_to_json(s);
  g_autoptr(FerrySchedule) again = ferry_schedule_parse(o, "", NULL);
  g_assert_cmpmem(s, sizeof(*s), again, sizeof(*again));
}

static void test_last_items(void) {
  g_autoptr(FerrySchedule) s =
      parse("{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"setDowntime\",\"params\":[9]}}],"
            "\"lastItems\":[{\"name\":\"setDowntime\",\"params\":[5000]},{\"name\":\"suspend\"}]}",
            NULL);
  g_assert_nonnull(s);
  g_assert_cmpint((int)s->n_steps, ==, 3);
  g_assert_cmpint(s->steps[1].limit, ==, -1);
  g_assert_cmpint(s->steps[2].action, ==, FERRY_STEP_SUSPEND);
}

static void test_refused(void) {
  static const char *const cases[][2] = {
      {"[]", "spec.schedule"},
      {"{}", "spec.schedule"},
      {"{\"stalling\":{}}", "spec.schedule.stalling"},
      {"{\"typo\":[]}", "spec.schedule.typo"},
      {"{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"setDowntime\",\"params\":[9]}}]}",
       "spec.schedule"}, /* it never ends */
      {"{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"dance\"}}]}",
       "spec.schedule.stalling[0]"},
      {"{\"stalling\":[{\"limit\":\"x\",\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[0]"},
      {"{\"stalling\":[{\"limit\":-2,\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[0]"},
      {"{\"stalling\":[{\"limit\":3,\"action\":{\"name\":\"abort\"}},"
       "{\"limit\":2,\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[1]"},
      {"{\"stalling\":[{\"limit\":-1,\"action\":{\"name\":\"abort\"}},"
       "{\"limit\":2,\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[1]"},
      {"{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"setDowntime\",\"params\":[0]}},"
       "{\"limit\":2,\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[0]"},
      {"{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"setDowntime\",\"params\":[2000001]}},"
       "{\"limit\":2,\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.stalling[0]"},
      {"{\"init\":[{\"name\":\"abort\"}],\"stalling\":[{\"limit\":2,\"action\":{\"name\":"
       "\"abort\"}}]}",
       "spec.schedule.init[0]"},
      {"{\"init\":[{\"name\":\"autoConverge\",\"params\":[\"maybe\"]}],\"stalling\":[{\"limit\":2,"
       "\"action\":{\"name\":\"abort\"}}]}",
       "spec.schedule.init[0]"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerrySchedule) s = parse(cases[i][0], &error);
    g_test_message("%s", cases[i][0]);
    g_assert_null(s);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
    g_assert_cmpint((int)ferry_error_n_causes(error), >=, 1);
    g_assert_cmpstr(ferry_error_cause(error, 0)->field, ==, cases[i][1]);
  }
}

static void test_limits(void) {
  g_autoptr(json_t) o = json_object();
  json_t *list = json_array();
  for (int i = 0; i < 100000; i++)
    json_array_append_new(list, json_pack("{s:i, s:{s:s}}", "limit", 1, "action", "name", "abort"));
  json_object_set_new(o, "stalling", list);
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_schedule_parse(o, "s", &error));
  g_assert_cmpint((int)ferry_error_n_causes(error), <=, 16);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schedule/parse", test_parse);
  g_test_add_func("/schedule/round-trip", test_round_trip);
  g_test_add_func("/schedule/last-items", test_last_items);
  g_test_add_func("/schedule/refused", test_refused);
  g_test_add_func("/schedule/limits", test_limits);
  return g_test_run();
}
