// SPDX-License-Identifier: Apache-2.0
// The controller's guarantees, each over thousands of simulated guests. FERRY_SIM_CELLS says how
// many, 3000 by default; a failure names the cell.
#include "sim/cells.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Check)(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r);

static void each(Check check) {
  const char *text = g_getenv("FERRY_SIM_CELLS");
  guint32 n = text ? (guint32)atoi(text) : 3000;
  g_assert_cmpuint(n, >, 0);
  const FerryPreset *own = ferry_preset_find("intent");
  for (guint32 seed = 1; seed <= n; seed++) {
    FerrySimCell cell;
    ferry_sim_cell(&cell, seed);
    FerrySimResult r = ferry_sim_run_preset(
        &cell, own, seed % 2 ? FERRY_SIM_KNOWS_RATE : FERRY_SIM_KNOWS_NOTHING, NULL);
    check(seed, &cell, &r);
  }
}

#define HOLDS(seed, condition)                                                                     \
  do {                                                                                             \
    if (!(condition))                                                                              \
      g_error("cell %u: %s does not hold", (seed), #condition);                                    \
  } while (0)

/* the limit never exceeds (max - eps) L/B; the rate is measured, hence the share above */
static void limit(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  gboolean steady = cell->link.drop_to <= 0 && cell->link.efficiency <= 1;
  HOLDS(seed, r->worst_overrun <= (steady ? 1.02 : 1.0 / 0.4 + 0.1));
  double path = cell->link.cap > 0 ? cell->link.rate / cell->link.cap : 1;
  if (cell->intent.switchover_bandwidth > 0) /* QEMU multiplies with this */
    path = MAX(path, cell->link.rate / (double)cell->intent.switchover_bandwidth);
  HOLDS(seed, r->largest_limit <=
                  (double)cell->intent.max_downtime_ms * path * cell->link.efficiency * 1.3);
}
static void test_limit(void) {
  each(limit);
}

/* a pause is as long as was asked for at most, unless it was said beforehand that it can't be */
static void pause_kept(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  double max = (double)cell->intent.max_downtime_ms / 1000;
  gboolean steady = cell->link.drop_to <= 0 && cell->link.efficiency <= 1;
  HOLDS(seed, r->noted || !steady || r->gap <= max * 1.03 + 0.005);
}
static void test_pause(void) {
  each(pause_kept);
}

static void escalation(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  HOLDS(seed, r->raises_too_soon == 0);
}
static void test_escalation(void) {
  each(escalation);
}

static void no_abort(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  HOLDS(seed, !r->abort_in_post_copy);
  HOLDS(seed, !r->post_copy || r->outcome == FERRY_SIM_DONE);
  HOLDS(seed, !r->post_copy || cell->intent.allow_post_copy);
}
static void test_no_abort_after_post_copy(void) {
  each(no_abort);
}

/* the guest is slowed by what was allowed at most, and never stalled beyond the pause */
static void slow_down(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  HOLDS(seed, r->top_throttle <= cell->intent.max_slowdown_percent);
  HOLDS(seed, ferry_model_throttle_stall(r->top_throttle / 100.0) <=
                  (double)cell->intent.max_downtime_ms / 1000 + 1e-9);
  HOLDS(seed, !r->suspended); /* the limit does that, and QEMU looks once more before */
}
static void test_slow_down(void) {
  each(slow_down);
}

/* it ends: moved, or given up with the reason said before */
static void ends(guint32 seed, const FerrySimCell *cell, const FerrySimResult *r) {
  HOLDS(seed, r->outcome != FERRY_SIM_ENDLESS);
  HOLDS(seed, r->decisions < 200);
  if (r->outcome == FERRY_SIM_ABORTED && cell->intent.max_duration_ms > 0)
    HOLDS(seed, r->seconds <= (double)cell->intent.max_duration_ms / 1000 + 1);
}
static void test_ends(void) {
  each(ends);
}

/* when the controller dies at any moment, what it has set is safe: QEMU goes on by it alone */
static void test_controller_dies(void) {
  for (guint32 seed = 1; seed <= 600; seed++) {
    FerrySimCell cell;
    ferry_sim_cell(&cell, seed);
    if (cell.link.drop_to > 0 || cell.link.efficiency > 1)
      continue;
    g_autoptr(json_t) history = NULL;
    ferry_sim_run_preset(&cell, ferry_preset_find("intent"), FERRY_SIM_KNOWS_NOTHING, &history);
    size_t i;
    json_t *e;
    json_array_foreach(history, i, e) {
      if (strcmp(ferry_json_str(e, "action"), "SetDowntime") != 0)
        continue;
      FerrySchedule frozen = {.init_downtime_ms = ferry_json_int(e, "value", 0)};
      FerryConvergenceIntent alone = cell.intent;
      FerrySimSettings settings = cell.settings;
      alone.schedule = &frozen;
      settings.give_up_s = 60;
      FerrySimResult r = ferry_sim_migrate(&cell.guest, &cell.link, &settings, &alone, NULL);
      HOLDS(seed, r.gap <= (double)cell.intent.max_downtime_ms / 1000 * 1.03 + 0.005);
    }
  }
}

/* the rate falls to half in the middle of a pass: before that is over it is known that what did a
 * moment ago will not do any more */
static void falls_to(gint64 percent) {
  FerryConvergenceIntent intent = {.max_downtime_ms = 1120};
  g_autoptr(FerryConvergence) c = ferry_convergence_new(&intent, 0);
  FerryConvergenceDecision d;
  gint64 now = 0, sent = 0, left = 200000000;
  int iteration = 1, notes = 0;
  for (int k = 0; k < 40; k++) {
    gint64 rate = k < 33 ? 10000000 : 100000 * percent; /* per 100 ms */
    now += 100000;
    sent += rate;
    left -= rate;
    gboolean boundary = left <= 0;
    g_assert_true(k < 31 || !boundary);
    if (boundary)
      left = 96000000;
    FerryConvergenceSample s = {.processed = sent, .remaining = left, .total = 200000000};
    ferry_convergence_sample(c, &s, now);
    if (boundary)
      ferry_convergence_iteration(c, ++iteration, now);
    while (ferry_convergence_next(c, now, &d)) {
      g_test_message("%d: %s", k, d.reason);
      notes += d.action == FERRY_ACTION_NOTE;
      g_free(d.reason);
    }
    if (k < 33)
      g_assert_cmpint(notes, ==, 0);
  }
  g_assert_cmpint(notes, ==, 1);
}
static void test_new_plan(void) {
  falls_to(80); /* by 20 %: known within 0.7 s, of three windows of the rate */
  falls_to(50);
}

/* each kind of guest, path and hearing by itself: nearly all that can be done is done */
static void test_kinds(void) {
  enum { UNIFORM, CYCLIC, SKEWED, PHASED, CAPPED, DROP, VCPUS, COMPRESSED, LOSSY, LATE, KINDS };
  static const char *const names[KINDS] = {"uniform", "cyclic", "skewed",     "phased", "capped",
                                           "drop",    "vcpus",  "compressed", "lossy",  "late"};
  int feasible[KINDS] = {0}, kept[KINDS] = {0};
  for (guint32 seed = 1; seed <= 1200; seed++) {
    FerrySimCell cell;
    ferry_sim_cell(&cell, seed);
    if (!ferry_sim_feasible(&cell, NULL))
      continue;
    FerrySimResult r =
        ferry_sim_run_preset(&cell, ferry_preset_find("intent"), FERRY_SIM_KNOWS_NOTHING, NULL);
    const gboolean is[KINDS] = {[UNIFORM] = cell.guest.pattern == FERRY_SIM_UNIFORM,
                                [CYCLIC] = cell.guest.pattern == FERRY_SIM_CYCLIC,
                                [SKEWED] = cell.guest.pattern == FERRY_SIM_SKEWED,
                                [PHASED] = cell.guest.pattern == FERRY_SIM_PHASED,
                                [CAPPED] = cell.link.cap > 0,
                                [DROP] = cell.link.drop_to > 0,
                                [VCPUS] = cell.guest.vcpus > 1,
                                [COMPRESSED] = cell.link.efficiency > 1,
                                [LOSSY] = cell.settings.lose_samples > 0,
                                [LATE] = cell.settings.event_delay_s >= 0.05};
    for (int i = 0; i < KINDS; i++) {
      feasible[i] += is[i];
      kept[i] += is[i] && ferry_sim_within(&cell, &r);
    }
  }
  for (int i = 0; i < KINDS; i++) {
    g_test_message("%s: %d of %d", names[i], kept[i], feasible[i]);
    g_assert_cmpint(feasible[i], >=, 50);
    g_assert_cmpint(100 * kept[i], >=, 90 * feasible[i]);
  }
}

static void test_deterministic(void) {
  for (guint32 seed = 1; seed <= 50; seed++) {
    FerrySimCell cell;
    ferry_sim_cell(&cell, seed);
    const FerryPreset *own = ferry_preset_find("intent");
    FerrySimResult a = ferry_sim_run_preset(&cell, own, FERRY_SIM_KNOWS_NOTHING, NULL);
    FerrySimResult b = ferry_sim_run_preset(&cell, own, FERRY_SIM_KNOWS_NOTHING, NULL);
    g_assert_cmpfloat(a.seconds, ==, b.seconds);
    g_assert_cmpfloat(a.lost, ==, b.lost);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/properties/limit", test_limit);
  g_test_add_func("/properties/pause", test_pause);
  g_test_add_func("/properties/escalation", test_escalation);
  g_test_add_func("/properties/no-abort-after-post-copy", test_no_abort_after_post_copy);
  g_test_add_func("/properties/slow-down", test_slow_down);
  g_test_add_func("/properties/ends", test_ends);
  g_test_add_func("/properties/controller-dies", test_controller_dies);
  g_test_add_func("/properties/new-plan", test_new_plan);
  g_test_add_func("/properties/kinds", test_kinds);
  g_test_add_func("/properties/deterministic", test_deterministic);
  return g_test_run();
}
