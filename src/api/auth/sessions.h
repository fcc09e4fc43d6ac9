// SPDX-License-Identifier: Apache-2.0
// A browser's session with this server, and the link that begins one. Both are records beside those
// of credentials (credentials.h): their secrets are kept as hashes, and a revocation of all that a
// user has ends them too.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** How long a link that begins a session can be used, once. */
#define FERRY_LINK_LIFE_S 60

/** Begins a session of `user`, which acts by the credential that `user` came with and ends with it,
 * after 12 hours at the latest. `*secret` gets what the cookie holds. Of a user the newest 16
 * sessions stay. FORBIDDEN for an agent, for somebody acted as, and for a caller who came with a
 * session himself: a session cannot make itself last. Blocks on the store. */
gboolean ferry_web_session_begin(FerryApi *api, const FerryUser *user, char **secret,
                                 GError **error);
/** Makes a link's secret for `user`, by the same rules. */
gboolean ferry_web_session_link(FerryApi *api, const FerryUser *user, char **secret,
                                GError **error);
/** Uses up a link's secret: whom it was made for. UNAUTHORIZED: there is no such secret, it is used
 * or too old, or the credential behind it has ended meanwhile. New reference; blocks on the store.
 */
FerryUser *ferry_web_session_redeem(FerryApi *api, const char *secret, GError **error);
/** Ends the session that `user` came with; TRUE where there is none any more. */
gboolean ferry_web_session_end(FerryApi *api, const FerryUser *user, GError **error);
/** The value of a Set-Cookie header that gives `secret` to the browser; NULL: takes it back. Free
 * with g_free. */
char *ferry_web_session_cookie(const char *secret);
/** What a page must say in Ferry-CSRF with each write, of the secret in its cookie. Free with
 * g_free. Pure. */
char *ferry_web_session_csrf(const char *secret);
/** The secret in the request's cookie; NULL: none, or more than one. Free with g_free. */
char *ferry_web_session_shown(FerryRequest *req);
/** Who comes with the cookie of a session. NULL without an error: nobody does, the cookie is no
 * good or another site's page sent it; NULL with FORBIDDEN: a write without the session's
 * Ferry-CSRF. */
FerryUser *ferry_auth_cookie(FerryRequest *req, GError **error);

G_END_DECLS
