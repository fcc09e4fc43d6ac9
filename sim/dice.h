// SPDX-License-Identifier: Apache-2.0
// What cells are drawn with: the same numbers for the same seed, on every machine.
#pragma once
#include <glib.h>
#include <math.h>

typedef struct {
  guint32 state;
} FerrySimDice;

/** 0 to 1. */
static inline double ferry_sim_dice_roll(FerrySimDice *d) {
  d->state ^= d->state << 13;
  d->state ^= d->state >> 17;
  d->state ^= d->state << 5;
  return d->state / 4294967296.0;
}

static inline FerrySimDice ferry_sim_dice(guint32 seed) {
  FerrySimDice d = {seed * 2246822519u + 374761393u};
  d.state = d.state ? d.state : 1;
  for (int i = 0; i < 8; i++)
    ferry_sim_dice_roll(&d);
  return d;
}

static inline double ferry_sim_dice_between(FerrySimDice *d, double low, double high) {
  return low + (high - low) * ferry_sim_dice_roll(d);
}

/** As many between 1 and 2 as between 2 and 4. */
static inline double ferry_sim_dice_logarithmic(FerrySimDice *d, double low, double high) {
  return low * pow(high / low, ferry_sim_dice_roll(d));
}

static inline double ferry_sim_dice_pick(FerrySimDice *d, const double *values, gsize n) {
  return values[(gsize)(ferry_sim_dice_roll(d) * (double)n)];
}
/** One of the numbers that follow. */
#define FERRY_SIM_PICK(dice, ...)                                                                  \
  ferry_sim_dice_pick(dice, (const double[]){__VA_ARGS__},                                         \
                      sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
