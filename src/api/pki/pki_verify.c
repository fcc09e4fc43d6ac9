// SPDX-License-Identifier: Apache-2.0
// Which client certificates are good: judged anew for each handshake, so that CAs change without a
// restart.
#include "api/pki/pki_verify.h"
#include "api/pki/pki_private.h"
#include "base/error.h"

gboolean ferry_pki_refuse(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: %s", why);
  return FALSE;
}

static gboolean refuse_status(unsigned status, GError **error) {
  gnutls_datum_t text = {0};
  gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
  g_autofree char *why = g_strdup_printf("the client certificate is not good: %s",
                                         text.data ? (char *)text.data : "unknown reason");
  gnutls_free(text.data);
  return ferry_pki_refuse(error, g_strstrip(why));
}

/* Only what one of our CAs itself signed is taken: certificates in between prove nothing. */
static gboolean verify_leaf(gnutls_x509_crt_t leaf, gnutls_x509_crt_t ca, unsigned *status) {
  return ca && gnutls_x509_crt_check_issuer(leaf, ca) &&
         gnutls_x509_crt_verify(leaf, &ca, 1, 0, status) >= 0;
}

gboolean ferry_pki_verify_client(FerryPki *pki, const gnutls_datum_t *chain, unsigned n, char **ca,
                                 GError **error) {
  gnutls_x509_crt_t leaf = NULL;
  unsigned status = 0;
  if (n == 0 || gnutls_x509_crt_init(&leaf) < 0 ||
      gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER) < 0) {
    if (leaf)
      gnutls_x509_crt_deinit(leaf);
    return ferry_pki_refuse(error, "the client certificate could not be read");
  }
  g_mutex_lock(&pki->lock);
  const char *by = verify_leaf(leaf, pki->ca, &status)       ? pki->ca_hash
                   : verify_leaf(leaf, pki->old_ca, &status) ? pki->old_hash
                                                             : NULL;
  g_mutex_unlock(&pki->lock);
  gboolean ok = FALSE;
  if (!by)
    ferry_pki_refuse(error,
                     "the client certificate is not good: no CA that is trusted here signed it");
  else if (status != 0)
    refuse_status(status, error);
  else if (!gnutls_x509_crt_check_key_purpose(leaf, GNUTLS_KP_TLS_WWW_CLIENT,
                                              GNUTLS_VERIFY_DO_NOT_ALLOW_SAME))
    ferry_pki_refuse(error, "the certificate is not one for clients");
  else
    ok = TRUE;
  if (ok)
    *ca = g_strdup(by);
  gnutls_x509_crt_deinit(leaf);
  return ok;
}
