// SPDX-License-Identifier: Apache-2.0
// The cells that presets are judged on.
//
// Theory of operation: as in cells.c ratios are drawn, not absolute numbers. Guests have 1 to 4 GiB
// and every way of writing; links hold, halve for good, are shared for a while, lose packets or are
// capped. The intent gets what Ferry knows with its defaults: no switch-over cost (so it takes 30
// ms for it), of the link's rate nothing, what the card is called, or what an earlier migration
// carried, and no throttle, as allowMonitorCommands is off. Half of the wishes have no duration:
// there each rival's rules can run to their own end.
#include "base/quantity.h"
#include "sim/cells.h"
#include "sim/dice.h"

#define CALLED (1514.0 / 1448) /* what a card is called by what it carries */
#define COMPLETION_S 150       /* per GiB, KubeVirt's and Ferry's default */
#define PROGRESS_S 150
#define GIVE_UP_S 7200 /* longer than any rule */

static void draw_guest(FerrySimGuestSpec *g, FerrySimDice *d, double path) {
  double memory = FERRY_SIM_PICK(d, 1024, 2048, 3072, 4096) * FERRY_MIB_REAL;
  double zero = FERRY_SIM_PICK(d, 0, 0.1, 0.3);
  g->memory = memory * (1 - zero);
  g->zero = memory * zero;
  g->pattern = (FerrySimPattern)(ferry_sim_dice_roll(d) * FERRY_SIM_PATTERNS);
  g->vcpus = (int)FERRY_SIM_PICK(d, 1, 1, 2, 4);
  g->write_rate = ferry_sim_dice_logarithmic(d, 0.1, 3) * path;
  g->working_set = MIN(ferry_sim_dice_logarithmic(d, 0.1, 6) * path, 0.8 * g->memory);
  gboolean burst = g->pattern == FERRY_SIM_BURSTY;
  g->busy_s = burst ? ferry_sim_dice_between(d, 0.2, 2) : ferry_sim_dice_between(d, 2, 20);
  g->quiet_s = burst ? ferry_sim_dice_between(d, 0.5, 5) : ferry_sim_dice_between(d, 1, 10);
  if (g->pattern == FERRY_SIM_CALMING)
    g->busy_s = ferry_sim_dice_between(d, 0.3, 3) * g->memory / path;
}

static const char *draw_link(FerrySimLink *l, FerrySimDice *d) {
  l->rate = FERRY_SIM_PICK(d, 0.4, 1, 2, 10) * FERRY_SIM_GBIT;
  l->eps = ferry_sim_dice_between(d, 0.02, 0.035);
  l->efficiency = 1;
  double kind = ferry_sim_dice_roll(d);
  if (kind < 0.4)
    return "steady";
  if (kind < 0.6) {
    l->cap = l->rate * FERRY_SIM_PICK(d, 0.3, 0.5, 0.7);
    return "capped";
  }
  if (kind < 0.8) {
    l->wave_s = ferry_sim_dice_between(d, 0.2, 1);
    l->wave_least = ferry_sim_dice_between(d, 0.5, 0.8);
    return "loses packets";
  }
  l->drop_to = 0.5;
  l->drop_at = ferry_sim_dice_between(d, 0.2, 1.5); /* passes; seconds once the guest is known */
  l->drop_end = kind < 0.9 ? INFINITY : l->drop_at + ferry_sim_dice_between(d, 0.5, 2);
  return kind < 0.9 ? "halves" : "shared";
}

static void draw_wish(FerryConvergenceIntent *want, FerrySimDice *d, double first) {
  want->max_downtime_ms = (gint64)FERRY_SIM_PICK(d, 100, 200, 300, 500, 900, 2000);
  want->max_duration_ms = ferry_sim_dice_roll(d) < 0.5
                              ? 0
                              : (gint64)((first * FERRY_SIM_PICK(d, 1.5, 2.5, 5, 20) + 2) * 1000);
  want->max_slowdown_percent = (int)FERRY_SIM_PICK(d, 0, 20, 30, 60);
  want->allow_post_copy = want->allow_workload_disruption = ferry_sim_dice_roll(d) < 0.3;
}

/* What the agent can tell the controller. */
static void draw_knowledge(FerrySimCell *cell, FerrySimDice *d) {
  FerryConvergenceIntent *want = &cell->intent;
  double source = ferry_sim_dice_roll(d), carried = ferry_sim_dice_between(d, 0.85, 1);
  want->post_copy_preempt = cell->settings.preempt;
  want->bandwidth_cap = (gint64)cell->link.cap;
  want->link_rate = source < 0.34   ? 0
                    : source < 0.67 ? (gint64)(cell->link.rate * CALLED)
                                    : (gint64)(cell->link.rate * carried);
  want->memory_bytes = (gint64)(cell->guest.memory + cell->guest.zero);
  want->completion_timeout_ms =
      (gint64)(COMPLETION_S * 1000 * (double)want->memory_bytes / (double)FERRY_GIB);
  want->progress_timeout_ms = PROGRESS_S * 1000;
}

void ferry_sim_judged_cell(FerrySimCell *cell, guint32 seed) {
  FerrySimDice d = ferry_sim_dice(seed ^ 0x5bd1e995u);
  *cell = (FerrySimCell){.settings = {.seed = seed, .give_up_s = GIVE_UP_S}};
  FerrySimLink *l = &cell->link;
  cell->path = draw_link(l, &d);
  double path = l->cap > 0 ? l->cap : l->rate;
  draw_guest(&cell->guest, &d, path);
  double first = cell->guest.memory / path;
  l->drop_at *= first;
  l->drop_end *= first;
  cell->gain = FERRY_SIM_PICK(&d, 1, 1.5, 2.5, 3.6);      /* incompressible to what VEP 246 saw */
  cell->gain_again = FERRY_SIM_PICK(&d, 0.95, 1, 2.5, 8); /* all of a page, a tenth, one word */
  if (ferry_sim_dice_roll(&d) < 0.1) {
    cell->settings.lose_samples = 0.2;
    cell->settings.lose_events = 0.1;
  }
  cell->settings.event_delay_s = FERRY_SIM_PICK(&d, 0.002, 0.005, 0.02, 0.05);
  cell->settings.sample_s = FERRY_SIM_PICK(&d, 0.05, 0.1);
  cell->settings.preempt = ferry_sim_dice_roll(&d) < 0.5;
  draw_wish(&cell->intent, &d, first);
  draw_knowledge(cell, &d);
  cell->spare = FERRY_SIM_PICK(&d, 0.5, 1, 2, 4, 8);
}
