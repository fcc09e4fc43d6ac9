// SPDX-License-Identifier: Apache-2.0
// GET of one object; what it shares with lists.
#pragma once
#include "api/http/request.h"
#include "model/listing/selector.h"

G_BEGIN_DECLS

/** GET of one object. FerryHandler. */
gboolean ferry_resource_get(FerryRequest *req, GError **error);
/** TIMEOUT: a revision was asked for that is to come. Always FALSE. */
gboolean ferry_set_too_new(gint64 wanted, gint64 now, GError **error);
/** The selectors of a request; both may become NULL. */
gboolean ferry_request_selectors(FerryRequest *req, FerrySelector **labels, FerrySelector **fields,
                                 GError **error);

G_END_DECLS
