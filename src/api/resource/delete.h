// SPDX-License-Identifier: Apache-2.0
// Deletes and cancels.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** DELETE of one object, answered with what it did. FerryHandler. */
gboolean ferry_resource_delete(FerryRequest *req, GError **error);
/** DELETE of all that the selectors choose. FerryHandler. */
gboolean ferry_resource_delete_collection(FerryRequest *req, GError **error);
/** PUT .../cancel of a migration: asks for its end. CONFLICT where it cannot be had. FerryHandler.
 */
gboolean ferry_resource_cancel(FerryRequest *req, GError **error);
/** Whether DeleteOptions (NULL: none) have the types they must have; BAD_REQUEST. Pure. */
gboolean ferry_check_delete_options(const json_t *options, GError **error);
/** Whether `object` is the one that DeleteOptions (NULL: none) mean; CONFLICT. */
gboolean ferry_check_preconditions(FerryRequest *req, const json_t *options, const json_t *object,
                                   GError **error);

G_END_DECLS
