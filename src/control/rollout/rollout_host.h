// SPDX-License-Identifier: Apache-2.0
// One host of a Rollout: its states as a table.
#pragma once
#include "control/plan.h"
#include "model/migration/rollout.h"

G_BEGIN_DECLS

/** After which a host that could not be emptied is tried again. */
#define FERRY_ROLLOUT_AGAIN_MS (60 * 1000)
/** A host is looked at by a report that came so long after it was said to be done: by then its
 * agent has noticed a libvirtd that listens but does not answer (5 s between two looks, 4 s for an
 * answer). */
#define FERRY_ROLLOUT_SETTLE_MS (10 * 1000)

/** What a step of a rollout works on. */
typedef struct {
  FerryStore *store;
  const char *name; /* the rollout's */
  const json_t *rollout;
  gint64 now_ms;
  gboolean paused;
  FerryPlan *plan;
} FerryRolloutStep;

/** One step of a host that is under way: `entry` (of status.hosts, the step's own copy) is brought
 * up to date in place, writes go into the plan. Pure but for reads and new uids. */
void ferry_rollout_host_step(const FerryRolloutStep *step, json_t *entry);
/** Begins with the host of that entry, which is Queued: cordons it, and has an Evacuation empty it.
 * Fails the entry where its node is gone. */
void ferry_rollout_host_begin(const FerryRolloutStep *step, json_t *entry);
/** Takes the rollout's taint off the node, or puts it there; a node that is gone or has it so
 * already is left alone. Returns whether there is a write. */
gboolean ferry_rollout_host_avoid(const FerryRolloutStep *step, const char *node, gboolean avoid);
/** Ends the Evacuation of an entry if the rollout made it: what waits is cancelled. */
void ferry_rollout_host_end_evacuation(const FerryRolloutStep *step, const json_t *entry);
/** How many VMs run on that node: with those that are another host's and are active there as well,
 * and domains that are left out as invalid and may be active. */
guint ferry_rollout_host_vms(FerryStore *store, const char *node);

G_END_DECLS
