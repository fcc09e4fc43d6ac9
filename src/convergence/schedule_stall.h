// SPDX-License-Identifier: Apache-2.0
// The stall detector of a schedule that has one.
#pragma once
#include "convergence/state.h"

G_BEGIN_DECLS

/** At the migration's start: nothing has stalled yet. */
void ferry_stall_start(FerryConvergence *c);
/** At the boundary of two passes: `now_us` is its time (monotonic). */
void ferry_stall_boundary(FerryConvergence *c, gint64 now_us);
/** At each sample: `now_us` is its time (monotonic). */
void ferry_stall_tick(FerryConvergence *c, gint64 now_us);

G_END_DECLS
