// SPDX-License-Identifier: Apache-2.0
// Agents' reports become Node and VirtualMachineInstance objects.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

/** Merges one report of `node` into the store (see POST .../nodes/NAME/report): validates it,
 * reads, plans and commits, repeating when another writer was faster. A domain that is invalid is
 * left out and named in the Node's condition InvalidDomains; one whose `sequence` is not above the
 * last one's is too late, and nothing of it is taken; INVALID for a report that is malformed
 * beside its domains, or has too many of them. Blocks on the store; any thread. */
gboolean ferry_inventory_report(FerryStore *store, const char *node, const json_t *body,
                                gint64 now_ms, GError **error);

/** Whether what is stored of the domains of `node` is from before its agent's present session, or
 * from before it was silent: its next report must be of all of them. Any thread. */
gboolean ferry_inventory_wants_all(FerryStore *store, const char *node);

/** Whether a migration of the VM with this uid is not final. */
gboolean ferry_inventory_is_migrating(FerryStore *store, const char *vmi_uid);

/** A node that is removed, or of which nothing is known any more: its records leave the VMIs. */
gboolean ferry_inventory_forget_node(FerryStore *store, const char *node, gint64 now_ms,
                                     GError **error);

G_END_DECLS
