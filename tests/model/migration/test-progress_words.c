// SPDX-License-Identifier: Apache-2.0
#include "model/migration/progress_words.h"

static void test_eta(void) {
  for (FerryEtaKind k = FERRY_ETA_UNKNOWN; k <= FERRY_ETA_NEVER; k++)
    g_assert_cmpint(ferry_eta_parse(ferry_eta_name(k)), ==, k);
  g_assert_cmpint(ferry_eta_parse(NULL), ==, FERRY_ETA_UNKNOWN);
  g_assert_cmpint(ferry_eta_parse("Tomorrow"), ==, FERRY_ETA_UNKNOWN);
}

static void test_copying(void) {
  for (FerryCopying c = FERRY_COPYING_UNKNOWN; c <= FERRY_COPYING_MEMORY; c++)
    g_assert_cmpint(ferry_copying_parse(ferry_copying_name(c)), ==, c);
  g_assert_cmpint(ferry_copying_parse("PostCopy"), ==, FERRY_COPYING_UNKNOWN);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/migration/progress_words/eta", test_eta);
  g_test_add_func("/model/migration/progress_words/copying", test_copying);
  return g_test_run();
}
