// SPDX-License-Identifier: Apache-2.0
// Logging in to the page: by a token or a certificate, or by a link that `ferry web` asked for.
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/auth/sessions.h"
#include "api/web/web.h"
#include "base/log.h"

#include <string.h>

/* Begins a session of `user`, and answers with its cookie and the token for writes. */
static gboolean log_in(FerryRequest *req, const FerryUser *user, GError **error) {
  g_autofree char *secret = NULL;
  if (!ferry_web_session_begin(req->api, user, &secret, error))
    return FALSE;
  /* The one whose cookie this one's replaces in the browser. */
  if (!ferry_web_session_end(req->api, req->user, error))
    return FALSE;
  g_autofree char *cookie = ferry_web_session_cookie(secret);
  g_autofree char *csrf = ferry_web_session_csrf(secret);
  ferry_info("somebody logged in to the page", "FERRY_USER", user->name);
  ferry_respond_header(req, "Set-Cookie", cookie);
  ferry_respond_json(req, MHD_HTTP_CREATED,
                     json_pack("{s:s, s:s}", "user", user->name, "csrf", csrf));
  return TRUE;
}

/* By what the request came: the page asks for it when it is loaded. */
static void tell_session(FerryRequest *req) {
  const FerryUser *user = req->user;
  g_autofree char *secret = user->session ? ferry_web_session_shown(req) : NULL;
  g_autofree char *csrf = secret ? ferry_web_session_csrf(secret) : NULL;
  json_t *answer = json_object();
  if (!user->anonymous)
    ferry_json_set_str(answer, "user", user->name);
  if (csrf)
    ferry_json_set_str(answer, "csrf", csrf);
  ferry_respond_json(req, MHD_HTTP_OK, answer);
}

gboolean ferry_serve_session(FerryRequest *req, GError **error) {
  if (g_str_equal(req->asked.method, "POST"))
    return log_in(req, req->user, error);
  if (g_str_equal(req->asked.method, "GET")) {
    tell_session(req);
    return TRUE;
  }
  if (!ferry_web_session_end(req->api, req->user, error))
    return FALSE;
  g_autofree char *cookie = ferry_web_session_cookie(NULL);
  ferry_respond_header(req, "Set-Cookie", cookie);
  ferry_respond_json(req, MHD_HTTP_OK, json_object());
  return TRUE;
}

static gboolean make_link(FerryRequest *req, GError **error) {
  g_autofree char *secret = NULL;
  if (!ferry_web_session_link(req->api, req->user, &secret, error))
    return FALSE;
  ferry_respond_json(
      req, MHD_HTTP_CREATED,
      json_pack("{s:s, s:i}", "token", secret, "expiresInSeconds", FERRY_LINK_LIFE_S));
  return TRUE;
}

gboolean ferry_serve_link(FerryRequest *req, GError **error) {
  if (!req->asked.segments[2])
    return make_link(req, error);
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  const char *token = ferry_json_str(body, "token");
  if (!token)
    return ferry_error_bad_request(error, "expected {\"token\": of the link}");
  g_autoptr(FerryUser) user = ferry_web_session_redeem(req->api, token, error);
  return user && log_in(req, user, error);
}
