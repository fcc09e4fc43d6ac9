// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what a handshake shows, and what it is asked for, is looked up for each one,
// so that certificates and CAs change without a restart. The chain ends with the CAs, so that an
// agent that knows only one's hash can pin it.
#include "api/auth/pki.h"
#include "api/auth/pki_private.h"
#include "base/error.h"
#include "base/limits.h"

#include <string.h>

#define RENEW_DAYS 30
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

static gboolean pki_serve_refuse(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: %s", why);
  return FALSE;
}

static gboolean refuse_status(unsigned status, GError **error) {
  gnutls_datum_t text = {0};
  gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
  g_autofree char *why = g_strdup_printf("the client certificate is not good: %s",
                                         text.data ? (char *)text.data : "unknown reason");
  gnutls_free(text.data);
  return pki_serve_refuse(error, g_strstrip(why));
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
    return pki_serve_refuse(error, "the client certificate could not be read");
  }
  g_mutex_lock(&pki->lock);
  const char *by = verify_leaf(leaf, pki->ca, &status)       ? pki->ca_hash
                   : verify_leaf(leaf, pki->old_ca, &status) ? pki->old_hash
                                                             : NULL;
  g_mutex_unlock(&pki->lock);
  gboolean ok = FALSE;
  if (!by)
    pki_serve_refuse(error,
                     "the client certificate is not good: no CA that is trusted here signed it");
  else if (status != 0)
    refuse_status(status, error);
  else if (!gnutls_x509_crt_check_key_purpose(leaf, GNUTLS_KP_TLS_WWW_CLIENT,
                                              GNUTLS_VERIFY_DO_NOT_ALLOW_SAME))
    pki_serve_refuse(error, "the certificate is not one for clients");
  else
    ok = TRUE;
  if (ok)
    *ca = g_strdup(by);
  gnutls_x509_crt_deinit(leaf);
  return ok;
}

/* When a PEM certificate ends, in s; 0: it cannot be read. */
static gint64 end_of(const char *pem) {
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t d = {(unsigned char *)pem, (unsigned)strlen(pem)};
  gint64 ends = 0;
  if (gnutls_x509_crt_init(&crt) < 0)
    return 0;
  if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) >= 0)
    ends = (gint64)gnutls_x509_crt_get_expiration_time(crt);
  gnutls_x509_crt_deinit(crt);
  return ends;
}

gboolean ferry_pki_renew(FerryPki *pki, gint64 now_ms, gboolean *changed, GError **error) {
  gint64 now_s = now_ms / 1000;
  gboolean ok = TRUE;
  *changed = FALSE;
  g_mutex_lock(&pki->lock);
  if (MIN(end_of(pki->server_pem), end_of(pki->admin_pem)) < now_s + RENEW_DAYS * FERRY_DAY_S) {
    ok = ferry_pki_load(pki, now_s, error);
    *changed = ok;
  }
  g_mutex_unlock(&pki->lock);
  return ok;
}

static void pki_serve_show(const char *kind, gnutls_x509_crt_t crt, FerryPkiEachFunc each,
                           gpointer data) {
  gnutls_datum_t dn = {0};
  g_autofree char *serial = ferry_pki_serial(crt);
  gnutls_x509_crt_get_dn3(crt, &dn, 0);
  each(kind, dn.data ? (const char *)dn.data : "", serial,
       (gint64)gnutls_x509_crt_get_expiration_time(crt) * 1000, data);
  gnutls_free(dn.data);
}

static void show_pem(const char *kind, const char *pem, FerryPkiEachFunc each, gpointer data) {
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t d = {(unsigned char *)pem, (unsigned)strlen(pem)};
  if (gnutls_x509_crt_init(&crt) < 0)
    return;
  if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) >= 0)
    pki_serve_show(kind, crt, each, data);
  gnutls_x509_crt_deinit(crt);
}

void ferry_pki_each(FerryPki *pki, FerryPkiEachFunc each, gpointer data) {
  g_mutex_lock(&pki->lock);
  pki_serve_show("ca", pki->ca, each, data);
  if (pki->old_ca)
    pki_serve_show("old-ca", pki->old_ca, each, data);
  show_pem("server", pki->server_pem, each, data);
  show_pem("admin", pki->admin_pem, each, data);
  g_mutex_unlock(&pki->lock);
}
