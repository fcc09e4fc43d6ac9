// SPDX-License-Identifier: Apache-2.0
// A duration as people write it: none, or one within what is allowed, and the same in milliseconds.
#include "base/duration.h"
#include "fuzz.h"

#define MOST_MS G_GINT64_CONSTANT(10000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  gint64 ms = -1, again;
  if (!ferry_duration_parse(text, &ms)) {
    g_assert_cmpint(ms, ==, -1);
    return 0;
  }
  g_assert_cmpint(ms, >=, 0);
  g_assert_cmpint(ms, <=, MOST_MS);
  g_autofree char *plain = g_strdup_printf("%" G_GINT64_FORMAT "ms", ms);
  g_assert_true(ferry_duration_parse(plain, &again));
  g_assert_cmpint(again, ==, ms);
  return 0;
}
