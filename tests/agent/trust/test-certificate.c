// SPDX-License-Identifier: Apache-2.0
// The names that a certificate is asked for, and what is taken for an answer.
#include "agent/trust/certificate.h"
#include "base/ec_key.h"
#include "base/json.h"
#include <gnutls/x509.h>
#include <string.h>

static void names(void) {
  g_autoptr(json_t) interfaces = json_pack(
      "[{s:s, s:[s]}, {s:s, s:[s, s, s]}, {s:s, s:[s]}, {s:s}]", "name", "lo", "addresses",
      "127.0.0.1/8", "name", "eth0", "addresses", "10.0.0.1/24", "fe80::1/64", "fd00::1/64", "name",
      "virbr0", "addresses", "192.168.122.1/24", "name", "eth1");
  g_autoptr(json_t) got = ferry_trust_names("KVM1.example", interfaces);
  g_autofree char *text = ferry_json_dump(got);
  g_assert_cmpstr(text, ==, "[\"kvm1.example\",\"10.0.0.1\",\"fd00::1\"]");
  g_autoptr(json_t) bare = ferry_trust_names("localhost", NULL);
  g_assert_cmpuint(json_array_size(bare), ==, 0);
}

typedef struct {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  char *key_pem, *pem;
} Made;

/* By `by`, NULL: by itself. */
static Made made(const char *name, const Made *by) {
  Made m = {.key_pem = ferry_ec_key_new(NULL)};
  gnutls_datum_t d = {(unsigned char *)m.key_pem, (unsigned)strlen(m.key_pem)}, out = {0};
  gnutls_x509_privkey_init(&m.key);
  g_assert_cmpint(gnutls_x509_privkey_import2(m.key, &d, GNUTLS_X509_FMT_PEM, NULL, 0), >=, 0);
  gnutls_x509_crt_init(&m.crt);
  gnutls_x509_crt_set_version(m.crt, 3);
  gnutls_x509_crt_set_serial(m.crt, "\1", 1);
  gnutls_x509_crt_set_activation_time(m.crt, 0);
  gnutls_x509_crt_set_expiration_time(m.crt, 4000000000);
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

static void made_clear(Made *m) {
  gnutls_x509_privkey_deinit(m->key);
  gnutls_x509_crt_deinit(m->crt);
  g_free(m->key_pem);
  g_free(m->pem);
}

/* What is installed is what was asked for, whoever answers. */
static void checks(void) {
  Made ca = made(FERRY_TRUST_CA, NULL), other = made(FERRY_TRUST_CA, NULL),
       named = made("Example CA", NULL), host = made("h1", &ca), foreign = made("h1", &named);
  g_assert_true(ferry_trust_check(host.pem, host.key_pem, ca.pem, FERRY_TRUST_CA, NULL));
  const struct {
    const char *cert, *key, *ca, *says;
  } bad[] = {
      {host.pem, host.key_pem, other.pem, "has not signed"},
      {host.pem, foreign.key_pem, ca.pem, "another key"},
      {foreign.pem, foreign.key_pem, named.pem, "another name"},
      {"x", host.key_pem, ca.pem, "no certificate"},
      {host.pem, host.key_pem, NULL, "no certificate"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_trust_check(bad[i].cert, bad[i].key, bad[i].ca, FERRY_TRUST_CA, &error));
    g_assert_nonnull(strstr(error->message, bad[i].says));
  }
  Made *all[] = {&ca, &other, &named, &host, &foreign};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    made_clear(all[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/names", names);
  g_test_add_func("/trust/check", checks);
  return g_test_run();
}
