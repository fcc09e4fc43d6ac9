// SPDX-License-Identifier: Apache-2.0
// A parser with enough branches that a fuzzer that sees them finds its way in.
#include "canary.h"
#include <stdlib.h>

unsigned canary_parse(const uint8_t *data, size_t size) {
  static void *volatile kept;
  static volatile unsigned depth;
  static const char word[] = "ferry";
  unsigned matched = 0;
  for (size_t i = 0; i < size && i < sizeof word - 1; i++) {
    if (data[i] == (uint8_t)word[i])
      depth = ++matched;
    else
      break;
  }
  switch (matched) {
  case 1:
    depth += data[0];
    break;
  case 2:
    depth ^= data[1];
    break;
  case 3:
    depth -= data[2];
    break;
  case 4:
    depth |= data[3];
    break;
  default:
    break;
  }
#ifdef CANARY_LEAKS
  if (matched >= 1) {
    kept = malloc(16);
    kept = NULL;
  }
#else
  (void)kept;
#endif
  return depth;
}
