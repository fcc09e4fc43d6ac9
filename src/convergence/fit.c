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

#define TRUSTED 0.15
#define MAX_FITTED 6
#define NEWER 0.85   /* weight of a round against the next one */
#define CLEARLY 0.6  /* another pattern than uniform must be better by this factor ... */
#define NOTABLE 0.02 /* ... where uniform's own error is above this */
#define TAU_MIN 1e-3
#define TAU_MAX 1e4
#define GRID 36

/* Error of the best W for `tau`, and that W. */
static double error_at(FerryWriterPattern pattern, double tau, const FerryRound *rounds, guint n,
                       double *set) {
  FerryWriter unit = {.pattern = pattern, .working_set = 1, .write_rate = 1 / tau};
  double f[MAX_FITTED], weight[MAX_FITTED], sum = 0, sum2 = 0, total = 0, w = 1;
  for (guint i = n; i-- > 0;) {
    f[i] = MAX(1e-12, ferry_writer_unique(&unit, rounds[i].seconds));
    weight[i] = w;
    w *= NEWER;
    /* least squares of (W f / V - 1) */
    double q = f[i] / rounds[i].dirtied;
    sum += weight[i] * q;
    sum2 += weight[i] * q * q;
    total += weight[i];
  }
  *set = sum / sum2;
  double error = 0;
  for (guint i = 0; i < n; i++) {
    double e = *set * f[i] / rounds[i].dirtied - 1;
    error += weight[i] * e * e;
  }
  return sqrt(error / total);
}

static FerryWriter fit_pattern(FerryWriterPattern pattern, const FerryRound *rounds, guint n) {
  double best = INFINITY, best_tau = 1, set = 0;
  double step = log(TAU_MAX / TAU_MIN) / GRID;
  for (int i = 0; i <= GRID; i++) {
    double tau = TAU_MIN * exp(step * i), error = error_at(pattern, tau, rounds, n, &set);
    /* a long tau means "linear": all of them fit alike, the shortest that does is kept */
    if (error < best - 1e-6) {
      best = error;
      best_tau = tau;
    }
  }
  for (; step > 1e-4; step /= 2)
    for (int side = -1; side <= 1; side += 2) {
      double tau = best_tau * exp(side * step / 2), error = error_at(pattern, tau, rounds, n, &set);
      if (error < best) {
        best = error;
        best_tau = tau;
      }
    }
  best = error_at(pattern, best_tau, rounds, n, &set);
  return (FerryWriter){.pattern = pattern,
                       .working_set = set,
                       .write_rate = set / best_tau,
                       .residual = best,
                       .rounds = n};
}

static gboolean fit_window(FerryWriter *writer, const FerryRound *rounds, guint n) {
  double shortest = INFINITY, longest = 0;
  for (guint i = 0; i < n; i++) {
    shortest = MIN(shortest, rounds[i].seconds);
    longest = MAX(longest, rounds[i].seconds);
  }
  if (n < 2 || longest < 1.05 * shortest)
    return FALSE;
  *writer = fit_pattern(FERRY_WRITER_UNIFORM, rounds, n);
  if (n < 3 || writer->residual < NOTABLE)
    return TRUE;
  static const FerryWriterPattern others[] = {FERRY_WRITER_CYCLIC, FERRY_WRITER_SKEWED};
  double bar = writer->residual * CLEARLY;
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    FerryWriter other = fit_pattern(others[i], rounds, n);
    if (other.residual < MIN(bar, writer->residual))
      *writer = other;
  }
  return TRUE;
}

gboolean ferry_writer_fit(FerryWriter *writer, const FerryRound *rounds, guint n) {
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
    FerryWriter tried;
    if (!fit_window(&tried, used + from, count - from))
      break;
    if (!found || tried.residual < writer->residual)
      *writer = tried;
    found = TRUE;
    if (writer->residual <= TRUSTED)
      break;
  }
  return found;
}
