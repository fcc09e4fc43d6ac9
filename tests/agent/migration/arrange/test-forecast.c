// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/arrange/forecast.h"
#include <math.h>
#include <string.h>

static const json_t *strategy(const json_t *forecast, const char *name) {
  const json_t *s = ferry_json_find(json_object_get(forecast, "strategies"), "name", name);
  g_assert_nonnull(s);
  return s;
}

static json_t *forecast(const FerryConvergenceIntent *intent, gint64 short_rate, gint64 long_rate) {
  FerryMeasured measured = {
      .short_s = 1, .long_s = 4, .short_rate = short_rate, .long_rate = long_rate};
  return ferry_migration_forecast_json(intent, &measured);
}

static void test_idle(void) {
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 300, .memory_bytes = 1LL << 30, .link_rate = 100 << 20};
  g_autoptr(json_t) f = forecast(&intent, 0, 0);
  const json_t *s = strategy(f, "pre-copy");
  g_assert_true(ferry_json_bool(s, "withinIntent", FALSE));
  g_assert_cmpint(ferry_json_int(s, "totalMs", 0), >, 10000); /* 1024 MiB at 100 MiB/s */
  g_assert_cmpint(ferry_json_int(s, "totalMs", 0), <, 11000);
  g_assert_cmpstr(ferry_json_str(f, "bandwidthFrom"), ==, "link");
  g_assert_false(ferry_json_bool(strategy(f, "post-copy-at-once"), "permitted", TRUE));
}

static void test_busy(void) {
  /* 200 MiB/s of changes that do not level off, over 50 MiB/s */
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 100, .memory_bytes = 4LL << 30, .bandwidth_cap = 50 << 20};
  g_autoptr(json_t) f = forecast(&intent, 200 << 20, 190 << 20);
  g_assert_false(ferry_json_bool(strategy(f, "pre-copy"), "withinIntent", TRUE));
  g_assert_null(ferry_json_get(f, "best"));
  g_assert_cmpstr(ferry_json_str(f, "bandwidthFrom"), ==, "limit");
  g_assert_cmpint(ferry_json_int(f, "workingSetBytes", 0), >, 400 << 20);
  intent.allow_post_copy = TRUE;
  intent.max_downtime_ms = 2000;
  g_autoptr(json_t) g = forecast(&intent, 200 << 20, 190 << 20);
  g_assert_true(ferry_json_bool(strategy(g, "post-copy-after-pass"), "permitted", FALSE));
}

/* A pause that is promised is refused with the figures where it wouldn't be kept. */
static void test_promised(void) {
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 300, .memory_bytes = 1LL << 30, .link_rate = 100 << 20};
  g_autoptr(json_t) calm = forecast(&intent, 10 << 20, 5 << 20);
  g_assert_cmpint(ferry_json_int(calm, "withinPercent", 0), ==, 100);
  g_assert_cmpint(ferry_json_int(calm, "downtimeP95Ms", -1), >=,
                  ferry_json_int(calm, "downtimeP50Ms", -1));
  g_assert_null(ferry_migration_forecast_breaks(calm, 300));
  g_autofree char *tight = ferry_migration_forecast_breaks(calm, 1);
  g_assert_nonnull(strstr(tight, "at most 1 ms is promised"));
  g_autoptr(json_t) busy = forecast(&intent, 200 << 20, 190 << 20);
  g_assert_null(json_object_get(busy, "downtimeP95Ms"));
  g_autofree char *refused = ferry_migration_forecast_breaks(busy, 300);
  g_assert_nonnull(strstr(refused, "0 of 100 cases"));
  g_assert_nonnull(strstr(refused, "the path carries 100 MiB/s"));
}

static void test_unknown_link(void) {
  FerryConvergenceIntent intent = {.max_downtime_ms = 300, .memory_bytes = 1LL << 30};
  g_autoptr(json_t) f = forecast(&intent, 10 << 20, 5 << 20);
  g_assert_cmpstr(ferry_json_str(f, "bandwidthFrom"), ==, "assumed");
  g_assert_cmpuint(json_array_size(json_object_get(f, "strategies")), ==, 5);
}

static void test_ranges(void) {
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 300, .memory_bytes = 1LL << 30, .link_rate = 100 << 20};
  FerryMeasured measured = {.short_s = 1,
                            .long_s = 4,
                            .short_rate = 40 << 20,
                            .long_rate = 30 << 20,
                            .resident = 512 << 20};
  g_autoptr(json_t) f = ferry_migration_forecast_json(&intent, &measured);
  const json_t *s = strategy(f, "pre-copy");
  gint64 total = ferry_json_int(s, "totalMs", 0);
  g_assert_cmpint(ferry_json_int(s, "totalMinMs", 0), <, total);
  g_assert_cmpint(ferry_json_int(s, "totalMaxMs", 0), >, total);
  g_assert_cmpint(ferry_json_int(s, "lostMaxMs", 0), >=, ferry_json_int(s, "lostMs", 0));
  gint64 data = ferry_json_int(s, "dataBytes", 0);
  g_assert_cmpint(ferry_json_int(s, "dataMinBytes", 0), <=, data);
  g_assert_cmpint(ferry_json_int(s, "dataMaxBytes", 0), >, data);
  g_assert_cmpint(ferry_json_int(f, "memoryBytes", 0), ==, 512 << 20); /* what it touched */
  /* a rate that a migration reached is believed before the link's, and more */
  measured.bandwidth = 50 << 20;
  g_autoptr(json_t) g = ferry_migration_forecast_json(&intent, &measured);
  g_assert_cmpstr(ferry_json_str(g, "bandwidthFrom"), ==, "migration");
  g_assert_cmpint(ferry_json_int(g, "bandwidthBytesPerSecond", 0), ==, 50 << 20);
  intent.bandwidth_cap = 20 << 20;
  g_autoptr(json_t) h = ferry_migration_forecast_json(&intent, &measured);
  g_assert_cmpstr(ferry_json_str(h, "bandwidthFrom"), ==, "limit");
}

static void assert_path(const FerryMeasured *measured, gint64 cap, gint64 link,
                        FerryPathSource expected, gint64 mib) {
  FerryConvergenceIntent intent = {.bandwidth_cap = cap << 20, .link_rate = link << 20};
  FerryPathSource from;
  FerryPath path = ferry_measured_path(measured, &intent, &from);
  g_assert_cmpstr(ferry_path_source_name(from), ==, ferry_path_source_name(expected));
  g_assert_cmpint((gint64)path.rate >> 20, ==, mib);
}

static void test_measured_path(void) {
  FerryMeasured m = {.probed = 80 << 20};
  assert_path(&m, 0, 100, FERRY_PATH_MEASURED, 80);
  assert_path(&m, 90, 100, FERRY_PATH_MEASURED, 80); /* the path does not carry the limit */
  assert_path(&m, 50, 100, FERRY_PATH_LIMIT, 50);
  /* where the last migration was slower, QEMU was what held it */
  m.bandwidth = 60 << 20;
  assert_path(&m, 0, 100, FERRY_PATH_MIGRATION, 60);
  m.bandwidth = 100 << 20;
  assert_path(&m, 0, 100, FERRY_PATH_MEASURED, 80);
  /* it was measured up to the limit: the rest of it is known from elsewhere */
  FerryMeasured paced = {.probed = 48 << 20, .probed_limit = TRUE};
  assert_path(&paced, 50, 100, FERRY_PATH_LIMIT, 50);
  assert_path(&paced, 50, 10, FERRY_PATH_LIMIT, 50); /* more than the link is said to be */
  paced.bandwidth = 30 << 20;
  assert_path(&paced, 50, 100, FERRY_PATH_MIGRATION, 30);
}

/* Nobody measured: the forecast says why, and is wide where nothing is known. */
static void test_not_measured(void) {
  FerryConvergenceIntent intent = {.max_downtime_ms = 300, .memory_bytes = 1LL << 30};
  FerryMeasured m = {.long_s = 4, .path_note = "the path was not measured: because"};
  g_autoptr(json_t) f = ferry_migration_forecast_json(&intent, &m);
  g_assert_cmpstr(ferry_json_str(f, "bandwidthFrom"), ==, "assumed");
  g_assert_cmpstr(ferry_json_str(f, "bandwidthNote"), ==, m.path_note);
  const json_t *s = strategy(f, "pre-copy");
  double wide =
      (double)ferry_json_int(s, "totalMaxMs", 0) / (double)ferry_json_int(s, "totalMs", 1);
  m = (FerryMeasured){.long_s = 4, .probed = 112000000};
  g_autoptr(json_t) g = ferry_migration_forecast_json(&intent, &m);
  g_assert_cmpstr(ferry_json_str(g, "bandwidthFrom"), ==, "measured");
  g_assert_null(ferry_json_get(g, "bandwidthNote"));
  s = strategy(g, "pre-copy");
  double narrow =
      (double)ferry_json_int(s, "totalMaxMs", 0) / (double)ferry_json_int(s, "totalMs", 1);
  g_assert_cmpfloat(narrow, <, 1.15);
  g_assert_cmpfloat(wide, >, 1.3);
}

static void test_throttle_needed(void) {
  FerryConvergenceIntent intent = {.max_downtime_ms = 250,
                                   .memory_bytes = 1LL << 30,
                                   .max_slowdown_percent = 60,
                                   .link_rate = 400 << 20};
  FerryMeasured m = {.short_s = 1, .long_s = 4, .short_rate = 100 << 20, .long_rate = 95 << 20};
  g_assert_cmpint(ferry_measured_throttle(&m, &intent), ==, 0);
  intent.link_rate = 70 << 20;
  int needed = ferry_measured_throttle(&m, &intent);
  g_assert_cmpint(needed, >, 30);
  g_assert_cmpint(needed, <=, 60);
  intent.max_slowdown_percent = 10; /* more than is allowed: none is of use */
  g_assert_cmpint(ferry_measured_throttle(&m, &intent), ==, 0);
  intent.max_slowdown_percent = needed * 7 / 10; /* perhaps no more than is allowed: all of it */
  g_assert_cmpint(ferry_measured_throttle(&m, &intent), ==, intent.max_slowdown_percent);
  intent.max_slowdown_percent = 60;
  /* just enough, were the figures right to the percent */
  for (intent.link_rate = 70 << 20; ferry_measured_throttle(&m, &intent) > 20;)
    intent.link_rate += 1 << 20;
  int perhaps = ferry_measured_throttle(&m, &intent);
  g_assert_cmpint(perhaps, >, 0);
  intent.link_rate = intent.link_rate * 3 / 2;
  g_assert_cmpint(ferry_measured_throttle(&m, &intent), ==, 0);
  intent.link_rate = 70 << 20;
  intent.allow_post_copy = TRUE; /* that does it without */
  g_assert_cmpint(ferry_measured_throttle(&m, &intent), ==, 0);
}

static void test_one_period(void) {
  FerryMeasured one = {.long_s = 2, .long_rate = 20 << 20};
  FerryWriter writer = ferry_measured_writer(&one, 1LL << 30);
  g_assert_cmpint(writer.pattern, ==, FERRY_WRITER_UNIFORM);
  /* what was seen is what it explains */
  g_assert_cmpfloat(fabs(ferry_writer_unique(&writer, 2) / (40 << 20) - 1), <, 0.01);
  /* nothing in the short period, something in the long one: it is no idle guest */
  FerryMeasured late = {.short_s = 1, .long_s = 4, .long_rate = 1 << 20};
  g_assert_cmpint(ferry_measured_writer(&late, 1LL << 30).pattern, ==, FERRY_WRITER_UNIFORM);
  FerryMeasured none = {.long_s = 2};
  g_assert_cmpint(ferry_measured_writer(&none, 1LL << 30).pattern, ==, FERRY_WRITER_IDLE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/forecast/idle", test_idle);
  g_test_add_func("/forecast/busy", test_busy);
  g_test_add_func("/forecast/unknown-link", test_unknown_link);
  g_test_add_func("/forecast/promised", test_promised);
  g_test_add_func("/forecast/ranges", test_ranges);
  g_test_add_func("/forecast/measured-path", test_measured_path);
  g_test_add_func("/forecast/not-measured", test_not_measured);
  g_test_add_func("/forecast/one-period", test_one_period);
  g_test_add_func("/forecast/throttle-needed", test_throttle_needed);
  return g_test_run();
}
