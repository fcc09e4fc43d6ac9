// SPDX-License-Identifier: Apache-2.0
// Rights to the fields that a write sets.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether req's user has the rights that the fields need which `object` sets and `old` (NULL: it
 * is new) does not; FORBIDDEN with a cause for each field. */
gboolean ferry_check_field_rights(FerryRequest *req, const json_t *old, const json_t *object,
                                  GError **error);

G_END_DECLS
