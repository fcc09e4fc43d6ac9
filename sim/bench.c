// SPDX-License-Identifier: Apache-2.0
// ferry-sim-bench FIRST COUNT: every preset on the cells FIRST .. FIRST+COUNT-1; one line of JSON
// per cell to stdout. bench/convergence-sim turns them into tables, plots and verdicts.
#include "sim/cells.h"
#include <stdio.h>
#include <stdlib.h>

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
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  for (gsize i = 0; i < n; i++) {
    json_t *history = NULL;
    FerrySimResult r = ferry_sim_run_preset(&cell, &all[i], FALSE, all[i].intent ? &history : NULL);
    json_t *result = result_json(&cell, &all[i], &r);
    if (history)
      ferry_json_set(result, "forecast", json_real(forecast(history)));
    json_decref(history);
    json_object_set_new(presets, all[i].name, result);
    if (all[i].intent) {
      r = ferry_sim_run_preset(&cell, &all[i], TRUE, NULL);
      json_object_set_new(presets, "intent+dirty-rate", result_json(&cell, &all[i], &r));
    }
  }
  ferry_json_set(o, "presets", presets);
  g_autofree char *line = ferry_json_dump(o);
  puts(line);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: ferry-sim-bench FIRST COUNT\n");
    return 2;
  }
  guint32 first = (guint32)strtoul(argv[1], NULL, 10), count = (guint32)strtoul(argv[2], NULL, 10);
  for (guint32 i = 0; i < count; i++)
    one(first + i);
  return 0;
}
