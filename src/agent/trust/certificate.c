// SPDX-License-Identifier: Apache-2.0
#include "agent/trust/certificate.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/pem.h"
#include "base/rfc3339.h"
#include "model/migration/peer_uri.h"
#include <gnutls/x509.h>
#include <string.h>

static void trust_names_add(json_t *names, const char *text, gsize len) {
  g_autofree char *name = g_ascii_strdown(text, (gssize)len);
  if (json_array_size(names) < FERRY_TRUST_NAMES_MAX && ferry_peer_host_is_valid(name) &&
      !ferry_json_has_word(names, name))
    json_array_append_new(names, json_string(name));
}

json_t *ferry_trust_names(const char *hostname, const json_t *interfaces) {
  json_t *names = json_array(), *interface, *address;
  gsize i, k;
  trust_names_add(names, hostname, strlen(hostname));
  json_array_foreach(interfaces, i, interface) {
    const char *name = ferry_json_str(interface, "name");
    if (!name || g_str_has_prefix(name, "virbr"))
      continue;
    json_array_foreach(json_object_get(interface, "addresses"), k, address) {
      const char *text = json_string_value(address);
      if (text)
        trust_names_add(names, text, strcspn(text, "/"));
    }
  }
  return names;
}

static json_t *trust_post(FerryClient *client, const char *node, json_t *body, GError **error) {
  g_autofree char *path = ferry_client_path("ferry.migration", "v1", NULL, "nodes", node, "trust");
  return ferry_client_request(client, "POST", path, body, NULL, NULL, NULL, error);
}

/* NULL: it is not a certificate. Free with gnutls_x509_crt_deinit. */
static gnutls_x509_crt_t trust_read(const char *pem) {
  gnutls_datum_t data = {(unsigned char *)pem, pem ? (unsigned)strlen(pem) : 0};
  gnutls_x509_crt_t crt = NULL;
  if (!pem || gnutls_x509_crt_init(&crt) < 0)
    return NULL;
  if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) >= 0)
    return crt;
  gnutls_x509_crt_deinit(crt);
  return NULL;
}

static gboolean trust_is_named(gnutls_x509_crt_t crt, const char *wanted) {
  char name[64] = "";
  size_t size = sizeof name;
  return gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) >= 0 &&
         g_str_equal(name, wanted);
}

char *ferry_trust_own_ca(const char *pems, const char *ca_name, GString *others) {
  static const char end[] = "-----END CERTIFICATE-----";
  char *own = NULL;
  for (const char *p = ferry_pem_certificate(pems), *stop; p; p = ferry_pem_certificate(stop)) {
    stop = strstr(p, end);
    if (!stop)
      break;
    stop += strlen(end);
    g_autofree char *one = g_strdup_printf("%.*s\n", (int)(stop - p), p);
    gnutls_x509_crt_t ca = trust_read(one);
    gboolean is = ca && trust_is_named(ca, ca_name);
    if (ca)
      gnutls_x509_crt_deinit(ca);
    if (is && !own)
      own = g_steal_pointer(&one);
    else if (!is && others)
      g_string_append(others, one);
  }
  return own;
}

gboolean ferry_trust_is_current(const char *pem, gint64 now_s, GError **error) {
  gnutls_x509_crt_t crt = trust_read(pem);
  gint64 begins = crt ? gnutls_x509_crt_get_activation_time(crt) : 0;
  gint64 ends = crt ? gnutls_x509_crt_get_expiration_time(crt) : 0;
  if (crt)
    gnutls_x509_crt_deinit(crt);
  if (crt && begins <= now_s && now_s < ends)
    return TRUE;
  g_autofree char *from = ferry_rfc3339_format(begins * 1000),
                  *now = ferry_rfc3339_format(now_s * 1000);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the certificate is good from %s on, and this host's clock says %s: set it", from,
              now);
  return FALSE;
}

static gboolean trust_has_key(gnutls_x509_crt_t crt, const char *key_pem) {
  gnutls_datum_t data = {(unsigned char *)key_pem, (unsigned)strlen(key_pem)};
  gnutls_x509_privkey_t key = NULL;
  unsigned char a[64], b[64];
  size_t la = sizeof a, lb = sizeof b;
  gboolean has = gnutls_x509_privkey_init(&key) >= 0 &&
                 gnutls_x509_privkey_import2(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0 &&
                 gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &la) >= 0 &&
                 gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &lb) >= 0 &&
                 la == lb && memcmp(a, b, la) == 0;
  if (key)
    gnutls_x509_privkey_deinit(key);
  return has;
}

gboolean ferry_trust_check(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           const char *ca_name, GError **error) {
  gnutls_x509_crt_t crt = trust_read(cert_pem), ca = trust_read(ca_pem);
  unsigned status = 0;
  const char *wrong = NULL;
  if (!crt || !ca)
    wrong = "no certificate";
  else if (!trust_is_named(ca, ca_name))
    wrong = "a CA of another name";
  else if (!trust_has_key(crt, key_pem))
    wrong = "a certificate for another key";
  else if (gnutls_x509_crt_verify(crt, &ca, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) < 0 ||
           status != 0)
    wrong = "a certificate that its CA has not signed";
  if (wrong)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "ferryd's answer has %s in place of %s's",
                wrong, ca_name);
  if (crt)
    gnutls_x509_crt_deinit(crt);
  if (ca)
    gnutls_x509_crt_deinit(ca);
  return !wrong;
}

json_t *ferry_trust_certificate(FerryClient *client, const char *node, const char *key_pem,
                                const char *qemu_key_pem, const json_t *names, GError **error) {
  g_autofree char *csr = ferry_ec_key_request(key_pem, NULL, node, error);
  g_autofree char *qemu_csr = csr ? ferry_ec_key_request(qemu_key_pem, NULL, node, error) : NULL;
  if (!qemu_csr)
    return NULL;
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:O}", "csr", csr, "qemuCsr", qemu_csr, "names", names);
  g_autoptr(json_t) answer = trust_post(client, node, body, error);
  if (!answer ||
      !ferry_trust_check(ferry_json_str(answer, "certificate"), key_pem,
                         ferry_json_str(answer, "ca"), FERRY_TRUST_CA, error) ||
      !ferry_trust_check(ferry_json_str(answer, "qemuCertificate"), qemu_key_pem,
                         ferry_json_str(answer, "qemuCa"), FERRY_TRUST_QEMU_CA, error))
    return NULL;
  return g_steal_pointer(&answer);
}

gboolean ferry_trust_tell(FerryClient *client, const char *node, const char *problem,
                          GError **error) {
  g_autoptr(GString) line = g_string_new(NULL);
  g_autofree char *valid = g_utf8_make_valid(problem ? problem : "", -1);
  for (const char *p = valid; *p && line->len < FERRY_PROBLEM_MAX - 8; p = g_utf8_next_char(p))
    g_string_append_unichar(line, g_unichar_iscntrl(g_utf8_get_char(p)) ? ' ' : g_utf8_get_char(p));
  g_autoptr(json_t) body =
      problem ? json_pack("{s:s}", "problem", line->str) : json_pack("{s:b}", "ok", TRUE);
  g_autoptr(json_t) answer = trust_post(client, node, body, error);
  return answer != NULL;
}
