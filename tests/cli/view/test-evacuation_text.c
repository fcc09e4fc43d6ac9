// SPDX-License-Identifier: Apache-2.0
#include "cli/view/evacuation_text.h"
#include "base/rfc3339.h"

static json_t *planned(void) {
  return json_pack("{s{s[{ss,ss,ss,si,si},{ss,ss,ss},{ss,ss,ss}],s{si,si,ss,si}}}", "status", "vms",
                   "name", "web", "phase", "Queued", "target", "h2", "bytes", 1 << 30, "forecastMs",
                   9500, "name", "db", "phase", "Failed", "message", "it has a snapshot", "name",
                   "ext", "phase", "Pending", "message", "somebody else moves it", "plan", "bytes",
                   1 << 30, "boundMs", 8000, "boundBy", "the link out of h1", "forecastMs", 9500);
}

static void test_plan(void) {
  g_autoptr(json_t) e = planned();
  g_autofree char *text = ferry_evacuation_plan_text(e);
  g_assert_cmpstr(text, ==,
                  "  web -> h2 (1.0 GiB, by 9.5 s)\n"
                  "  db stays: it has a snapshot\n"
                  "  ext stays: somebody else moves it\n"
                  "1.0 GiB to move, in about 9.5 s; no order takes less than 8.0 s (the link out "
                  "of h1).\n");
  json_object_del(ferry_json_get(e, "status.plan"), "boundMs");
  json_object_del(ferry_json_get(e, "status.plan"), "forecastMs");
  ferry_json_set(e, "status.vms", json_array());
  g_autofree char *unknown = ferry_evacuation_plan_text(e);
  g_assert_cmpstr(unknown, ==, "1.0 GiB to move; the speed of a link is not known.\n");
}

static void test_end(void) {
  g_autoptr(json_t) e = planned();
  gint64 now = ferry_rfc3339_parse("2026-01-02T03:04:05Z");
  g_autofree char *none = ferry_evacuation_took_text(e),
                  *nobody = ferry_evacuation_eta_text(e, now);
  g_assert_cmpstr(none, ==, "");
  g_assert_cmpstr(nobody, ==, "");
  ferry_json_set_str(e, "status.expectedEnd", "2026-01-02T03:07:25Z");
  g_autofree char *eta = ferry_evacuation_eta_text(e, now);
  g_assert_cmpstr(eta, ==, ", ends in about 3m20s");
  ferry_json_set_int(e, "status.tookMs", 10000);
  g_autofree char *took = ferry_evacuation_took_text(e);
  g_assert_cmpstr(took, ==, " in 10.0 s (9.5 s were expected, 8.0 s are the least)");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/evacuation_text/plan", test_plan);
  g_test_add_func("/evacuation_text/end", test_end);
  return g_test_run();
}
