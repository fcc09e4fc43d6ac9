// SPDX-License-Identifier: Apache-2.0
// Whether what was shown once still holds now.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** Whether the credential behind `user` still holds now: neither expired nor revoked, and the
 * session by which he came, if he did, has not ended. Cheap: asked at each request of a kept
 * connection, and several times a second for each open stream. Any thread; UNAUTHORIZED with the
 * reason. */
gboolean ferry_auth_is_valid(FerryApi *api, const FerryUser *user, GError **error);

G_END_DECLS
