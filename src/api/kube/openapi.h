// SPDX-License-Identifier: Apache-2.0
// GET /openapi.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** /openapi/v2 and /openapi/v3, made of the tables of kinds. FerryHandler. */
gboolean ferry_serve_openapi(FerryRequest *req, GError **error);

G_END_DECLS
