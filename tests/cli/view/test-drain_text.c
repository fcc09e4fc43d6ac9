// SPDX-License-Identifier: Apache-2.0
#include "cli/view/drain_text.h"

static json_t *evacuation(const char *text) {
  json_t *object = json_loads(text, 0, NULL);
  g_assert_nonnull(object);
  return object;
}

static const char three[] =
    "{\"spec\": {\"nodeName\": \"h1\"}, \"status\": {\"moved\": 1, \"vms\": ["
    "{\"namespace\": \"a\", \"name\": \"db\", \"phase\": \"Moved\", \"migration\": \"db-1\"},"
    "{\"namespace\": \"a\", \"name\": \"web\", \"phase\": \"Running\", \"migration\": \"web-1\"},"
    "{\"namespace\": \"a\", \"name\": \"old\", \"phase\": \"Queued\", \"message\": \"no host\"}]}}";

static void test_lines(void) {
  static const char *const expected[] = {"db: Moved", "web: Running (web-1)",
                                         "old: Queued: no host"};
  g_autoptr(json_t) object = evacuation(three);
  json_t *vms = ferry_json_get(object, "status.vms");
  for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autofree char *line = ferry_drain_vm_line(json_array_get(vms, i));
    g_assert_cmpstr(line, ==, expected[i]);
  }
  g_autofree char *progress = ferry_drain_progress(object);
  g_assert_cmpstr(progress, ==, "h1: 1 of 3 moved, 1 moving, 1 waiting");
  g_autofree char *remaining = ferry_drain_remaining(object);
  g_assert_cmpstr(remaining, ==, "  * web: Running (web-1)\n  * old: Queued: no host\n");
}

/* status.vms has no entry for those that wait for their turn. */
static void test_progress_of_many(void) {
  g_autoptr(json_t) object =
      evacuation("{\"spec\": {\"nodeName\": \"h1\"}, \"status\": {\"moved\": 4, \"failed\": 1, "
                 "\"total\": 10, \"remaining\": 5, \"vms\": [{\"name\": \"web\", \"phase\": "
                 "\"Running\"}, {\"name\": \"db\", \"phase\": \"Failed\"}]}}");
  g_autofree char *progress = ferry_drain_progress(object);
  g_assert_cmpstr(progress, ==, "h1: 4 of 10 moved, 1 moving, 4 waiting");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/drain_text/lines", test_lines);
  g_test_add_func("/cli/drain_text/progress-of-many", test_progress_of_many);
  return g_test_run();
}
