// SPDX-License-Identifier: Apache-2.0
// VMs that a report brings: what they are called, and whether there is room for them.
#pragma once
#include "control/inventory_merge.h"

G_BEGIN_DECLS

/** Most namespaces that the reports of one node make. */
#define FERRY_REPORT_MAX_NAMESPACES 64

/** The VMI for a domain that has none yet; plans its namespace where that is new. */
json_t *ferry_inventory_new_vmi(FerryReport *r, FerryPlan *plan, const json_t *record);
/** The uid of another VM whose domain has this name, borrowed, or NULL; notes that `uid` has it. */
const char *ferry_inventory_other_of_name(FerryReport *r, const char *name, const char *uid);
/** `vmi` goes: others of its name are to be judged anew. */
void ferry_inventory_name_left(FerryReport *r, const json_t *vmi);
/** Whether the node may have as many domains as it would have after the report; INVALID. */
gboolean ferry_inventory_check_room(FerryReport *r, const json_t *body, GError **error);

G_END_DECLS
