// SPDX-License-Identifier: Apache-2.0
// Certificate requests (PKCS#10): which are good, and what is taken of them.
#include "api/pki/pki_request.h"
#include "api/pki/pki_certs.h"
#include "base/error.h"

#include <gnutls/abstract.h>
#include <string.h>

#define MAX_REQUEST (16 * 1024) /* RSA of 8192 bits with some names takes 4 KiB */

static gboolean strong_enough(gnutls_x509_crq_t crq) {
  unsigned bits = 0;
  switch (gnutls_x509_crq_get_pk_algorithm(crq, &bits)) {
  case GNUTLS_PK_RSA:
    return bits >= 2048 && bits <= 8192;
  case GNUTLS_PK_ECDSA:
    return bits >= 256;
  case GNUTLS_PK_EDDSA_ED25519:
    return TRUE;
  default:
    return FALSE;
  }
}

/* Only the key of the request is taken; its wishes for names and extensions are not. */
static int set_request_key(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq) {
  gnutls_pubkey_t key = NULL;
  int rc = gnutls_pubkey_init(&key);
  if (rc >= 0)
    rc = gnutls_pubkey_import_x509_crq(key, crq, 0);
  if (rc >= 0)
    rc = gnutls_x509_crt_set_pubkey(crt, key);
  if (key)
    gnutls_pubkey_deinit(key);
  return rc;
}

static gboolean request_check(gnutls_x509_crq_t crq, const char *csr_pem, GError **error) {
  gnutls_datum_t d = {(unsigned char *)csr_pem, (unsigned)strlen(csr_pem)};
  const char *problem = NULL;
  if (d.size > MAX_REQUEST || gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_PEM) < 0)
    problem = "expected a certificate request (PKCS#10) in PEM";
  else if (!strong_enough(crq)) /* before anything is computed with it */
    problem = "expected an EC key of 256 bits or more, Ed25519, or RSA of 2048 to 8192 bits";
  else if (gnutls_x509_crq_verify(crq, 0) < 0)
    problem = "the request is not signed by the key it names";
  if (problem)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "csr: %s", problem);
  return !problem;
}

gnutls_x509_crq_t ferry_pki_request_read(const char *csr_pem, GError **error) {
  gnutls_x509_crq_t crq = NULL;
  if (!ferry_pki_check(gnutls_x509_crq_init(&crq), "certificate request", error))
    return NULL;
  if (request_check(crq, csr_pem, error))
    return crq;
  gnutls_x509_crq_deinit(crq);
  return NULL;
}

gboolean ferry_pki_request_take_key(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq, GError **error) {
  return ferry_pki_check(set_request_key(crt, crq), "csr", error);
}

char *ferry_pki_request_key_hash(const char *csr_pem, GError **error) {
  unsigned char id[64];
  size_t len = sizeof id;
  g_autoptr(GString) text = g_string_new(NULL);
  gnutls_x509_crq_t crq = ferry_pki_request_read(csr_pem, error);
  if (!crq)
    return NULL;
  gboolean ok = ferry_pki_check(gnutls_x509_crq_get_key_id(crq, GNUTLS_KEYID_USE_SHA256, id, &len),
                                "csr", error);
  gnutls_x509_crq_deinit(crq);
  for (size_t i = 0; ok && i < len; i++)
    g_string_append_printf(text, "%02x", id[i]);
  return ok ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
