// SPDX-License-Identifier: Apache-2.0
// From a method and a path to a handler.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Finds who answers req, authorises it, and has it answered; an error becomes the answer. */
void ferry_route(FerryRequest *req);
/** Finds req's route and authorises what was found, without running it: what of req is needed is
 * api, method, path, segments, query, headers and user. */
gboolean ferry_route_judge(FerryRequest *req, GError **error);

G_END_DECLS
