// SPDX-License-Identifier: Apache-2.0
// Single keys and certificates: made, signed, read from and written to files.
#include "api/pki/pki_certs.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define CA_DAYS 3650

gboolean ferry_pki_check(int rc, const char *what, GError **error) {
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
  if (ferry_pki_check(gnutls_x509_privkey_init(&key), "private key", error) &&
      ferry_pki_check(gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0), path,
                      error))
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
gnutls_x509_crt_t ferry_pki_new_cert(gint64 now_s, gint64 days) {
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

void ferry_pki_set_subject(gnutls_x509_crt_t crt, const char *organisation, const char *name) {
  if (organisation)
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organisation,
                                  (unsigned)strlen(organisation));
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
}

gsize ferry_pki_address_bytes(const char *name, unsigned char out[16]) {
  if (inet_pton(AF_INET, name, out) == 1)
    return 4;
  return inet_pton(AF_INET6, name, out) == 1 ? 16 : 0;
}

void ferry_pki_add_name(gnutls_x509_crt_t crt, const char *name) {
  unsigned char addr[16];
  gsize len = ferry_pki_address_bytes(name, addr);
  if (len)
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr, (unsigned)len,
                                         GNUTLS_FSAN_APPEND);
  else
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                         GNUTLS_FSAN_APPEND);
}

static void set_key_id(gnutls_x509_crt_t crt) {
  unsigned char id[64];
  size_t len = sizeof id;
  if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &len) >= 0)
    gnutls_x509_crt_set_subject_key_id(crt, id, len);
}

gboolean ferry_pki_sign_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca,
                           gnutls_x509_privkey_t ca_key, GError **error) {
  unsigned char id[64];
  size_t len = sizeof id;
  set_key_id(crt);
  if (gnutls_x509_crt_get_subject_key_id(ca, id, &len, NULL) >= 0)
    gnutls_x509_crt_set_authority_key_id(crt, id, len);
  return ferry_pki_check(gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0),
                         "signing a certificate", error);
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
  gnutls_x509_crt_t crt = ferry_pki_new_cert(now_s, CA_DAYS);
  ferry_pki_set_subject(crt, "ferry", name);
  gnutls_x509_crt_set_key(crt, key);
  gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
  gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
  if (ferry_pki_sign_by(crt, crt, key, error))
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

gboolean ferry_pki_same_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key) {
  unsigned char a[64], b[64];
  size_t la = sizeof a, lb = sizeof b;
  return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &la) >= 0 &&
         gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &lb) >= 0 && la == lb &&
         memcmp(a, b, la) == 0;
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
