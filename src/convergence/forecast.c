// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the first pass is the same for every strategy that has one: `bytes` at the
// path's rate, and U(that time) bytes are left over. From there each is priced by the model, and
// the pass is added. A forecast for many guests is made for each point of a grid of quantiles.
#include "convergence/forecast.h"
#include <math.h>
#include <stdlib.h>

#define HORIZON_S 3600.0

const char *ferry_forecast_name(FerryForecastKind kind) {
  static const char *const names[FERRY_FORECASTS] = {"pre-copy", "throttle", "suspend-after-pass",
                                                     "post-copy-after-pass", "post-copy-at-once"};
  return names[kind];
}

#define LIMITS 16
#define LEAST_LIMIT 0.005

static FerryOption after_pass(FerryOption o, double seconds, double bytes) {
  o.seconds += seconds;
  o.bytes += bytes;
  return o;
}

static gboolean forecast_within(const FerryForecastWish *wish, const FerryOption *o) {
  return isfinite(o->seconds) && o->pause <= wish->max_downtime &&
         (wish->max_duration <= 0 || o->seconds <= wish->max_duration);
}

/* The least throttle that keeps the wish, else the strongest one that is allowed. The first pass
 * is never throttled: only what it shows justifies one. */
static FerryOption forecast_throttled(const FerryWriter *writer, const FerryPath *path,
                                      const FerryForecastWish *wish, double first, double left,
                                      double limit) {
  FerryOption o = {.kind = FERRY_OPTION_THROTTLE, .seconds = INFINITY};
  double most = MIN(wish->max_slowdown, wish->max_downtime / (wish->max_downtime + 0.01));
  for (double p = FERRY_THROTTLE_STEP; p <= most + 1e-9; p += FERRY_THROTTLE_STEP) {
    o = after_pass(ferry_model_precopy(writer, path, left, limit, p, HORIZON_S), first,
                   wish->bytes);
    if (forecast_within(wish, &o))
      break;
  }
  return o;
}

/* The limit that costs the least, at most late by what the preference allows. */
static FerryOption forecast_precopy(const FerryWriter *writer, const FerryPath *path,
                                    const FerryForecastWish *wish, double first, double left,
                                    double top) {
  FerryOption all[LIMITS], best;
  double low = MIN(top, LEAST_LIMIT), earliest = INFINITY;
  for (int i = 0; i < LIMITS; i++) {
    double limit = low * pow(top / low, (double)i / (LIMITS - 1));
    all[i] = after_pass(ferry_model_precopy(writer, path, left, limit, 0, HORIZON_S), first,
                        wish->bytes);
    earliest = MIN(earliest, all[i].seconds);
  }
  best = all[LIMITS - 1];
  for (int i = LIMITS - 1; i >= 0; i--)
    if (isfinite(all[i].seconds) &&
        all[i].seconds <= (1 + ferry_prefer_slack(wish->prefer)) * earliest + 1e-9 &&
        (!isfinite(best.seconds) || ferry_prefer_cost(wish->prefer, all[i].lost, all[i].seconds) <
                                        ferry_prefer_cost(wish->prefer, best.lost, best.seconds)))
      best = all[i];
  return best;
}

FerryForecastWish ferry_forecast_wish(const FerryConvergenceIntent *intent, double bytes) {
  return (FerryForecastWish){.bytes = bytes,
                             .max_downtime = (double)intent->max_downtime_ms / 1000,
                             .max_duration = (double)intent->max_duration_ms / 1000,
                             .max_slowdown = (double)intent->max_slowdown_percent / 100,
                             .post_copy = intent->allow_post_copy,
                             .preempt = intent->post_copy_preempt,
                             .prefer = intent->prefer};
}

void ferry_forecast(const FerryWriter *writer, const FerryPath *path, const FerryForecastWish *wish,
                    FerryForecast out[FERRY_FORECASTS]) {
  double first = path->rate > 0 ? wish->bytes / path->rate : INFINITY;
  double left = ferry_writer_unique(writer, first);
  double limit = MAX(0.001, wish->max_downtime - path->eps);
  FerryOption costs[FERRY_FORECASTS] = {
      forecast_precopy(writer, path, wish, first, left, limit),
      forecast_throttled(writer, path, wish, first, left, limit),
      after_pass(ferry_model_suspend(path, left), first, wish->bytes),
      after_pass(ferry_model_postcopy(path, left, writer->working_set, wish->preempt), first,
                 wish->bytes),
      ferry_model_postcopy(path, wish->bytes, writer->working_set, wish->preempt)};
  for (int i = 0; i < FERRY_FORECASTS; i++) {
    gboolean post_copy = i >= FERRY_FORECAST_POSTCOPY;
    out[i] = (FerryForecast){.kind = (FerryForecastKind)i, .cost = costs[i]};
    out[i].permitted =
        (!post_copy || wish->post_copy) && (i != FERRY_FORECAST_THROTTLE || wish->max_slowdown > 0);
    out[i].within = out[i].permitted && forecast_within(wish, &costs[i]);
  }
}

const FerryForecast *ferry_forecast_best(const FerryForecast all[FERRY_FORECASTS],
                                         const FerryForecastWish *wish) {
  const FerryForecast *best = NULL;
  for (int i = 0; i < FERRY_FORECASTS; i++)
    if (all[i].within &&
        (!best || ferry_prefer_cost(wish->prefer, all[i].cost.lost, all[i].cost.seconds) <
                      ferry_prefer_cost(wish->prefer, best->cost.lost, best->cost.seconds)))
      best = &all[i];
  return best;
}

/* Means of five equal parts of a normal distribution, in halves of what 95 % lie within. */
static const double rate_quantiles[] = {-0.70, -0.27, 0, 0.27, 0.70};
#define QUANTILES ((int)G_N_ELEMENTS(rate_quantiles))
#define PATTERNS 3
#define SPREAD (QUANTILES * QUANTILES * PATTERNS)

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void ferry_forecast_spread(const FerryWriter *writer, const FerryPath *path,
                           const FerryForecastWish *wish, const FerryForecastDoubt *doubt,
                           FerryForecastSpread *out) {
  static const FerryWriterPattern patterns[PATTERNS] = {FERRY_WRITER_UNIFORM, FERRY_WRITER_CYCLIC,
                                                        FERRY_WRITER_SKEWED};
  double pauses[SPREAD] = {0}, seconds[SPREAD] = {0};
  int n = 0, within = 0;
  for (int i = 0; i < SPREAD; i++) {
    FerryWriter w = *writer;
    FerryPath p = *path;
    FerryForecast all[FERRY_FORECASTS];
    if (w.pattern != FERRY_WRITER_IDLE)
      w.pattern = patterns[i % PATTERNS];
    w.write_rate *= MAX(0, 1 + doubt->writer * rate_quantiles[i / PATTERNS % QUANTILES]);
    double share = MAX(0.05, 1 + doubt->path * rate_quantiles[i / PATTERNS / QUANTILES]);
    p.rate *= share;
    p.switch_rate *= share;
    ferry_forecast(&w, &p, wish, all);
    const FerryForecast *best = ferry_forecast_best(all, wish);
    pauses[n] = best ? best->cost.pause : INFINITY;
    seconds[n++] = best ? best->cost.seconds : INFINITY;
    within += best != NULL;
  }
  qsort(pauses, (size_t)n, sizeof(double), by_value);
  qsort(seconds, (size_t)n, sizeof(double), by_value);
  int half = n / 2, most = (int)ceil(0.95 * n) - 1;
  *out = (FerryForecastSpread){pauses[half], pauses[most], seconds[half], seconds[most],
                               (double)within / n};
}
