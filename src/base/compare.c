// SPDX-License-Identifier: Apache-2.0
#include "base/compare.h"
#include <string.h>

gint ferry_compare_text(gconstpointer a, gconstpointer b) {
  return strcmp(a, b);
}

gint ferry_compare_keys(gconstpointer a, gconstpointer b, gpointer data) {
  return strcmp(a, b);
}

gint ferry_compare_text_at(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}
