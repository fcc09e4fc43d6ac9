// SPDX-License-Identifier: Apache-2.0
// What an update may not change.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Immutable fields of `object` against the stored `old`. */
void ferry_validate_update(const FerryKind *kind, const json_t *object, const json_t *old,
                           GError *invalid);

G_END_DECLS
