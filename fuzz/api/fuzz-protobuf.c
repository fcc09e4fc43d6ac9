// SPDX-License-Identifier: Apache-2.0
#include "api/http/protobuf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) value = ferry_protobuf_decode(data, size, NULL);
  return 0;
}
