// SPDX-License-Identifier: Apache-2.0
#include "helper.h"

static void append(FerryLog *log, gint64 revision) {
  FerryChange *change = ferry_change_new(revision, FERRY_ADDED, &kind_vm, "ns", "name", NULL, NULL);
  ferry_change_unref(ferry_log_ring_append(log, change));
}

static void test_seek_with_gaps(void) {
  FerryLog log;
  ferry_log_ring_init(&log, 4, 10);
  g_assert_cmpuint(ferry_log_ring_seek(&log, 10), ==, 0);
  static const gint64 revisions[] = {11, 12, 20, 21, 30, 31};
  for (gsize i = 0; i < G_N_ELEMENTS(revisions); i++)
    append(&log, revisions[i]);
  g_assert_cmpint(log.base, ==, 12);
  g_assert_cmpuint(log.first, ==, 2);
  static const gint64 after[][2] = {{12, 20}, {15, 20}, {20, 21}, {21, 30}, {29, 30}, {30, 31}};
  for (gsize i = 0; i < G_N_ELEMENTS(after); i++)
    g_assert_cmpint(ferry_log_ring_at(&log, ferry_log_ring_seek(&log, after[i][0]))->revision, ==,
                    after[i][1]);
  g_assert_cmpuint(ferry_log_ring_seek(&log, 31), ==, log.next);
  ferry_log_ring_clear(&log);
}

static void test_matches(void) {
  g_autoptr(FerryChange) change =
      ferry_change_new(1, FERRY_ADDED, &kind_vm, "ns", "name", NULL, NULL);
  FerryKind twin = {.group = "kubevirt.io", .plural = "vms"};
  FerryKind foreign = {.group = "other.io", .plural = "vms"};
  g_assert_true(ferry_change_matches(change, NULL, NULL));
  g_assert_true(ferry_change_matches(change, &twin, "ns"));
  g_assert_false(ferry_change_matches(change, &foreign, NULL));
  g_assert_false(ferry_change_matches(change, &kind_host, "ns"));
  g_assert_false(ferry_change_matches(change, &kind_vm, ""));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/log/seek-with-gaps", test_seek_with_gaps);
  g_test_add_func("/log/matches", test_matches);
  return g_test_run();
}
