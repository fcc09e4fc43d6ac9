// SPDX-License-Identifier: Apache-2.0
// A person's word which of two copies of a VM goes on.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** PUT .../resolve */
gboolean ferry_resource_resolve(FerryRequest *req, GError **error);

G_END_DECLS
