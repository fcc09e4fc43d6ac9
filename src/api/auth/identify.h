// SPDX-License-Identifier: Apache-2.0
// Who asks.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** The user of req; `login` (NULL: none is kept) is what is kept of its connection. NULL with
 * UNAUTHORIZED or FORBIDDEN; who shows nothing is system:anonymous. New reference; in the thread of
 * the connection. */
FerryUser *ferry_auth_identify(FerryRequest *req, FerryLogin *login, GError **error);

G_END_DECLS
