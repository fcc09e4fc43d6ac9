// SPDX-License-Identifier: Apache-2.0
// The thread that runs the controllers on the store's changes and on time.
#pragma once
#include "base/clock.h"
#include "store/store.h"

G_BEGIN_DECLS

typedef struct FerryControl FerryControl;

/** Starts the control thread on `store` and `clock`, both of which must outlive it. */
FerryControl *ferry_control_start(FerryStore *store, const FerryClock *clock);
/** Ends the thread; NULL is allowed. Blocks until the step under way is done. */
void ferry_control_stop(FerryControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryControl, ferry_control_stop)

/** Figures for /metrics. Any thread. */
typedef struct {
  guint64 steps, conflicts;
} FerryControlStats;
/** Steps made, and commits that met a conflict, since the start. Any thread. */
void ferry_control_stats(FerryControl *control, FerryControlStats *stats);

G_END_DECLS
