// SPDX-License-Identifier: Apache-2.0
// Certificates as ferryd's CAs sign them.
#pragma once
#include "base/ec_key.h"
#include <gnutls/x509.h>
#include <string.h>

typedef struct {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  char *key_pem, *pem;
} Made;

/* By `by`, NULL: by itself; for 90 days from `begins` on, 0: for ever. */
static inline Made made_for(const char *name, const Made *by, const char *key_pem, gint64 begins) {
  Made m = {.key_pem = g_strdup(key_pem)};
  gnutls_datum_t d = {(unsigned char *)m.key_pem, (unsigned)strlen(m.key_pem)}, out = {0};
  gnutls_x509_privkey_init(&m.key);
  g_assert_cmpint(gnutls_x509_privkey_import2(m.key, &d, GNUTLS_X509_FMT_PEM, NULL, 0), >=, 0);
  gnutls_x509_crt_init(&m.crt);
  gnutls_x509_crt_set_version(m.crt, 3);
  gnutls_x509_crt_set_serial(m.crt, "\1", 1);
  gnutls_x509_crt_set_activation_time(m.crt, begins);
  gnutls_x509_crt_set_expiration_time(m.crt, begins ? begins + 90 * 24 * 3600 : 4000000000);
  gnutls_x509_crt_set_dn_by_oid(m.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                (unsigned)strlen(name));
  gnutls_x509_crt_set_basic_constraints(m.crt, !by, -1);
  gnutls_x509_crt_set_key(m.crt, m.key);
  g_assert_cmpint(gnutls_x509_crt_sign2(m.crt, by ? by->crt : m.crt, by ? by->key : m.key,
                                        GNUTLS_DIG_SHA256, 0),
                  >=, 0);
  gnutls_x509_crt_export2(m.crt, GNUTLS_X509_FMT_PEM, &out);
  m.pem = g_strndup((char *)out.data, out.size);
  gnutls_free(out.data);
  return m;
}

static inline void made_clear(Made *m) {
  gnutls_x509_privkey_deinit(m->key);
  gnutls_x509_crt_deinit(m->crt);
  g_free(m->key_pem);
  g_free(m->pem);
}

static inline Made made(const char *name, const Made *by) {
  g_autofree char *key = ferry_ec_key_new(NULL);
  return made_for(name, by, key, 0);
}
