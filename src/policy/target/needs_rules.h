// SPDX-License-Identifier: Apache-2.0
// What a VM needs of its target against what that has.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The reasons against `node` as a target by what it lacks of spec.domain.needs of the VM, or of
 * the destinationXML of `config` (may be NULL): a new list of {reason, message}. What the node
 * doesn't tell of is no reason. Pure. */
json_t *ferry_needs_reasons(const json_t *vmi, const json_t *config, const json_t *node);

G_END_DECLS
