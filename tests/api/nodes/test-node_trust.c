// SPDX-License-Identifier: Apache-2.0
// Who gets a certificate of libvirt's CA, for which names, and who may ask for it.
#include "../auth/csr.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"

#define NODES "/apis/ferry.migration/v1/nodes/"

static Answer *ask(Server *s, const char *who, const char *node, json_t *names) {
  g_autofree char *csr = make_csr(s, "libvirt", "whoever");
  g_autofree char *path = g_strconcat(NODES, node, "/trust", NULL);
  g_autoptr(json_t) body = json_pack("{s:s, s:o}", "csr", csr, "names", names);
  g_autofree char *text = ferry_json_dump(body);
  return http_full(s, who, "POST", path, NULL, text, (gssize)strlen(text));
}

static void has_session(Server *s, const char *node) {
  g_autofree char *path = g_strconcat(NODES, node, "/session", NULL);
  g_autoptr(Answer) a =
      http_full(s, node, "POST", path, NULL, "{\"version\":\"1\",\"mode\":\"local\"}", -1);
  expect(a, 201);
}

static void wants(Server *s, const char *node) {
  g_autofree char *path = g_strconcat("/api/v1/nodes/", node, NULL);
  g_autoptr(Answer) a =
      http_full(s, "admin", "PATCH", path, "Content-Type: application/merge-patch+json",
                "{\"spec\":{\"trust\":true}}", -1);
  expect(a, 200);
}

static gnutls_x509_crt_t read_pem(const char *pem) {
  gnutls_x509_crt_t crt;
  gnutls_datum_t d = {(unsigned char *)pem, (unsigned)strlen(pem)};
  gnutls_x509_crt_init(&crt);
  g_assert_cmpint(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), >=, 0);
  return crt;
}

/* Of a CA of its own, for both ends, by the node's name and those it was asked for. */
static void is_given_where_wanted(Server *s, gconstpointer data) {
  join_node(s, "h1");
  has_session(s, "h1");
  g_autoptr(Answer) early = ask(s, "h1", "h1", json_array());
  expect(early, 403);
  g_assert_nonnull(strstr(early->body, "ferry host trust h1"));
  wants(s, "h1");
  g_autoptr(Answer) a =
      ask(s, "h1", "h1", json_pack("[s, s, s]", "KVM1.example", "10.1.2.3", "h1"));
  expect(a, 201);
  gnutls_x509_crt_t crt = read_pem(ferry_json_str(a->json, "certificate")),
                    ca = read_pem(ferry_json_str(a->json, "ca"));
  unsigned status = 0, usage = 0;
  g_assert_cmpint(gnutls_x509_crt_verify(crt, &ca, 1, 0, &status), >=, 0);
  g_assert_cmpuint(status, ==, 0);
  static const char *const names[] = {"h1", "kvm1.example", "10.1.2.3"};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
    g_assert_true(gnutls_x509_crt_check_hostname(crt, names[i]));
  g_assert_false(gnutls_x509_crt_check_hostname(crt, "whoever"));
  gnutls_x509_crt_get_key_usage(crt, &usage, NULL);
  g_assert_cmpuint(usage, ==, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
  g_assert_cmpint(gnutls_x509_crt_get_ca_status(crt, NULL), ==, 0);
  /* what is known to libvirtds lets nobody into ferryd, and its CA is the same the next time */
  g_assert_cmpstr(ferry_json_str(a->json, "ca"), !=, NULL);
  g_autofree char *path = g_build_filename(s->dir, "ca.crt", NULL);
  g_autofree char *own = ferry_file_read(path, 65536, NULL, NULL);
  g_assert_cmpstr(ferry_json_str(a->json, "ca"), !=, own);
  g_autoptr(Answer) again = ask(s, "h1", "h1", json_array());
  g_assert_cmpstr(ferry_json_str(again->json, "ca"), ==, ferry_json_str(a->json, "ca"));
  g_autoptr(Answer) node = http(s, "GET", "/api/v1/nodes/h1", NULL);
  g_assert_true(ferry_condition_holds(node->json, FERRY_CONDITION_LIBVIRT_TRUST));
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_crt_deinit(ca);
}

/* What is another host's is left out, be it its name or where it is reached. */
static void passes_for_no_other_host(Server *s, gconstpointer data) {
  join_node(s, "h1");
  join_node(s, "h2");
  has_session(s, "h1");
  has_session(s, "h2");
  g_autoptr(Answer) peer = http_full(
      s, "admin", "PATCH", "/api/v1/nodes/h2", "Content-Type: application/merge-patch+json",
      "{\"spec\":{\"peer\":{\"scheme\":\"tls\",\"host\":\"two.example\"}}}", -1);
  expect(peer, 200);
  wants(s, "h1");
  g_autoptr(Answer) a =
      ask(s, "h1", "h1", json_pack("[s, s, s]", "h2", "two.example", "one.example"));
  expect(a, 201);
  g_autofree char *out = ferry_json_dump(json_object_get(a->json, "leftOut"));
  g_assert_cmpstr(out, ==, "[\"h2\",\"two.example\"]");
  gnutls_x509_crt_t crt = read_pem(ferry_json_str(a->json, "certificate"));
  g_assert_false(gnutls_x509_crt_check_hostname(crt, "h2"));
  g_assert_false(gnutls_x509_crt_check_hostname(crt, "two.example"));
  g_assert_true(gnutls_x509_crt_check_hostname(crt, "one.example"));
  gnutls_x509_crt_deinit(crt);
  g_autoptr(Answer) other = ask(s, "h1", "h2", json_array());
  expect(other, 403);
  static const char *const bad[] = {"localhost", "127.0.0.1", "*.example", "", "a b"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Answer) refused = ask(s, "h1", "h1", json_pack("[s]", bad[i]));
    expect(refused, 400);
  }
}

/* A host that joins by such a token needs no more; a problem is shown at its Node. */
static void comes_with_a_token(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", NODES "h3/token", "{\"trust\":true}");
  expect(made, 201);
  g_autoptr(Answer) joined = try_join(s, ferry_json_str(made->json, "token"), "h3");
  expect(joined, 201);
  g_autoptr(Answer) a = ask(s, "h3", "h3", json_array());
  expect(a, 201);
  has_session(s, "h3");
  g_autoptr(Answer) told =
      http_full(s, "h3", "POST", NODES "h3/trust", NULL, "{\"problem\":\"no port\"}", -1);
  expect(told, 200);
  g_autoptr(Answer) node = http(s, "GET", "/api/v1/nodes/h3", NULL);
  const json_t *trust = ferry_condition_find(node->json, FERRY_CONDITION_LIBVIRT_TRUST);
  g_assert_cmpstr(ferry_json_str(trust, "status"), ==, "False");
  g_assert_cmpstr(ferry_json_str(trust, "message"), ==, "no port");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* a problem is a warning */
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/node_trust/" #f, Server, NULL, server_up, f, server_down)
  ADD(is_given_where_wanted);
  ADD(passes_for_no_other_host);
  ADD(comes_with_a_token);
  return g_test_run();
}
