// SPDX-License-Identifier: Apache-2.0
// Whether a VM can be moved at all, with every reason against it.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The reasons against live migration of a VM by its spec: a new list of {reason, message} with
 * KubeVirt's reason names; empty: it can move. Pure. */
json_t *ferry_migratable_reasons(const json_t *vmi);

G_END_DECLS
