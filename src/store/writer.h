// SPDX-License-Identifier: Apache-2.0
// The thread that alone changes what the store holds.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

/** The writer thread: runs until `stopping` is set and the queue is empty. */
void *ferry_store_writer(void *store);

G_END_DECLS
