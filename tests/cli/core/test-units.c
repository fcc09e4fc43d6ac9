// SPDX-License-Identifier: Apache-2.0
#include "cli/core/units.h"
#include "base/quantity.h"

static void test_times(void) {
  static const struct {
    const char *text;
    gint64 bare, ms;
  } good[] = {{"300", 1, 300},       {"300", 1000, 300000}, {"300ms", 1000, 300}, {"2m", 1, 120000},
              {"1h30m", 1, 5400000}, {"1.5s", 1, 1500},     {"0", 1, 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    gint64 ms = -1;
    g_assert_true(ferry_units_time(good[i].text, good[i].bare, &ms));
    g_assert_cmpint(ms, ==, good[i].ms);
  }
  static const char *const bad[] = {"", "soon", "-1", "-1s", "1.5", "1 s", "99999999999999999999"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    gint64 ms = -1;
    g_assert_false(ferry_units_time(bad[i], 1, &ms));
  }
}

static void test_sizes(void) {
  static const struct {
    const char *text;
    gint64 bare, bytes;
    gboolean was_bare;
  } good[] = {{"1000", FERRY_MIB, 1000 * FERRY_MIB, TRUE},
              {"1000", 0, 1000, TRUE},
              {"64Mi", FERRY_MIB, 64 * FERRY_MIB, FALSE},
              {"64MiB", FERRY_MIB, 64 * FERRY_MIB, FALSE},
              {"64 MiB/s", FERRY_MIB, 64 * FERRY_MIB, FALSE},
              {"1.5G/s", FERRY_MIB, 1500000000, FALSE},
              {"512B", FERRY_MIB, 512, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    gint64 bytes = -1;
    gboolean bare = !good[i].was_bare;
    g_assert_true(ferry_units_size(good[i].text, good[i].bare, &bytes, &bare));
    g_assert_cmpint(bytes, ==, good[i].bytes);
    g_assert_cmpint(bare, ==, good[i].was_bare);
  }
  static const char *const bad[] = {
      "", "fast", "-1", "/s", "64Mi/h", "64MiB/s/s", "9223372036854775807"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    gint64 bytes = -1;
    g_assert_false(ferry_units_size(bad[i], FERRY_MIB, &bytes, NULL));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/units/times", test_times);
  g_test_add_func("/cli/units/sizes", test_sizes);
  return g_test_run();
}
