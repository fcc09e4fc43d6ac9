// SPDX-License-Identifier: Apache-2.0
// A Rollout: one host after another is emptied by an Evacuation, waits until somebody says that it
// is done, is looked at, and opened again.
#pragma once
#include "control/plan.h"
#include "model/migration/rollout.h"

G_BEGIN_DECLS

/** Hosts whose taint one step sets or takes away at most: one write that loses against a report
 * loses the whole step. */
#define FERRY_ROLLOUT_TAINTS 16
/** Hosts that one step begins with at most, for the same reason. */
#define FERRY_ROLLOUT_BEGINS 16

/** One step for `rollout` (a stored object): chooses its hosts at the beginning, takes each through
 * its states (rollout_host.c) and begins the next one, the emptiest first, while fewer than
 * spec.maxUnavailable are under way; so VMs that must wait for a host that is done move once, and
 * without a spare host only those of the first one move twice. All that is known is in status. On a
 * deletion it takes its taints and Evacuations away and lets the object go. Call again whenever the
 * rollout, an Evacuation, a VM or a Node changes and at the plan's wake time. Reads `store`, writes
 * nothing; pure but for reads and new uids. */
void ferry_rollout_step(FerryStore *store, const json_t *rollout, gint64 now_ms, FerryPlan *plan);

G_END_DECLS
