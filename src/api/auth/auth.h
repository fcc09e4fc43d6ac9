// SPDX-License-Identifier: Apache-2.0
// Who a credential is of.
#pragma once
#include "api/http/api.h"

#include <gnutls/gnutls.h>

G_BEGIN_DECLS

/** The user of a verified client certificate; NULL with no error: none was sent; with UNAUTHORIZED:
 * one that is not good. */
FerryUser *ferry_auth_certificate(FerryApi *api, gnutls_session_t session, GError **error);
/** The user of an Authorization header's bearer token, one of Ferry's own or a provider's; NULL
 * with UNAUTHORIZED: it is not good. */
FerryUser *ferry_auth_bearer(FerryApi *api, const char *authorization, GError **error);

G_END_DECLS
