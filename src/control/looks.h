// SPDX-License-Identifier: Apache-2.0
// What agents are told to look for on their hosts, as VMs of other hosts name it.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** What was gathered last; one for a server. */
typedef struct FerryLooks FerryLooks;

/** Nothing yet. `store` is borrowed. */
FerryLooks *ferry_looks_new(FerryStore *store);
void ferry_looks_free(FerryLooks *looks); /* NULL is allowed */
/** Adds to the answer to an agent's report what all agents look for, `looks` and its `looksHash`,
 * where that is not `have` (may be NULL), the hash of what this one has. It is gathered from the
 * Nodes' status.looks once a second at most. Any thread. */
void ferry_looks_answer(FerryLooks *looks, gint64 now_ms, const char *have, json_t *answer);

G_END_DECLS
