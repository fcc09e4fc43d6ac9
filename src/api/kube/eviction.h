// SPDX-License-Identifier: Apache-2.0
// The eviction of a pod, which moves its VM.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** POST .../pods/NAME/eviction: makes a migration of the VM, or says that one is under way.
 * FerryHandler. */
gboolean ferry_serve_eviction(FerryRequest *req, GError **error);

G_END_DECLS
