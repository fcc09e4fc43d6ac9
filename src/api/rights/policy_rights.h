// SPDX-License-Identifier: Apache-2.0
// Rights to what a policy says that this write has count for others.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Adds a cause for each dangerous field that a MigrationPolicy sets for a VM by this write, be it
 * that a migration names the policy, or that a VM or a Namespace gets what makes it count, and
 * whose right req's user lacks. `old` NULL: `object` is new. What the VM has anyway needs nothing.
 */
void ferry_policy_rights_collect(FerryRequest *req, const json_t *old, const json_t *object,
                                 GError *causes);

G_END_DECLS
