// SPDX-License-Identifier: Apache-2.0
// The target's part in a post-copy whose connection broke: its QEMU only waits for memory, so that
// it never notices by itself that nobody is there any more. On the word of the source's agent, in
// the migration's record, its end of the connection is closed. By the thread that watches alone.
#pragma once
#include "base/json.h"
#include "host/port/host.h"

G_BEGIN_DECLS

/** `closed`: migrations' UIDs and the number of the last request that was carried out. */
typedef struct {
  FerryHost *host; /* borrowed */
  char *node;      /* this host's name, owned */
  GHashTable *closed;
} FerryHalfOpen;

/** Of `host` (borrowed), whose name as a Node is `node`. */
void ferry_half_open_init(FerryHalfOpen *half_open, FerryHost *host, const char *node);
/** One that was never initialised is fine. */
void ferry_half_open_clear(FerryHalfOpen *half_open);
/** A migration as ferryd has it now; `type` as of a watch. */
void ferry_half_open_see(FerryHalfOpen *half_open, const char *type, const json_t *migration);

G_END_DECLS
