// SPDX-License-Identifier: Apache-2.0
#include "agent/progress/progress.h"
#include "agent/migration/state/settings.h"

static FerryJobStats stats(gint64 total, gint64 remaining) {
  FerryJobStats s;
  ferry_job_stats_clear(&s);
  s.active = s.migration_out = TRUE;
  s.data_total = total;
  s.data_remaining = remaining;
  s.data_processed = total - remaining;
  return s;
}

static int percent(FerryJobProgress *p, gint64 total, gint64 remaining) {
  FerryJobStats s = stats(total, remaining);
  g_autoptr(json_t) out = ferry_progress_update(p, &s, FALSE, NULL, 10);
  return (int)ferry_json_int(out, "percent", -1);
}

static void test_percent(void) {
  FerryJobProgress p = {0};
  g_assert_cmpint(percent(&p, 0, 0), ==, 0);
  g_assert_cmpint(percent(&p, 1000, 1000), ==, 0);
  g_assert_cmpint(percent(&p, 1000, 400), ==, 60);
  g_assert_cmpint(percent(&p, 1000, 700), ==, 60); /* the guest wrote: not backwards */
  g_assert_cmpint(percent(&p, 1000, 5000), ==, 60);
  g_assert_cmpint(percent(&p, 1000, 0), ==, 99); /* 100 only when it has ended */
  g_assert_cmpint(percent(&p, G_MAXINT64, G_MAXINT64), ==, 99);
}

/* Before anything is counted nothing is said; after that the controller's plan is, and what would
 * be needed where there is none. */
static void test_end(void) {
  FerryJobProgress p = {0};
  FerryJobStats s = stats(1000000, 0);
  s.data_processed = 0; /* libvirt knows the size and has not begun to count */
  s.memory_bps = 100000;
  FerryEta eta = {FERRY_ETA_NOT_BEFORE, 700, 0};
  g_autoptr(json_t) begun = ferry_progress_update(&p, &s, FALSE, &eta, 10);
  g_assert_cmpint(ferry_json_int(begun, "percent", -1), ==, 0);
  g_assert_cmpstr(ferry_json_str(begun, "phase"), ==, "Preparing");
  g_assert_null(json_object_get(begun, "dataRemainingBytes"));
  g_assert_null(json_object_get(begun, "remainingSeconds"));
  s = stats(1000000, 500000);
  s.memory_bps = 100000;
  g_autoptr(json_t) rates = ferry_progress_update(&p, &s, FALSE, NULL, 10);
  g_assert_cmpstr(ferry_json_str(rates, "estimate"), ==, "NotBefore");
  eta = (FerryEta){FERRY_ETA_PLANNED, 12001, 0};
  g_autoptr(json_t) planned = ferry_progress_update(&p, &s, FALSE, &eta, 10);
  g_assert_cmpstr(ferry_json_str(planned, "estimate"), ==, "Planned");
  g_assert_cmpint(ferry_json_int(planned, "remainingSeconds", -1), ==, 13);
  eta = (FerryEta){FERRY_ETA_NEVER, 0, 632};
  g_autoptr(json_t) never = ferry_progress_update(&p, &s, FALSE, &eta, 10);
  g_assert_cmpstr(ferry_json_str(never, "estimate"), ==, "NotConverging");
  g_assert_cmpint(ferry_json_int(never, "neededDowntimeMs", -1), ==, 632);
  g_assert_null(json_object_get(never, "remainingSeconds"));
}

static void test_rates(void) {
  FerryJobProgress p = {0};
  FerryJobStats s = stats(1000000, 500000);
  s.memory_bps = 100000;
  s.dirty_pages_per_s = 10;
  s.page_size = 4096;
  s.iteration = 3;
  g_autoptr(json_t) out = ferry_progress_update(&p, &s, FALSE, NULL, 1234);
  g_assert_cmpint(ferry_json_int(out, "dirtyRateBytesPerSecond", -1), ==, 40960);
  g_assert_cmpint(ferry_json_int(out, "memoryTransferRateBytesPerSecond", -1), ==, 100000);
  g_assert_cmpint(ferry_json_int(out, "remainingSeconds", -1), ==, 5);
  g_assert_cmpint(ferry_json_int(out, "iteration", -1), ==, 3);
  g_assert_cmpint(ferry_json_int(out, "elapsedMs", -1), ==, 1234);
  g_assert_cmpstr(ferry_json_str(out, "phase"), ==, "CopyingMemory");
  g_assert_null(json_object_get(out, "diskTotalBytes"));
  s.disk_total = s.disk_remaining = 77;
  g_autoptr(json_t) disks = ferry_progress_update(&p, &s, FALSE, NULL, 1234);
  g_assert_cmpstr(ferry_json_str(disks, "phase"), ==, "CopyingDisks");
  g_assert_cmpint(ferry_json_int(disks, "diskTotalBytes", -1), ==, 77);
  g_assert_null(json_object_get(disks, "memoryTotalBytes"));
  s.memory_total = 900, s.memory_processed = 400, s.memory_remaining = 500;
  g_autoptr(json_t) apart = ferry_progress_update(&p, &s, FALSE, NULL, 1234);
  g_assert_cmpint(ferry_json_int(apart, "memoryTotalBytes", -1), ==, 900);
  g_assert_cmpint(ferry_json_int(apart, "memoryProcessedBytes", -1), ==, 400);
  g_assert_cmpint(ferry_json_int(apart, "memoryRemainingBytes", -1), ==, 500);
  /* disks that are done are not all of it: the memory follows */
  FerryJobProgress half = {.memory = 3000};
  s.memory_total = s.memory_processed = s.memory_remaining = -1;
  s.disk_total = s.data_total = 1000;
  s.disk_remaining = s.data_remaining = 0;
  g_autoptr(json_t) done = ferry_progress_update(&half, &s, FALSE, NULL, 1234);
  g_assert_cmpint(ferry_json_int(done, "percent", -1), ==, 25);
}

static void test_settings(void) {
  g_autoptr(GError) error = NULL;
  static const char text[] =
      "{\"status\":{\"migrationState\":{\"targetURI\":\"qemu+tls://h2/system\","
      "\"targetNodeAddress\":\"10.0.0.2\",\"migrationConfiguration\":{"
      "\"bandwidthPerMigration\":\"64Mi\",\"allowPostCopy\":true,\"maxDowntimeMs\":250,"
      "\"completionTimeoutPerGiB\":100,\"progressTimeout\":0,"
      "\"copyStorageAll\":true,\"migrateDisks\":[\"vda\",7]}}}}";
  g_autoptr(json_t) object = ferry_json_parse(text, sizeof text - 1, &error);
  g_assert_no_error(error);
  FerrySettings s;
  ferry_settings_read(&s, object);
  g_assert_cmpint(s.request.bandwidth, ==, 64 * 1024 * 1024);
  g_assert_true(s.request.post_copy && s.request.copy_disks);
  g_assert_true(s.request.tls); /* unless disableTLS */
  g_assert_false(s.request.unsafe || s.request.auto_converge);
  g_assert_true(s.allow_workload_disruption); /* follows allowPostCopy */
  g_assert_cmpstr(s.request.disks[0], ==, "vda");
  g_assert_null(s.request.disks[1]);
  FerryConvergenceIntent intent;
  ferry_settings_intent(&s, 8LL << 30, &intent);
  g_assert_cmpint(intent.completion_timeout_ms, ==, 800 * 1000);
  g_assert_cmpint(intent.progress_timeout_ms, ==, 0);
  g_assert_cmpint(intent.max_downtime_ms, ==, 250);
  FerryConvergenceIntent small; /* one GiB at least, also where the size is not known yet */
  ferry_settings_intent(&s, 1, &small);
  g_assert_cmpint(small.completion_timeout_ms, ==, 100 * 1000);
  ferry_settings_clear(&s);
}

static void test_forecast_error(void) {
  g_assert_cmpfloat(ferry_progress_forecast_error(900, 1000), ==, 10.0);
  g_assert_cmpfloat(ferry_progress_forecast_error(1500, 1000), ==, 50.0);
  g_assert_cmpfloat(ferry_progress_forecast_error(5, 0), ==, 500.0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/progress/percent", test_percent);
  g_test_add_func("/progress/rates", test_rates);
  g_test_add_func("/progress/end", test_end);
  g_test_add_func("/settings/read", test_settings);
  g_test_add_func("/progress/forecast-error", test_forecast_error);
  return g_test_run();
}
