// SPDX-License-Identifier: Apache-2.0
// Who may do what.
#pragma once
#include "api/auth/access.h"
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether a rule gives it to `user`, who need not be the one who asks. Any thread. */
gboolean ferry_authz_allows(FerryApi *api, const FerryUser *user, const FerryAccess *access);
/** Checks what the router found for req: FORBIDDEN or UNAUTHORIZED. */
gboolean ferry_authz_check(FerryRequest *req, GError **error);
/** What the rule of req's route, which is of resources, asks for. `own` and `fields` (both NULL
 * before) own what `access` points at besides req's own; free them with g_free and
 * ferry_selector_free. */
void ferry_authz_access_of(FerryRequest *req, FerryAccess *access, char **own,
                           FerrySelector **fields);
/** Checks one thing more that req's user must be allowed to do. */
gboolean ferry_authz_require(FerryRequest *req, const FerryAccess *access, GError **error);

G_END_DECLS
