// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  gint64 value;
  if (ferry_quantity_parse(text, &value, NULL)) {
    g_autofree char *back = ferry_quantity_format(value);
    gint64 again;
    g_assert_true(ferry_quantity_parse(back, &again, NULL));
    g_assert_cmpint(value, ==, again);
  }
  ferry_rfc3339_parse(text);
  return 0;
}
