// SPDX-License-Identifier: Apache-2.0
// Server-sent events of migrations.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** GET /api/v1/events/stream */
gboolean ferry_serve_events_stream(FerryRequest *req, GError **error);

G_END_DECLS
