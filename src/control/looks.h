// SPDX-License-Identifier: Apache-2.0
// What agents are told to look for on their hosts, as VMs of other hosts name it.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** Adds to the answer to an agent's report what all agents look for, `looks` and its `looksHash`,
 * where that is not `have` (may be NULL), the hash of what this one has. It is gathered from the
 * Nodes' status.looks once a second at most. Any thread. */
void ferry_looks_answer(FerryStore *store, const char *have, json_t *answer);

G_END_DECLS
