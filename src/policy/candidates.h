// SPDX-License-Identifier: Apache-2.0
// The hosts that can take a VM, beside each other.
#pragma once
#include "policy/choice.h"

G_BEGIN_DECLS

/** Of each node that can take the VM what it would be like there: a new list of {nodeName,
 * memoryAfterBytes, network, speedMbps, inbound, score, scores, drawbacks, warnings, chosen, why},
 * in the order of `in`; what isn't known is left out. `chosen` (may be NULL) is the one that would
 * be taken, and its `why` says why. Pure. */
json_t *ferry_candidates(const FerryPlacementInput *in, const json_t *chosen);

G_END_DECLS
