// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one ECDSA P-256 CA a state directory signs everything. A key is made once
// and kept; certificates are cheap and are made anew at start when they no longer fit (names, time,
// CA). The CA's key never leaves this file. Agents pin the CA by the hash in their join token.
#include "api/auth/pki.h"
#include "api/auth/pki_private.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_REQUEST (16 * 1024) /* RSA of 8192 bits with some names takes 4 KiB */
#define CA_DAYS 3650
#define SERVER_DAYS 397
#define ADMIN_DAYS 365

static gboolean pki_check(int rc, const char *what, GError **error) {
  if (rc >= 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "%s: %s", what, gnutls_strerror(rc));
  return FALSE;
}

static char *pem_of(const gnutls_datum_t *d) {
  return g_strndup((const char *)d->data, d->size);
}

char *ferry_pki_export_cert(gnutls_x509_crt_t crt) {
  gnutls_datum_t out = {0};
  if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out) < 0)
    return NULL;
  char *pem = pem_of(&out);
  gnutls_free(out.data);
  return pem;
}

static gnutls_x509_privkey_t import_key(const char *path, const char *text, GError **error) {
  gnutls_x509_privkey_t key = NULL;
  gnutls_datum_t d = {(unsigned char *)text, (unsigned)strlen(text)};
  if (pki_check(gnutls_x509_privkey_init(&key), "private key", error) &&
      pki_check(gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0), path, error))
    return key;
  if (key)
    gnutls_x509_privkey_deinit(key);
  return NULL;
}

/* Loads PATH or makes a key and writes it there; `*pem` gets the text. A key in a form that not
 * every reader takes is written anew: the same key. */
gnutls_x509_privkey_t ferry_pki_load_key(const char *path, char **pem, GError **error) {
  gboolean there = g_file_test(path, G_FILE_TEST_EXISTS);
  g_autofree char *text =
      there ? ferry_file_read(path, FERRY_PKI_MAX_PEM, NULL, error) : ferry_ec_key_new(error);
  gnutls_x509_privkey_t key = text ? import_key(path, text, error) : NULL;
  if (!key)
    return NULL;
  g_autofree char *better = there ? ferry_ec_key_normalise(text) : g_strdup(text);
  if (better && (!there || !g_str_equal(better, text)) &&
      !ferry_file_write(path, better, strlen(better), 0600, error)) {
    gnutls_x509_privkey_deinit(key);
    return NULL;
  }
  *pem = better ? g_steal_pointer(&better) : g_steal_pointer(&text);
  return key;
}

/* A certificate with serial, times and version set, to be filled in and signed. */
static gnutls_x509_crt_t new_cert(gint64 now_s, gint64 days) {
  gnutls_x509_crt_t crt = NULL;
  unsigned char serial[16];
  if (gnutls_x509_crt_init(&crt) < 0)
    return NULL;
  if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial) < 0)
    g_error("no random numbers");
  serial[0] = (serial[0] & 0x7f) | 0x40;
  gnutls_x509_crt_set_version(crt, 3);
  gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
  /* Clocks of hosts differ: valid from an hour ago. */
  gnutls_x509_crt_set_activation_time(crt, (time_t)(now_s - 3600));
  gnutls_x509_crt_set_expiration_time(crt, (time_t)(now_s + days * FERRY_DAY_S));
  return crt;
}

static void set_subject(gnutls_x509_crt_t crt, const char *organisation, const char *name) {
  if (organisation)
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organisation,
                                  (unsigned)strlen(organisation));
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
}

static void set_key_id(gnutls_x509_crt_t crt) {
  unsigned char id[64];
  size_t len = sizeof id;
  if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &len) >= 0)
    gnutls_x509_crt_set_subject_key_id(crt, id, len);
}

static gboolean sign_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key,
                        GError **error) {
  unsigned char id[64];
  size_t len = sizeof id;
  set_key_id(crt);
  if (gnutls_x509_crt_get_subject_key_id(ca, id, &len, NULL) >= 0)
    gnutls_x509_crt_set_authority_key_id(crt, id, len);
  return pki_check(gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0),
                   "signing a certificate", error);
}

static gboolean pki_sign(const FerryPki *pki, gnutls_x509_crt_t crt, GError **error) {
  return sign_by(crt, pki->ca, pki->ca_key, error);
}

/* Whose certificate the server shows: the old CA's as long as somebody may know only that one. */
static gnutls_x509_crt_t signer_of(const FerryPki *pki, gboolean server) {
  return server && pki->old_ca ? pki->old_ca : pki->ca;
}

/* A certificate that was put together lacks what GnuTLS notes of one that is read. */
static gnutls_x509_crt_t read_again(gnutls_x509_crt_t crt) {
  g_autofree char *pem = ferry_pki_export_cert(crt);
  gnutls_datum_t d = {(unsigned char *)pem, pem ? (unsigned)strlen(pem) : 0};
  gnutls_x509_crt_t again = NULL;
  if (gnutls_x509_crt_init(&again) >= 0 &&
      gnutls_x509_crt_import(again, &d, GNUTLS_X509_FMT_PEM) < 0)
    g_clear_pointer(&again, gnutls_x509_crt_deinit);
  gnutls_x509_crt_deinit(crt);
  return again;
}

gnutls_x509_crt_t ferry_pki_make_ca(const char *name, gnutls_x509_privkey_t key, gint64 now_s,
                                    GError **error) {
  gnutls_x509_crt_t crt = new_cert(now_s, CA_DAYS);
  set_subject(crt, "ferry", name);
  gnutls_x509_crt_set_key(crt, key);
  gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
  gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
  if (sign_by(crt, crt, key, error))
    return read_again(crt);
  gnutls_x509_crt_deinit(crt);
  return NULL;
}

char *ferry_pki_hash(gnutls_x509_crt_t crt) {
  gnutls_datum_t der = {0};
  if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
    return g_strdup("");
  char *hash = ferry_sha256_hex(der.data, der.size);
  gnutls_free(der.data);
  return hash;
}

void ferry_pki_replace(FerryPki *pki, char **text, char *with) {
  if (*text)
    g_ptr_array_add(pki->retired, *text);
  *text = with;
}

gnutls_x509_crt_t ferry_pki_load_cert(const char *path, char **pem) {
  gsize len;
  g_autofree char *text = ferry_file_read(path, FERRY_PKI_MAX_PEM, &len, NULL);
  gnutls_x509_crt_t crt = NULL;
  if (!text || gnutls_x509_crt_init(&crt) < 0)
    return NULL;
  gnutls_datum_t d = {(unsigned char *)text, (unsigned)len};
  if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) < 0) {
    gnutls_x509_crt_deinit(crt);
    return NULL;
  }
  *pem = g_steal_pointer(&text);
  return crt;
}

static gboolean same_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key) {
  unsigned char a[64], b[64];
  size_t la = sizeof a, lb = sizeof b;
  return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &la) >= 0 &&
         gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &lb) >= 0 && la == lb &&
         memcmp(a, b, la) == 0;
}

/* For clients that take their CAs from a file: good before, during and after a change. */
static gboolean write_bundle(const FerryPki *pki, const char *dir, GError **error) {
  g_autofree char *path = g_build_filename(dir, "ca-bundle.crt", NULL);
  g_autofree char *old = ferry_file_read(path, 2 * FERRY_PKI_MAX_PEM, NULL, NULL);
  return g_strcmp0(old, pki->bundle) == 0 ||
         ferry_file_write(path, pki->bundle, strlen(pki->bundle), 0644, error);
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
    if (!pki->old_key || !same_key(pki->old_ca, pki->old_key)) {
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
  if (had_cert && (!ca || !same_key(ca, key))) {
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

static gsize address_bytes(const char *name, unsigned char out[16]) {
  if (inet_pton(AF_INET, name, out) == 1)
    return 4;
  return inet_pton(AF_INET6, name, out) == 1 ? 16 : 0;
}

static gboolean has_name(gnutls_x509_crt_t crt, const char *name) {
  char san[512];
  unsigned char addr[16];
  gsize addr_len = address_bytes(name, addr);
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

static void add_name(gnutls_x509_crt_t crt, const char *name) {
  unsigned char addr[16];
  gsize len = address_bytes(name, addr);
  if (len)
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr, (unsigned)len,
                                         GNUTLS_FSAN_APPEND);
  else
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                         GNUTLS_FSAN_APPEND);
}

static gboolean still_good(const FerryPki *pki, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                           GPtrArray *names, gint64 now_s) {
  unsigned status = 0;
  gnutls_x509_crt_t ca = signer_of(pki, names != NULL);
  if (!crt || !same_key(crt, key) ||
      gnutls_x509_crt_get_expiration_time(crt) < (time_t)(now_s + 30 * FERRY_DAY_S) ||
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
    crt = new_cert(now_s, names ? SERVER_DAYS : ADMIN_DAYS);
    set_subject(crt, org, cn);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(
        crt, names ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT, 0);
    for (guint i = 0; names && i < names->len; i++)
      add_name(crt, g_ptr_array_index(names, i));
    gnutls_x509_crt_t ca = signer_of(pki, names != NULL);
    ok = sign_by(crt, ca, ca == pki->ca ? pki->ca_key : pki->old_key, error);
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

char *ferry_pki_serial(gnutls_x509_crt_t crt) {
  unsigned char serial[64];
  size_t len = sizeof serial;
  GString *text = g_string_new(NULL);
  if (gnutls_x509_crt_get_serial(crt, serial, &len) >= 0)
    for (size_t i = 0; i < len; i++)
      g_string_append_printf(text, "%02x", serial[i]);
  return g_string_free(text, FALSE);
}

void ferry_pki_issued_clear(FerryPkiIssued *issued) {
  g_clear_pointer(&issued->pem, g_free);
  g_clear_pointer(&issued->serial, g_free);
}

static gboolean check_request(gnutls_x509_crq_t crq, const char *csr_pem, GError **error) {
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

gboolean ferry_pki_sign_client(FerryPki *pki, const char *csr_pem, const char *organisation,
                               const char *name, gint64 now_ms, gint64 life_s,
                               FerryPkiIssued *issued, GError **error) {
  gnutls_x509_crq_t crq = NULL;
  if (!pki_check(gnutls_x509_crq_init(&crq), "certificate request", error))
    return FALSE;
  gboolean ok = check_request(crq, csr_pem, error);
  g_mutex_lock(&pki->lock);
  if (ok) {
    gint64 ends_s =
        MIN(now_ms / 1000 + life_s, (gint64)gnutls_x509_crt_get_expiration_time(pki->ca));
    gnutls_x509_crt_t crt = new_cert(now_ms / 1000, 0);
    gnutls_x509_crt_set_expiration_time(crt, (time_t)ends_s);
    set_subject(crt, organisation, name);
    gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    ok = pki_check(set_request_key(crt, crq), "csr", error) && pki_sign(pki, crt, error);
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
