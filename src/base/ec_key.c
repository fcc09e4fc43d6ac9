// SPDX-License-Identifier: Apache-2.0
// GnuTLS writes the private number of an EC key as an ASN.1 integer: half of its keys are a byte
// longer than the curve's, a few a byte shorter. RFC 5915 fixes the width, and readers that hold to
// it (the Python package cryptography) refuse both. So the encoding is made here: for one curve it
// is three numbers in a frame that never changes.
#include "base/ec_key.h"
#include "base/error.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define WIDTH 32

static gboolean ec_key_failed(int rc, const char *doing, GError **error) {
  if (rc >= 0)
    return FALSE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot %s: %s", doing,
              gnutls_strerror(rc));
  return TRUE;
}

/* The number at its full width; FALSE where it has more. */
static gboolean put_number(guint8 *out, const gnutls_datum_t *number) {
  const guint8 *data = number->data;
  gsize n = number->size;
  for (; n > 0 && *data == 0; n--)
    data++;
  if (n > WIDTH)
    return FALSE;
  memset(out, 0, WIDTH);
  memcpy(out + WIDTH - n, data, n);
  return TRUE;
}

static char *ec_key_encode(gnutls_x509_privkey_t key) {
  static const guint8 head[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, WIDTH};
  static const guint8 middle[] = {0xa1, 0x44, 0x03, 0x42, 0x00, 0x04};
  guint8 der[sizeof head + sizeof middle + 3 * WIDTH];
  gnutls_ecc_curve_t curve;
  gnutls_datum_t x = {0}, y = {0}, k = {0}, data = {der, sizeof der}, pem = {0};
  char *text = NULL;
  if (gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &k) < 0)
    return NULL;
  memcpy(der, head, sizeof head);
  memcpy(der + sizeof head + WIDTH, middle, sizeof middle);
  guint8 *point = der + sizeof head + WIDTH + sizeof middle;
  if (curve == GNUTLS_ECC_CURVE_SECP256R1 && put_number(der + sizeof head, &k) &&
      put_number(point, &x) && put_number(point + WIDTH, &y) &&
      gnutls_pem_base64_encode2("PRIVATE KEY", &data, &pem) >= 0)
    text = g_strndup((const char *)pem.data, pem.size);
  explicit_bzero(der, sizeof der);
  if (k.data)
    explicit_bzero(k.data, k.size);
  if (pem.data)
    explicit_bzero(pem.data, pem.size);
  gnutls_free(x.data);
  gnutls_free(y.data);
  gnutls_free(k.data);
  gnutls_free(pem.data);
  return text;
}

static int read_key(gnutls_x509_privkey_t *key, const char *pem) {
  gnutls_datum_t data = {(unsigned char *)pem, (unsigned)strlen(pem)};
  int rc = gnutls_x509_privkey_init(key);
  return rc < 0 ? rc : gnutls_x509_privkey_import2(*key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
}

char *ferry_ec_key_new(GError **error) {
  gnutls_x509_privkey_t key = NULL;
  int rc = gnutls_x509_privkey_init(&key);
  if (rc >= 0)
    rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  char *text = rc >= 0 ? ec_key_encode(key) : NULL;
  if (!text)
    ec_key_failed(rc < 0 ? rc : GNUTLS_E_INTERNAL_ERROR, "make a key", error);
  if (key)
    gnutls_x509_privkey_deinit(key);
  return text;
}

char *ferry_ec_key_normalise(const char *key_pem) {
  gnutls_x509_privkey_t key = NULL;
  char *text = read_key(&key, key_pem) >= 0 ? ec_key_encode(key) : NULL;
  if (key)
    gnutls_x509_privkey_deinit(key);
  return text;
}

static int fill_request(gnutls_x509_crq_t crq, gnutls_x509_privkey_t key, const char *organisation,
                        const char *name, gnutls_datum_t *out) {
  int rc = gnutls_x509_crq_set_version(crq, 1);
  if (rc >= 0 && organisation)
    rc = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organisation,
                                       (unsigned)strlen(organisation));
  if (rc >= 0)
    rc = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                       (unsigned)strlen(name));
  if (rc >= 0)
    rc = gnutls_x509_crq_set_key(crq, key);
  if (rc >= 0)
    rc = gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0);
  return rc < 0 ? rc : gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, out);
}

char *ferry_ec_key_request(const char *key_pem, const char *organisation, const char *name,
                           GError **error) {
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crq_t crq = NULL;
  gnutls_datum_t out = {0};
  int rc = read_key(&key, key_pem);
  if (rc >= 0)
    rc = gnutls_x509_crq_init(&crq);
  if (rc >= 0)
    rc = fill_request(crq, key, organisation, name, &out);
  char *text = ec_key_failed(rc, "make a certificate request", error)
                   ? NULL
                   : g_strndup((const char *)out.data, out.size);
  gnutls_free(out.data);
  if (crq)
    gnutls_x509_crq_deinit(crq);
  if (key)
    gnutls_x509_privkey_deinit(key);
  return text;
}
