// SPDX-License-Identifier: Apache-2.0
// Forecasts against the options that were measured (253 MiB, 180 MiB/s over 128 MiB, 1 Gbit/s).
#include "convergence/forecast.h"
#include <math.h>

#define MIB (1024.0 * 1024)

static const FerryPath gigabit = {119 * MIB, 119 * MIB, 0.027};
static const FerryWriter busy = {
    .pattern = FERRY_WRITER_UNIFORM, .working_set = 128 * MIB, .write_rate = 180 * MIB};

static void near(const char *what, double got, double wanted, double share) {
  g_test_message("%s: got %.3f, measured %.3f, bar %.0f %%", what, got, wanted, share * 100);
  g_assert_cmpfloat(fabs(got / wanted - 1), <=, share);
}

static void test_measured(void) {
  FerryForecast f[FERRY_FORECASTS];
  FerryForecastWish wish = {.bytes = 253 * MIB,
                            .max_downtime = 0.477,
                            .post_copy = TRUE,
                            .prefer = FERRY_PREFER_TIME}; /* the highest limit, as measured */
  ferry_forecast(&busy, &gigabit, &wish, f);
  const FerryOption *o = &f[FERRY_FORECAST_PRECOPY].cost;
  near("limit 450: seconds", o->seconds, 5.3, 0.2);
  near("limit 450: gap", o->pause, 0.475, 0.05);
  near("limit 450: lost", o->lost, 0.48, 0.05);
  near("limit 450: MiB", o->bytes / MIB, 635, 0.2);
  o = &f[FERRY_FORECAST_POSTCOPY].cost;
  near("post-copy after pass 1: seconds", o->seconds, 3.15, 0.05);
  near("post-copy after pass 1: gap", o->pause, 0.84, 0.05);
  near("post-copy after pass 1: lost", o->lost, 0.98, 0.12);
  near("post-copy after pass 1: MiB", o->bytes / MIB, 375, 0.05);
  o = &f[FERRY_FORECAST_POSTCOPY_AT_ONCE].cost;
  near("post-copy at once: seconds", o->seconds, 2.12, 0.05);
  near("post-copy at once: gap", o->pause, 0.871, 0.05);
  near("post-copy at once: lost", o->lost, 1.25, 0.12);
  near("post-copy at once: MiB", o->bytes / MIB, 253, 0.02);
  wish.preempt = TRUE;
  ferry_forecast(&busy, &gigabit, &wish, f);
  near("with preempt: gap", f[FERRY_FORECAST_POSTCOPY].cost.pause, 0.07, 0.3);
}

static void test_within(void) {
  FerryForecast f[FERRY_FORECASTS];
  FerryForecastWish wish = {.bytes = 253 * MIB, .max_downtime = 0.3};
  ferry_forecast(&busy, &gigabit, &wish, f);
  for (int i = 0; i < FERRY_FORECASTS; i++) {
    g_assert_cmpint(f[i].kind, ==, i);
    g_assert_nonnull(ferry_forecast_name(f[i].kind));
    g_assert_false(f[i].within); /* it is not feasible, and nothing else is permitted */
  }
  g_assert_true(isinf(f[FERRY_FORECAST_PRECOPY].cost.seconds));
  g_assert_false(f[FERRY_FORECAST_POSTCOPY].permitted);
  wish.max_slowdown = 0.5;
  ferry_forecast(&busy, &gigabit, &wish, f);
  g_assert_true(f[FERRY_FORECAST_THROTTLE].within);
  g_assert_cmpfloat(f[FERRY_FORECAST_THROTTLE].cost.throttle, >, 0.07); /* the model's p* is 8 % */
  g_assert_cmpfloat(f[FERRY_FORECAST_THROTTLE].cost.throttle, <, 0.3);
  wish.max_duration = 1;
  ferry_forecast(&busy, &gigabit, &wish, f);
  g_assert_false(f[FERRY_FORECAST_THROTTLE].within);
}

static void test_idle(void) {
  FerryForecast f[FERRY_FORECASTS];
  FerryWriter idle = {.pattern = FERRY_WRITER_IDLE};
  FerryForecastWish wish = {.bytes = 253 * MIB, .max_downtime = 0.3};
  FerryPath none = {0, 0, 0};
  ferry_forecast(&idle, &gigabit, &wish, f);
  g_assert_true(f[FERRY_FORECAST_PRECOPY].within);
  near("idle: seconds", f[FERRY_FORECAST_PRECOPY].cost.seconds,
       ferry_model_lower_bound(&gigabit, wish.bytes), 0.001);
  ferry_forecast(&busy, &none, &wish, f);
  g_assert_false(f[FERRY_FORECAST_PRECOPY].within);
}

/* The pause that can be had for little time is what is forecast, where the pause is preferred. */
static void test_prefer(void) {
  FerryForecast quick[FERRY_FORECASTS], kind[FERRY_FORECASTS];
  FerryWriter calm = {.pattern = FERRY_WRITER_UNIFORM, 128 * MIB, 60 * MIB, 0, 0};
  FerryForecastWish wish = {.bytes = 1024 * MIB, .max_downtime = 0.9, .prefer = FERRY_PREFER_TIME};
  ferry_forecast(&calm, &gigabit, &wish, quick);
  wish.prefer = FERRY_PREFER_PAUSE;
  ferry_forecast(&calm, &gigabit, &wish, kind);
  const FerryOption *q = &quick[FERRY_FORECAST_PRECOPY].cost,
                    *k = &kind[FERRY_FORECAST_PRECOPY].cost;
  g_assert_cmpfloat(k->pause, <, 0.1);
  g_assert_cmpfloat(k->pause, <, q->pause);
  g_assert_cmpfloat(k->seconds, <=, 1.25 * q->seconds);
  g_assert_true(ferry_forecast_best(kind, &wish) == &kind[FERRY_FORECAST_PRECOPY]);
}

/* p95 is worse than p50, more doubt makes it worse still, and where more than 5 of 100 don't keep
 * the wish there is none. */
static void test_spread(void) {
  FerryForecastWish wish = {.bytes = 1024 * MIB, .max_downtime = 0.3};
  FerryWriter near_it = {.pattern = FERRY_WRITER_UNIFORM, 64 * MIB, 90 * MIB, 0, 0};
  FerryForecastDoubt sure = {0.05, 0.05}, unsure = {0.8, 0.3};
  FerryForecastSpread a, b, c;
  ferry_forecast_spread(&near_it, &gigabit, &wish, &sure, &a);
  g_assert_cmpfloat(a.within, ==, 1);
  g_assert_cmpfloat(a.pause_p50, <=, a.pause_p95);
  g_assert_cmpfloat(a.pause_p95, <=, 0.3);
  g_assert_cmpfloat(a.seconds_p50, <=, a.seconds_p95);
  ferry_forecast_spread(&near_it, &gigabit, &wish, &unsure, &b);
  g_assert_cmpfloat(b.pause_p95, >=, a.pause_p95);
  g_assert_cmpfloat(b.within, <=, a.within);
  ferry_forecast_spread(&busy, &gigabit, &wish, &sure, &c);
  g_assert_true(isinf(c.pause_p95));
  g_assert_cmpfloat(c.within, <, 0.5);
  FerryWriter idle = {.pattern = FERRY_WRITER_IDLE};
  ferry_forecast_spread(&idle, &gigabit, &wish, &unsure, &a);
  g_assert_cmpfloat(a.within, ==, 1);
  g_assert_cmpfloat(a.pause_p95, <, 0.05);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/forecast/measured", test_measured);
  g_test_add_func("/forecast/within", test_within);
  g_test_add_func("/forecast/idle", test_idle);
  g_test_add_func("/forecast/prefer", test_prefer);
  g_test_add_func("/forecast/spread", test_spread);
  return g_test_run();
}
