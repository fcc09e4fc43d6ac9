// SPDX-License-Identifier: Apache-2.0
// Lists.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** GET of a collection, whole or in pages. FerryHandler. */
gboolean ferry_resource_list(FerryRequest *req, GError **error);

G_END_DECLS
