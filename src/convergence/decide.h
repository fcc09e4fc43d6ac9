// SPDX-License-Identifier: Apache-2.0
// Decisions: how one is queued, recorded with the numbers behind it, and taken into the state.
#pragma once
#include "convergence/state.h"
#include "model/migration/reasons.h"

G_BEGIN_DECLS

/** Queues a decision, records it, and takes its effect into the state. */
void ferry_decide(FerryConvergence *c, gint64 now_us, FerryAction action, gint64 value,
                  FerryReason code, const char *format, ...) G_GNUC_PRINTF(6, 7);
/** Whether anything can still be decided. */
gboolean ferry_decidable(const FerryConvergence *c);
/** Abort, unless post-copy was asked for or the end is decided already. */
void ferry_decide_abort(FerryConvergence *c, gint64 now_us, FerryReason code, const char *format,
                        ...) G_GNUC_PRINTF(4, 5);

/** Frees one that nobody has taken. */
void ferry_decision_free(gpointer decision);

G_END_DECLS
