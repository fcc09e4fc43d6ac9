// SPDX-License-Identifier: Apache-2.0
// Domains that are active on a node that is being emptied, and are no VM of its: nothing moves
// them, and the node is not empty while they are there.
#pragma once
#include "base/json.h"

#include <glib.h>

G_BEGIN_DECLS

/** Adds an entry to `vms` (status.vms of an evacuation) for each of them: a VM among `vmis` that is
 * another host's and active here as well, unless `moves` says that a migration of it is under way,
 * and what `node` reports of a domain that may be active and is left out as invalid. Returns how
 * many. Pure. */
guint ferry_evacuation_strays(const json_t *node, const GPtrArray *vmis,
                              gboolean (*moves)(const json_t *vmi, gpointer data), gpointer data,
                              json_t *vms);

/** Whether an entry of status.vms is one of those: made anew at each step. Pure. */
gboolean ferry_evacuation_is_stray(const json_t *entry);

G_END_DECLS
