// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what a state directory holds is read, and what is missing or no longer fits
// (names, time, CA) is made anew. A key is made once and kept; certificates are cheap.
#include "api/pki/pki_load.h"
#include "api/pki/pki_certs.h"
#include "api/pki/pki_serving.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/random.h"

#include <string.h>

#define RENEW_DAYS 30
#define SERVER_DAYS 397
#define ADMIN_DAYS 365

void ferry_pki_replace(FerryPki *pki, char **text, char *with) {
  if (*text)
    g_ptr_array_add(pki->retired, *text);
  *text = with;
}

/* For clients that take their CAs from a file: good before, during and after a change. */
static gboolean write_bundle(const FerryPki *pki, const char *dir, GError **error) {
  g_autofree char *path = g_build_filename(dir, "ca-bundle.crt", NULL);
  g_autofree char *old = ferry_file_read(path, 2 * FERRY_PKI_MAX_PEM, NULL, NULL);
  return g_strcmp0(old, pki->bundle) == 0 ||
         ferry_file_write(path, pki->bundle, strlen(pki->bundle), 0644, error);
}

/* Whose certificate the server shows: the old CA's as long as somebody may know only that one. */
static gnutls_x509_crt_t signer_of(const FerryPki *pki, gboolean server) {
  return server && pki->old_ca ? pki->old_ca : pki->ca;
}

/* The CA before this one, while a change of the CA is under way. */
static gboolean open_old_ca(FerryPki *pki, const char *dir, GError **error) {
  g_autofree char *path = g_build_filename(dir, "ca-old.crt", NULL);
  g_autofree char *key_path = g_build_filename(dir, "ca-old.key", NULL);
  g_autofree char *pem = NULL;
  g_autofree char *key_pem = NULL;
  g_clear_pointer(&pki->old_ca, gnutls_x509_crt_deinit);
  g_clear_pointer(&pki->old_key, gnutls_x509_privkey_deinit);
  if (g_file_test(path, G_FILE_TEST_EXISTS)) {
    pki->old_ca = ferry_pki_load_cert(path, &pem);
    pki->old_key = pki->old_ca ? ferry_pki_load_key(key_path, &key_pem, error) : NULL;
    if (!pki->old_key || !ferry_pki_same_key(pki->old_ca, pki->old_key)) {
      g_clear_error(error);
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                  "%s and %s are not a certificate and its key: put them back, or remove both to "
                  "end the change of the CA",
                  path, key_path);
      return FALSE;
    }
  }
  ferry_pki_replace(pki, &pki->old_hash, pki->old_ca ? ferry_pki_hash(pki->old_ca) : NULL);
  ferry_pki_replace(pki, &pki->bundle, g_strconcat(pki->ca_pem, pem, NULL));
  ferry_pki_replace(pki, &pki->bundle_hash, ferry_sha256_hex(pki->bundle, strlen(pki->bundle)));
  return write_bundle(pki, dir, error);
}

static gboolean open_ca(FerryPki *pki, const char *dir, gint64 now_s, GError **error) {
  g_autofree char *key_path = g_build_filename(dir, "ca.key", NULL);
  g_autofree char *path = g_build_filename(dir, "ca.crt", NULL);
  g_autofree char *key_pem = NULL;
  g_autofree char *pem = NULL;
  gboolean had_key = g_file_test(key_path, G_FILE_TEST_EXISTS);
  gboolean had_cert = g_file_test(path, G_FILE_TEST_EXISTS);
  if (had_cert && !had_key) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
        "%s is there but %s is not: put the key back, or remove both to begin with a new CA "
        "(every agent then has to join again)",
        path, key_path);
    return FALSE;
  }
  gnutls_x509_privkey_t key = ferry_pki_load_key(key_path, &key_pem, error);
  if (!key)
    return FALSE;
  gnutls_x509_crt_t ca =
      had_cert ? ferry_pki_load_cert(path, &pem) : ferry_pki_make_ca("ferry-ca", key, now_s, error);
  if (had_cert && (!ca || !ferry_pki_same_key(ca, key))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s is not a PEM certificate for the key in %s", path, key_path);
    if (ca)
      gnutls_x509_crt_deinit(ca);
    ca = NULL;
  }
  if (ca && !had_cert) {
    pem = ferry_pki_export_cert(ca);
    if (!ferry_file_write(path, pem, strlen(pem), 0644, error))
      g_clear_pointer(&ca, gnutls_x509_crt_deinit);
  }
  if (!ca) {
    gnutls_x509_privkey_deinit(key);
    return FALSE;
  }
  g_clear_pointer(&pki->ca, gnutls_x509_crt_deinit);
  g_clear_pointer(&pki->ca_key, gnutls_x509_privkey_deinit);
  pki->ca = ca;
  pki->ca_key = key;
  ferry_pki_replace(pki, &pki->ca_pem, g_steal_pointer(&pem));
  ferry_pki_replace(pki, &pki->ca_hash, ferry_pki_hash(ca));
  return open_old_ca(pki, dir, error);
}

static gboolean has_name(gnutls_x509_crt_t crt, const char *name) {
  char san[512];
  unsigned char addr[16];
  gsize addr_len = ferry_pki_address_bytes(name, addr);
  for (unsigned i = 0;; i++) {
    size_t len = sizeof san;
    int type = gnutls_x509_crt_get_subject_alt_name(crt, i, san, &len, NULL);
    if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
      continue;
    if (type < 0)
      return FALSE;
    if (addr_len ? type == GNUTLS_SAN_IPADDRESS && len == addr_len && !memcmp(san, addr, len)
                 : type == GNUTLS_SAN_DNSNAME && len == strlen(name) && !strncmp(san, name, len))
      return TRUE;
  }
}

static gboolean still_good(const FerryPki *pki, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                           GPtrArray *names, gint64 now_s) {
  unsigned status = 0;
  gnutls_x509_crt_t ca = signer_of(pki, names != NULL);
  if (!crt || !ferry_pki_same_key(crt, key) ||
      gnutls_x509_crt_get_expiration_time(crt) < (time_t)(now_s + RENEW_DAYS * FERRY_DAY_S) ||
      /* older versions made the administrator's for ten years */
      gnutls_x509_crt_get_expiration_time(crt) >
          (time_t)(now_s + (SERVER_DAYS + 1) * FERRY_DAY_S) ||
      gnutls_x509_crt_verify(crt, &ca, 1, 0, &status) < 0 ||
      (status & ~(unsigned)(GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)))
    return FALSE;
  for (guint i = 0; names && i < names->len; i++)
    if (!has_name(crt, g_ptr_array_index(names, i)))
      return FALSE;
  return TRUE;
}

/* Loads or makes DIR/STEM.key and DIR/STEM.crt. `names` NULL: a client certificate. */
static gboolean open_leaf(const FerryPki *pki, const char *dir, const char *stem, const char *org,
                          const char *cn, GPtrArray *names, gint64 now_s, char **cert_pem,
                          char **key_pem, GError **error) {
  g_autofree char *key_file = g_strconcat(stem, ".key", NULL);
  g_autofree char *cert_file = g_strconcat(stem, ".crt", NULL);
  g_autofree char *key_path = g_build_filename(dir, key_file, NULL);
  g_autofree char *path = g_build_filename(dir, cert_file, NULL);
  gnutls_x509_privkey_t key = ferry_pki_load_key(key_path, key_pem, error);
  if (!key)
    return FALSE;
  gboolean ok = TRUE;
  gnutls_x509_crt_t crt = ferry_pki_load_cert(path, cert_pem);
  if (!still_good(pki, crt, key, names, now_s)) {
    g_clear_pointer(cert_pem, g_free);
    if (crt)
      gnutls_x509_crt_deinit(crt);
    crt = ferry_pki_new_cert(now_s, names ? SERVER_DAYS : ADMIN_DAYS);
    ferry_pki_set_subject(crt, org, cn);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(
        crt, names ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT, 0);
    for (guint i = 0; names && i < names->len; i++)
      ferry_pki_add_name(crt, g_ptr_array_index(names, i));
    gnutls_x509_crt_t ca = signer_of(pki, names != NULL);
    ok = ferry_pki_sign_by(crt, ca, ca == pki->ca ? pki->ca_key : pki->old_key, error);
    if (ok) {
      *cert_pem = ferry_pki_export_cert(crt);
      ok = ferry_file_write(path, *cert_pem, strlen(*cert_pem), 0644, error);
    }
  }
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
  return ok;
}

gboolean ferry_pki_load(FerryPki *pki, gint64 now_s, GError **error) {
  char *server = NULL, *server_key = NULL, *admin = NULL, *admin_key = NULL;
  gboolean ok = open_ca(pki, pki->dir, now_s, error) &&
                open_leaf(pki, pki->dir, "server", "ferry", "ferryd", pki->names, now_s, &server,
                          &server_key, error) &&
                open_leaf(pki, pki->dir, "admin", "system:masters", "admin", NULL, now_s, &admin,
                          &admin_key, error);
  if (!ok) {
    g_free(server);
    g_free(server_key);
    g_free(admin);
    g_free(admin_key);
    return FALSE;
  }
  ferry_pki_replace(pki, &pki->server_pem, server);
  ferry_pki_replace(pki, &pki->server_key_pem, server_key);
  ferry_pki_replace(pki, &pki->admin_pem, admin);
  ferry_pki_replace(pki, &pki->admin_key_pem, admin_key);
  return ferry_pki_prepare_serving(pki, error);
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
