// SPDX-License-Identifier: Apache-2.0
// What can be asked for: GET /api, /apis and below.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Answers in the form that was asked for, plain or aggregated. FerryHandler. */
gboolean ferry_serve_discovery(FerryRequest *req, GError **error);

G_END_DECLS
