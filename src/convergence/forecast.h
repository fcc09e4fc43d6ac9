// SPDX-License-Identifier: Apache-2.0
// What a migration will cost, strategy by strategy, before it has begun. Pure.
#pragma once
#include "convergence/model.h"
#include "convergence/types.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_FORECAST_PRECOPY,          /* with the limit that costs the least */
  FERRY_FORECAST_THROTTLE,         /* the same with the guest slowed as little as will do */
  FERRY_FORECAST_SUSPEND,          /* paused after the first pass */
  FERRY_FORECAST_POSTCOPY,         /* post-copy after the first pass */
  FERRY_FORECAST_POSTCOPY_AT_ONCE, /* post-copy from the start */
} FerryForecastKind;

#define FERRY_FORECASTS 5

/** In such steps a slow-down is tried. */
#define FERRY_THROTTLE_STEP 0.05

/** "pre-copy", "throttle", "suspend-after-pass", "post-copy-after-pass", "post-copy-at-once". */
const char *ferry_forecast_name(FerryForecastKind kind);

/** What is asked for and allowed. */
typedef struct {
  double bytes;        /* non-zero memory of the guest */
  double max_downtime; /* seconds */
  double max_duration; /* seconds; 0: whenever */
  double max_slowdown; /* 0..1; 0: no throttle */
  gboolean post_copy;  /* allowed */
  gboolean preempt;    /* requested pages overtake the stream */
  FerryPrefer prefer;
} FerryForecastWish;
/** What an intent wishes of a guest with `bytes` of memory to be moved. */
FerryForecastWish ferry_forecast_wish(const FerryConvergenceIntent *intent, double bytes);

typedef struct {
  FerryForecastKind kind;
  FerryOption cost;   /* of the whole migration, from its start */
  gboolean permitted; /* the wish lets it be used */
  gboolean within;    /* ... and it keeps the wish */
} FerryForecast;

/** Fills `out`, one entry per kind in their order. `writer` comes from measured dirty rates (two
 * periods of different length, see ferry_writer_fit). A strategy that never ends has INFINITY as
 * its seconds. */
void ferry_forecast(const FerryWriter *writer, const FerryPath *path, const FerryForecastWish *wish,
                    FerryForecast out[FERRY_FORECASTS]);

/** How far off what is known may be: shares of the guest's rate of writing and of the path's. */
typedef struct {
  double writer, path;
} FerryForecastDoubt;

/** What half and 95 of 100 guests such as this one would keep. INFINITY: more of them than that
 * would not keep the wish at all. */
typedef struct {
  double pause_p50, pause_p95, seconds_p50, seconds_p95;
  double within; /* share of those that keep the wish, 0..1 */
} FerryForecastSpread;

/** The same for guests and paths about what is known (`doubt`: within that with 95 %), and for each
 * pattern of writing, as two periods can't tell them apart: of each the end that would be chosen.
 */
void ferry_forecast_spread(const FerryWriter *writer, const FerryPath *path,
                           const FerryForecastWish *wish, const FerryForecastDoubt *doubt,
                           FerryForecastSpread *out);
/** The end that keeps the wish and costs the least; NULL: none does. */
const FerryForecast *ferry_forecast_best(const FerryForecast all[FERRY_FORECASTS],
                                         const FerryForecastWish *wish);

G_END_DECLS
