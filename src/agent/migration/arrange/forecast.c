// SPDX-License-Identifier: Apache-2.0
// What a migration would cost, before anybody starts one: the model prices each strategy for the
// guest and the path as they were measured, and once more for a guest and a path that are somewhat
// better and somewhat worse, which gives the ranges.
#include "agent/migration/arrange/forecast.h"
#include "base/quantity.h"
#include "convergence/forecast.h"
#include <math.h>

static void put_seconds(json_t *object, const char *key, double seconds) {
  if (isfinite(seconds) && seconds >= 0 && seconds < FERRY_LONGEST_S)
    ferry_json_set_int(object, key, (gint64)llround(seconds * 1000));
}

/* The least and the most of a figure over all that was reckoned; no most where one never ends. */
static void put_range(json_t *object, const char *key, double a, double b, double c) {
  g_autofree char *low = g_strdup_printf("%sMinMs", key), *high = g_strdup_printf("%sMaxMs", key);
  put_seconds(object, low, MIN(a, MIN(b, c)));
  put_seconds(object, high, MAX(a, MAX(b, c)));
}

/* A figure that is no time: `unit` ends its names. */
static void put_figure(json_t *object, const char *key, const char *unit, const double values[3]) {
  static const char *const which[] = {"", "Min", "Max"};
  double least = MIN(values[0], MIN(values[1], values[2]));
  double most = MAX(values[0], MAX(values[1], values[2]));
  const double put[] = {values[0], least, most};
  for (gsize i = 0; i < G_N_ELEMENTS(put); i++) {
    g_autofree char *name = g_strconcat(key, which[i], unit, NULL);
    if (isfinite(put[i]) && put[i] >= 0 && put[i] < 9e18)
      ferry_json_set_int(object, name, (gint64)llround(put[i]));
  }
}

static json_t *forecast_strategy(const FerryForecast *f, const FerryForecast *better,
                                 const FerryForecast *worse) {
  const FerryOption *o = &f->cost, *low = &better->cost, *high = &worse->cost;
  json_t *out = json_object();
  ferry_json_set_str(out, "name", ferry_forecast_name(f->kind));
  ferry_json_set_bool(out, "permitted", f->permitted);
  ferry_json_set_bool(out, "withinIntent", f->within);
  if (!isfinite(o->seconds))
    return out; /* it never ends: no numbers */
  put_seconds(out, "totalMs", o->seconds);
  put_seconds(out, "downtimeMs", o->pause);
  put_seconds(out, "lostMs", o->lost);
  put_range(out, "total", low->seconds, o->seconds, high->seconds);
  put_range(out, "downtime", low->pause, o->pause,
            isfinite(high->seconds) ? high->pause : o->pause);
  put_range(out, "lost", low->lost, o->lost, isfinite(high->seconds) ? high->lost : INFINITY);
  gboolean ends = isfinite(high->seconds);
  put_figure(out, "data", "Bytes", (double[]){o->bytes, low->bytes, ends ? high->bytes : INFINITY});
  if (o->throttle > 0 || (ends && high->throttle > 0))
    put_figure(
        out, "throttle", "Percent",
        (double[]){100 * o->throttle, 100 * low->throttle, ends ? 100 * high->throttle : INFINITY});
  return out;
}

/* What half and 95 of 100 would keep; a figure that more than those miss is left out. */
static void put_spread(json_t *out, const FerryForecastSpread *s) {
  put_seconds(out, "totalP50Ms", s->seconds_p50);
  put_seconds(out, "totalP95Ms", s->seconds_p95);
  put_seconds(out, "downtimeP50Ms", s->pause_p50);
  put_seconds(out, "downtimeP95Ms", s->pause_p95);
  ferry_json_set_int(out, "withinPercent", (gint64)floor(100 * s->within));
}

static void forecast_reckon(FerryWriter writer, FerryPath path, const FerryForecastWish *wish,
                            double faster, double quicker, FerryForecast all[FERRY_FORECASTS]) {
  writer.write_rate *= faster;
  path.rate *= quicker;
  path.switch_rate *= quicker;
  ferry_forecast(&writer, &path, wish, all);
}

json_t *ferry_migration_forecast_json(const FerryConvergenceIntent *intent,
                                      const FerryMeasured *measured) {
  double bytes = (double)intent->memory_bytes;
  if (measured->resident > 0)
    bytes = MIN(bytes, (double)measured->resident);
  FerryPathSource from;
  FerryWriter writer = ferry_measured_writer(measured, bytes);
  FerryPath path = ferry_measured_path(measured, intent, &from);
  FerryForecastWish wish = ferry_forecast_wish(intent, bytes);
  double doubt = ferry_measured_doubt(&writer);
  double path_doubt = ferry_path_source_doubt(from);
  FerryForecast all[FERRY_FORECASTS], better[FERRY_FORECASTS], worse[FERRY_FORECASTS];
  forecast_reckon(writer, path, &wish, 1, 1, all);
  forecast_reckon(writer, path, &wish, 1 - doubt, 1 + path_doubt, better);
  forecast_reckon(writer, path, &wish, 1 + doubt, 1 - path_doubt, worse);
  json_t *out = json_object(), *list = json_array();
  for (int i = 0; i < FERRY_FORECASTS; i++)
    json_array_append_new(list, forecast_strategy(&all[i], &better[i], &worse[i]));
  const FerryForecast *best = ferry_forecast_best(all, &wish);
  FerryForecastDoubt doubts = {doubt, path_doubt};
  FerryForecastSpread spread;
  ferry_forecast_spread(&writer, &path, &wish, &doubts, &spread);
  put_spread(out, &spread);
  ferry_json_set(out, "strategies", list);
  if (best) {
    put_seconds(out, "totalMs", best->cost.seconds);
    put_seconds(out, "downtimeMs", best->cost.pause);
    ferry_json_set_str(out, "best", ferry_forecast_name(best->kind));
  }
  ferry_json_set_int(out, "memoryBytes", (gint64)bytes);
  ferry_json_set_int(out, "dirtyRateBytesPerSecond", measured->long_rate);
  if (measured->short_s > 0)
    ferry_json_set_int(out, "shortDirtyRateBytesPerSecond", measured->short_rate);
  ferry_json_set_str(out, "pattern", ferry_writer_pattern_name(writer.pattern));
  ferry_json_set_int(out, "workingSetBytes", (gint64)MIN(writer.working_set, bytes));
  ferry_json_set_int(out, "writeRateBytesPerSecond", (gint64)writer.write_rate);
  ferry_json_set_int(out, "bandwidthBytesPerSecond", (gint64)path.rate);
  ferry_json_set_str(out, "bandwidthFrom", ferry_path_source_name(from));
  if (measured->path_note)
    ferry_json_set_str(out, "bandwidthNote", measured->path_note);
  return out;
}

json_t *ferry_migration_forecast(const FerryMigrationPorts *ports, const FerryAsked *asked,
                                 FerryMeasured *measured) {
  FerryConvergenceIntent intent;
  ferry_measure_intent(ports, asked, measured, &intent);
  FerryMeasured with_disks = *measured;
  if (with_disks.resident > 0)
    with_disks.resident += asked->settings.copied_disk_bytes;
  return ferry_migration_forecast_json(&intent, &with_disks);
}

char *ferry_migration_forecast_breaks(const json_t *forecast, gint64 max_downtime_ms) {
  gint64 within = ferry_json_int(forecast, "withinPercent", 0);
  gint64 p50 = ferry_json_int(forecast, "downtimeP50Ms", -1);
  gint64 p95 = ferry_json_int(forecast, "downtimeP95Ms", -1);
  if (p95 >= 0 && p95 <= max_downtime_ms)
    return NULL;
  GString *text = g_string_new(NULL);
  g_string_printf(text,
                  "a pause of at most %" G_GINT64_FORMAT
                  " ms is promised (intent.strict), and would "
                  "be kept in %" G_GINT64_FORMAT " of 100 cases, 95 are wanted",
                  max_downtime_ms, within);
  if (p50 >= 0)
    g_string_append_printf(text, "; half of them pause for up to %" G_GINT64_FORMAT " ms", p50);
  g_string_append_printf(
      text,
      "; the guest writes %.0f MiB/s over %.0f MiB, the path carries %.0f MiB/s; "
      "allow more, try another host, or do without strict",
      (double)ferry_json_int(forecast, "writeRateBytesPerSecond", 0) / FERRY_MIB,
      (double)ferry_json_int(forecast, "workingSetBytes", 0) / FERRY_MIB,
      (double)ferry_json_int(forecast, "bandwidthBytesPerSecond", 0) / FERRY_MIB);
  return g_string_free(text, FALSE);
}
