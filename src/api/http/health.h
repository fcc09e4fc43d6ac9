// SPDX-License-Identifier: Apache-2.0
// GET /healthz, /livez and /readyz.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether the server lives and is ready, as text; see FerryHandler. */
gboolean ferry_serve_health(FerryRequest *req, GError **error);

G_END_DECLS
