// SPDX-License-Identifier: Apache-2.0
// Cells: one guest on one link with one wish each, drawn from a seed, and how presets fare on them.
#pragma once
#include "convergence/presets.h"
#include "sim/migration.h"

G_BEGIN_DECLS

typedef struct {
  FerrySimGuestSpec guest;
  FerrySimLink link;
  FerrySimSettings settings;
  FerryConvergenceIntent intent; /* without a schedule */
} FerrySimCell;

/** The cell number `seed`; the same for the same number. */
void ferry_sim_cell(FerrySimCell *cell, guint32 seed);
/** Runs `preset` on `cell` with the means it has (auto-converge, its own cap). `prior`: the dirty
 * rate was measured for a second beforehand (only the intent makes use of it). */
FerrySimResult ferry_sim_run_preset(const FerrySimCell *cell, const FerryPreset *preset,
                                    gboolean prior, json_t **history);
/** Whether `r` moved the guest as the cell's intent asks. */
gboolean ferry_sim_within(const FerrySimCell *cell, const FerrySimResult *r);
/** Whether `preset` only uses what the cell's intent permits (throttling, post-copy). */
gboolean ferry_sim_same_means(const FerrySimCell *cell, const FerryPreset *preset);
/** Whether fixed limits and throttles, chosen with hindsight, keep the intent; `least_pause` (may
 * be NULL) gets the shortest pause of the successful ones, INFINITY for none. */
gboolean ferry_sim_feasible(const FerrySimCell *cell, double *least_pause);
/** The earliest end for whoever spares an idle guest and knows nothing of it before the end of the
 * first pass: as low a limit as the intent's own first one, and all that is allowed from the moment
 * at which the first pass's end is heard. */
FerrySimResult ferry_sim_start_low(const FerrySimCell *cell);
/** The least time that any migration of the cell takes. */
double ferry_sim_bound(const FerrySimCell *cell);

G_END_DECLS
