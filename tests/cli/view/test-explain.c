// SPDX-License-Identifier: Apache-2.0
#include "cli/view/explain.h"
#include "base/json.h"
#include <string.h>

static json_t *sample(int ms, int iteration, json_int_t remaining) {
  return json_pack("{s:i, s:i, s:I, s:I, s:i}", "elapsedMs", ms, "iteration", iteration,
                   "remainingBytes", remaining, "rateBytesPerSecond", (json_int_t)100 << 20,
                   "limitMs", 30);
}

static json_t *migration(void) {
  json_t *course = json_array();
  for (int i = 0; i < 120; i++)
    json_array_append_new(course, sample(i * 100, 1 + i / 40, (json_int_t)(120 - i) << 20));
  json_t *decisions =
      json_pack("[{s:i,s:s,s:i,s:s,s:s},{s:i,s:s,s:s}]", "elapsedMs", 0, "action", "SetDowntime",
                "value", 7, "reason", "start low", "code", "Start", "elapsedMs", 5050, "action",
                "Note", "reason", "it does\033[31m not converge");
  json_t *m = json_pack(
      "{s:{s:s}, s:{s:s}, s:{s:s, s:o, s:o, s:[{s:s,s:s,s:s,s:{s:i}}], s:{s:i,s:i}, s:{s:s,s:s}, "
      "s:{s:s,s:s,s:{s:i,s:[s]}}}}",
      "metadata", "name", "db-1", "spec", "vmiName", "db", "status", "phase", "Succeeded", "course",
      course, "decisions", decisions, "changes", "id", "1", "by", "kim", "state", "Applied",
      "fields", "downtimeMs", 300, "summary", "totalMs", 12000, "downtimeMs", 31,
      "configurationOrigins", "maxDowntimeMs", "MigrationPolicy night", "migrateDisks", "default",
      "migrationState", "sourceNode", "h1", "targetNode", "h2", "migrationConfiguration",
      "maxDowntimeMs", 900, "migrateDisks", "vda");
  ferry_json_set_str(m, "status.migrationState.migrationConfiguration.preset", "nova");
  ferry_json_set_int(m, "status.migrationState.migrationConfiguration.bandwidthPerMigration",
                     64 << 20);
  ferry_json_set_str(m, "status.configurationOrigins.preset", "MigrationPolicy night");
  ferry_json_set_str(m, "status.configurationOrigins.bandwidthPerMigration", "KubeVirt");
  ferry_json_set_int(m, "status.summary.dataTransferredBytes", 1 << 30);
  ferry_json_set_int(m, "status.summary.averageRateBytesPerSecond", (1 << 30) / 12);
  ferry_json_set_int(m, "status.summary.iterations", 3);
  ferry_json_set(m, "status.summary.forecastErrorPercent", json_real(16.7));
  ferry_json_set_int(m, "status.forecast.totalMs", 10000);
  ferry_json_set(m, "status.conditions",
                 json_pack("[{s:s,s:s,s:s}]", "type", "Stalling", "status", "True", "message",
                           "no progress for 30 s"));
  ferry_json_set(m, "status.attempts",
                 json_pack("[{s:s,s:s}]", "nodeName", "h3", "reason", "TargetUnreachable"));
  return m;
}

static guint count(const char *text, char c) {
  guint n = 0;
  for (; *text; text++)
    n += *text == c;
  return n;
}

static void test_text(void) {
  g_autoptr(json_t) m = migration();
  g_autofree char *text = ferry_explain_text(m, 0, FALSE, FALSE);
  const char *const parts[] = {"db-1: db, h1 -> h2, Succeeded after 12.0 s with a pause of 31 ms",
                               "ITERATION",
                               "DIRTY RATE",
                               "ESTIMATE",
                               "DECISION",
                               "SetDowntime 7 ms",
                               "start low",
                               "not converge",
                               "Remaining over time",
                               "kim",
                               "downtime 300 ms",
                               "Sent 1.0 GiB at 85.3 MiB/s in 3 passes",
                               "Expected to take 10.0 s, which was 16.7 % off",
                               "Driven by the preset nova (MigrationPolicy night): a pause of at "
                               "most 900 ms, post-copy not allowed",
                               "It stalls: no progress for 30 s",
                               "Tried before:",
                               "TargetUnreachable",
                               "900 ms",
                               "64.0 MiB/s",
                               "maxDowntimeMs",
                               "MigrationPolicy night",
                               "[\"vda\"]"};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    if (!strstr(text, parts[i]))
      g_error("\"%s\" is not in\n%s", parts[i], text);
  if (g_test_verbose())
    g_print("%s", text);
  g_assert_null(strchr(text, '\033'));
  const char *start = strstr(text, "start low"), *note = strstr(text, "not converge");
  g_assert_true(start < note); /* in order of time */
  g_assert_cmpuint(count(text, '\n'), <, 70);
}

/* a terminal that is too narrow for the reasons gets them below the table, wrapped */
static void test_narrow(void) {
  g_autoptr(json_t) m = migration();
  const char *reason = "what remains has fallen by less than it should have, so that the limit is "
                       "raised to what was asked for, and no further";
  json_t *first = json_array_get(ferry_json_get(m, "status.decisions"), 0);
  ferry_json_set_str(first, "reason", reason);
  g_autofree char *text = ferry_explain_text(m, 100, FALSE, FALSE);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (g_utf8_strlen(lines[i], -1) > 100)
      g_error("longer than 100: %s", lines[i]);
  g_assert_nonnull(strstr(text, "Decisions:\n0 ms  SetDowntime 7 ms: what remains"));
  g_assert_nonnull(strstr(text, "DECISION\n"));
  g_autofree char *wide = ferry_explain_text(m, 300, FALSE, FALSE);
  g_assert_nonnull(strstr(wide, "REASON"));
  g_assert_nonnull(strstr(wide, reason));
  g_assert_null(strstr(wide, "Decisions:"));
}

static void test_graph(void) {
  g_autoptr(json_t) course = json_array();
  json_array_append_new(course, sample(0, 1, 80 << 20));
  g_autofree char *none = ferry_explain_graph(course, 80, 4, FALSE);
  g_assert_cmpstr(none, ==, "");
  json_array_append_new(course, sample(1000, 1, 80 << 20));
  json_array_append_new(course, sample(2000, 2, 1 << 20));
  g_autofree char *graph = ferry_explain_graph(course, 40, 4, FALSE);
  g_auto(GStrv) lines = g_strsplit(graph, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 7); /* 4, the axis, its words, and the end */
  g_assert_nonnull(strstr(lines[0], "80"));
  guint high = count(lines[0], '#');
  g_assert_cmpuint(high, >=, 26); /* all columns up to the last sample */
  g_assert_cmpuint(high, <, 28);
  g_assert_true(count(lines[3], '#') + count(lines[3], '.') > high);
  g_assert_nonnull(strstr(lines[5], "2.00 s"));
  g_autofree char *wide = ferry_explain_graph(course, 40, 4, TRUE);
  g_assert_true(g_utf8_validate(wide, -1, NULL));
  g_autofree char *narrow = ferry_explain_graph(course, 10, 4, FALSE);
  g_assert_cmpstr(narrow, ==, "");
}

static void test_json(void) {
  g_autoptr(json_t) m = migration();
  g_autoptr(json_t) all = ferry_explain_json(m);
  g_assert_cmpuint(json_array_size(json_object_get(all, "course")), ==, 120);
  g_assert_cmpuint(json_array_size(json_object_get(all, "decisions")), ==, 2);
  g_assert_cmpuint(json_array_size(json_object_get(all, "attempts")), ==, 1);
  g_assert_cmpint(ferry_json_int(all, "forecast.totalMs", 0), ==, 10000);
  const json_t *field = ferry_json_find(json_object_get(all, "policy"), "field", "maxDowntimeMs");
  g_assert_cmpint(ferry_json_int(field, "value", 0), ==, 900);
  g_assert_cmpstr(ferry_json_str(field, "origin"), ==, "MigrationPolicy night");
  g_autoptr(json_t) bare = json_object();
  g_autoptr(json_t) empty = ferry_explain_json(bare);
  g_assert_cmpuint(json_array_size(json_object_get(empty, "policy")), ==, 0);
  g_autofree char *stated = ferry_explain_stated(m, TRUE, FALSE);
  g_assert_nonnull(strstr(stated, "bandwidthPerMigration"));
  g_assert_null(strstr(stated, "migrateDisks")); /* a default */
  g_autofree char *none = ferry_explain_stated(bare, TRUE, FALSE);
  g_assert_cmpstr(none, ==, "");
  g_autofree char *text = ferry_explain_text(bare, 80, TRUE, FALSE);
  g_assert_nonnull(strstr(text, "nothing was sent yet"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/explain/text", test_text);
  g_test_add_func("/explain/narrow", test_narrow);
  g_test_add_func("/explain/graph", test_graph);
  g_test_add_func("/explain/json", test_json);
  return g_test_run();
}
