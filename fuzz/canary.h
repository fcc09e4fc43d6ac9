// SPDX-License-Identifier: Apache-2.0
// What both canaries parse with.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** How far `data` follows the word that canary_parser.c knows; leaks where built to. */
unsigned canary_parse(const uint8_t *data, size_t size);
