// SPDX-License-Identifier: Apache-2.0
// Keys and certificate requests for the tests of the API.
#pragma once
#include "../http.h"

#include "base/file.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

/* Makes DIR/STEM.key and gives a certificate request for `cn`, which asks for more than it gets. */
static inline char *make_csr(Server *s, const char *stem, const char *cn) {
  gnutls_x509_privkey_t key;
  gnutls_x509_crq_t crq;
  gnutls_datum_t pem = {0}, key_pem = {0};
  gnutls_x509_privkey_init(&key);
  gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  gnutls_x509_crq_init(&crq);
  gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn));
  gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, "system:masters", 14);
  gnutls_x509_crq_set_key(crq, key);
  g_assert_cmpint(gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0), >=, 0);
  gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &pem);
  gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_pem);
  g_autofree char *path = g_strdup_printf("%s/%s.key", s->dir, stem);
  g_assert_true(ferry_file_write(path, (char *)key_pem.data, key_pem.size, 0600, NULL));
  char *text = g_strndup((char *)pem.data, pem.size);
  gnutls_free(pem.data);
  gnutls_free(key_pem.data);
  gnutls_x509_crq_deinit(crq);
  gnutls_x509_privkey_deinit(key);
  return text;
}

/* A request of an RSA key of `bits`, which need not be signed by it: what such a key is worth is to
 * be seen before. Made of an EC key's request, so that no large key is computed here. */
static inline char *make_rsa_csr(unsigned bits) {
  gnutls_x509_crq_t crq;
  gnutls_pubkey_t key;
  gnutls_x509_privkey_t signer;
  gnutls_datum_t pem = {0};
  g_autofree guint8 *modulus = g_malloc(bits / 8);
  memset(modulus, 0xc5, bits / 8);
  guint8 three = 3;
  gnutls_datum_t m = {modulus, bits / 8}, e = {&three, 1};
  gnutls_pubkey_init(&key);
  g_assert_cmpint(gnutls_pubkey_import_rsa_raw(key, &m, &e), >=, 0);
  gnutls_x509_privkey_init(&signer);
  gnutls_x509_privkey_generate(signer, GNUTLS_PK_ECDSA,
                               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  gnutls_x509_crq_init(&crq);
  gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, "x", 1);
  g_assert_cmpint(gnutls_x509_crq_set_pubkey(crq, key), >=, 0);
  g_assert_cmpint(gnutls_x509_crq_sign2(crq, signer, GNUTLS_DIG_SHA256, 0), >=, 0);
  gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &pem);
  char *text = g_strndup((char *)pem.data, pem.size);
  gnutls_free(pem.data);
  gnutls_x509_crq_deinit(crq);
  gnutls_x509_privkey_deinit(signer);
  gnutls_pubkey_deinit(key);
  return text;
}

static inline void write_certificate(Server *s, const char *stem, const Answer *a) {
  const char *certificate = ferry_json_str(a->json, "certificate");
  g_autofree char *path = g_strdup_printf("%s/%s.crt", s->dir, stem);
  if (certificate)
    g_assert_true(ferry_file_write(path, certificate, strlen(certificate), 0644, NULL));
}

/* Joins `node` with `token`; its certificate and key are then DIR/NODE.crt and .key. */
static inline Answer *try_join(Server *s, const char *token, const char *node) {
  g_autofree char *csr = make_csr(s, node, "admin");
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:s}", "token", token, "nodeName", node, "csr", csr);
  g_autofree char *text = ferry_json_dump(body);
  Answer *a =
      http_full(s, NULL, "POST", "/apis/ferry.migration/v1/join", NULL, text, (gssize)strlen(text));
  write_certificate(s, node, a);
  return a;
}

static inline void join_node(Server *s, const char *node) {
  g_autofree char *token = ferry_api_token_new(s->api, node, NULL);
  g_autoptr(Answer) a = try_join(s, token, node);
  expect(a, 201);
}
