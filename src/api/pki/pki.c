// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one ECDSA P-256 CA a state directory signs everything. A key is made once
// and kept; certificates are cheap and are made anew at start when they no longer fit (names, time,
// CA). The CA's key never leaves this folder. Agents pin the CA by the hash in their join token.
#include "api/pki/pki.h"
#include "api/pki/pki_certs.h"
#include "api/pki/pki_load.h"
#include "api/pki/pki_request.h"
#include "api/pki/pki_rotate.h"
#include "api/pki/pki_serving.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/limits.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

static gboolean pki_sign(const FerryPki *pki, gnutls_x509_crt_t crt, GError **error) {
  return ferry_pki_sign_by(crt, pki->ca, pki->ca_key, error);
}

FerryPki *ferry_pki_open(const char *dir, const char *const *sans, gint64 now_ms, GError **error) {
  if (g_mkdir_with_parents(dir, 0700) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot make the state directory %s: %s",
                dir, g_strerror(errno));
    return NULL;
  }
  g_autoptr(FerryPki) pki = g_new0(FerryPki, 1);
  g_mutex_init(&pki->lock);
  pki->dir = g_strdup(dir);
  pki->retired = g_ptr_array_new_with_free_func(g_free);
  pki->retired_serving = g_ptr_array_new_with_free_func(ferry_pki_serving_free);
  pki->names = g_ptr_array_new_with_free_func(g_free);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  g_ptr_array_add(pki->names, g_strdup("localhost"));
  g_ptr_array_add(pki->names, g_strdup("127.0.0.1"));
  g_ptr_array_add(pki->names, g_strdup("::1"));
  if (*host && !g_str_equal(host, "localhost"))
    g_ptr_array_add(pki->names, g_strdup(host));
  for (gsize i = 0; sans && sans[i]; i++)
    g_ptr_array_add(pki->names, g_strdup(sans[i]));
  if (!ferry_pki_finish_switch(dir, error) || !ferry_pki_load(pki, now_ms / 1000, error))
    return NULL;
  return g_steal_pointer(&pki);
}

void ferry_pki_free(FerryPki *pki) {
  if (!pki)
    return;
  g_clear_pointer(&pki->ca, gnutls_x509_crt_deinit);
  g_clear_pointer(&pki->old_ca, gnutls_x509_crt_deinit);
  g_clear_pointer(&pki->ca_key, gnutls_x509_privkey_deinit);
  g_clear_pointer(&pki->old_key, gnutls_x509_privkey_deinit);
  char *texts[] = {pki->ca_pem,         pki->ca_hash,      pki->bundle,     pki->bundle_hash,
                   pki->old_hash,       pki->dir,          pki->server_pem, pki->admin_pem,
                   pki->server_key_pem, pki->admin_key_pem};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(texts[i]);
  if (pki->serving)
    ferry_pki_serving_free(pki->serving);
  g_ptr_array_unref(pki->retired_serving);
  g_ptr_array_unref(pki->retired);
  g_ptr_array_unref(pki->names);
  g_mutex_clear(&pki->lock);
  g_free(pki);
}

/* What was handed out stays readable, see ferry_pki_replace. */
static const char *pki_shared(FerryPki *pki, char *const *text) {
  g_mutex_lock(&pki->lock);
  const char *now = *text;
  g_mutex_unlock(&pki->lock);
  return now;
}

const char *ferry_pki_ca(FerryPki *pki) {
  return pki_shared(pki, &pki->bundle);
}

const char *ferry_pki_server_cert(FerryPki *pki) {
  return pki_shared(pki, &pki->server_pem);
}

const char *ferry_pki_bundle_hash(FerryPki *pki) {
  return pki_shared(pki, &pki->bundle_hash);
}

const char *ferry_pki_ca_hash(FerryPki *pki) {
  return pki_shared(pki, &pki->ca_hash);
}

const char *ferry_pki_pin_hash(FerryPki *pki) {
  g_mutex_lock(&pki->lock);
  const char *hash = pki->old_hash ? pki->old_hash : pki->ca_hash;
  g_mutex_unlock(&pki->lock);
  return hash;
}

const char *ferry_pki_old_ca_hash(FerryPki *pki) {
  return pki_shared(pki, &pki->old_hash);
}

void ferry_pki_issued_clear(FerryPkiIssued *issued) {
  g_clear_pointer(&issued->pem, g_free);
  g_clear_pointer(&issued->serial, g_free);
}

gboolean ferry_pki_sign_client(FerryPki *pki, const char *csr_pem, const char *organisation,
                               const char *name, gint64 now_ms, gint64 life_s,
                               FerryPkiIssued *issued, GError **error) {
  gnutls_x509_crq_t crq = ferry_pki_request_read(csr_pem, error);
  if (!crq)
    return FALSE;
  gboolean ok = TRUE;
  g_mutex_lock(&pki->lock);
  {
    gint64 ends_s =
        MIN(now_ms / 1000 + life_s, (gint64)gnutls_x509_crt_get_expiration_time(pki->ca));
    gnutls_x509_crt_t crt = ferry_pki_new_cert(now_ms / 1000, 0);
    gnutls_x509_crt_set_expiration_time(crt, (time_t)ends_s);
    ferry_pki_set_subject(crt, organisation, name);
    gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    ok = ferry_pki_request_take_key(crt, crq, error) && pki_sign(pki, crt, error);
    if (ok)
      *issued = (FerryPkiIssued){.pem = ferry_pki_export_cert(crt),
                                 .serial = ferry_pki_serial(crt),
                                 .ends_ms = ends_s * 1000};
    gnutls_x509_crt_deinit(crt);
  }
  g_mutex_unlock(&pki->lock);
  gnutls_x509_crq_deinit(crq);
  return ok;
}

static void show_certificate(const char *kind, gnutls_x509_crt_t crt, FerryPkiEachFunc each,
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
    show_certificate(kind, crt, each, data);
  gnutls_x509_crt_deinit(crt);
}

void ferry_pki_each(FerryPki *pki, FerryPkiEachFunc each, gpointer data) {
  g_mutex_lock(&pki->lock);
  show_certificate("ca", pki->ca, each, data);
  if (pki->old_ca)
    show_certificate("old-ca", pki->old_ca, each, data);
  show_pem("server", pki->server_pem, each, data);
  show_pem("admin", pki->admin_pem, each, data);
  g_mutex_unlock(&pki->lock);
}

char *ferry_pki_kubeconfig(FerryPki *pki, const char *url) {
  g_mutex_lock(&pki->lock);
  g_autofree char *ca = g_base64_encode((const guchar *)pki->bundle, strlen(pki->bundle));
  g_autofree char *crt = g_base64_encode((const guchar *)pki->admin_pem, strlen(pki->admin_pem));
  g_autofree char *key =
      g_base64_encode((const guchar *)pki->admin_key_pem, strlen(pki->admin_key_pem));
  g_mutex_unlock(&pki->lock);
  return g_strdup_printf("apiVersion: v1\n"
                         "kind: Config\n"
                         "clusters:\n"
                         "- name: ferry\n"
                         "  cluster:\n"
                         "    server: %s\n"
                         "    certificate-authority-data: %s\n"
                         "users:\n"
                         "- name: ferry-admin\n"
                         "  user:\n"
                         "    client-certificate-data: %s\n"
                         "    client-key-data: %s\n"
                         "contexts:\n"
                         "- name: ferry\n"
                         "  context:\n"
                         "    cluster: ferry\n"
                         "    user: ferry-admin\n"
                         "    namespace: default\n"
                         "current-context: ferry\n",
                         url, ca, crt, key);
}
