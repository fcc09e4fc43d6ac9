// SPDX-License-Identifier: Apache-2.0
// Every number of a key has its full width, whatever its value is.
#include "base/ec_key.h"

#include <gnutls/x509.h>
#include <string.h>

static gsize der_length(const char *pem) {
  gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)}, der = {0};
  g_assert_cmpint(gnutls_pem_base64_decode2("PRIVATE KEY", &text, &der), >=, 0);
  gsize n = der.size;
  gnutls_free(der.data);
  return n;
}

static void width(void) {
  guint odd = 0;
  for (int i = 0; i < 64; i++) {
    g_autofree char *key = ferry_ec_key_new(NULL);
    g_assert_cmpuint(der_length(key), ==, 138);
    g_autofree char *same = ferry_ec_key_normalise(key);
    g_assert_cmpstr(same, ==, key);
    /* as GnuTLS writes it, which is how older versions of Ferry left theirs */
    gnutls_x509_privkey_t k;
    gnutls_datum_t out = {0};
    gnutls_x509_privkey_init(&k);
    gnutls_x509_privkey_generate(k, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_privkey_export2_pkcs8(k, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &out);
    g_autofree char *text = g_strndup((char *)out.data, out.size);
    g_autofree char *right = ferry_ec_key_normalise(text);
    g_assert_cmpuint(der_length(right), ==, 138);
    odd += der_length(text) != der_length(right) + 12; /* it names the curve twice */
    gnutls_free(out.data);
    gnutls_x509_privkey_deinit(k);
  }
  g_assert_cmpuint(odd, >, 0);
}

static void request(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *key = ferry_ec_key_new(&error);
  g_autofree char *csr = ferry_ec_key_request(key, "system:nodes", "system:node:h1", &error);
  g_assert_no_error(error);
  gnutls_x509_crq_t crq;
  gnutls_datum_t d = {(unsigned char *)csr, (unsigned)strlen(csr)}, dn = {0};
  gnutls_x509_crq_init(&crq);
  g_assert_cmpint(gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_PEM), >=, 0);
  g_assert_cmpint(gnutls_x509_crq_verify(crq, 0), >=, 0);
  gnutls_x509_crq_get_dn3(crq, &dn, 0);
  g_assert_cmpstr((char *)dn.data, ==, "CN=system:node:h1,O=system:nodes");
  gnutls_free(dn.data);
  gnutls_x509_crq_deinit(crq);
  g_assert_null(ferry_ec_key_request("no key", NULL, "x", &error));
  g_assert_nonnull(error);
  g_assert_null(ferry_ec_key_normalise("no key"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/ec_key/width", width);
  g_test_add_func("/base/ec_key/request", request);
  return g_test_run();
}
