// SPDX-License-Identifier: Apache-2.0
// Creates, updates and patches.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** POST to a collection. FerryHandler. */
gboolean ferry_resource_create(FerryRequest *req, GError **error);
/** Creates req->found.kind's object `body` (borrowed, may be changed) in req->found.ns, validated,
 * admitted and committed, without answering but for warnings. New reference to what is stored. */
json_t *ferry_resource_make(FerryRequest *req, json_t *body, GError **error);
/** PUT of one object. FerryHandler. */
gboolean ferry_resource_update(FerryRequest *req, GError **error);
/** PATCH of one object. FerryHandler. */
gboolean ferry_resource_patch(FerryRequest *req, GError **error);
/** What a write is to do: makes the new object from the stored one. NULL with an error: refuse. */
typedef json_t *(*FerryChangeFunc)(FerryRequest *req, const json_t *old, gpointer data,
                                   GError **error);
/** Read, change, validate, admit, commit; again on a conflict where the change names no revision.
 */
gboolean ferry_resource_modify(FerryRequest *req, FerryChangeFunc change, gpointer data,
                               GError **error);
/** The server's own change of req's object, without admission, again while somebody writes in
 * between; answers 200 with what is stored, or with what would be (`dry`). Where `change` gives
 * `old` itself there is nothing to write. CONFLICT after many tries. */
gboolean ferry_resource_replace(FerryRequest *req, FerryChangeFunc change, gpointer data,
                                gboolean dry, GError **error);

G_END_DECLS
