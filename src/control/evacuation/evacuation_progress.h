// SPDX-License-Identifier: Apache-2.0
// When an evacuation that runs is expected to end, and whether that is in time.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** Memory of the VMs that are on the host yet: of all, and of those that are to leave it still. */
typedef struct {
  gint64 there, left;
} FerryEvacuationBytes;

/** Brings status.expectedEnd of `evacuation` (a working copy) up to date, where `bytes` are there
 * yet: by how fast it has gone, before the first VM has left by its plan. What is there at the
 * first call is kept in status.plan, so that both are counted alike. It is told anew only where
 * another VM has left, so that telling it is no news by itself. Once spec.deadline is over the
 * condition DeadlineMissed and an event say so, until there is a later one; a wake is planned for
 * that moment. Pure. */
void ferry_evacuation_progress(json_t *evacuation, gint64 moved_before,
                               const FerryEvacuationBytes *bytes, gint64 now_ms, FerryPlan *plan);

/** Sets status.tookMs of one that has ended, and returns how that compares with what was planned,
 * to follow what else is said of its end; empty where nothing was. Free with g_free. Pure. */
char *ferry_evacuation_outcome(json_t *evacuation, gint64 now_ms);

G_END_DECLS
