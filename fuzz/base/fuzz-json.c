// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) value = ferry_json_parse((const char *)data, size, NULL);
  if (value) {
    g_autofree char *text = ferry_json_dump(value);
    g_autoptr(json_t) again = ferry_json_parse(text, strlen(text), NULL);
    g_assert_true(again && json_equal(value, again));
  }
  return 0;
}
