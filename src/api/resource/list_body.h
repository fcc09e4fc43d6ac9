// SPDX-License-Identifier: Apache-2.0
// The text of a list, put together as it is sent from the texts of its objects.
#pragma once
#include "api/http/body.h"
#include "base/json.h"

G_BEGIN_DECLS

/** `head`: the list but for its items (borrowed); `objects`: FerryStored (referenced). */
FerryBody *ferry_list_body_new(const json_t *head, GPtrArray *objects);

G_END_DECLS
