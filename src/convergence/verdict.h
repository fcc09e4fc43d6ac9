// SPDX-License-Identifier: Apache-2.0
// Saying that the intent cannot be kept, and taking it back.
#pragma once
#include "convergence/state.h"

G_BEGIN_DECLS

/** It cannot; `provisional`: as far as it is known. Said once, and once more when it is sure. */
void ferry_verdict_infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                              gboolean provisional);
/** It cannot if the guest writes as `writer` does, which it may (or the tracker's, though less is
 * left after each pass), or unless it writes page after page (`writer` NULL): a doubt with its
 * probability, said once. */
void ferry_verdict_doubtful(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                            const FerryWriter *writer);
/** `o` keeps the intent after all: a verdict that stands is withdrawn. */
void ferry_verdict_feasible(FerryConvergence *c, gint64 now_us, const FerryOption *o);

G_END_DECLS
