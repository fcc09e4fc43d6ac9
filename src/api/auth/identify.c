// SPDX-License-Identifier: Apache-2.0
// Who asks: judged by what the connection and the request show.
#include "api/auth/identify.h"
#include "api/auth/auth.h"
#include "api/auth/sessions.h"
#include "api/auth/validity.h"

#include <microhttpd.h>

/* The connection's certificate first, else a bearer token, else a session's cookie, else nobody. */
static FerryUser *find_user(FerryRequest *req, FerryLogin *login, GError **error) {
  struct MHD_Connection *c = req->connection;
  if (login && !login->checked) {
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (tls)
      login->user =
          ferry_auth_certificate(req->api, (gnutls_session_t)tls->tls_session, &login->error);
    login->checked = TRUE;
  }
  if (login && login->error) {
    if (error)
      *error = g_error_copy(login->error);
    return NULL;
  }
  if (login && login->user) {
    if (ferry_auth_is_valid(req->api, login->user, NULL))
      return ferry_user_ref(login->user);
    /* Revoked; or only the groups are others now, which the certificate shown once has again. */
    g_clear_pointer(&login->user, ferry_user_unref);
    const union MHD_ConnectionInfo *again =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    login->user = ferry_auth_certificate(req->api, (gnutls_session_t)again->tls_session, error);
    if (!login->user && error && *error)
      login->error = g_error_copy(*error);
    return login->user ? ferry_user_ref(login->user) : NULL;
  }
  const char *authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
  if (authorization)
    return ferry_auth_bearer(req->api, authorization, error);
  g_autoptr(GError) problem = NULL;
  FerryUser *user = ferry_auth_cookie(req, &problem);
  if (user || problem) {
    if (problem)
      g_propagate_error(error, g_steal_pointer(&problem));
    return user;
  }
  const char *const groups[] = {"system:unauthenticated", NULL};
  return ferry_user_new("system:anonymous", groups);
}

/* A credential may have ended since the connection, or the process, began. */
FerryUser *ferry_auth_identify(FerryRequest *req, FerryLogin *login, GError **error) {
  FerryUser *user = find_user(req, login, error);
  if (user && !user->anonymous && !ferry_auth_is_valid(req->api, user, error))
    g_clear_pointer(&user, ferry_user_unref);
  return user;
}
