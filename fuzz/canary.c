// SPDX-License-Identifier: Apache-2.0
// A target that is broken on purpose. As canary-flat its parser is not instrumented, so coverage
// stays flat; as canary-leak it is, and leaks once its word was found. fuzz/run refuses to go on
// where either is not noticed.
#include "canary.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  canary_parse(data, size);
  return 0;
}
