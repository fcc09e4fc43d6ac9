// SPDX-License-Identifier: Apache-2.0
#include "api/metrics/metrics.h"

#include <string.h>

#define SECOND G_USEC_PER_SEC
#define WALL 1767225600000LL /* 2026-01-01T00:00:00Z */

typedef struct {
  FerryMetricsHistory *h;
  json_t *m;
} Story;

static void up(Story *s, gconstpointer data) {
  s->h = ferry_metrics_history_new();
  s->m =
      json_pack("{s{ss,ss},s{ss,s[]}}", "metadata", "uid", "u1", "creationTimestamp",
                "2025-12-31T23:59:50Z", "status", "phase", "Pending", "phaseTransitionTimestamps");
}

static void down(Story *s, gconstpointer data) {
  ferry_metrics_history_free(s->h);
  json_decref(s->m);
}

static void take(Story *s, const json_t *old, const json_t *new, FerryChangeType type, gint64 us) {
  FerrySeen change = {
      .type = type, .kind = &ferry_kind_vmim, .object = (json_t *)new, .previous = (json_t *)old};
  ferry_metrics_history_take(s->h, &change, us, WALL);
}

/* Goes to `phase`, or stays where it is NULL, with `decision` added. */
static void go(Story *s, const char *phase, const char *decision, gint64 us) {
  json_t *next = json_deep_copy(s->m);
  if (phase) {
    ferry_json_set_str(next, "status.phase", phase);
    json_array_append_new(ferry_json_get(next, "status.phaseTransitionTimestamps"),
                          json_pack("{ss}", "phase", phase));
  }
  if (decision) {
    json_t *list = ferry_json_get(next, "status.decisions");
    if (!list)
      ferry_json_set(next, "status.decisions", list = json_array());
    json_array_append_new(list, json_pack("{ss,si}", "action", decision, "elapsedMs", (int)us));
  }
  take(s, s->m, next, FERRY_MODIFIED, us);
  json_decref(s->m);
  s->m = next;
}

static void assert_line(Story *s, const char *line) {
  g_autoptr(GString) out = g_string_new("\n");
  ferry_metrics_history_put(s->h, out);
  g_autofree char *wanted = g_strdup_printf("\n%s\n", line);
  if (!strstr(out->str, wanted))
    g_test_message("%s", out->str);
  g_assert_nonnull(strstr(out->str, wanted));
}

#define PHASE "kubevirt_vmi_migration_phase_transition_time_from_creation_seconds"

static void test_phases(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 100 * SECOND);
  go(s, "Scheduling", NULL, 100 * SECOND + 250000);
  go(s, "Running", NULL, 103 * SECOND);
  go(s, NULL, NULL, 200 * SECOND); /* the same phase again is no transition */
  assert_line(s, PHASE "_bucket{phase=\"Scheduling\",le=\"0.5\"} 1");
  assert_line(s, PHASE "_sum{phase=\"Running\"} 3");
  assert_line(s, PHASE "_count{phase=\"Running\"} 1");
  assert_line(s, PHASE "_count{phase=\"Succeeded\"} 0");
}

/* Created before this process began: then the wall clock has to do. */
static void test_unseen(Story *s, gconstpointer data) {
  go(s, "Running", NULL, 5 * SECOND);
  assert_line(s, PHASE "_sum{phase=\"Running\"} 10");
}

static void test_end(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 0);
  ferry_json_set(
      s->m, "status.summary",
      json_pack("{si,si,si}", "totalMs", 4000, "downtimeMs", 60, "dataTransferredBytes", 1000000));
  ferry_json_set(s->m, "status.forecast", json_pack("{si,si}", "totalMs", 5000, "downtimeMs", 45));
  ferry_json_set_str(s->m, "status.reason", "Completed");
  go(s, "Succeeded", NULL, 4 * SECOND);
  go(s, NULL, NULL, 5 * SECOND); /* a label is changed: it does not end twice */
  assert_line(s, "ferry_migrations_total{result=\"Succeeded\",reason=\"Completed\"} 1");
  assert_line(s, "ferry_migration_duration_seconds_sum{result=\"Succeeded\"} 4");
  assert_line(s, "ferry_migration_duration_seconds_count{result=\"Failed\"} 0");
  assert_line(s, "ferry_migration_downtime_seconds_bucket{le=\"0.05\"} 0");
  assert_line(s, "ferry_migration_downtime_seconds_bucket{le=\"0.1\"} 1");
  assert_line(s, "ferry_migration_transferred_bytes_total 1000000");
  assert_line(s, "ferry_migration_forecast_error_ratio_sum{quantity=\"total\"} 0.25");
  assert_line(s, "ferry_migration_forecast_error_ratio_sum{quantity=\"downtime\"} 0.25");
}

static void test_failure_without_summary(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 0);
  ferry_json_set_str(s->m, "status.reason", "Unschedulable");
  go(s, "Failed", NULL, 90 * SECOND);
  assert_line(s, "ferry_migrations_total{result=\"Failed\",reason=\"Unschedulable\"} 1");
  assert_line(s, "ferry_migration_duration_seconds_sum{result=\"Failed\"} 90");
  assert_line(s, "ferry_migration_downtime_seconds_count 0");
}

/* Which of both hosts has it was unknown, then the one that was silent spoke. */
static void test_unknown(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 0);
  go(s, "Running", NULL, 1 * SECOND);
  ferry_json_set_str(s->m, "status.reason", "OutcomeUnknown");
  ferry_json_set_str(s->m, "status.migrationState.outcome", "unknown");
  go(s, NULL, NULL, 2 * SECOND);
  assert_line(s, "ferry_migration_unknown_outcomes_decided_total{outcome=\"moved\"} 0");
  g_autoptr(json_t) next = json_deep_copy(s->m);
  ferry_json_set_str(next, "status.phase", "Succeeded");
  ferry_json_set_str(next, "status.reason", "Completed");
  ferry_json_set_str(next, "status.migrationState.outcome", "moved");
  take(s, s->m, next, FERRY_MODIFIED, 3 * SECOND);
  assert_line(s, "ferry_migration_unknown_outcomes_decided_total{outcome=\"moved\"} 1");
  assert_line(s, "ferry_migration_unknown_outcomes_decided_total{outcome=\"stayed\"} 0");
}

static void test_decisions(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 0);
  go(s, NULL, "SetDowntime", 1);
  go(s, NULL, "SetDowntime", 2);
  go(s, NULL, "Note", 3);
  /* A long list loses old entries: only what is new counts. */
  json_t *next = json_deep_copy(s->m);
  json_array_remove(ferry_json_get(next, "status.decisions"), 1);
  json_array_append_new(ferry_json_get(next, "status.decisions"),
                        json_pack("{ss,si}", "action", "Abort", "elapsedMs", 9));
  take(s, s->m, next, FERRY_MODIFIED, 4);
  json_decref(next);
  assert_line(s, "ferry_convergence_decisions_total{action=\"SetDowntime\"} 2");
  assert_line(s, "ferry_convergence_decisions_total{action=\"Note\"} 1");
  assert_line(s, "ferry_convergence_decisions_total{action=\"Abort\"} 1");
  assert_line(s, "ferry_convergence_decisions_total{action=\"Suspend\"} 0");
}

/* Words of an agent do not make the table grow for ever. */
static void test_bounded(Story *s, gconstpointer data) {
  take(s, NULL, s->m, FERRY_ADDED, 0);
  for (int i = 0; i < 1000; i++) {
    g_autofree char *action = g_strdup_printf("Evil%d", i);
    go(s, NULL, action, i + 1);
    json_array_clear(ferry_json_get(s->m, "status.decisions"));
  }
  g_autoptr(GString) out = g_string_new(NULL);
  ferry_metrics_history_put(s->h, out);
  g_auto(GStrv) lines = g_strsplit(out->str, "Evil", -1);
  g_assert_cmpuint(g_strv_length(lines), <=, 65);
  assert_line(s, "ferry_convergence_decisions_total{action=\"Other\"} 936");
}

static void test_requests(void) {
  FerryMetricsRequests *r = ferry_metrics_requests_new();
  g_autoptr(GString) out = g_string_new(NULL);
  ferry_metrics_requests_take(r, "list", "nodes", 200, 0.003);
  ferry_metrics_requests_take(r, "list", "nodes", 403, 0.0001);
  ferry_metrics_requests_put(r, out);
  g_assert_nonnull(strstr(
      out->str, "ferry_api_requests_total{verb=\"list\",resource=\"nodes\",code=\"403\"} 1\n"));
  g_assert_nonnull(strstr(out->str, "ferry_api_request_duration_seconds_bucket{verb=\"list\","
                                    "resource=\"nodes\",le=\"0.0025\"} 1\n"));
  g_assert_nonnull(strstr(out->str, "ferry_api_request_duration_seconds_count{verb=\"list\","
                                    "resource=\"nodes\"} 2\n"));
  ferry_metrics_requests_free(r);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/metrics-history/phases", Story, NULL, up, test_phases, down);
  g_test_add("/metrics-history/unseen", Story, NULL, up, test_unseen, down);
  g_test_add("/metrics-history/end", Story, NULL, up, test_end, down);
  g_test_add("/metrics-history/failure", Story, NULL, up, test_failure_without_summary, down);
  g_test_add("/metrics-history/unknown", Story, NULL, up, test_unknown, down);
  g_test_add("/metrics-history/decisions", Story, NULL, up, test_decisions, down);
  g_test_add("/metrics-history/bounded", Story, NULL, up, test_bounded, down);
  g_test_add_func("/metrics-requests/series", test_requests);
  return g_test_run();
}
