// SPDX-License-Identifier: Apache-2.0
// A directory for what a target's code keeps in files.
#pragma once
#include <stddef.h>

/** A new empty directory, in memory where the machine has such, that goes with its files when the
 * process ends in an orderly way. One a process; owned by it. */
const char *fuzz_scratch(void);
/** Puts `size` bytes into the file `name` there, in place of what it had. */
void fuzz_scratch_write(const char *name, const void *data, size_t size);
