// SPDX-License-Identifier: Apache-2.0
// A PATCH by its Content-Type.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Applies the body of a PATCH to `old` (borrowed); NULL `old`: only an apply patch can create. */
json_t *ferry_patch_apply(FerryRequest *req, const json_t *old, json_t *patch, GError **error);

G_END_DECLS
