// SPDX-License-Identifier: Apache-2.0
// Whether the world's programs have malloc and free of their own (heap.c), which nobody calls by
// another name: sanitizers need theirs.
#pragma once

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FERRY_WORLD_HEAP 1
#endif
