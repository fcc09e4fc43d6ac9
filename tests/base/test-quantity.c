// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/quantity.h"

static void test_parse(void) {
  static const struct {
    const char *text;
    gint64 value;
  } good[] = {{"64Mi", 67108864}, {"217Ki", 222208}, {"0", 0},        {"1.5G", 1500000000},
              {"2e3", 2000},      {"500m", 1},       {"1.5Ki", 1536}, {"+7", 7}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    gint64 v = -1;
    g_autoptr(GError) error = NULL;
    g_assert_true(ferry_quantity_parse(good[i].text, &v, &error));
    g_assert_cmpint(v, ==, good[i].value);
  }
  static const char *const wrong[] = {"",     "Mi",     "-1",  "1.2.3", "64MB",          "1 Mi",
                                      "0x10", "9e18Gi", "nan", ".",     "99999999999Gi", "64mi"};
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    gint64 v = -1;
    g_autoptr(GError) error = NULL;
    g_test_message("%s", wrong[i]);
    g_assert_false(ferry_quantity_parse(wrong[i], &v, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
    g_assert_cmpint(v, ==, -1);
  }
}

static void test_format(void) {
  g_autofree char *a = ferry_quantity_format(67108864);
  g_autofree char *b = ferry_quantity_format(1000);
  g_autofree char *c = ferry_bytes_format(1288490188.8);
  g_assert_cmpstr(a, ==, "64Mi");
  g_assert_cmpstr(b, ==, "1000");
  g_assert_cmpstr(c, ==, "1.2 GiB");
}

static void test_size(void) {
  static const struct {
    const char *text;
    gint64 bytes;
  } good[] = {{"64Mi", 64 << 20}, {"64MiB", 64 << 20}, {"64 MiB", 64 << 20}, {"1.5GB", 1500000000},
              {"2KB", 2000},      {"2kB", 2000},       {"512B", 512},        {"512", 512}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    gint64 bytes = -1;
    g_assert_true(ferry_size_parse(good[i].text, &bytes, NULL));
    g_assert_cmpint(bytes, ==, good[i].bytes);
  }
  static const char *const bad[] = {"", "B", "MiB", "6 4MiB", "64  MiB", "-1MiB", "1MiBB", "1Mib"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    gint64 bytes = -1;
    g_assert_false(ferry_size_parse(bad[i], &bytes, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
    g_assert_cmpint(bytes, ==, -1);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/quantity/parse", test_parse);
  g_test_add_func("/quantity/format", test_format);
  g_test_add_func("/quantity/size", test_size);
  return g_test_run();
}
