// SPDX-License-Identifier: Apache-2.0
// What the other end says that it counted: refused, or a rate that can be.
#include "agent/path/bandwidth.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  FerryBandwidth b;
  if (ferry_bandwidth_parse(text, 1 << 30, &b) &&
      (b.bytes < 1 || b.bytes > 1 << 30 || b.us < 1 || ferry_bandwidth_rate(&b) < 0))
    abort();
  return 0;
}
