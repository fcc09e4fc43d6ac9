// SPDX-License-Identifier: Apache-2.0
// Defaults of what was left out.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Fills defaults of the kind's tables below spec into `object` in place. */
void ferry_apply_defaults(const FerryKind *kind, json_t *object);

G_END_DECLS
