// SPDX-License-Identifier: Apache-2.0
// The drivers of the linux guest, which are modules of its kernel in the initrd.
#ifndef FERRY_LAB_GUEST_LINUX_MODULES_H
#define FERRY_LAB_GUEST_LINUX_MODULES_H

#include <stdbool.h>

// Loads the modules of these names in this order, and those that all virtio devices stand on before
// them; what is built in or loaded already is fine. FALSE: errno says why.
bool ferry_modules_load(const char *const *names, unsigned n);

#endif
