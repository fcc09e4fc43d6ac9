// SPDX-License-Identifier: Apache-2.0
// Server-side apply: who owns which field.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** The object after applying `sent` (borrowed) over `old` (NULL: it is created) as req's
 * fieldManager: fields that it no longer sends and nobody else owns are removed; CONFLICT with a
 * cause for each field that another manager owns with another value, unless force=true. Sets
 * managedFields. */
json_t *ferry_apply_patch(FerryRequest *req, const json_t *old, const json_t *sent, GError **error);
/** After any other write: what changed belongs to req's manager (operation Update), agents
 * excepted. Changes `object` in place. Adds a cause to `invalid` where this write, of whatever
 * sort, makes managedFields too large. */
void ferry_apply_track(FerryRequest *req, const json_t *old, json_t *object, GError *invalid);
/** The same of a new object that was not applied: it is all req's manager's, whatever managedFields
 * it came with. */
void ferry_apply_created(FerryRequest *req, json_t *object);

G_END_DECLS
