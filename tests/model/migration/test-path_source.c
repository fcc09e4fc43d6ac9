// SPDX-License-Identifier: Apache-2.0
#include "model/migration/path_source.h"
#include <string.h>

static void test_table(void) {
  for (FerryPathSource s = 0; s < FERRY_PATH_SOURCES; s++) {
    const char *words = ferry_path_source_words(ferry_path_source_name(s));
    g_assert_cmpuint(strlen(words), >, 5);
    g_assert_cmpfloat(ferry_path_source_doubt(s), >, 0);
    g_assert_cmpfloat(ferry_path_source_doubt(s), <=, ferry_path_source_doubt(FERRY_PATH_ASSUMED));
    for (FerryPathSource other = 0; other < s; other++)
      g_assert_cmpstr(words, !=, ferry_path_source_words(ferry_path_source_name(other)));
  }
  g_assert_cmpstr(ferry_path_source_words("measured"), ==, "as measured just now");
  g_assert_cmpstr(ferry_path_source_words(NULL), ==,
                  ferry_path_source_words(ferry_path_source_name(FERRY_PATH_ASSUMED)));
  g_assert_cmpstr(ferry_path_source_words("another"), ==, ferry_path_source_words(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/path_source/table", test_table);
  return g_test_run();
}
