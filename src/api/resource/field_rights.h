// SPDX-License-Identifier: Apache-2.0
// What the files about dangerous fields share: which value says something, and who may say it.
#pragma once
#include "api/internal.h"

G_BEGIN_DECLS

/** Whether a field of this value says something: it is there and neither false, 0, empty nor null.
 * Pure. */
gboolean ferry_field_says(const json_t *value);

/** Whether req's user has the verb create on virtualmachineinstancemigrations/RIGHT in `ns` (NULL:
 * everywhere). */
gboolean ferry_field_right_held(FerryRequest *req, const char *right, const char *ns);

/* policy_rights.c */
/** Adds a cause for each dangerous field that a MigrationPolicy sets for a VM by this write, be it
 * that a migration names the policy, or that a VM or a Namespace gets what makes it count, and
 * whose right req's user lacks. `old` NULL: `object` is new. What the VM has anyway needs nothing.
 */
void ferry_policy_rights_collect(FerryRequest *req, const json_t *old, const json_t *object,
                                 GError *causes);

G_END_DECLS
