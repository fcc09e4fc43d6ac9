// SPDX-License-Identifier: Apache-2.0
// How long an evacuation that is planned takes at least, and how long it is expected to.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct FerryEvacuationEstimate FerryEvacuationEstimate;

/** One of no moves. */
FerryEvacuationEstimate *ferry_evacuation_estimate_new(void);
void ferry_evacuation_estimate_free(FerryEvacuationEstimate *estimate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryEvacuationEstimate, ferry_evacuation_estimate_free)

/** Takes a move that is planned: of `vmi` by its resolved `config` from one node to another, with
 * all Networks; `entry` is its place in status.vms, which ferry_evacuation_estimate_end completes.
 * All borrowed until then. */
void ferry_evacuation_estimate_take(FerryEvacuationEstimate *estimate, json_t *entry,
                                    const json_t *vmi, const json_t *config, const json_t *source,
                                    const json_t *target, json_t *const *networks, gsize n);

/** Gives each entry its bytes and forecastMs, and returns status.plan: {bytes, boundMs, boundBy,
 * forecastMs}, what isn't known left out. New reference. Pure. */
json_t *ferry_evacuation_estimate_end(FerryEvacuationEstimate *estimate);

/** What speaks against a deadline `within_ms` from now, by `plan` (as ferry_evacuation_estimate_end
 * has it) and the entries of status.vms: that no order of moves is fast enough, who is expected to
 * leave later or can't leave, and of how many nothing is known. Puts their number that is late into
 * plan.late. New text; NULL: nothing. */
char *ferry_evacuation_deadline_text(json_t *plan, const json_t *vms, gint64 within_ms);

G_END_DECLS
