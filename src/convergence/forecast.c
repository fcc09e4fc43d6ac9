// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the first pass is the same for every strategy that has one: `bytes` at the
// path's rate, and U(that time) bytes are left over. From there each is priced by the model, and
// the pass is added.
#include "convergence/forecast.h"
#include <math.h>

#define HORIZON_S 3600.0

const char *ferry_forecast_name(FerryForecastKind kind) {
  static const char *const names[FERRY_FORECASTS] = {"pre-copy", "throttle", "suspend-after-pass",
                                                     "post-copy-after-pass", "post-copy-at-once"};
  return names[kind];
}

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

void ferry_forecast(const FerryWriter *writer, const FerryPath *path, const FerryForecastWish *wish,
                    FerryForecast out[FERRY_FORECASTS]) {
  double first = path->rate > 0 ? wish->bytes / path->rate : INFINITY;
  double left = ferry_writer_unique(writer, first);
  double limit = MAX(0.001, wish->max_downtime - path->eps);
  FerryOption costs[FERRY_FORECASTS] = {
      after_pass(ferry_model_precopy(writer, path, left, limit, 0, HORIZON_S), first, wish->bytes),
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
