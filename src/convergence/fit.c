// SPDX-License-Identifier: Apache-2.0
// Learning a guest's working set and write rate from the passes of its migration.
//
// Theory of operation: for a given time constant tau = W/w the unique bytes are W f(t/tau) with a
// known f, so the best W is a weighted mean of V_i / f_i and only tau has to be searched: a coarse
// logarithmic grid, then a narrowing around its best point. Errors are relative, because passes
// differ by orders of magnitude. The pattern with the smallest error wins, the uniform one by
// default.
#include "convergence/model.h"
#include <math.h>

#define GUESSED 0.5 /* residual of what was not fitted: never trusted */
#define MAX_FITTED 8
#define NEWER 0.9    /* weight of a round against the next one */
#define CLEARLY 0.6  /* another pattern than uniform must be better by this factor ... */
#define NOTABLE 0.02 /* ... where uniform's own error is above this */
#define TAU_MIN 1e-3
#define TAU_MAX 1e4
#define GRID 36

typedef struct {
  const FerryRound *all;
  guint n;
  double memory;
} Rounds;

/* Error of the best W for `tau`, and that W. A random page is among the `rest` with the chance
 * rest/W, so a round adds f (W - rest) to it: still linear in W. */
static double error_at(FerryWriterPattern pattern, double tau, const Rounds *r, double *set) {
  FerryWriter unit = {.pattern = pattern, .working_set = 1, .write_rate = 1 / tau};
  double f[MAX_FITTED] = {0}, weight[MAX_FITTED] = {0}, scale[MAX_FITTED] = {0};
  double sum = 0, sum2 = 0, total = 0, newer = 1, error = 0;
  for (guint i = r->n; i-- > 0; newer *= NEWER) {
    const FerryRound *round = &r->all[i];
    f[i] = MAX(1e-12, ferry_writer_unique(&unit, round->seconds));
    scale[i] = MAX(round->dirtied, 0.05 * round->rest);
    /* what is found by subtracting a large rest is not exact */
    weight[i] = newer * round->dirtied / (round->dirtied + round->rest);
    sum += weight[i] * f[i] * (round->dirtied + f[i] * round->rest) / (scale[i] * scale[i]);
    sum2 += weight[i] * f[i] * f[i] / (scale[i] * scale[i]);
    total += weight[i];
  }
  *set = MIN(sum / sum2, r->memory);
  for (guint i = 0; i < r->n; i++) {
    double e = (f[i] * (*set - r->all[i].rest) - r->all[i].dirtied) / scale[i];
    error += weight[i] * e * e;
  }
  return sqrt(error / total);
}

static FerryWriter fit_pattern(FerryWriterPattern pattern, const Rounds *r) {
  double best = INFINITY, best_tau = 1, set = 0;
  double step = log(TAU_MAX / TAU_MIN) / GRID;
  for (int i = 0; i <= GRID; i++) {
    double tau = TAU_MIN * exp(step * i), error = error_at(pattern, tau, r, &set);
    /* a long tau means "linear": all of them fit alike, the shortest that does is kept */
    if (error < best - 1e-6) {
      best = error;
      best_tau = tau;
    }
  }
  for (; step > 1e-4; step /= 2)
    for (int side = -1; side <= 1; side += 2) {
      double tau = best_tau * exp(side * step / 2), error = error_at(pattern, tau, r, &set);
      if (error < best) {
        best = error;
        best_tau = tau;
      }
    }
  best = error_at(pattern, best_tau, r, &set);
  return (FerryWriter){.pattern = pattern,
                       .working_set = set,
                       .write_rate = set / best_tau,
                       .residual = best,
                       .rounds = r->n};
}

static gboolean fit_window(FerryWriter *writer, const Rounds *r) {
  double shortest = INFINITY, longest = 0;
  for (guint i = 0; i < r->n; i++) {
    shortest = MIN(shortest, r->all[i].seconds);
    longest = MAX(longest, r->all[i].seconds);
  }
  if (r->n < 2 || longest < 1.05 * shortest)
    return FALSE;
  *writer = fit_pattern(FERRY_WRITER_UNIFORM, r);
  if (r->n < 3 || writer->residual < NOTABLE)
    return TRUE;
  static const FerryWriterPattern others[] = {FERRY_WRITER_CYCLIC, FERRY_WRITER_SKEWED};
  double bar = writer->residual * CLEARLY;
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    FerryWriter other = fit_pattern(others[i], r);
    if (other.residual < MIN(bar, writer->residual))
      *writer = other;
  }
  return TRUE;
}

gboolean ferry_writer_fit_as(FerryWriter *writer, FerryWriterPattern pattern,
                             const FerryRound *rounds, guint n, double memory) {
  Rounds r = {rounds + (n > 2 ? n - 2 : 0), MIN(n, 2), memory};
  for (guint i = 0; i < r.n; i++)
    if (r.all[i].seconds <= 0 || r.all[i].dirtied <= 0)
      return FALSE;
  if (r.n < 2)
    return FALSE;
  *writer = fit_pattern(pattern, &r);
  return TRUE;
}

FerryWriter ferry_writer_guess(double seconds, double dirtied, double memory) {
  if (seconds <= 0 || dirtied <= 0)
    return (FerryWriter){.pattern = FERRY_WRITER_IDLE, .rounds = seconds > 0};
  double set = MIN(memory, dirtied / -expm1(-1));
  return (FerryWriter){.pattern = FERRY_WRITER_UNIFORM,
                       .working_set = set,
                       .write_rate = set / seconds,
                       .residual = GUESSED,
                       .rounds = 1};
}

gboolean ferry_writer_fit(FerryWriter *writer, const FerryRound *rounds, guint n, double memory) {
  FerryRound used[MAX_FITTED];
  guint count = 0, idle = 0;
  for (guint i = n > MAX_FITTED ? n - MAX_FITTED : 0; i < n; i++)
    if (rounds[i].seconds > 0 && rounds[i].dirtied > 0)
      used[count++] = rounds[i];
    else
      idle++;
  if (count == 0 && idle > 0) {
    *writer = (FerryWriter){.pattern = FERRY_WRITER_IDLE, .rounds = idle};
    return TRUE;
  }
  gboolean found = FALSE;
  for (guint from = 0; from + 2 <= count; from++) {
    Rounds r = {used + from, count - from, memory};
    FerryWriter tried;
    if (!fit_window(&tried, &r))
      break;
    if (!found || tried.residual < writer->residual)
      *writer = tried;
    found = TRUE;
    if (writer->residual <= FERRY_TRUSTED)
      break;
  }
  return found;
}
