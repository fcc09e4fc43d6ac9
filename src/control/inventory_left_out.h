// SPDX-License-Identifier: Apache-2.0
// Domains of a report that can't be taken.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** Most domains of one node that are named as left out. */
#define FERRY_REPORT_MAX_LEFT_OUT 64

/** Keeps the list of `node`'s domains that are left out, in place: status.invalidDomains, the
 * condition InvalidDomains, and an event where one is new or differs. `node` is a copy of what is
 * stored, `body` a checked report. */
void ferry_inventory_note_left_out(FerryPlan *plan, json_t *node, const json_t *body,
                                   gint64 now_ms);
/** Whether a domain is left out whose UUID can't be read: it may be any that is known. */
gboolean ferry_inventory_has_nameless(const json_t *body);

G_END_DECLS
