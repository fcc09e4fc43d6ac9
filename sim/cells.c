// SPDX-License-Identifier: Apache-2.0
// Cells drawn from a seed.
//
// Theory of operation: what matters of a guest is its write rate against the path's rate and the
// time its working set takes on the path, so these ratios are drawn, not the absolute numbers:
// every link then meets guests that converge at once, hardly, and never.
#include "sim/cells.h"
#include "base/quantity.h"
#include "sim/dice.h"
#include <string.h>

#define XBZRLE_CACHE (64 * FERRY_MIB_REAL) /* QEMU's default */
#define TOLERANCE_S 0.005                  /* of a measured pause */

static FerrySimPattern cells_pattern(FerrySimDice *d) {
  double p = ferry_sim_dice_roll(d);
  return p < 0.08   ? FERRY_SIM_IDLE
         : p < 0.40 ? FERRY_SIM_UNIFORM
         : p < 0.56 ? FERRY_SIM_CYCLIC
         : p < 0.82 ? FERRY_SIM_SKEWED
                    : FERRY_SIM_PHASED;
}

void ferry_sim_cell(FerrySimCell *cell, guint32 seed) {
  FerrySimDice d = ferry_sim_dice(seed);
  *cell = (FerrySimCell){.settings = {.seed = seed}, .spare = -1};
  FerrySimLink *l = &cell->link;
  FerrySimGuestSpec *g = &cell->guest;
  FerryConvergenceIntent *want = &cell->intent;
  l->rate = FERRY_SIM_PICK(&d, 0.4, 1, 2, 10) * FERRY_SIM_GBIT;
  l->eps = ferry_sim_dice_between(&d, 0.02, 0.035);
  l->efficiency = ferry_sim_dice_roll(&d) < 0.15 ? ferry_sim_dice_between(&d, 1.5, 3) : 1;
  l->cap = ferry_sim_dice_roll(&d) < 0.2 ? l->rate * FERRY_SIM_PICK(&d, 0.3, 0.5, 0.7) : 0;
  double path = (l->cap > 0 ? l->cap : l->rate) * l->efficiency;
  double memory = FERRY_SIM_PICK(&d, 256, 512, 1024, 2048, 4096) * FERRY_MIB_REAL,
         zero = FERRY_SIM_PICK(&d, 0.02, 0.3, 0.6);
  g->memory = memory * (1 - zero);
  g->zero = memory * zero;
  g->pattern = cells_pattern(&d);
  g->vcpus = (int)FERRY_SIM_PICK(&d, 1, 1, 2, 4);
  g->write_rate = ferry_sim_dice_logarithmic(&d, 0.1, 3) * path;
  g->working_set = ferry_sim_dice_logarithmic(&d, 0.1, 6) * path;
  g->working_set = MIN(g->working_set, 0.8 * g->memory);
  double first = g->memory / path;
  g->busy_s = ferry_sim_dice_between(&d, 2, 20);
  g->quiet_s = ferry_sim_dice_between(&d, 1, 10);
  if (ferry_sim_dice_roll(&d) < 0.15) {
    l->drop_at = ferry_sim_dice_between(&d, 0.2, 1.5) * first;
    l->drop_to = ferry_sim_dice_between(&d, 0.4, 0.8);
    l->drop_end = l->drop_at + ferry_sim_dice_between(&d, 5, 60);
  }
  if (ferry_sim_dice_roll(&d) < 0.1) {
    cell->settings.lose_samples = 0.2;
    cell->settings.lose_events = 0.1;
  }
  cell->settings.event_delay_s = FERRY_SIM_PICK(&d, 0.002, 0.005, 0.02, 0.05);
  cell->settings.sample_s = FERRY_SIM_PICK(&d, 0.1, 0.2, 0.25);
  cell->settings.preempt = ferry_sim_dice_roll(&d) < 0.5;
  want->max_downtime_ms = (gint64)FERRY_SIM_PICK(&d, 100, 200, 300, 500, 900, 2000);
  want->max_duration_ms = ferry_sim_dice_roll(&d) < 0.5
                              ? 0
                              : (gint64)((first * FERRY_SIM_PICK(&d, 1.5, 2.5, 5) + 2) * 1000);
  want->max_slowdown_percent = (int)FERRY_SIM_PICK(&d, 0, 30, 60, 99);
  want->allow_post_copy = ferry_sim_dice_roll(&d) < 0.3;
  want->allow_workload_disruption = want->allow_post_copy;
  want->switchover_cost_ms = (gint64)ceil(l->eps * 1000);
  want->can_throttle = TRUE;
  want->post_copy_preempt = cell->settings.preempt;
  want->bandwidth_cap = (gint64)l->cap;
  want->link_rate = (gint64)l->rate;
  want->memory_bytes = (gint64)memory;
  if (l->cap > 0 && ferry_sim_dice_roll(&d) <
                        0.5) /* QEMU was told of the link, by half its speed or better known */
    want->switchover_bandwidth = (gint64)(l->rate * FERRY_SIM_PICK(&d, 0.5, 1));
}

/* What was measured for a second before the migration began. */
static void measure_before(const FerrySimCell *cell, FerryConvergenceIntent *intent) {
  FerrySimGuest g;
  ferry_sim_guest_init(&g, &cell->guest);
  ferry_sim_guest_run(&g, 1, ferry_sim_guest_activity(&g, -0.5));
  intent->prior_seconds = 1;
  for (guint i = 0; i < g.n_classes; i++)
    intent->prior_dirtied += g.classes[i].unsynced;
}

/* What xbzrle gains: only what its cache still holds is sent as a difference. A page's place in the
 * cache is its address, so that one who goes round through more than fits finds nothing. */
static double gain_of_cache(const FerrySimCell *cell) {
  if (cell->gain_again <= 0)
    return 0;
  double set = cell->guest.working_set;
  double held = set <= XBZRLE_CACHE                       ? 1
                : cell->guest.pattern == FERRY_SIM_CYCLIC ? 0
                                                          : XBZRLE_CACHE / set;
  return 1 / (1 - held + held / cell->gain_again);
}

static FerryMeansPlace place_of(const FerrySimCell *cell, double cap) {
  const FerrySimLink *l = &cell->link;
  double known = (double)cell->intent.link_rate; /* 0: it is not */
  return (FerryMeansPlace){.wire = cap > 0 && (known <= 0 || cap < known) ? cap : known,
                           .link = known,
                           .eps = l->eps,
                           .spare = cell->spare,
                           .vcpus = MAX(1, cell->guest.vcpus)};
}

/* Means make of the link what they really make of it here. */
static void apply_means(const FerrySimCell *cell, unsigned means, int connections,
                        FerrySimLink *link) {
  FerryMeansPlace place = place_of(cell, link->cap);
  place.link = link->rate;
  place.wire = link->cap > 0 ? MIN(link->cap, link->rate) : link->rate;
  FerryMeansGain gain = {MAX(1, cell->gain), gain_of_cache(cell)};
  FerryMeansCarried c;
  ferry_means_carry(&place, means, connections, &gain, &c);
  if (means & FERRY_MEAN_ZSTD)
    link->efficiency = gain.zstd;
  else if (means & FERRY_MEAN_XBZRLE)
    link->again = gain.xbzrle;
  if (!(means & FERRY_MEAN_ZSTD) || cell->spare < 0)
    return;
  link->press = c.rate;
  link->press_stopped = c.stopped;
  link->stolen = c.stolen;
}

/* What the preset asks for when the migration is started. Several connections exclude post-copy
 * before QEMU 10.1. Where the policy compresses for all, a preset's own adds nothing. */
static void use_means(const FerrySimCell *cell, const FerrySchedule *schedule, FerrySimLink *link,
                      FerryConvergenceIntent *intent) {
  double cap = (double)schedule->bandwidth;
  if (cap > 0)
    link->cap = link->cap > 0 ? MIN(link->cap, cap) : cap;
  if (schedule->connections > 0)
    intent->allow_post_copy = FALSE;
  if (!schedule->compression || link->efficiency > 1)
    return;
  unsigned means = strcmp(schedule->compression, "xbzrle") == 0
                       ? FERRY_MEAN_XBZRLE
                       : FERRY_MEAN_ZSTD | FERRY_MEAN_PARALLEL;
  apply_means(cell, means, schedule->connections, link);
}

/* What the agent chooses before it calls libvirt. `lesson`: what the last move taught; NULL. */
static unsigned cells_choose_means(const FerrySimCell *cell, const FerryLesson *lesson,
                                   FerrySimLink *link, FerryConvergenceIntent *intent) {
  FerryMeansInput in = {.place = place_of(cell, link->cap),
                        .possible = FERRY_MEAN_PARALLEL | FERRY_MEAN_ZSTD | FERRY_MEAN_XBZRLE,
                        .wish = ferry_forecast_wish(intent, cell->guest.memory)};
  FerryMeansChoice choice;
  FerryWriter writer;
  if (cell->spare < 0 || link->efficiency > 1)
    return 0;
  if (intent->allow_post_copy)
    in.possible |= FERRY_MEAN_POST_COPY;
  if (intent->prior_seconds > 0) {
    writer = ferry_writer_guess(intent->prior_seconds, intent->prior_dirtied, in.wish.bytes);
    in.writer = &writer;
  }
  if (lesson) {
    in.gain = lesson->gain;
    in.writer = lesson->writer.rounds ? &lesson->writer : in.writer;
  }
  ferry_means_choose(&in, &choice);
  apply_means(cell, choice.means, choice.connections, link);
  intent->compresses_all = choice.means & FERRY_MEAN_ZSTD;
  if (!(choice.means & FERRY_MEAN_POST_COPY))
    intent->allow_post_copy = FALSE;
  return choice.means;
}

static FerrySimResult run_intent(const FerrySimCell *cell, const FerryPreset *preset,
                                 FerrySimKnown known, const FerryLesson *lesson,
                                 FerryLesson *learnt, json_t **history) {
  FerryConvergenceIntent intent = cell->intent;
  FerrySimLink link = cell->link;
  FerrySimSettings settings = cell->settings;
  settings.learnt = learnt;
  link.told = (double)intent.switchover_bandwidth;
  intent.infeasible_patience_ms = preset->infeasible_patience_ms;
  if (known == FERRY_SIM_KNOWS_RATE)
    measure_before(cell, &intent);
  settings.means = cells_choose_means(cell, lesson, &link, &intent);
  if (lesson)
    ferry_lesson_apply(lesson, &intent);
  return ferry_sim_migrate(&cell->guest, &link, &settings, &intent, history);
}

FerrySimResult ferry_sim_run_preset(const FerrySimCell *cell, const FerryPreset *preset,
                                    FerrySimKnown known, json_t **history) {
  if (preset->intent) {
    FerryLesson lesson = {0};
    FerrySimCell before = *cell;
    if (known == FERRY_SIM_KNOWS_LESSON) {
      before.settings.seed ^= 0x9e3779b9u;
      run_intent(&before, preset, FERRY_SIM_KNOWS_NOTHING, NULL, &lesson, NULL);
    }
    return run_intent(cell, preset, known, lesson.valid ? &lesson : NULL, NULL, history);
  }
  FerryConvergenceIntent intent = cell->intent;
  FerrySimLink link = cell->link;
  FerrySimSettings settings = cell->settings;
  intent.completion_timeout_ms = intent.progress_timeout_ms = 0; /* it has its own */
  intent.schedule = &preset->schedule;
  intent.strategy = preset->strategy;
  settings.auto_converge = preset->schedule.auto_converge;
  use_means(cell, &preset->schedule, &link, &intent);
  return ferry_sim_migrate(&cell->guest, &link, &settings, &intent, history);
}

gboolean ferry_sim_within(const FerrySimCell *cell, const FerrySimResult *r) {
  const FerryConvergenceIntent *want = &cell->intent;
  return r->outcome == FERRY_SIM_DONE &&
         r->gap <= (double)want->max_downtime_ms / 1000 + TOLERANCE_S &&
         (want->max_duration_ms <= 0 || r->seconds <= (double)want->max_duration_ms / 1000) &&
         MAX(r->top_throttle, r->stolen) <= want->max_slowdown_percent &&
         (!r->post_copy || want->allow_post_copy);
}

/* What the hypervisor multiplies a limit with is the wire's rate under the cap. */
static double limit_scale(const FerrySimCell *cell) {
  double wire = cell->link.cap > 0 ? cell->link.cap : cell->link.rate;
  return cell->link.rate * cell->link.efficiency / wire;
}

gboolean ferry_sim_feasible(const FerrySimCell *cell, GArray *runs) {
  gboolean any = FALSE;
  double max = (double)cell->intent.max_downtime_ms / 1000 - cell->link.eps;
  double scale = limit_scale(cell);
  static const double shares[] = {0.05, 0.4, 0.7, 0.97}; /* of the pause that is allowed */
  for (int p = 0; p <= cell->intent.max_slowdown_percent; p += 15)
    for (gsize i = 0; i < G_N_ELEMENTS(shares) && max > 0; i++) {
      FerrySchedule fixed = {.init_downtime_ms = MAX(1, (gint64)(max * shares[i] * scale * 1000))};
      FerryConvergenceIntent intent = cell->intent;
      FerrySimSettings settings = cell->settings;
      intent.schedule = &fixed;
      settings.fixed_throttle = p;
      settings.give_up_s = cell->intent.max_duration_ms > 0
                               ? (double)cell->intent.max_duration_ms / 1000 + 0.1
                               : MAX(120, 4 * ferry_sim_bound(cell));
      FerrySimResult r = ferry_sim_migrate(&cell->guest, &cell->link, &settings, &intent, NULL);
      r.top_throttle = p;
      r.gap = MAX(r.gap, ferry_model_throttle_stall(p / 100.0));
      any |= ferry_sim_within(cell, &r);
      if (runs)
        g_array_append_val(runs, r);
      else if (any)
        return TRUE;
    }
  return any;
}

double ferry_sim_bound(const FerrySimCell *cell) {
  const FerrySimLink *l = &cell->link;
  return ferry_sim_link_sending_capped(l, 0, cell->guest.memory / l->efficiency) + l->eps;
}
