// SPDX-License-Identifier: Apache-2.0
// Theory of operation: who asks is decided once a connection for certificates (the TLS library only
// completes the handshake: whether the certificate is of our CA, for clients and in time is decided
// here, and anything unclear is refused) and once a request for bearer tokens, which are kept as
// SHA-256 of long random strings only. Whether what was shown still holds is asked again all the
// time (ferry_auth_is_valid).
#include "api/auth/auth.h"
#include "api/auth/token_file.h"
#include "api/auth/users.h"
#include "api/auth/validity.h"
#include "api/pki/pki_certs.h"
#include "api/pki/pki_verify.h"
#include "api/auth/credentials.h"
#include "api/oidc/oidc.h"
#include "base/random.h"
#include "base/rfc3339.h"

#include <gnutls/x509.h>
#include <string.h>

#define MIN_TOKEN 16
#define MAX_TOKEN 512

static FerryUser *auth_refuse(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: %s", why);
  return NULL;
}

static char *subject_part(gnutls_x509_crt_t crt, const char *oid, unsigned i) {
  char text[256];
  size_t len = sizeof text;
  if (gnutls_x509_crt_get_dn_by_oid(crt, oid, (int)i, 0, text, &len) < 0)
    return NULL;
  /* A NUL inside would make two readers see two names. */
  return strlen(text) == len && g_utf8_validate(text, -1, NULL) ? g_strdup(text) : NULL;
}

static FerryUser *user_of_certificate(gnutls_x509_crt_t crt) {
  g_autofree char *name = subject_part(crt, GNUTLS_OID_X520_COMMON_NAME, 0);
  if (!name || !*name || g_str_equal(name, "system:anonymous"))
    return NULL;
  g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
  for (unsigned i = 0; i < FERRY_API_MAX_GROUPS; i++) {
    char *group = subject_part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, i);
    if (!group)
      break;
    g_ptr_array_add(groups, group);
  }
  g_ptr_array_add(groups, g_strdup("system:authenticated"));
  g_ptr_array_add(groups, NULL);
  FerryUser *user = ferry_user_new(name, (const char *const *)groups->pdata);
  user->expires_s = (gint64)gnutls_x509_crt_get_expiration_time(crt);
  user->begins_s = (gint64)gnutls_x509_crt_get_activation_time(crt);
  return user;
}

/* Names the certificate, and gives it to its User where its record says so. */
static FerryUser *with_record(FerryApi *api, gnutls_x509_crt_t crt, char *ca, FerryUser *shown,
                              GError **error) {
  g_autoptr(FerryUser) user = shown;
  user->ca = ca;
  g_autofree char *serial = ferry_pki_serial(crt);
  user->credential = g_strdup_printf("certificate %s", serial);
  g_autoptr(json_t) record = ferry_credential_find(api, user->credential);
  if (ferry_json_str(record, "uid")) {
    FerryUser *owner = ferry_user_of_record(api, record, error);
    if (owner) {
      owner->expires_s = user->expires_s;
      owner->ca = g_strdup(ca);
    }
    return owner;
  }
  return ferry_auth_is_valid(api, user, error) ? g_steal_pointer(&user) : NULL;
}

FerryUser *ferry_auth_certificate(FerryApi *api, gnutls_session_t session, GError **error) {
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
  if (!chain || n == 0)
    return NULL;
  if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509)
    return auth_refuse(error, "the client certificate is not of type X.509");
  g_autofree char *ca = NULL;
  if (!ferry_pki_verify_client(api->pki, chain, n, &ca, error))
    return NULL;
  gnutls_x509_crt_t crt = NULL;
  FerryUser *user = NULL;
  if (gnutls_x509_crt_init(&crt) < 0)
    return auth_refuse(error, "the client certificate could not be read");
  if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) >= 0)
    user = user_of_certificate(crt);
  if (user)
    user = with_record(api, crt, g_steal_pointer(&ca), user, error);
  else
    auth_refuse(error, "the client certificate names no user in its common name");
  gnutls_x509_crt_deinit(crt);
  return user;
}

FerryUser *ferry_auth_bearer(FerryApi *api, const char *authorization, GError **error) {
  if (g_ascii_strncasecmp(authorization, "Bearer ", 7) != 0)
    return auth_refuse(error, "only client certificates and bearer tokens are known here");
  const char *token = authorization + 7;
  while (*token == ' ')
    token++;
  if (api->oidc && ferry_jwt_looks_like(token))
    return ferry_oidc_user(api->oidc, token, ferry_clock_wall_ms(api->clock), error);
  gsize len = strlen(token);
  if (len < MIN_TOKEN || len > MAX_TOKEN)
    return auth_refuse(error, "the bearer token is not known");
  g_autoptr(GError) problem = NULL;
  FerryUser *user = ferry_user_of_token(api, token, &problem);
  if (!user && !problem) {
    g_autofree char *hash = ferry_sha256_hex(token, len);
    user = ferry_token_file_find(api->token_file, hash);
  }
  if (user || !problem)
    return user ? user : auth_refuse(error, "the bearer token is not known");
  g_propagate_error(error, g_steal_pointer(&problem));
  return NULL;
}
