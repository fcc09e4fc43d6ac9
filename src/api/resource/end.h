// SPDX-License-Identifier: Apache-2.0
// The end of an object and of what goes with it.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Commits the end of `object` (the stored state): `write` deletes it, or marks it where it waits
 * for finalizers, and what goes with it goes in the same commit. `*stored` gets a new reference to
 * the last, or the marked, state. Takes the sessions' lock for a Node, so not from under it.
 * CONFLICT: somebody wrote in between. */
gboolean ferry_resource_end(FerryRequest *req, const json_t *object, const FerryWrite *write,
                            json_t **stored, GError **error);

G_END_DECLS
