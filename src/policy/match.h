// SPDX-License-Identifier: Apache-2.0
// Which MigrationPolicy applies to a VM: KubeVirt's rule.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The one of `policies` (json_t*, MigrationPolicy objects) that applies to a VM with these labels
 * (maps, may be NULL) in a namespace with those, borrowed; NULL where none does. A policy without
 * `selectors` never applies; with `{}` it applies to all with score 0; every label it names must be
 * there with that value. The most matched labels win, then the most matched labels of the VM, then
 * the first name. Source of the rule: KubeVirt user guide, "Migration Policies". Pure. */
const json_t *ferry_policy_match(json_t *const *policies, gsize n, const json_t *vm_labels,
                                 const json_t *namespace_labels);

/** Whether `labels` have all that one selector of a policy (a map) names; an empty one names none.
 * Pure. */
gboolean ferry_policy_selects(const json_t *selector, const json_t *labels);

G_END_DECLS
