// SPDX-License-Identifier: Apache-2.0
// The stall detector of a schedule that has one.
#pragma once
#include "convergence/state.h"

G_BEGIN_DECLS

/** At the start, at a pass boundary, at each tick. */
void ferry_stall_start(FerryConvergence *c);
void ferry_stall_boundary(FerryConvergence *c, gint64 now_us);
void ferry_stall_tick(FerryConvergence *c, gint64 now_us);

G_END_DECLS
