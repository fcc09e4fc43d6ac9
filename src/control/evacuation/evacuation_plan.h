// SPDX-License-Identifier: Apache-2.0
// What an Evacuation would do, said before it is made.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** Placements that one plan tries at most, so that asking for one costs no more than a moment. */
#define FERRY_EVACUATION_PLAN_TRIES 100000

/** Entries as those of status.vms for each VM that an Evacuation of `node` would move, in its
 * order: Queued with its `target`, Failed with all reasons why it stays as things are now, or as it
 * is where it moves already. Each gets its host as if those before it were there already, so that
 * no memory is counted twice. `failed` gets how many stay. VMs beyond what is tried have no target
 * and say so. Limits are not looked at: they decide when, not where. `estimate` (may be NULL)
 * gets status.plan, how long it takes. New references; pure but for reads. */
json_t *ferry_evacuation_plan(FerryStore *store, const char *node, guint *failed,
                              json_t **estimate);

G_END_DECLS
