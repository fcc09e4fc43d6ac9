// SPDX-License-Identifier: Apache-2.0
// Cells: one guest on one link with one wish each, drawn from a seed, and how presets fare on them.
#pragma once
#include "convergence/presets.h"
#include "sim/migration.h"

G_BEGIN_DECLS

#define FERRY_SIM_GBIT (119.2 * 1024 * 1024)

typedef struct {
  FerrySimGuestSpec guest;
  FerrySimLink link;
  FerrySimSettings settings;
  FerryConvergenceIntent intent; /* without a schedule */
  double gain;                   /* bytes of memory per wire byte with zstd; 0: as without */
  double gain_again;             /* ... of pages that xbzrle finds in its cache; > 0 where used */
  double spare;                  /* processors with nothing to do, on the busier host; < 0: as many
                                    as are wanted, and nothing is chosen for them */
  const char *path;              /* of a judged cell: what its link does; static */
} FerrySimCell;

/** The cell number `seed`, small and of every kind, for tests; the same for the same number. The
 * controller knows the path exactly. */
void ferry_sim_cell(FerrySimCell *cell, guint32 seed);
/** The cell number `seed` that presets are judged on (judged.c): the controller knows of it what it
 * knows in production. */
void ferry_sim_judged_cell(FerrySimCell *cell, guint32 seed);
/** What is known of the guest before the start; only the intent makes use of it. */
typedef enum {
  FERRY_SIM_KNOWS_NOTHING,
  FERRY_SIM_KNOWS_RATE,   /* its dirty rate was measured for a second */
  FERRY_SIM_KNOWS_LESSON, /* it was moved before, by the intent */
} FerrySimKnown;

/** Runs `preset` on `cell` with the means it has (auto-converge, compression, its own cap), and the
 * intent with those that it chooses. */
FerrySimResult ferry_sim_run_preset(const FerrySimCell *cell, const FerryPreset *preset,
                                    FerrySimKnown known, json_t **history);
/** Whether `r` moved the guest as the cell's intent asks. */
gboolean ferry_sim_within(const FerrySimCell *cell, const FerrySimResult *r);
/** Whether fixed limits and throttles, chosen with hindsight, keep the intent. `runs` (may be NULL)
 * gets a FerrySimResult of each that was tried; without it the first success ends the search. */
gboolean ferry_sim_feasible(const FerrySimCell *cell, GArray *runs);
/** The least time that any migration of the cell takes. */
double ferry_sim_bound(const FerrySimCell *cell);

G_END_DECLS
