// SPDX-License-Identifier: Apache-2.0
// What is on its way to a node that is being emptied.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

typedef struct {
  guint on_way;    /* VMs that are not there yet, and not among those counted before */
  guint cancelled; /* migrations that ended by this */
} FerryIncoming;

/** Asks for the end of every migration to the node of `evacuation` that has not
 * ended; but for those past the point of no return, which are let through. Adds an entry to `vms`
 * (status.vms) for each VM that has none there yet. Writes go into `plan`. Pure but for reads. */
FerryIncoming ferry_evacuation_incoming(FerryStore *store, const json_t *evacuation, json_t *vms,
                                        FerryPlan *plan);

/** Whether an entry of status.vms is one of those: made anew at each step. Pure. */
gboolean ferry_evacuation_is_incoming(const json_t *entry);
/** Whether an evacuation of its target has cancelled this migration, rather than a person, who
 * means it. Pure. */
gboolean ferry_evacuation_has_cancelled(const json_t *migration);

G_END_DECLS
