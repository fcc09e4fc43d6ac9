// SPDX-License-Identifier: Apache-2.0
// Cells drawn from a seed.
//
// Theory of operation: what matters of a guest is its write rate against the path's rate and the
// time its working set takes on the path, so these ratios are drawn, not the absolute numbers:
// every link then meets guests that converge at once, hardly, and never.
#include "sim/cells.h"
#include "base/quantity.h"
#include <math.h>

#define GBIT (119.2 * FERRY_MIB_REAL)
#define TOLERANCE_S 0.005 /* of a measured pause */

typedef struct {
  guint32 state;
} Dice;

static double roll(Dice *d) {
  d->state ^= d->state << 13;
  d->state ^= d->state >> 17;
  d->state ^= d->state << 5;
  return d->state / 4294967296.0;
}

static double between(Dice *d, double low, double high) {
  return low + (high - low) * roll(d);
}

static double logarithmic(Dice *d, double low, double high) {
  return low * pow(high / low, roll(d));
}

#define PICK(dice, ...)                                                                            \
  pick(dice, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
static double pick(Dice *d, const double *values, gsize n) {
  return values[(gsize)(roll(d) * (double)n)];
}

static FerrySimPattern pattern(Dice *d) {
  double p = roll(d);
  return p < 0.08   ? FERRY_SIM_IDLE
         : p < 0.40 ? FERRY_SIM_UNIFORM
         : p < 0.56 ? FERRY_SIM_CYCLIC
         : p < 0.82 ? FERRY_SIM_SKEWED
                    : FERRY_SIM_PHASED;
}

void ferry_sim_cell(FerrySimCell *cell, guint32 seed) {
  Dice d = {seed * 2246822519u + 374761393u};
  d.state = d.state ? d.state : 1;
  for (int i = 0; i < 8; i++)
    roll(&d);
  *cell = (FerrySimCell){.settings = {.seed = seed}};
  FerrySimLink *l = &cell->link;
  FerrySimGuestSpec *g = &cell->guest;
  FerryConvergenceIntent *want = &cell->intent;
  l->rate = PICK(&d, 0.4, 1, 2, 10) * GBIT;
  l->eps = between(&d, 0.02, 0.035);
  l->efficiency = roll(&d) < 0.15 ? between(&d, 1.5, 3) : 1;
  l->cap = roll(&d) < 0.2 ? l->rate * PICK(&d, 0.3, 0.5, 0.7) : 0;
  double path = (l->cap > 0 ? l->cap : l->rate) * l->efficiency;
  double memory = PICK(&d, 256, 512, 1024, 2048, 4096) * FERRY_MIB_REAL,
         zero = PICK(&d, 0.02, 0.3, 0.6);
  g->memory = memory * (1 - zero);
  g->zero = memory * zero;
  g->pattern = pattern(&d);
  g->vcpus = (int)PICK(&d, 1, 1, 2, 4);
  g->write_rate = logarithmic(&d, 0.1, 3) * path;
  g->working_set = logarithmic(&d, 0.1, 6) * path;
  g->working_set = MIN(g->working_set, 0.8 * g->memory);
  double first = g->memory / path;
  g->busy_s = between(&d, 2, 20);
  g->quiet_s = between(&d, 1, 10);
  if (roll(&d) < 0.15) {
    l->drop_at = between(&d, 0.2, 1.5) * first;
    l->drop_to = between(&d, 0.4, 0.8);
    l->drop_end = l->drop_at + between(&d, 5, 60);
  }
  if (roll(&d) < 0.1) {
    cell->settings.lose_samples = 0.2;
    cell->settings.lose_events = 0.1;
  }
  cell->settings.event_delay_s = PICK(&d, 0.002, 0.005, 0.02, 0.05);
  cell->settings.sample_s = PICK(&d, 0.1, 0.2, 0.25);
  cell->settings.preempt = roll(&d) < 0.5;
  want->max_downtime_ms = (gint64)PICK(&d, 100, 200, 300, 500, 900, 2000);
  want->max_duration_ms = roll(&d) < 0.5 ? 0 : (gint64)((first * PICK(&d, 1.5, 2.5, 5) + 2) * 1000);
  want->max_slowdown_percent = (int)PICK(&d, 0, 30, 60, 99);
  want->allow_post_copy = roll(&d) < 0.3;
  want->allow_workload_disruption = want->allow_post_copy;
  want->switchover_cost_ms = (gint64)ceil(l->eps * 1000);
  want->can_throttle = TRUE;
  want->post_copy_preempt = cell->settings.preempt;
  want->bandwidth_cap = (gint64)l->cap;
  want->link_rate = (gint64)l->rate;
  want->memory_bytes = (gint64)memory;
  if (l->cap > 0 &&
      roll(&d) < 0.5) /* QEMU was told of the link, by half its speed or better known */
    want->switchover_bandwidth = (gint64)(l->rate * PICK(&d, 0.5, 1));
}

FerrySimResult ferry_sim_run_preset(const FerrySimCell *cell, const FerryPreset *preset,
                                    gboolean prior, json_t **history) {
  FerryConvergenceIntent intent = cell->intent;
  FerrySimLink link = cell->link;
  FerrySimSettings settings = cell->settings;
  if (preset->intent) {
    link.told = (double)intent.switchover_bandwidth;
    intent.infeasible_patience_ms = preset->infeasible_patience_ms;
    if (prior) {
      FerrySimGuest g;
      ferry_sim_guest_init(&g, &cell->guest);
      ferry_sim_guest_run(&g, 1, 1);
      intent.prior_seconds = 1;
      for (guint i = 0; i < g.n_classes; i++)
        intent.prior_dirtied += g.classes[i].unsynced;
    }
  } else {
    intent.schedule = &preset->schedule;
    intent.strategy = preset->strategy;
    settings.auto_converge = preset->schedule.auto_converge;
    double cap = (double)preset->schedule.bandwidth;
    if (cap > 0)
      link.cap = link.cap > 0 ? MIN(link.cap, cap) : cap;
  }
  return ferry_sim_migrate(&cell->guest, &link, &settings, &intent, history);
}

gboolean ferry_sim_within(const FerrySimCell *cell, const FerrySimResult *r) {
  const FerryConvergenceIntent *want = &cell->intent;
  return r->outcome == FERRY_SIM_DONE &&
         r->gap <= (double)want->max_downtime_ms / 1000 + TOLERANCE_S &&
         (want->max_duration_ms <= 0 || r->seconds <= (double)want->max_duration_ms / 1000) &&
         r->top_throttle <= want->max_slowdown_percent && (!r->post_copy || want->allow_post_copy);
}

gboolean ferry_sim_same_means(const FerrySimCell *cell, const FerryPreset *preset) {
  if (preset->schedule.auto_converge && cell->intent.max_slowdown_percent <= 0)
    return FALSE;
  for (guint i = 0; i < preset->schedule.n_steps; i++)
    if (preset->schedule.steps[i].action == FERRY_STEP_POSTCOPY && !cell->intent.allow_post_copy)
      return FALSE;
  return TRUE;
}

/* What the hypervisor multiplies a limit with is the wire's rate under the cap. */
static double limit_scale(const FerrySimCell *cell) {
  double wire = cell->link.cap > 0 ? cell->link.cap : cell->link.rate;
  return cell->link.rate * cell->link.efficiency / wire;
}

FerrySimResult ferry_sim_start_low(const FerrySimCell *cell) {
  double max = (double)cell->intent.max_downtime_ms / 1000 - cell->link.eps;
  g_autoptr(FerryConvergence) own = ferry_convergence_new(&cell->intent, 0);
  FerrySchedule low = {.init_downtime_ms = ferry_convergence_downtime_ms(own),
                       .n_steps = 1,
                       .steps = {{.limit = 2,
                                  .action = FERRY_STEP_SET_DOWNTIME,
                                  .value = MAX(1, (gint64)(max * limit_scale(cell) * 1000))}}};
  FerryConvergenceIntent intent = cell->intent;
  FerrySimSettings settings = cell->settings;
  intent.schedule = &low;
  settings.give_up_s = 120 + 3 * ferry_sim_bound(cell);
  return ferry_sim_migrate(&cell->guest, &cell->link, &settings, &intent, NULL);
}

gboolean ferry_sim_feasible(const FerrySimCell *cell, double *least_pause) {
  double best = INFINITY;
  double max = (double)cell->intent.max_downtime_ms / 1000 - cell->link.eps;
  double scale = limit_scale(cell);
  static const double shares[] = {0.05, 0.4, 0.7, 0.97};
  for (int p = 0; p <= cell->intent.max_slowdown_percent; p += 15)
    for (gsize i = 0; i < G_N_ELEMENTS(shares) && max > 0; i++) {
      FerrySchedule fixed = {.init_downtime_ms = MAX(1, (gint64)(max * shares[i] * scale * 1000))};
      FerryConvergenceIntent intent = cell->intent;
      FerrySimSettings settings = cell->settings;
      intent.schedule = &fixed;
      settings.fixed_throttle = p;
      settings.give_up_s = cell->intent.max_duration_ms > 0
                               ? (double)cell->intent.max_duration_ms / 1000 + 0.1
                               : 120;
      FerrySimResult r = ferry_sim_migrate(&cell->guest, &cell->link, &settings, &intent, NULL);
      r.top_throttle = p;
      r.gap = MAX(r.gap, ferry_model_throttle_stall(p / 100.0));
      if (ferry_sim_within(cell, &r))
        best = MIN(best, r.pause);
      if (isfinite(best) && !least_pause)
        return TRUE;
    }
  if (least_pause)
    *least_pause = best;
  return isfinite(best);
}

double ferry_sim_bound(const FerrySimCell *cell) {
  const FerrySimLink *l = &cell->link;
  double wire = l->cap > 0 ? MIN(l->cap, l->rate) : l->rate;
  double seconds = cell->guest.memory / (wire * l->efficiency);
  if (l->drop_to > 0 && l->drop_at < seconds) { /* the drop may lie within the first pass */
    double low = MIN(wire, l->rate * l->drop_to), left = (seconds - l->drop_at) * wire;
    double slow = MIN(left / low, l->drop_end - l->drop_at);
    seconds = l->drop_at + slow + (left - slow * low) / wire;
  }
  return seconds + l->eps;
}
