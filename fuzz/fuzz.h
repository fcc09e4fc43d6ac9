// SPDX-License-Identifier: Apache-2.0
// What a fuzz target defines.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Feeds `size` bytes to a parser; must not crash, leak, or take long. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
