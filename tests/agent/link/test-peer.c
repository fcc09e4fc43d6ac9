// SPDX-License-Identifier: Apache-2.0
// Where an agent says that its host is reached: what it was told, where its libvirt is, and what
// the host's certificate and open ports let it guess.
#include "agent/link/peer.h"

#include <gio/gio.h>
#include <gnutls/x509.h>
#include <string.h>

#define HEAD                                                                                       \
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n"
#define V4(local, remote, state)                                                                   \
  "   0: " local " " remote " " state " 00000000:00000000 00:00000000 0\n"
#define NOBODY "00000000:0000"

static void test_listens(void) {
  static const struct {
    const char *table;
    gboolean listens;
  } cases[] = {
      {"", FALSE},
      {HEAD, FALSE},
      {HEAD V4("00000000:4082", NOBODY, "0A"), TRUE},
      {HEAD V4("0100007F:0035", NOBODY, "0A") V4("0100007F:4082", NOBODY, "0A"), TRUE},
      {HEAD V4("00000000000000000000000000000000:4082", "00000000000000000000000000000000:0000",
               "0A"),
       TRUE},
      {HEAD V4("00000000:4083", NOBODY, "0A"), FALSE},
      /* a connection from or to that port is no listener */
      {HEAD V4("0A000001:4082", "0A000002:C000", "01"), FALSE},
      {HEAD V4("0A000001:C000", "0A000002:4082", "0A"), FALSE},
      {"nonsense\n:4082 0A\n", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpint(ferry_agent_peer_listens(cases[i].table, 16514), ==, cases[i].listens);
}

/* A certificate of these names ("IP:1.2.3.4", or DNS), and of that common name. */
static char *certificate(const char *cn, const char *const *names) {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  gnutls_datum_t pem = {0};
  gnutls_x509_privkey_init(&key);
  gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  gnutls_x509_crt_init(&crt);
  gnutls_x509_crt_set_version(crt, 3);
  gnutls_x509_crt_set_serial(crt, "\1", 1);
  gnutls_x509_crt_set_activation_time(crt, time(NULL));
  gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
  gnutls_x509_crt_set_key(crt, key);
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn));
  for (; *names; names++) {
    g_autoptr(GInetAddress) address =
        g_str_has_prefix(*names, "IP:") ? g_inet_address_new_from_string(*names + 3) : NULL;
    if (address)
      gnutls_x509_crt_set_subject_alt_name(
          crt, GNUTLS_SAN_IPADDRESS, g_inet_address_to_bytes(address),
          (unsigned)g_inet_address_get_native_size(address), GNUTLS_FSAN_APPEND);
    else
      gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, *names,
                                           (unsigned)strlen(*names), GNUTLS_FSAN_APPEND);
  }
  g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), >=, 0);
  g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
  char *text = g_strndup((char *)pem.data, pem.size);
  gnutls_free(pem.data);
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
  return text;
}

static void test_name(void) {
  static const struct {
    const char *cn;
    const char *names[5];
    const char *found;
  } cases[] = {
      {"x", {"h1.lan", NULL}, "h1.lan"},
      {"x", {"other.lan", "h1", NULL}, "h1"}, /* its own name before the first one */
      {"x", {"other.lan", "third.lan", NULL}, "other.lan"},
      {"x", {"H1", NULL}, "h1"},
      /* what leads others nowhere is none */
      {"x", {"localhost", "IP:127.0.0.1", "IP:10.0.0.1", NULL}, "10.0.0.1"},
      {"x", {"IP:::1", "IP:2001:db8::1", NULL}, "2001:db8::1"},
      {"x", {"localhost", "IP:127.0.0.1", NULL}, NULL},
      {"x", {"*.lan", NULL}, NULL},
      /* a certificate without other names, by libvirt's older recipe */
      {"h1.lan", {NULL}, "h1.lan"},
      {"localhost", {NULL}, NULL},
      {"Some Host", {NULL}, NULL},
      {"h1.lan", {"localhost", NULL}, NULL}, /* TLS looks at no common name beside them */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *pem = certificate(cases[i].cn, cases[i].names);
    g_autofree char *found = ferry_agent_peer_name(pem, "h1");
    g_assert_cmpstr(found, ==, cases[i].found);
  }
  g_assert_null(ferry_agent_peer_name("no certificate", "h1"));
  g_assert_null(ferry_agent_peer_name("", "h1"));
}

/* Told, or where the agent's libvirt is: of that only where to, never by which program or key. */
static void test_told(void) {
  static const struct {
    const char *option, *libvirt, *scheme, *host;
  } cases[] = {
      {"qemu+tls://h1.lan/system", "qemu:///system", "tls", "h1.lan"},
      {"qemu+ssh://root@h1.lan/system", "qemu+tls://other/system", "ssh", "h1.lan"},
      {NULL, "qemu+tls://h1.lan/system", "tls", "h1.lan"},
      {NULL, "qemu+ssh://root@h1.lan/system?keyfile=/k&command=/bin/x#y", "ssh", "h1.lan"},
      {"qemu+ext://h1/system?command=x", "qemu:///system", NULL, NULL},
      {"qemu+tls://h1/system?pkipath=/x", "qemu:///system", NULL, NULL},
      {"qemu:///system", "qemu:///system", NULL, NULL},
      {NULL, "qemu+ext://h1/system?command=x", NULL, NULL},
      {NULL, "qemu+unix:///system?socket=/s", NULL, NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) peer = ferry_agent_peer(cases[i].option, cases[i].libvirt, &error);
    g_assert_cmpstr(ferry_json_str(peer, "scheme"), ==, cases[i].scheme);
    g_assert_cmpstr(ferry_json_str(peer, "host"), ==, cases[i].host);
    g_assert_true((error != NULL) == (cases[i].option && !cases[i].host));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK |
                         G_LOG_LEVEL_CRITICAL); /* what is unknown is a warning */
  g_test_add_func("/peer/listens", test_listens);
  g_test_add_func("/peer/name", test_name);
  g_test_add_func("/peer/told", test_told);
  return g_test_run();
}
