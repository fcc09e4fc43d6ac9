// SPDX-License-Identifier: Apache-2.0
// Lines about an Evacuation, for people. Pure: an object in, text out. Free with g_free.
#pragma once
#include "model/migration/evacuation.h"
#include "model/migration/phase.h"

G_BEGIN_DECLS

/** Whether nothing more will happen to a VM of status.vms in this phase. */
gboolean ferry_drain_vm_is_over(FerryPhase phase);
/** A line for one entry of status.vms, without a newline: "db: Running (db-evacuation-1f2e3d4c-1)".
 */
char *ferry_drain_vm_line(const json_t *vm);
/** How far it is, without a newline: "h1: 3 of 40 moved, 2 moving, 35 waiting". */
char *ferry_drain_progress(const json_t *evacuation);
/** VMs that are still there, a line "  * ..." with its newline for each; "" where all have left. */
char *ferry_drain_remaining(const json_t *evacuation);

G_END_DECLS
