// SPDX-License-Identifier: Apache-2.0
// What a write changed, in words that may stand in a log. Pure.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

#define FERRY_AUDIT_MAX_CHANGES 32

/** The fields that differ between `old` and `object`, either NULL where it is not there: a list of
 * {"field", "old", "new"}, at most FERRY_AUDIT_MAX_CHANGES of them (*cut: there are more). Values
 * stand there only where the kind's table says that they can be no secret: numbers, booleans,
 * times, quantities, words of a closed list, names and addresses. The cost is bounded. New
 * reference. */
json_t *ferry_audit_changes(const FerryKind *kind, const json_t *old, const json_t *object,
                            gboolean *cut);

G_END_DECLS
