// SPDX-License-Identifier: Apache-2.0
#include "helper.h"
#include <malloc.h>

static FerryViews *no_views;

static guint append_object(FerryLog *log, gint64 revision, json_t *object) {
  g_autoptr(GPtrArray) fallen = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_change_unref);
  g_autoptr(FerryStored) stored = object == NULL ? NULL : stored_of(no_views, object, revision);
  ferry_log_ring_append(
      log, ferry_change_new(revision, FERRY_ADDED, &kind_vm, "ns", "name", stored, NULL), fallen);
  return fallen->len;
}

static guint append(FerryLog *log, gint64 revision) {
  return append_object(log, revision, NULL);
}

static void test_seek_with_gaps(void) {
  FerryLog log;
  ferry_log_ring_init(&log, 4, G_MAXSIZE, 10);
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

/* An object of about `size` bytes. */
static json_t *large(gsize size) {
  g_autofree char *text = g_strnfill(size, 'x');
  return json_pack("{s:s}", "text", text);
}

static void test_bytes(void) {
  FerryLog log;
  json_auto_t *one = large(1000), *five = large(5000), *huge = large(100000);
  ferry_log_ring_init(&log, 100, 10000, 10);
  for (gint64 revision = 11; revision < 51; revision++) {
    append_object(&log, revision, one);
    g_assert_cmpuint(log.bytes, <=, 10000);
  }
  guint64 kept = log.next - log.first;
  g_assert_cmpuint(kept, >=, 6); /* of 1,000 bytes and a change each */
  g_assert_cmpuint(kept, <, 10);
  g_assert_cmpint(log.base, ==, 50 - (gint64)kept);
  g_assert_cmpint(ferry_log_ring_at(&log, log.first)->revision, ==, log.base + 1);
  /* A larger one takes the place of several; one beyond the bound is kept alone. */
  g_assert_cmpuint(append_object(&log, 51, five), >, 1);
  g_assert_cmpuint(log.bytes, <=, 10000);
  guint64 before = log.next - log.first;
  g_assert_cmpuint(append_object(&log, 52, huge), ==, before);
  g_assert_cmpuint(log.next - log.first, ==, 1);
  g_assert_cmpint(log.base, ==, 51);
  g_assert_cmpint(ferry_log_ring_at(&log, ferry_log_ring_seek(&log, 51))->revision, ==, 52);
  g_assert_cmpuint(append(&log, 53), ==, 1);
  g_assert_cmpuint(log.bytes, <, 1000);
  ferry_log_ring_clear(&log);
}

/* What is counted is what the heap gives, for objects of members, lists, texts and numbers. */
static void test_bytes_are_memory(void) {
  enum { N = 500 };
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_change_unref);
  g_ptr_array_set_size(all, N);
  gsize before = mallinfo2().uordblks, counted = 0;
  for (gint64 i = 0; i < N; i++) {
    json_auto_t *object = thing("a-name-of-some-length", NULL, i);
    json_t *list = json_array();
    for (int n = 0; n < 20; n++)
      json_array_append_new(list, json_pack("{s:i, s:f, s:s, s:b, s:n}", "number", n, "real", 0.5,
                                            "text", "2026-01-01T00:00:00Z", "yes", 1, "none"));
    json_object_set_new(object, "status", json_pack("{s:o}", "course", list));
    g_autoptr(FerryStored) stored = stored_of(no_views, object, i);
    all->pdata[i] = ferry_change_new(i, FERRY_ADDED, &kind_vm, "ns", "name", stored, NULL);
    counted += ferry_change_bytes(all->pdata[i]);
  }
  gsize taken = mallinfo2().uordblks - before;
  g_test_message("%" G_GSIZE_FORMAT " bytes counted, %" G_GSIZE_FORMAT " taken", counted, taken);
  g_assert_cmpuint(counted, >, 512 * 1024);
  if (taken == 0)
    return; /* a sanitizer's heap, which mallinfo2 does not know */
  g_assert_cmpuint(counted, >, taken / 10 * 9);
  g_assert_cmpuint(counted, <, taken / 10 * 11);
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
  no_views = ferry_views_new(0);
  g_test_add_func("/log/seek-with-gaps", test_seek_with_gaps);
  g_test_add_func("/log/bytes", test_bytes);
  g_test_add_func("/log/bytes-are-memory", test_bytes_are_memory);
  g_test_add_func("/log/matches", test_matches);
  int status = g_test_run();
  ferry_views_unref(no_views);
  return status;
}
