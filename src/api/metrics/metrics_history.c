// SPDX-License-Identifier: Apache-2.0
// What happened to migrations since this process began. An agent's timestamps are of its own clock
// and are not compared with ours: a phase begins when its write reaches us.
//
// It is fed with each change of a migration as the store tells it: the state before beside the
// state after says what happened (a phase, a decision, an end), and that is counted once, into
// histograms and tables keyed by label. What was not seen to begin, because this process started
// later, is not counted. Series of labels that come from outside stop at a limit; beyond it they
// count as "other".
#include "api/metrics/metrics.h"
#include "base/compare.h"
#include "base/rfc3339.h"
#include "model/migration/action.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"
#include "policy/outcome.h"

#include <math.h>
#include <string.h>

/* KubeVirt's bounds, in seconds. */
static const double phase_bounds[] = {0.5, 1,  2,   5,   10,  20,  30,   40,
                                      50,  60, 120, 180, 300, 600, 1200, 3600};
static const double duration_bounds[] = {0.5, 1,   2,   5,   10,   20,   30,
                                         60,  120, 300, 600, 1800, 3600, 7200};
static const double pause_bounds[] = {0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3,
                                      0.5,  0.9,  1,    2,    5,   10,  30};
static const double ratio_bounds[] = {0.01, 0.02, 0.05, 0.1, 0.12, 0.2, 0.3, 0.5, 1, 2, 5};

/* Words that come from outside are labels only up to this many of a kind. */
#define MAX_WORDS 64
/* Migrations whose beginning was seen; more than the queue ever holds. */
#define MAX_SEEN 100000

struct FerryMetricsHistory {
  FerryHistogram *phase[FERRY_MIGRATION_PHASES];
  FerryHistogram *duration[2]; /* Succeeded, Failed */
  FerryHistogram *pause, *total_error, *pause_error;
  GHashTable *results;                 /* result_key() -> guint64 */
  GHashTable *actions;                 /* action -> guint64 */
  GHashTable *seen;                    /* uid -> gint64, monotonic us of its creation */
  guint64 decided[FERRY_OUTCOME_LAST]; /* how those ended that were unknown for a time */
  double bytes;
};

#define HISTOGRAM(bounds) ferry_histogram_new(bounds, G_N_ELEMENTS(bounds))

FerryMetricsHistory *ferry_metrics_history_new(void) {
  FerryMetricsHistory *h = g_new0(FerryMetricsHistory, 1);
  for (gsize i = 0; i < FERRY_MIGRATION_PHASES; i++)
    h->phase[i] = HISTOGRAM(phase_bounds);
  h->duration[0] = HISTOGRAM(duration_bounds);
  h->duration[1] = HISTOGRAM(duration_bounds);
  h->pause = HISTOGRAM(pause_bounds);
  h->total_error = HISTOGRAM(ratio_bounds);
  h->pause_error = HISTOGRAM(ratio_bounds);
  h->results = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  h->actions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  h->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return h;
}

void ferry_metrics_history_free(FerryMetricsHistory *h) {
  if (!h)
    return;
  for (gsize i = 0; i < FERRY_MIGRATION_PHASES; i++)
    ferry_histogram_free(h->phase[i]);
  ferry_histogram_free(h->duration[0]);
  ferry_histogram_free(h->duration[1]);
  ferry_histogram_free(h->pause);
  ferry_histogram_free(h->total_error);
  ferry_histogram_free(h->pause_error);
  g_hash_table_unref(h->results);
  g_hash_table_unref(h->actions);
  g_hash_table_unref(h->seen);
  g_free(h);
}

static void metrics_history_count(GHashTable *table, const char *key, const char *other) {
  guint64 *n = g_hash_table_lookup(table, key);
  if (!n && g_hash_table_size(table) >= MAX_WORDS)
    n = g_hash_table_lookup(table, key = other);
  if (!n)
    g_hash_table_insert(table, g_strdup(key), n = g_new0(guint64, 1));
  (*n)++;
}

/* Seconds since the migration was created. */
static double metrics_history_age(FerryMetricsHistory *h, const json_t *m, gint64 mono_us,
                                  gint64 wall_ms) {
  const char *uid = ferry_json_str(m, "metadata.uid");
  const gint64 *since = uid ? g_hash_table_lookup(h->seen, uid) : NULL;
  if (since)
    return (double)(mono_us - *since) / G_USEC_PER_SEC;
  gint64 created = ferry_rfc3339_parse(ferry_json_str(m, "metadata.creationTimestamp"));
  return created < 0 ? NAN : (double)MAX(0, wall_ms - created) / 1000;
}

static void take_phases(FerryMetricsHistory *h, const json_t *old, const json_t *m,
                        double seconds) {
  const json_t *before = ferry_json_get(old, "status.phaseTransitionTimestamps");
  const json_t *after = ferry_json_get(m, "status.phaseTransitionTimestamps");
  for (gsize i = 0; i < FERRY_MIGRATION_PHASES; i++) {
    const char *phase = ferry_migration_phases[i];
    if (ferry_json_find(after, "phase", phase) && !ferry_json_find(before, "phase", phase))
      ferry_histogram_observe(h->phase[i], seconds);
  }
}

static void take_decisions(FerryMetricsHistory *h, const json_t *old, const json_t *m) {
  const json_t *before = ferry_json_get(old, "status.decisions");
  const json_t *after = ferry_json_get(m, "status.decisions");
  gsize n = json_array_size(after), n_before = json_array_size(before);
  /* The list loses old entries when it is long: what comes after the last known one is new. */
  const json_t *last = n_before ? json_array_get(before, n_before - 1) : NULL;
  gsize first = n;
  while (first > 0 && !(last && json_equal(json_array_get(after, first - 1), last)))
    first--;
  for (gsize i = first; i < n; i++) {
    const char *action = ferry_json_str(json_array_get(after, i), "action");
    metrics_history_count(h->actions, action ? action : "", "Other");
  }
}

static void take_error(FerryHistogram *histogram, gint64 forecast, gint64 actual) {
  if (forecast >= 0 && actual > 0)
    ferry_histogram_observe(histogram, fabs((double)(forecast - actual)) / (double)actual);
}

/* "Phase\nReason": the key of results. */
static char *result_key(FerryPhase phase, const char *reason) {
  return g_strconcat(ferry_phase_name(phase), "\n", reason, NULL);
}

/* It was unknown which of its hosts has the VM; now that is decided. */
static void take_decided(FerryMetricsHistory *h, const json_t *old, const json_t *m) {
  const char *unknown = ferry_reason_name(FERRY_REASON_OUTCOME_UNKNOWN);
  const char *word = ferry_json_str(m, "status.migrationState.outcome");
  if (g_strcmp0(ferry_json_str(old, "status.reason"), unknown) != 0)
    return;
  for (gsize i = 0; word && i < FERRY_OUTCOME_LAST; i++)
    if (g_strcmp0(word, ferry_outcome_word((FerryOutcomeKind)i)) == 0)
      h->decided[i]++;
}

static void take_end(FerryMetricsHistory *h, const json_t *m, gboolean succeeded, double seconds) {
  const char *reason = ferry_json_str(m, "status.reason");
  FerryPhase phase = succeeded ? FERRY_PHASE_SUCCEEDED : FERRY_PHASE_FAILED;
  g_autofree char *key = result_key(phase, reason ? reason : "");
  g_autofree char *other = result_key(phase, "Other");
  metrics_history_count(h->results, key, other);
  gint64 total = ferry_json_int(m, "status.summary.totalMs", -1);
  gint64 pause = ferry_json_int(m, "status.summary.downtimeMs", -1);
  ferry_histogram_observe(h->duration[succeeded ? 0 : 1],
                          total >= 0 ? (double)total / 1000 : seconds);
  if (succeeded && pause >= 0)
    ferry_histogram_observe(h->pause, (double)pause / 1000);
  h->bytes += (double)MAX(0, ferry_json_int(m, "status.summary.dataTransferredBytes", 0));
  if (succeeded) {
    take_error(h->total_error, ferry_json_int(m, "status.forecast.totalMs", -1), total);
    take_error(h->pause_error, ferry_json_int(m, "status.forecast.downtimeMs", -1), pause);
  }
}

void ferry_metrics_history_take(FerryMetricsHistory *h, const FerrySeen *change, gint64 mono_us,
                                gint64 wall_ms) {
  const json_t *m = change->object, *old = change->previous;
  const char *uid = ferry_json_str(m, "metadata.uid");
  if (change->type == FERRY_DELETED) {
    if (uid)
      g_hash_table_remove(h->seen, uid);
    return;
  }
  if (!old && uid && g_hash_table_size(h->seen) < MAX_SEEN) {
    gint64 *since = g_new(gint64, 1);
    *since = mono_us;
    g_hash_table_insert(h->seen, g_strdup(uid), since);
  }
  double seconds = metrics_history_age(h, m, mono_us, wall_ms);
  take_phases(h, old, m, seconds);
  take_decisions(h, old, m);
  FerryPhase phase = ferry_phase_of(m);
  gboolean succeeded = phase == FERRY_PHASE_SUCCEEDED;
  if (!ferry_phase_is_final(phase) || phase == ferry_phase_of(old))
    return;
  if (!ferry_json_bool(m, "spec.forecastOnly", FALSE)) /* nothing was moved */
    take_end(h, m, succeeded, seconds);
  take_decided(h, old, m);
  if (uid)
    g_hash_table_remove(h->seen, uid);
}

static const char results_family[] = "ferry_migrations_total";

/* 0 for a result that there was none of yet: the increase of a series that starts at 1 would be
 * missed. */
static void put_zero(const FerryMetricsHistory *h, FerryPhase phase, const char *reason,
                     GString *out) {
  g_autofree char *key = result_key(phase, reason);
  if (!g_hash_table_contains(h->results, key))
    ferry_metrics_sample(out, results_family, 0, "result", ferry_phase_name(phase), "reason",
                         reason, NULL);
}

static void put_results(const FerryMetricsHistory *h, GString *out) {
  const char *name = results_family;
  ferry_metrics_family(out, name, "counter", "Migrations that ended, by result and reason.");
  for (guint i = FERRY_REASON_NONE + 1; i < FERRY_REASON_LAST; i++)
    if (ferry_reason_row((FerryReason)i)->kind == FERRY_REASONS_ENDED &&
        i != FERRY_REASON_FORECAST_MADE)
      put_zero(h, i == FERRY_REASON_COMPLETED ? FERRY_PHASE_SUCCEEDED : FERRY_PHASE_FAILED,
               ferry_reason_name((FerryReason)i), out);
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(h->results), ferry_compare_text);
  for (GList *k = keys; k; k = k->next) {
    g_auto(GStrv) parts = g_strsplit(k->data, "\n", 2);
    const guint64 *n = g_hash_table_lookup(h->results, k->data);
    ferry_metrics_sample(out, name, (double)*n, "result", parts[0], "reason", parts[1], NULL);
  }
}

static void put_actions(const FerryMetricsHistory *h, GString *out) {
  static const char name[] = "ferry_convergence_decisions_total";
  ferry_metrics_family(out, name, "counter", "Decisions of the convergence controller, by action.");
  for (FerryAction a = 1; a <= FERRY_ACTIONS_DECIDED; a++)
    if (!g_hash_table_contains(h->actions, ferry_action_name(a)))
      ferry_metrics_sample(out, name, 0, "action", ferry_action_name(a), NULL);
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(h->actions), ferry_compare_text);
  for (GList *k = keys; k; k = k->next)
    ferry_metrics_sample(out, name, (double)*(guint64 *)g_hash_table_lookup(h->actions, k->data),
                         "action", k->data, NULL);
}

static void put_decided(const FerryMetricsHistory *h, GString *out) {
  static const char name[] = "ferry_migration_unknown_outcomes_decided_total";
  ferry_metrics_family(out, name, "counter",
                       "Migrations whose outcome was unknown for a time, by how it was decided.");
  for (gsize i = 0; i < FERRY_OUTCOME_LAST; i++)
    if (i != FERRY_OUTCOME_WAIT)
      ferry_metrics_sample(out, name, (double)h->decided[i], "outcome",
                           ferry_outcome_word((FerryOutcomeKind)i), NULL);
}

void ferry_metrics_history_put(const FerryMetricsHistory *h, GString *out) {
  static const char phase[] = "kubevirt_vmi_migration_phase_transition_time_from_creation_seconds";
  static const char duration[] = "ferry_migration_duration_seconds";
  static const char error[] = "ferry_migration_forecast_error_ratio";
  ferry_metrics_family(out, phase, "histogram",
                       "Time from a migration's creation to the beginning of each phase.");
  for (gsize i = 0; i < FERRY_MIGRATION_PHASES; i++)
    ferry_metrics_histogram(out, phase, h->phase[i], "phase", ferry_migration_phases[i], NULL);
  put_results(h, out);
  put_decided(h, out);
  ferry_metrics_family(out, duration, "histogram", "How long migrations that ended took.");
  ferry_metrics_histogram(out, duration, h->duration[0], "result",
                          ferry_phase_name(FERRY_PHASE_SUCCEEDED), NULL);
  ferry_metrics_histogram(out, duration, h->duration[1], "result",
                          ferry_phase_name(FERRY_PHASE_FAILED), NULL);
  ferry_metrics_family(out, "ferry_migration_downtime_seconds", "histogram",
                       "Pause of the guest at the switch-over, as libvirt measured it.");
  ferry_metrics_histogram(out, "ferry_migration_downtime_seconds", h->pause, NULL);
  ferry_metrics_figure(out, "ferry_migration_transferred_bytes_total", "counter",
                       "Bytes that migrations that ended have sent.", h->bytes);
  put_actions(h, out);
  ferry_metrics_family(out, error, "histogram",
                       "Distance of a migration's forecast from what happened, as part of what "
                       "happened; no forecast, no observation.");
  ferry_metrics_histogram(out, error, h->total_error, "quantity", "total", NULL);
  ferry_metrics_histogram(out, error, h->pause_error, "quantity", "downtime", NULL);
}
