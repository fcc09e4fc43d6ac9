// SPDX-License-Identifier: Apache-2.0
// ferry-sim-bench FIRST COUNT: every preset on the judged cells FIRST .. FIRST+COUNT-1; one line of
// JSON per cell to stdout, with what was asked and what became of each, unjudged: bench/judge.py
// has the rules, for real guests and these. bench/convergence-sim turns them into tables.
// ferry-sim-bench --presets: each preset's means, where its rule was read, when it first acts.
// ferry-sim-bench --explain CELL [PRESET]: that cell, and the decisions taken on it with reasons.
#include "sim/cells.h"
#include "base/quantity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The intent with what is off by default. */
static const struct {
  const char *name;
  FerrySimKnown known;
  gboolean monitor;
} bench_variants[] = {{"intent", FERRY_SIM_KNOWS_NOTHING, FALSE},
                      {"intent+dirty-rate", FERRY_SIM_KNOWS_RATE, FALSE},
                      {"intent+taught", FERRY_SIM_KNOWS_LESSON, FALSE},
                      {"intent+monitor", FERRY_SIM_KNOWS_NOTHING, TRUE}};

static json_t *result_json(const FerrySimResult *r) {
  static const char *const outcomes[] = {"moved", "gave up", "cut off"};
  json_t *o = json_object();
  ferry_json_set_str(o, "outcome", outcomes[r->outcome]);
  ferry_json_set(o, "seconds", json_real(r->seconds));
  ferry_json_set(o, "bytes", json_real(r->bytes));
  ferry_json_set(o, "gap_ms", json_real(1000 * r->gap));
  ferry_json_set(o, "lost_s", json_real(r->lost));
  ferry_json_set_int(o, "top_throttle", MAX(r->top_throttle, r->stolen));
  ferry_json_set_int(o, "iterations", r->iterations);
  ferry_json_set_bool(o, "post_copy", r->post_copy);
  if (r->means) {
    g_autofree char *names = ferry_means_names(r->means);
    ferry_json_set_str(o, "means", names);
  }
  return o;
}

/* What the controller expected when it made its first plan. */
static double bench_forecast(const json_t *history) {
  size_t i;
  json_t *entry;
  json_array_foreach((json_t *)history, i, entry) {
    double ms = ferry_json_real(entry, "forecastMs", 0);
    if (ms > 0)
      return ms / 1000;
  }
  return 0;
}

/* The probability that a doubt is worded with, in percent. */
static gint64 doubt_percent(const char *reason) {
  const char *about = strstr(reason, "about ");
  return about ? g_ascii_strtoll(about + strlen("about "), NULL, 10) : 0;
}

/* When a verdict of infeasibility came first, and a doubt; how often one was taken back, and
 * whether one stands at the end. */
static void bench_verdicts(json_t *result, const json_t *history) {
  size_t i;
  json_t *entry;
  int withdrawn = 0;
  gboolean stands = FALSE;
  json_array_foreach((json_t *)history, i, entry) {
    const char *code = ferry_json_str(entry, "code");
    gint64 rounds = ferry_json_int(entry, "iteration", 1) - 1;
    if (strcmp(ferry_json_str(entry, "action"), "Note") != 0)
      continue;
    stands = strcmp(code, "Infeasible") == 0;
    withdrawn += strcmp(code, "Feasible") == 0;
    if (stands && !json_object_get(result, "notedRounds"))
      ferry_json_set_int(result, "notedRounds", rounds);
    if (strcmp(code, "Doubtful") != 0 || json_object_get(result, "doubtedRounds"))
      continue;
    ferry_json_set_int(result, "doubtedRounds", rounds);
    ferry_json_set_int(result, "doubtPercent", doubt_percent(ferry_json_str(entry, "reason")));
  }
  ferry_json_set_int(result, "withdrawn", withdrawn);
  ferry_json_set_bool(result, "verdictStands", stands);
}

static json_t *own_json(const FerrySimCell *given, const FerryPreset *preset, gsize variant) {
  json_t *history = NULL;
  FerrySimCell cell = *given;
  cell.intent.can_throttle = bench_variants[variant].monitor;
  FerrySimResult r = ferry_sim_run_preset(&cell, preset, bench_variants[variant].known, &history);
  json_t *result = result_json(&r);
  ferry_json_set(result, "forecast_s", json_real(bench_forecast(history)));
  bench_verdicts(result, history);
  json_decref(history);
  return result;
}

static json_t *asked_json(const FerryConvergenceIntent *want) {
  json_t *o = json_object();
  ferry_json_set_int(o, "maxDowntimeMs", want->max_downtime_ms);
  ferry_json_set(o, "maxDurationS", json_real((double)want->max_duration_ms / 1000));
  ferry_json_set_int(o, "maxSlowdown", want->max_slowdown_percent);
  ferry_json_set_bool(o, "allowPostCopy", want->allow_post_copy);
  return o;
}

static json_t *cell_json(const FerrySimCell *cell, guint32 seed) {
  json_t *o = json_object();
  ferry_json_set_int(o, "cell", seed);
  ferry_json_set_str(o, "pattern", ferry_sim_pattern_name(cell->guest.pattern));
  ferry_json_set_str(o, "path", cell->path);
  ferry_json_set(o, "memory", json_real(cell->guest.memory));
  ferry_json_set(o, "workingSet", json_real(cell->guest.working_set));
  ferry_json_set(o, "writeRate", json_real(cell->guest.write_rate));
  ferry_json_set(o, "rate", json_real(cell->link.rate));
  ferry_json_set(o, "cap", json_real(cell->link.cap));
  ferry_json_set(o, "eps", json_real(cell->link.eps));
  ferry_json_set(o, "bound", json_real(ferry_sim_bound(cell)));
  ferry_json_set(o, "spare", json_real(cell->spare));
  ferry_json_set_bool(o, "lossy", cell->settings.lose_samples > 0);
  ferry_json_set(o, "asked", asked_json(&cell->intent));
  return o;
}

/* What could be had by whoever knew the guest: fixed limits and throttles. */
static json_t *hindsight_json(const FerrySimCell *cell) {
  g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(FerrySimResult));
  ferry_sim_feasible(cell, runs);
  json_t *list = json_array();
  for (guint i = 0; i < runs->len; i++)
    json_array_append_new(list, result_json(&g_array_index(runs, FerrySimResult, i)));
  return list;
}

static void bench_one(guint32 seed) {
  FerrySimCell cell;
  ferry_sim_judged_cell(&cell, seed);
  g_autoptr(json_t) o = cell_json(&cell, seed);
  json_t *presets = json_object();
  ferry_json_set(o, "hindsight", hindsight_json(&cell));
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  for (gsize i = 0; i < n; i++) {
    for (gsize k = 0; all[i].intent && k < G_N_ELEMENTS(bench_variants); k++)
      json_object_set_new(presets, bench_variants[k].name, own_json(&cell, &all[i], k));
    if (all[i].intent)
      continue;
    FerrySimResult r = ferry_sim_run_preset(&cell, &all[i], FERRY_SIM_KNOWS_NOTHING, NULL);
    json_object_set_new(presets, all[i].name, result_json(&r));
  }
  ferry_json_set(o, "presets", presets);
  g_autofree char *line = ferry_json_dump(o);
  puts(line);
}

/* When a rule does its first thing: {seconds} or {secondsPerGiB, leastGiB} after the start. */
static json_t *first_act_json(const FerrySchedule *s) {
  double tick = (double)s->tick_ms / 1000;
  if (s->stall_window_ms > 0)
    return json_pack("{s:f}", "seconds", (double)s->stall_window_ms / 1000);
  if (s->ramp_steps > 0)
    return json_pack("{s:f}", "seconds", (double)s->ramp_every_s);
  if (s->double_after_rises > 0)
    return json_pack("{s:f}", "seconds", (s->double_after_rises + 1) * tick);
  if (s->since_first) /* the first look only sees where it is */
    return json_pack("{s:f}", "seconds", 2 * tick);
  double per_gib = s->n_steps > 0 ? (double)s->steps[0].limit : (double)s->completion_s_per_gib;
  return json_pack("{s:f, s:i}", "secondsPerGiB", per_gib, "leastGiB", MAX(1, s->least_gib));
}

static void print_presets(void) {
  g_autoptr(json_t) list = json_array();
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  for (gsize i = 0; i < n; i++) {
    const FerrySchedule *s = &all[i].schedule;
    json_t *o = json_object();
    ferry_json_set_str(o, "name", all[i].name);
    ferry_json_set_str(o, "doc", all[i].doc);
    json_array_append_new(list, o);
    if (all[i].intent || all[i].strategy)
      continue;
    ferry_json_set_str(o, "project", all[i].source.project);
    ferry_json_set_str(o, "file", all[i].source.file);
    ferry_json_set_str(o, "version", all[i].source.version);
    ferry_json_set_bool(o, "autoConverge", s->auto_converge);
    ferry_json_set_bool(o, "postCopy", ferry_schedule_has(s, FERRY_STEP_POSTCOPY));
    ferry_json_set_int(o, "connections", s->connections);
    if (s->compression)
      ferry_json_set_str(o, "compression", s->compression);
    ferry_json_set(o, "firstAct", first_act_json(s));
  }
  g_autofree char *line = ferry_json_dump(list);
  puts(line);
}

static int bench_explain(guint32 seed, const char *name) {
  gsize variant = G_N_ELEMENTS(bench_variants) - 1;
  while (variant > 0 && strcmp(name, bench_variants[variant].name) != 0)
    variant--;
  const FerryPreset *preset = ferry_preset_find(variant ? bench_variants[0].name : name);
  if (!preset) {
    fprintf(stderr, "ferry-sim-bench: there is no preset '%s'\n", name);
    return 2;
  }
  FerrySimCell cell;
  ferry_sim_judged_cell(&cell, seed);
  cell.intent.can_throttle = bench_variants[variant].monitor;
  json_t *history = NULL, *entry;
  FerrySimResult r = ferry_sim_run_preset(&cell, preset, bench_variants[variant].known, &history);
  const FerrySimGuestSpec *g = &cell.guest;
  double path = (cell.link.cap > 0 ? cell.link.cap : cell.link.rate) * cell.link.efficiency;
  printf("%s on %d vCPUs: %.0f MiB, %.1f MiB/s over %.1f MiB; %.1f MiB/s of memory (wire %.1f, cap "
         "%.1f, %s), first pass %.2f s; at most %" G_GINT64_FORMAT " ms, %" G_GINT64_FORMAT
         " ms in all, slowed by %d %%, post-copy %d\n",
         ferry_sim_pattern_name(g->pattern), g->vcpus, g->memory / FERRY_MIB_REAL,
         g->write_rate / FERRY_MIB_REAL, g->working_set / FERRY_MIB_REAL, path / FERRY_MIB_REAL,
         cell.link.rate / FERRY_MIB_REAL, cell.link.cap / FERRY_MIB_REAL, cell.path,
         g->memory / path, cell.intent.max_downtime_ms, cell.intent.max_duration_ms,
         cell.intent.max_slowdown_percent, cell.intent.allow_post_copy);
  g_autofree char *means = ferry_means_names(r.means);
  printf("%.1f processors to spare, zstd makes a %.1fth of it; chosen: %s\n", cell.spare, cell.gain,
         means);
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
  if (argc == 2 && strcmp(argv[1], "--presets") == 0) {
    print_presets();
    return 0;
  }
  if ((argc == 3 || argc == 4) && strcmp(argv[1], "--explain") == 0)
    return bench_explain((guint32)strtoul(argv[2], NULL, 10), argc == 4 ? argv[3] : "intent");
  if (argc != 3) {
    fprintf(stderr, "usage: ferry-sim-bench FIRST COUNT\n"
                    "       ferry-sim-bench --presets\n"
                    "       ferry-sim-bench --explain CELL [PRESET]\n");
    return 2;
  }
  guint32 first = (guint32)strtoul(argv[1], NULL, 10), count = (guint32)strtoul(argv[2], NULL, 10);
  for (guint32 i = 0; i < count; i++)
    bench_one(first + i);
  return 0;
}
