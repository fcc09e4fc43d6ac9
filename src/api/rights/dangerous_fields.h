// SPDX-License-Identifier: Apache-2.0
// What the files about dangerous fields share: which value says something, and who may say it.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether a field of this value says something: it is there and neither false, 0, empty nor null.
 * Pure. */
gboolean ferry_field_says(const json_t *value);

/** Whether req's user has the verb create on virtualmachineinstancemigrations/RIGHT in `ns` (NULL:
 * everywhere). */
gboolean ferry_field_right_held(FerryRequest *req, const char *right, const char *ns);

G_END_DECLS
