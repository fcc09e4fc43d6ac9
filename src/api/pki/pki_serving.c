// SPDX-License-Identifier: Apache-2.0
// What handshakes are answered with: the server's key and chain of the moment, looked up for each
// one, so that certificates and CAs change without a restart. The chain ends with the CAs, so that
// an agent that knows only one's hash can pin it.
#include "api/pki/pki_serving.h"
#include "base/error.h"

#include <string.h>

#define MAX_CHAIN 8

void ferry_pki_serving_free(gpointer data) {
  FerryPkiServing *serving = data;
  for (unsigned i = 0; i < serving->n; i++)
    gnutls_pcert_deinit(&serving->chain[i]);
  g_free(serving->chain);
  if (serving->key)
    gnutls_privkey_deinit(serving->key);
  g_free(serving);
}

gboolean ferry_pki_prepare_serving(FerryPki *pki, GError **error) {
  FerryPkiServing *serving = g_new0(FerryPkiServing, 1);
  g_autofree char *text = g_strconcat(pki->server_pem, pki->bundle, NULL);
  gnutls_datum_t pem = {(unsigned char *)text, (unsigned)strlen(text)};
  gnutls_datum_t key = {(unsigned char *)pki->server_key_pem,
                        (unsigned)strlen(pki->server_key_pem)};
  serving->chain = g_new0(gnutls_pcert_st, MAX_CHAIN);
  unsigned n = MAX_CHAIN;
  int rc = gnutls_pcert_list_import_x509_raw(serving->chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
  if (rc >= 0) {
    serving->n = n;
    rc = gnutls_privkey_init(&serving->key);
  }
  if (rc >= 0)
    rc = gnutls_privkey_import_x509_raw(serving->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
  if (rc < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s/server.crt and its key cannot be used: %s", pki->dir, gnutls_strerror(rc));
    ferry_pki_serving_free(serving);
    return FALSE;
  }
  if (pki->serving)
    g_ptr_array_add(pki->retired_serving, pki->serving);
  pki->serving = serving;
  return TRUE;
}

void ferry_pki_serve(FerryPki *pki, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key) {
  g_mutex_lock(&pki->lock);
  *chain = pki->serving->chain;
  *n = pki->serving->n;
  *key = pki->serving->key;
  g_mutex_unlock(&pki->lock);
}
