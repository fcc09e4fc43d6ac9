// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) documents = ferry_yaml_parse((const char *)data, size, NULL);
  if (documents && json_array_size(documents) == 1) {
    g_autofree char *text = ferry_yaml_dump(json_array_get(documents, 0));
    g_assert_nonnull(text);
  }
  return 0;
}
