// SPDX-License-Identifier: Apache-2.0
// A person's word that a host of a Rollout is done.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** PUT .../done with {"nodeName": "h1"} on a Rollout whose host h1 is Empty. */
gboolean ferry_resource_done(FerryRequest *req, GError **error);

G_END_DECLS
