// SPDX-License-Identifier: Apache-2.0
// Whether what was shown once still holds now.
#include "api/auth/validity.h"
#include "api/auth/credentials.h"
#include "api/auth/token_file.h"
#include "api/pki/pki_verify.h"
#include "base/rfc3339.h"

static gboolean session_is_open(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) record = ferry_credential_find(api, user->session);
  if (record && !ferry_credential_is_over(api, record))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
              "Unauthorized: the session has ended: log in again");
  return FALSE;
}

gboolean ferry_auth_is_valid(FerryApi *api, const FerryUser *user, GError **error) {
  if (user->impersonator)
    return ferry_auth_is_valid(api, user->impersonator, error);
  if (user->session && !session_is_open(api, user, error))
    return FALSE;
  if (!user->credential)
    return TRUE;
  if (user->expires_s && user->expires_s < ferry_clock_wall_ms(api->clock) / 1000) {
    g_autofree char *when = ferry_rfc3339_format(user->expires_s * 1000);
    g_autofree char *why =
        g_strdup_printf("the credential (%s) ended at %s", user->credential, when);
    ferry_pki_refuse(error, why);
    return FALSE;
  }
  if (user->ca && g_strcmp0(user->ca, ferry_pki_ca_hash(api->pki)) != 0 &&
      g_strcmp0(user->ca, ferry_pki_old_ca_hash(api->pki)) != 0) {
    ferry_pki_refuse(error, "the CA of the client certificate is not trusted any more");
    return FALSE;
  }
  if (user->key) {
    g_autoptr(FerryUser) now = ferry_token_file_find(api->token_file, user->key);
    if (now && g_str_equal(now->name, user->name) &&
        g_strv_equal((const char *const *)now->groups, (const char *const *)user->groups))
      return TRUE;
    ferry_pki_refuse(error, "the bearer token is not known any more");
    return FALSE;
  }
  if (g_str_has_prefix(user->credential, "oidc "))
    return TRUE; /* the provider alone could say more, and it is not asked: its tokens are short */
  return ferry_credential_check(api, user, error);
}
