// SPDX-License-Identifier: Apache-2.0
// This process' memory.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What is given back when it is free, in bytes of growth. */
#define FERRY_MEMORY_GROWTH ((gsize)32 * 1024 * 1024)

/** Bytes of this process that are in RAM; 0 where the kernel doesn't say. */
gsize ferry_memory_resident(void);
/** Has the allocator give what is free back to the kernel, where the process has grown by
 * FERRY_MEMORY_GROWTH since *settled, which is what it had after the last time, at first 0. What it
 * lost meanwhile counts. TRUE: it was done. Takes a millisecond or so for each 10 MB that are free;
 * any thread, `settled` of one. */
gboolean ferry_memory_trim(gsize *settled);

G_END_DECLS
