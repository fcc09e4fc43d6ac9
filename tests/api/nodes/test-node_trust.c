// SPDX-License-Identifier: Apache-2.0
// Who gets a certificate of libvirt's CA, for which keys and names, and who may ask for it. Agents
// of several nodes ask with requests that are right but for one thing each.
#include "../auth/csr.h"
#include "../auth/rights.h"
#include "api/nodes/node_write.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"

#define NODES "/apis/ferry.migration/v1/nodes/"

typedef struct {
  char *csr, *qemu;
} Keys;

static void keys_clear(Keys *k) {
  g_free(k->csr);
  g_free(k->qemu);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keys, keys_clear)

static Keys keys_new(Server *s) {
  return (Keys){make_csr(s, "libvirt", "whoever"), make_csr(s, "qemu", "whoever")};
}

static Answer *trust_post(Server *s, const char *who, const char *node, const char *headers,
                          json_t *body) {
  g_autofree char *path = g_strconcat(NODES, node, "/trust", NULL);
  g_autofree char *text = ferry_json_dump(body);
  json_decref(body);
  return http_full(s, who, "POST", path, headers, text, (gssize)strlen(text));
}

static Answer *ask_for(Server *s, const char *who, const char *node, const Keys *k, json_t *names) {
  return trust_post(
      s, who, node, NULL,
      json_pack("{s:s, s:s, s:o}", "csr", k->csr, "qemuCsr", k->qemu, "names", names));
}

static void asks(Server *s, const char *node, const Keys *k, unsigned status) {
  g_autoptr(Answer) a = ask_for(s, node, node, k, json_array());
  expect(a, status);
}

/* As the inventory does; `data`: its address. */
static void change_reported(json_t *node, gint64 now_ms, gpointer data) {
  g_autofree char *now = ferry_rfc3339_format_ms(now_ms);
  ferry_json_set_str(node, "status.agent.lastReportTime", now);
  ferry_json_set(node, "status.interfaces",
                 json_pack("[{s:s, s:[s]}]", "name", "eth0", "addresses", data));
}

static void reports(Server *s, const char *node, const char *prefix) {
  g_assert_true(ferry_node_write(s->api, node, TRUE, change_reported, (char *)prefix, NULL));
}

static void joins(Server *s, const char *node, const char *prefix) {
  join_node(s, node);
  reports(s, node, prefix);
}

static void patches(Server *s, const char *node, const char *what, unsigned status) {
  g_autofree char *path = g_strconcat("/api/v1/nodes/", node, NULL);
  g_autoptr(Answer) a =
      http_full(s, "admin", "PATCH", path, "Content-Type: application/merge-patch+json", what, -1);
  expect(a, status);
}

static void wants(Server *s, const char *node) {
  patches(s, node, "{\"spec\":{\"trust\":true}}", 200);
}

/* As `ferry host trust` does: with the keys that are there. */
static void says_anew(Server *s, const char *node) {
  static gint64 later = 0;
  g_autofree char *when = ferry_rfc3339_format_ms(ferry_clock_wall_ms(s->api->clock) + ++later);
  g_autofree char *what = g_strdup_printf("{\"spec\":{\"trust\":true,\"trustSaid\":\"%s\"}}", when);
  patches(s, node, what, 200);
}

/* As `ferry host trust --new-keys` does. */
static void opens(Server *s, const char *node) {
  g_autofree char *path = g_strconcat(NODES, node, "/newkeys", NULL);
  g_autoptr(Answer) a = http(s, "POST", path, "{}");
  expect(a, 200);
}

static void change_until(json_t *node, gint64 now_ms, gpointer data) {
  g_autofree char *until = ferry_rfc3339_format_ms(now_ms + *(const gint64 *)data);
  ferry_json_set_str(node, "status.libvirtTrust.newKeysUntil", until);
}

static json_t *given(Server *s, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(s->api->store, &ferry_kind_node, "", node);
  return json_incref(ferry_json_get(object, "status.libvirtTrust.given"));
}

static gnutls_x509_crt_t read_pem(const char *pem) {
  gnutls_x509_crt_t crt;
  gnutls_datum_t d = {(unsigned char *)pem, (unsigned)strlen(pem)};
  gnutls_x509_crt_init(&crt);
  g_assert_cmpint(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), >=, 0);
  return crt;
}

static gboolean signed_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca) {
  unsigned status = 0;
  return gnutls_x509_crt_verify(crt, &ca, 1, 0, &status) >= 0 && status == 0;
}

/* Of a CA of its own, for both ends, by the node's name and those it was asked for. */
static void is_given_where_wanted(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  join_node(s, "h1");
  reports(s, "h1", "10.1.2.3/24");
  asks(s, "h1", &k, 403);
  wants(s, "h1");
  g_autoptr(Answer) a =
      ask_for(s, "h1", "h1", &k, json_pack("[s, s, s]", "H1.example", "10.1.2.3", "h1"));
  expect(a, 201);
  gnutls_x509_crt_t crt = read_pem(ferry_json_str(a->json, "certificate")),
                    ca = read_pem(ferry_json_str(a->json, "ca"));
  unsigned usage = 0;
  g_assert_true(signed_by(crt, ca));
  static const char *const names[] = {"h1", "h1.example", "10.1.2.3"};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
    g_assert_true(gnutls_x509_crt_check_hostname(crt, names[i]));
  g_assert_false(gnutls_x509_crt_check_hostname(crt, "whoever"));
  gnutls_x509_crt_get_key_usage(crt, &usage, NULL);
  g_assert_cmpuint(usage, ==, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
  g_assert_cmpint(gnutls_x509_crt_get_ca_status(crt, NULL), ==, 0);
  /* what is known to libvirtds lets nobody into ferryd, and its CA is the same the next time */
  g_autofree char *path = g_build_filename(s->dir, "ca.crt", NULL);
  g_autofree char *own = ferry_file_read(path, 65536, NULL, NULL);
  g_assert_cmpstr(ferry_json_str(a->json, "ca"), !=, own);
  g_autoptr(Answer) again = ask_for(s, "h1", "h1", &k, json_array());
  g_assert_cmpstr(ferry_json_str(again->json, "ca"), ==, ferry_json_str(a->json, "ca"));
  g_autoptr(Answer) node = http(s, "GET", "/api/v1/nodes/h1", NULL);
  g_assert_true(ferry_condition_holds(node->json, FERRY_CONDITION_LIBVIRT_TRUST));
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_crt_deinit(ca);
}

/* What QEMU's user reads is no key to any libvirtd. */
static void is_another_one_for_qemu(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  g_autoptr(Answer) same = trust_post(
      s, "h1", "h1", NULL, json_pack("{s:s, s:s, s:[]}", "csr", k.csr, "qemuCsr", k.csr, "names"));
  expect(same, 400);
  g_autoptr(Answer) a = ask_for(s, "h1", "h1", &k, json_array());
  expect(a, 201);
  gnutls_x509_crt_t crt = read_pem(ferry_json_str(a->json, "certificate")),
                    ca = read_pem(ferry_json_str(a->json, "ca")),
                    qemu = read_pem(ferry_json_str(a->json, "qemuCertificate")),
                    qemu_ca = read_pem(ferry_json_str(a->json, "qemuCa"));
  g_assert_true(signed_by(qemu, qemu_ca));
  g_assert_false(signed_by(qemu, ca));
  g_assert_false(signed_by(crt, qemu_ca));
  char name[64];
  size_t len = sizeof name;
  gnutls_x509_crt_get_dn_by_oid(qemu_ca, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len);
  g_assert_cmpstr(name, ==, "ferry-libvirt-qemu-ca");
  gnutls_x509_crt_t all[] = {crt, ca, qemu, qemu_ca};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    gnutls_x509_crt_deinit(all[i]);
}

/* An agent's key, or a token to join in its place, is not worth another key of libvirt's. */
static void is_for_the_first_key_alone(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), thief = keys_new(s);
  g_auto(Keys) half = {g_strdup(k.csr), make_csr(s, "qemu", "whoever")};
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  asks(s, "h1", &k, 201);
  asks(s, "h1", &thief, 403);
  asks(s, "h1", &half, 403);
  asks(s, "h1", &k, 201);
  /* what ferryd has noted is nobody's to change, and a word taken back is none */
  g_autoptr(Answer) status = http_full(s, "admin", "PATCH", "/api/v1/nodes/h1/status",
                                       "Content-Type: application/merge-patch+json",
                                       "{\"status\":{\"libvirtTrust\":null}}", -1);
  expect(status, 200);
  patches(s, "h1", "{\"spec\":{\"trustSaid\":null}}", 200);
  patches(s, "h1", "{\"spec\":{\"trustSaid\":\"2001-01-01T00:00:00Z\"}}", 200);
  asks(s, "h1", &thief, 403);
  says_anew(s, "h1");
  asks(s, "h1", &thief, 403);
  opens(s, "h1");
  asks(s, "h1", &thief, 201);
  asks(s, "h1", &k, 403);
  g_autoptr(json_t) kept = given(s, "h1");
  g_assert_cmpuint(json_array_size(kept), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(kept, 0), "keyHash"), !=,
                  ferry_json_str(json_array_get(kept, 1), "keyHash"));
}

/* The door is open for an hour of ferryd's, and for one certificate, whosever keys that is for. */
static void door_is_open_once(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), other = keys_new(s);
  g_autoptr(Answer) missing = http(s, "POST", NODES "h9/newkeys", "{}");
  expect(missing, 404);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  asks(s, "h1", &k, 201);
  opens(s, "h1");
  asks(s, "h1", &k, 201); /* the same as a moment ago, too */
  asks(s, "h1", &other, 403);
  static const gint64 never[] = {-1, 0, 3600 * 1000 + 60000};
  for (gsize i = 0; i < G_N_ELEMENTS(never); i++) {
    g_assert_true(ferry_node_write(s->api, "h1", FALSE, change_until, (gpointer)&never[i], NULL));
    asks(s, "h1", &other, 403);
  }
}

static void is_for_its_own_agent(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  joins(s, "h2", "10.1.2.4/24");
  wants(s, "h1");
  g_autoptr(Answer) other = ask_for(s, "h2", "h1", &k, json_array());
  expect(other, 403);
  g_autoptr(Answer) acted = trust_post(
      s, "admin", "h1", "Impersonate-User: system:node:h1\nImpersonate-Group: system:nodes",
      json_pack("{s:s, s:s, s:[]}", "csr", k.csr, "qemuCsr", k.qemu, "names"));
  expect(acted, 403);
  asks(s, "h1", &k, 201);
}

/* What is another host's is left out, and what is not this one's. */
static void passes_for_no_other_host(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  joins(s, "h2", "10.1.2.4/24");
  patches(s, "h2", "{\"spec\":{\"peer\":{\"scheme\":\"tls\",\"host\":\"h1.two.example\"}}}", 200);
  patches(s, "h1", "{\"spec\":{\"peer\":{\"scheme\":\"tls\",\"host\":\"one.example\"}}}", 200);
  wants(s, "h1");
  g_autoptr(Answer) a =
      ask_for(s, "h1", "h1", &k,
              json_pack("[s, s, s, s, s, s]", "h2", "h1.two.example", "one.example", "10.1.2.4",
                        "10.9.9.9", "vcenter.example"));
  expect(a, 201);
  g_autofree char *out = ferry_json_dump(json_object_get(a->json, "leftOut"));
  g_assert_cmpstr(out, ==,
                  "[\"h2\",\"h1.two.example\",\"10.1.2.4\",\"10.9.9.9\",\"vcenter.example\"]");
  gnutls_x509_crt_t crt = read_pem(ferry_json_str(a->json, "certificate"));
  g_assert_false(gnutls_x509_crt_check_hostname(crt, "h2"));
  g_assert_true(gnutls_x509_crt_check_hostname(crt, "one.example"));
  gnutls_x509_crt_deinit(crt);
  /* what an administrator says of it is in there without its agent's asking */
  g_autoptr(Answer) b = ask_for(s, "h1", "h1", &k, json_array());
  expect(b, 201);
  crt = read_pem(ferry_json_str(b->json, "certificate"));
  g_assert_true(gnutls_x509_crt_check_hostname(crt, "one.example"));
  gnutls_x509_crt_deinit(crt);
  static const char *const bad[] = {"localhost", "127.0.0.1", "*.example", "", "a b"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Answer) refused = ask_for(s, "h1", "h1", &k, json_pack("[s]", bad[i]));
    expect(refused, 400);
  }
}

/* As long as the certificate is good, though the Node has it no more. */
static void names_stay_the_hosts(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), other = keys_new(s), third = keys_new(s), fourth = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  g_autoptr(Answer) a = ask_for(s, "h1", "h1", &k, json_pack("[s, s]", "10.1.2.3", "h1.example"));
  expect(a, 201);
  reports(s, "h1", "10.1.2.9/24");
  joins(s, "h2", "10.1.2.3/24");
  wants(s, "h2");
  g_autoptr(Answer) b = ask_for(s, "h2", "h2", &other, json_pack("[s]", "10.1.2.3"));
  expect(b, 201);
  g_autofree char *out = ferry_json_dump(json_object_get(b->json, "leftOut"));
  g_assert_cmpstr(out, ==, "[\"10.1.2.3\"]");
  joins(s, "h1.example", "10.1.2.5/24");
  wants(s, "h1.example");
  asks(s, "h1.example", &third, 403);
  /* a name that reads as an address would pass for whoever has that */
  joins(s, "10.1.2.77", "10.1.2.6/24");
  wants(s, "10.1.2.77");
  asks(s, "10.1.2.77", &fourth, 403);
}

/* A host that joins by such a token needs no more, once it has said its addresses; a problem is
 * shown at its Node. */
static void comes_with_a_token(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  g_autoptr(Answer) made = http(s, "POST", NODES "h3/token", "{\"trust\":true}");
  expect(made, 201);
  g_autoptr(Answer) joined = try_join(s, ferry_json_str(made->json, "token"), "h3");
  expect(joined, 201);
  asks(s, "h3", &k, 503);
  reports(s, "h3", "10.1.2.3/24");
  asks(s, "h3", &k, 201);
  g_autoptr(Answer) told =
      trust_post(s, "h3", "h3", NULL, json_pack("{s:s}", "problem", "no port"));
  expect(told, 200);
  g_autoptr(Answer) node = http(s, "GET", "/api/v1/nodes/h3", NULL);
  const json_t *trust = ferry_condition_find(node->json, FERRY_CONDITION_LIBVIRT_TRUST);
  g_assert_cmpstr(ferry_json_str(trust, "status"), ==, "False");
  g_assert_cmpstr(ferry_json_str(trust, "message"), ==, "no port");
  g_autoptr(Answer) well = trust_post(s, "h3", "h3", NULL, json_pack("{s:b}", "ok", 1));
  expect(well, 200);
  g_autoptr(Answer) after = http(s, "GET", "/api/v1/nodes/h3", NULL);
  const json_t *again = ferry_condition_find(after->json, FERRY_CONDITION_LIBVIRT_TRUST);
  g_assert_cmpstr(ferry_json_str(again, "status"), ==, "True");
  g_assert_nonnull(strstr(ferry_json_str(again, "message"), "for h3, until 2"));
  static const char *const bad[] = {"a\033[2Jb", "a\nb", "a\302\233b"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Answer) refused =
        trust_post(s, "h3", "h3", NULL, json_pack("{s:s}", "problem", bad[i]));
    expect(refused, 400);
  }
}

/* Whoever had the node's name before, or a token for it, would come by the first keys as well. */
static void ends_what_was_given_before(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), thief = keys_new(s);
  static const char *const files[] = {"h3.crt", "h3.key"};
  g_autofree char *early = ferry_api_token_new(s->api, "h3", NULL);
  g_autofree char *late = ferry_api_token_new(s->api, "h3", NULL);
  g_autofree char *other = ferry_api_token_new(s->api, "h4", NULL);
  g_autoptr(Answer) before = try_join(s, early, "h3");
  expect(before, 201);
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *from = g_build_filename(s->dir, files[i], NULL);
    g_autofree char *name = g_strconcat("old-", files[i], NULL);
    g_autofree char *to = g_build_filename(s->dir, name, NULL);
    g_autofree char *text = ferry_file_read(from, 65536, NULL, NULL);
    g_assert_true(ferry_file_write(to, text, strlen(text), 0600, NULL));
  }
  g_autoptr(Answer) made = http(s, "POST", NODES "h3/token", "{\"trust\":true}");
  expect(made, 201);
  g_autoptr(Answer) joined = try_join(s, ferry_json_str(made->json, "token"), "h3");
  expect(joined, 201);
  reports(s, "h3", "10.1.2.3/24");
  g_autoptr(Answer) old = ask_for(s, "old-h3", "h3", &thief, json_array());
  expect(old, 401);
  asks(s, "h3", &k, 201);
  g_autoptr(Answer) again = try_join(s, late, "h3");
  expect(again, 401);
  g_autoptr(Answer) elsewhere = try_join(s, other, "h4");
  expect(elsewhere, 201);
}

/* A token that was made before trust was wanted lets nobody in, and one made since then is one of
 * trust. */
static void needs_a_token_of_trust(Server *s, gconstpointer data) {
  g_autofree char *early = ferry_api_token_new(s->api, "h1", NULL);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  g_autoptr(Answer) refused = try_join(s, early, "h1");
  expect(refused, 403);
  g_autoptr(Answer) made = http(s, "POST", NODES "h1/token", "{}");
  expect(made, 201);
  g_autoptr(Answer) joined = try_join(s, ferry_json_str(made->json, "token"), "h1");
  expect(joined, 201);
}

/* Who joins as a node that is trusted comes to what it has, so the right to let hosts join is not
 * enough for it. */
static void needs_the_right_for_a_token(Server *s, gconstpointer data) {
  give(s, NULL, "joiner", RULE("\"create\"", "*", "nodes/token", ""), "tom");
  joins(s, "h1", "10.1.2.3/24");
  EXPECT("tom", "POST", NODES "h1/token", "{}", 201);
  EXPECT("tom", "POST", NODES "h1/token", "{\"trust\":true}", 403);
  wants(s, "h1");
  EXPECT("tom", "POST", NODES "h1/token", "{}", 403);
  EXPECT("tom", "POST", NODES "h2/token", "{}", 201);
}

static gint64 revision_of(Server *s, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(s->api->store, &ferry_kind_node, "", node);
  return g_ascii_strtoll(ferry_json_str(object, "metadata.resourceVersion"), NULL, 10);
}

/* The same once more is no write; ten others a minute are enough. */
static void is_not_asked_without_end(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  guint refused = 0;
  for (guint i = 0; i < 60; i++) {
    g_autofree char *name = g_strdup_printf("h1.n%u", i / 2);
    gint64 before = revision_of(s, "h1");
    g_autoptr(Answer) a = ask_for(s, "h1", "h1", &k, json_pack("[s]", name));
    if (i == 1) {
      expect(a, 201);
      g_assert_cmpint(revision_of(s, "h1"), ==, before);
    }
    refused += a->status == 429;
  }
  g_autoptr(json_t) kept = given(s, "h1");
  g_assert_cmpuint(refused, >, 0);
  g_assert_cmpuint(json_array_size(kept), >=, 10);
  g_assert_cmpuint(json_array_size(kept), <=, 20); /* a minute may have begun between */
}

/* Nobody can take a certificate back, so a deletion does not make its names another's. */
static void given_outlives_its_node(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), other = keys_new(s), anew = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  g_autoptr(Answer) a = ask_for(s, "h1", "h1", &k, json_pack("[s]", "10.1.2.3"));
  expect(a, 201);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(Answer) gone = http(s, "DELETE", "/api/v1/nodes/h1", "{\"gracePeriodSeconds\":0}");
    expect(gone, 200);
    g_assert_nonnull(strstr(gone->body, "1 of libvirt's CA"));
    joins(s, "h1", "10.1.2.9/24");
  }
  joins(s, "h2", "10.1.2.3/24");
  wants(s, "h2");
  g_autoptr(Answer) b = ask_for(s, "h2", "h2", &other, json_pack("[s]", "10.1.2.3"));
  expect(b, 201);
  g_autofree char *out = ferry_json_dump(json_object_get(b->json, "leftOut"));
  g_assert_cmpstr(out, ==, "[\"10.1.2.3\"]");
  wants(s, "h1");
  asks(s, "h1", &anew, 201);
  g_autoptr(json_t) kept = given(s, "h1");
  g_assert_cmpuint(json_array_size(kept), ==, 2);
}

/* Whatever comes of it: refused, the same once more, or told, which is counted apart. */
static void no_try_is_without_end(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s), thief = keys_new(s);
  const Keys *all[] = {&k, &thief};
  for (gsize who = 0; who < G_N_ELEMENTS(all); who++) {
    const char *node = who ? "h2" : "h1";
    joins(s, node, who ? "10.1.2.4/24" : "10.1.2.3/24");
    wants(s, node);
    asks(s, node, &k, 201);
    guint refused = 0;
    for (guint i = 0; i < 60; i++) {
      g_autoptr(Answer) a = ask_for(s, node, node, all[who], json_array());
      refused += a->status == 429;
    }
    g_assert_cmpuint(refused, >, 0);
    g_autoptr(Answer) told =
        trust_post(s, node, node, NULL, json_pack("{s:s}", "problem", "asks too often"));
    expect(told, 200);
  }
}

/* Deleted between: no certificate, and no Node by it. */
static void needs_its_node(Server *s, gconstpointer data) {
  g_auto(Keys) k = keys_new(s);
  joins(s, "h1", "10.1.2.3/24");
  wants(s, "h1");
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_node_write(s->api, "h9", FALSE, change_reported, "10.1.2.8/24", &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND));
  g_autoptr(Answer) gone = http(s, "DELETE", "/api/v1/nodes/h1", "{\"gracePeriodSeconds\":0}");
  expect(gone, 200);
  asks(s, "h1", &k, 401);
  join_node(s, "h1");
  asks(s, "h1", &k, 404);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* a problem is a warning */
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/node_trust/" #f, Server, NULL, server_up, f, server_down)
  ADD(is_given_where_wanted);
  ADD(is_another_one_for_qemu);
  ADD(is_for_the_first_key_alone);
  ADD(door_is_open_once);
  ADD(is_for_its_own_agent);
  ADD(passes_for_no_other_host);
  ADD(names_stay_the_hosts);
  ADD(comes_with_a_token);
  ADD(ends_what_was_given_before);
  ADD(needs_a_token_of_trust);
  ADD(needs_the_right_for_a_token);
  ADD(is_not_asked_without_end);
  ADD(given_outlives_its_node);
  ADD(no_try_is_without_end);
  ADD(needs_its_node);
  return g_test_run();
}
