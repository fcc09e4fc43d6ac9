// SPDX-License-Identifier: Apache-2.0
// ferry-sim-bench FIRST COUNT: every preset on the cells FIRST .. FIRST+COUNT-1; one line of JSON
// per cell to stdout. bench/convergence-sim turns them into tables, plots and verdicts.
// ferry-sim-bench --explain CELL [PRESET]: that cell, and the decisions taken on it with reasons.
#include "sim/cells.h"
#include "base/quantity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIANT "intent+dirty-rate"

static json_t *result_json(const FerrySimCell *cell, const FerryPreset *preset,
                           const FerrySimResult *r) {
  json_t *o = json_object();
  ferry_json_set_int(o, "outcome", r->outcome);
  ferry_json_set(o, "seconds", json_real(r->seconds));
  ferry_json_set(o, "bytes", json_real(r->bytes));
  ferry_json_set(o, "pause", json_real(r->pause));
  ferry_json_set(o, "gap", json_real(r->gap));
  ferry_json_set(o, "lost", json_real(r->lost));
  ferry_json_set_int(o, "throttle", r->top_throttle);
  ferry_json_set_int(o, "decisions", r->decisions);
  ferry_json_set_int(o, "rounds", r->iterations - 1);
  ferry_json_set_bool(o, "within", ferry_sim_within(cell, r));
  ferry_json_set_bool(o, "means", ferry_sim_same_means(cell, preset));
  ferry_json_set_bool(o, "postCopy", r->post_copy);
  if (r->noted) {
    ferry_json_set(o, "notedSeconds", json_real(r->noted_s));
    ferry_json_set_int(o, "notedRounds", r->noted_rounds);
  }
  return o;
}

/* What the controller expected when it made its first plan. */
static double forecast(const json_t *history) {
  size_t i;
  json_t *entry;
  json_array_foreach((json_t *)history, i, entry) {
    double ms = ferry_json_real(entry, "forecastMs", 0);
    if (ms > 0)
      return ms / 1000;
  }
  return 0;
}

/* How often a verdict of infeasibility was taken back, and whether one stands at the end. */
static void verdicts(json_t *result, const json_t *history) {
  size_t i;
  json_t *entry;
  int withdrawn = 0;
  gboolean stands = FALSE;
  json_array_foreach((json_t *)history, i, entry) {
    const char *code = ferry_json_str(entry, "code");
    if (strcmp(ferry_json_str(entry, "action"), "Note") != 0)
      continue;
    stands = strcmp(code, "Infeasible") == 0;
    withdrawn += strcmp(code, "Feasible") == 0;
  }
  ferry_json_set_int(result, "withdrawn", withdrawn);
  ferry_json_set_bool(result, "verdictStands", stands);
}

static json_t *own_json(const FerrySimCell *cell, const FerryPreset *preset, gboolean prior) {
  json_t *history = NULL;
  FerrySimResult r = ferry_sim_run_preset(cell, preset, prior, &history);
  json_t *result = result_json(cell, preset, &r);
  ferry_json_set(result, "forecast", json_real(forecast(history)));
  verdicts(result, history);
  json_decref(history);
  return result;
}

static void one(guint32 seed) {
  FerrySimCell cell;
  ferry_sim_cell(&cell, seed);
  double least;
  gboolean feasible = ferry_sim_feasible(&cell, &least);
  g_autoptr(json_t) o = json_object();
  json_t *presets = json_object();
  ferry_json_set_int(o, "cell", seed);
  ferry_json_set_str(o, "pattern", ferry_sim_pattern_name(cell.guest.pattern));
  ferry_json_set(o, "memory", json_real(cell.guest.memory));
  ferry_json_set(o, "rate", json_real(cell.link.rate));
  ferry_json_set(o, "cap", json_real(cell.link.cap));
  ferry_json_set(o, "efficiency", json_real(cell.link.efficiency));
  ferry_json_set(o, "workingSet", json_real(cell.guest.working_set));
  ferry_json_set(o, "writeRate", json_real(cell.guest.write_rate));
  ferry_json_set(o, "eps", json_real(cell.link.eps));
  ferry_json_set(o, "bound", json_real(ferry_sim_bound(&cell)));
  ferry_json_set_bool(o, "drop", cell.link.drop_to > 0);
  ferry_json_set_bool(o, "lossy", cell.settings.lose_samples > 0);
  ferry_json_set_int(o, "maxDowntimeMs", cell.intent.max_downtime_ms);
  ferry_json_set_int(o, "maxDurationMs", cell.intent.max_duration_ms);
  ferry_json_set_int(o, "maxSlowdownPercent", cell.intent.max_slowdown_percent);
  ferry_json_set_bool(o, "allowPostCopy", cell.intent.allow_post_copy);
  ferry_json_set_bool(o, "feasible", feasible);
  if (feasible)
    ferry_json_set(o, "leastPause", json_real(least));
  FerrySimResult low = ferry_sim_start_low(&cell);
  if (ferry_sim_within(&cell, &low))
    ferry_json_set(o, "startLowSeconds", json_real(low.seconds));
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  for (gsize i = 0; i < n; i++) {
    if (all[i].intent) {
      json_object_set_new(presets, all[i].name, own_json(&cell, &all[i], FALSE));
      json_object_set_new(presets, VARIANT, own_json(&cell, &all[i], TRUE));
    } else {
      FerrySimResult r = ferry_sim_run_preset(&cell, &all[i], FALSE, NULL);
      json_object_set_new(presets, all[i].name, result_json(&cell, &all[i], &r));
    }
  }
  ferry_json_set(o, "presets", presets);
  g_autofree char *line = ferry_json_dump(o);
  puts(line);
}

static int explain(guint32 seed, const char *name) {
  gboolean prior = strcmp(name, VARIANT) == 0;
  const FerryPreset *preset = ferry_preset_find(prior ? "intent" : name);
  if (!preset) {
    fprintf(stderr, "ferry-sim-bench: there is no preset '%s'\n", name);
    return 2;
  }
  FerrySimCell cell;
  ferry_sim_cell(&cell, seed);
  json_t *history = NULL, *entry;
  FerrySimResult r = ferry_sim_run_preset(&cell, preset, prior, &history);
  const FerrySimGuestSpec *g = &cell.guest;
  double path = (cell.link.cap > 0 ? cell.link.cap : cell.link.rate) * cell.link.efficiency;
  printf("%s on %d vCPUs: %.0f MiB, %.1f MiB/s over %.1f MiB; %.1f MiB/s of memory (wire %.1f, cap "
         "%.1f), first pass %.2f s; at most %" G_GINT64_FORMAT " ms, %" G_GINT64_FORMAT
         " ms in all, slowed by %d %%, post-copy %d\n",
         ferry_sim_pattern_name(g->pattern), g->vcpus, g->memory / FERRY_MIB_REAL,
         g->write_rate / FERRY_MIB_REAL, g->working_set / FERRY_MIB_REAL, path / FERRY_MIB_REAL,
         cell.link.rate / FERRY_MIB_REAL, cell.link.cap / FERRY_MIB_REAL, g->memory / path,
         cell.intent.max_downtime_ms, cell.intent.max_duration_ms, cell.intent.max_slowdown_percent,
         cell.intent.allow_post_copy);
  printf("outcome %d, within %d: %.3f s, gap %.3f s, lost %.3f s, throttle %d %%, passes %d\n",
         r.outcome, ferry_sim_within(&cell, &r), r.seconds, r.gap, r.lost, r.top_throttle,
         r.iterations);
  size_t i;
  json_array_foreach(history, i, entry)
      printf("%8.3f s pass %d %s %s: %s\n", ferry_json_real(entry, "elapsedMs", 0) / 1000,
             (int)ferry_json_int(entry, "iteration", 0), ferry_json_str(entry, "action"),
             ferry_json_str(entry, "code"), ferry_json_str(entry, "reason"));
  json_decref(history);
  return 0;
}

int main(int argc, char **argv) {
  if ((argc == 3 || argc == 4) && strcmp(argv[1], "--explain") == 0)
    return explain((guint32)strtoul(argv[2], NULL, 10), argc == 4 ? argv[3] : "intent");
  if (argc != 3) {
    fprintf(stderr, "usage: ferry-sim-bench FIRST COUNT\n"
                    "       ferry-sim-bench --explain CELL [PRESET]\n");
    return 2;
  }
  guint32 first = (guint32)strtoul(argv[1], NULL, 10), count = (guint32)strtoul(argv[2], NULL, 10);
  for (guint32 i = 0; i < count; i++)
    one(first + i);
  return 0;
}
