// SPDX-License-Identifier: Apache-2.0
// What a migration would cost, asked for before anybody starts one: the guest's writes are measured
// over a short and a long period, and the model prices each strategy over the configured path.
#include "agent/migration_private.h"
#include "convergence/forecast.h"
#include <math.h>

#define SHORT_S 1
#define LONG_S 4
#define ASSUMED_RATE 112000000.0 /* what a link of 1 Gbit/s carries */
#define SWITCHOVER_S 0.03

static void put_seconds(json_t *object, const char *key, double seconds) {
  if (isfinite(seconds) && seconds >= 0 && seconds < 1e9)
    ferry_json_set_int(object, key, (gint64)llround(seconds * 1000));
}

static json_t *strategy(const FerryForecast *f) {
  const FerryOption *o = &f->cost;
  json_t *out = json_object();
  ferry_json_set_str(out, "name", ferry_forecast_name(f->kind));
  ferry_json_set_bool(out, "permitted", f->permitted);
  ferry_json_set_bool(out, "withinIntent", f->within);
  if (!isfinite(o->seconds))
    return out; /* it never ends: no numbers */
  put_seconds(out, "totalMs", o->seconds);
  put_seconds(out, "downtimeMs", o->pause);
  put_seconds(out, "lostMs", o->lost);
  if (isfinite(o->bytes) && o->bytes >= 0 && o->bytes < 9e18)
    ferry_json_set_int(out, "dataBytes", (gint64)o->bytes);
  if (o->throttle > 0)
    ferry_json_set_int(out, "throttlePercent", (gint64)lround(o->throttle * 100));
  return out;
}

json_t *ferry_migration_forecast_json(const FerryConvergenceIntent *intent, gint64 short_rate,
                                      gint64 long_rate) {
  FerryRound rounds[] = {{SHORT_S, (double)short_rate * SHORT_S, 0},
                         {LONG_S, (double)long_rate * LONG_S, 0}};
  FerryWriter writer = {.pattern = FERRY_WRITER_IDLE};
  double link = intent->link_rate > 0 ? (double)intent->link_rate : ASSUMED_RATE;
  double cap = (double)intent->bandwidth_cap;
  FerryPath path = {cap > 0 ? MIN(cap, link) : link, link, SWITCHOVER_S};
  FerryForecastWish wish = {.bytes = (double)intent->memory_bytes,
                            .max_downtime = (double)intent->max_downtime_ms / 1000,
                            .max_duration = (double)intent->max_duration_ms / 1000,
                            .max_slowdown = (double)intent->max_slowdown_percent / 100,
                            .post_copy = intent->allow_post_copy,
                            .preempt = intent->post_copy_preempt};
  ferry_writer_fit(&writer, rounds, G_N_ELEMENTS(rounds), wish.bytes);
  FerryForecast all[FERRY_FORECASTS];
  ferry_forecast(&writer, &path, &wish, all);
  json_t *out = json_object(), *list = json_array();
  const FerryForecast *best = NULL;
  for (int i = 0; i < FERRY_FORECASTS; i++) {
    json_array_append_new(list, strategy(&all[i]));
    if (all[i].within && (!best || all[i].cost.seconds < best->cost.seconds))
      best = &all[i];
  }
  ferry_json_set(out, "strategies", list);
  if (best) {
    put_seconds(out, "totalMs", best->cost.seconds);
    put_seconds(out, "downtimeMs", best->cost.pause);
    ferry_json_set_str(out, "best", ferry_forecast_name(best->kind));
  }
  ferry_json_set_int(out, "memoryBytes", intent->memory_bytes);
  ferry_json_set_int(out, "dirtyRateBytesPerSecond", long_rate);
  ferry_json_set_int(out, "shortDirtyRateBytesPerSecond", short_rate);
  ferry_json_set_str(out, "pattern", ferry_writer_pattern_name(writer.pattern));
  ferry_json_set_int(out, "workingSetBytes", (gint64)MIN(writer.working_set, wish.bytes));
  ferry_json_set_int(out, "bandwidthBytesPerSecond", (gint64)path.rate);
  ferry_json_set_str(out, "bandwidthFrom",
                     cap > 0 && cap <= link  ? "limit"
                     : intent->link_rate > 0 ? "link"
                                             : "assumed");
  return out;
}

json_t *ferry_migration_forecast(FerryMigration *m, GError **error) {
  gint64 short_rate, long_rate;
  if (!ferry_host_job_dirty_rate(m->job, SHORT_S, &short_rate, error) ||
      !ferry_host_job_dirty_rate(m->job, LONG_S, &long_rate, error))
    return NULL;
  FerryConvergenceIntent intent;
  ferry_settings_intent(&m->settings, ferry_migration_memory(m), &intent);
  return ferry_migration_forecast_json(&intent, short_rate, long_rate);
}
