// SPDX-License-Identifier: Apache-2.0
// How what is wrong with an object is collected.
#pragma once
#include "base/error.h"

G_BEGIN_DECLS

/** Most causes and most unknown fields that one answer names. */
#define VALIDATE_MAX_CAUSES 64
/** Most bytes of a value that a message repeats. */
#define VALIDATE_SHOWN_BYTES 64

/** Adds a cause unless there are VALIDATE_MAX_CAUSES already. */
void ferry_validate_cause(GError *invalid, const char *reason, const char *field,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

G_END_DECLS
