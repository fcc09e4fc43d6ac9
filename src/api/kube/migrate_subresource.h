// SPDX-License-Identifier: Apache-2.0
// What virtctl sends.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** PUT .../virtualmachines/NAME/migrate: makes a migration. FerryHandler. */
gboolean ferry_serve_migrate_subresource(FerryRequest *req, GError **error);

G_END_DECLS
