// SPDX-License-Identifier: Apache-2.0
// Acting as another user.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Puts who is to be acted as in req's user's place, if the headers ask for it and the user may:
 * FORBIDDEN. */
gboolean ferry_impersonate(FerryRequest *req, GError **error);

G_END_DECLS
