// SPDX-License-Identifier: Apache-2.0
// A migration's parameters while it runs.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** PUT .../change */
gboolean ferry_resource_change(FerryRequest *req, GError **error);

G_END_DECLS
