// SPDX-License-Identifier: Apache-2.0
// What time does to certificates: the server's and the administrator's are renewed while a
// connection goes on, a Node says that its agent's ends, records of what has ended go. The clock is
// the test's; TLS goes by the machine's, so what is shown over a connection is made in the past and
// renewed now.
#include "csr.h"
#include "api/auth/certificates.h"
#include "api/pki/pki_rotate.h"

#include "api/auth/credentials.h"
#include "model/field/object_meta.h"

#define DAY_MS ((gint64)86400 * 1000)

static _Atomic gint64 fake_ms; /* read by the server's threads */

static gint64 fake_wall(gpointer data) {
  return fake_ms;
}

static gint64 fake_monotonic(gpointer data) {
  return g_get_monotonic_time();
}

/* A server whose clock says `days` from now. */
static void up(Server *s, int days) {
  static const FerryClock clock = {.monotonic_us = fake_monotonic, .wall_ms = fake_wall};
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  g_autoptr(GError) error = NULL;
  fake_ms = g_get_real_time() / 1000 + days * DAY_MS;
  s->dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL);
  s->store = ferry_store_open(NULL, NULL, NULL);
  FerryApiConfig config = {
      .store = s->store, .state_dir = s->dir, .listen = listen, .clock = &clock};
  s->api = ferry_api_new(&config, &error);
  g_assert_no_error(error);
  seed_all(s->store);
}

static char *read_in(Server *s, const char *file) {
  g_autofree char *path = g_build_filename(s->dir, file, NULL);
  return ferry_file_read(path, 1 << 20, NULL, NULL);
}

/* A request of nobody on a connection that is kept. */
static CURL *keep(Server *s) {
  CURL *c = curl_easy_init();
  g_autofree char *url = g_strconcat(ferry_api_url(s->api), "/healthz", NULL);
  g_autofree char *ca = g_build_filename(s->dir, "ca.crt", NULL);
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(c, CURLOPT_CAINFO, ca);
  curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_append);
  return c;
}

/* How many connections one more request on it makes. */
static long ask(CURL *c) {
  g_autoptr(GString) out = g_string_new(NULL);
  long status = 0, made = -1;
  curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
  g_assert_cmpint(curl_easy_perform(c), ==, CURLE_OK);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &made);
  g_assert_cmpint(status, ==, 200);
  return made;
}

/* The certificate that the server showed, PEM. */
static char *shown(CURL *c) {
  struct curl_certinfo *info = NULL;
  curl_easy_getinfo(c, CURLINFO_CERTINFO, &info);
  g_assert_cmpint(info->num_of_certs, >, 0);
  for (const struct curl_slist *l = info->certinfo[0]; l; l = l->next)
    if (g_str_has_prefix(l->data, "Cert:"))
      return g_strdup(l->data + strlen("Cert:"));
  return NULL;
}

static gint64 end_of(Server *s, const char *kind, char **serial) {
  json_t *found = NULL;
  g_autoptr(Answer) a = http(s, "GET", "/apis/ferry.migration/v1/certificates", NULL);
  expect(a, 200);
  found = ferry_json_find(ferry_json_get(a->json, "certificates"), "kind", kind);
  g_assert_nonnull(found);
  if (serial)
    *serial = g_strdup(ferry_json_str(found, "serial"));
  return ferry_rfc3339_parse(ferry_json_str(found, "endsAt"));
}

static void renewed_in_service(void) {
  Server s = {0};
  up(&s, -368);
  g_autofree char *before = read_in(&s, "admin.kubeconfig");
  CURL *old = keep(&s), *new = keep(&s);
  g_assert_cmpint(ask(old), ==, 1);
  g_autofree char *first = shown(old);
  fake_ms = g_get_real_time() / 1000;
  ferry_certificates_look(s.api->certificates);
  g_assert_cmpint(ask(old), ==, 0); /* goes on */
  g_assert_cmpint(ask(new), ==, 1);
  g_autofree char *second = shown(new);
  g_assert_nonnull(first);
  g_assert_cmpstr(first, !=, second);
  /* the administrator's is good again, for a year, and what holds it was written anew */
  g_autofree char *after = read_in(&s, "admin.kubeconfig");
  g_assert_cmpstr(before, !=, after);
  gint64 left = end_of(&s, "admin", NULL) - fake_ms;
  g_assert_cmpint(left, >, 364 * DAY_MS);
  g_assert_cmpint(left, <=, 365 * DAY_MS);
  curl_easy_cleanup(old);
  curl_easy_cleanup(new);
  server_down(&s, NULL);
}

static void only_what_is_due(void) {
  Server s = {0};
  up(&s, -340); /* the administrator's has 25 days left, the server's 57 */
  g_autofree char *server = read_in(&s, "server.crt");
  g_autofree char *admin = read_in(&s, "admin.crt");
  fake_ms = g_get_real_time() / 1000 - 10 * DAY_MS;
  ferry_certificates_look(s.api->certificates);
  g_autofree char *early = read_in(&s, "admin.crt");
  g_assert_cmpstr(early, ==, admin);
  fake_ms += 10 * DAY_MS;
  ferry_certificates_look(s.api->certificates);
  g_autofree char *same = read_in(&s, "server.crt");
  g_autofree char *other = read_in(&s, "admin.crt");
  g_assert_cmpstr(same, ==, server);
  g_assert_cmpstr(other, !=, admin);
  server_down(&s, NULL);
}

static char *condition(Server *s, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(s->store, &ferry_kind_node, "", node);
  const json_t *c =
      ferry_json_find(ferry_json_get(object, "status.conditions"), "type", "CertificateExpiring");
  return g_strdup(ferry_json_str(c, "message"));
}

static json_t *ferryd_condition(Server *s, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(s->store, &ferry_kind_node, "", node);
  return json_incref(ferry_json_find(ferry_json_get(object, "status.conditions"), "type",
                                     "FerrydCertificateExpiring"));
}

/* What ends for every host is said by every Node, and no longer once the CA was changed. */
static void ferrys_own(void) {
  Server s = {0};
  up(&s, 0);
  join_node(&s, "h1");
  gint64 left = end_of(&s, "ca", NULL) - fake_ms;
  fake_ms += left - 181 * DAY_MS;
  join_node(&s, "h2");
  ferry_certificates_look(s.api->certificates);
  g_autoptr(json_t) early = ferryd_condition(&s, "h1");
  g_assert_null(early);
  fake_ms += 2 * DAY_MS;
  ferry_certificates_look(s.api->certificates);
  for (int i = 1; i <= 2; i++) {
    g_autofree char *node = g_strdup_printf("h%d", i);
    g_autoptr(json_t) c = ferryd_condition(&s, node);
    g_assert_cmpstr(ferry_json_str(c, "reason"), ==, "CANotChanged");
    g_assert_nonnull(strstr(ferry_json_str(c, "message"), "ferryd ca rotate begin"));
  }
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_pki_rotate_begin(s.api->pki, fake_ms, &error));
  g_assert_no_error(error);
  ferry_certificates_look(s.api->certificates);
  g_autoptr(json_t) after = ferryd_condition(&s, "h1");
  g_assert_null(after);
  server_down(&s, NULL);
}

static gint warned;

/* Log lines go nowhere; those that warn of a certificate are counted. */
static GLogWriterOutput count_warnings(GLogLevelFlags level, const GLogField *fields, gsize n,
                                       gpointer data) {
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(fields[i].key, "FERRY_CERTIFICATE") && fields[i].value &&
        strstr(fields[i].value, "CN=system:node:h1"))
      g_atomic_int_inc(&warned);
  return G_LOG_WRITER_HANDLED;
}

static void node_and_records(void) {
  Server s = {0};
  up(&s, 0);
  join_node(&s, "h1");
  join_node(&s, "h2");
  ferry_certificates_look(s.api->certificates);
  g_assert_null(condition(&s, "h1"));
  g_autoptr(GPtrArray) made = ferry_credential_list(s.api, "system:node:h1");
  g_assert_cmpuint(made->len, ==, 1);
  g_autofree char *ends =
      ferry_rfc3339_format(ferry_json_int(g_ptr_array_index(made, 0), "expires", 0));
  g_assert_cmpint(g_atomic_int_get(&warned), ==, 0);
  fake_ms += 80 * DAY_MS;
  ferry_certificates_look(s.api->certificates);
  g_assert_cmpint(g_atomic_int_get(&warned), >, 0);
  g_autofree char *text = condition(&s, "h1");
  g_autofree char *other = condition(&s, "h2");
  g_assert_nonnull(text);
  g_assert_nonnull(strstr(text, ends));
  g_assert_nonnull(other);
  join_node(&s, "h1");
  ferry_certificates_look(s.api->certificates);
  g_assert_null(condition(&s, "h1"));
  g_autofree char *still = condition(&s, "h2");
  g_assert_nonnull(still);
  fake_ms += 10 * DAY_MS + DAY_MS / 2; /* it has ended, and who comes with it still hears that */
  ferry_certificates_look(s.api->certificates);
  g_autoptr(GPtrArray) both = ferry_credential_list(s.api, "system:node:h1");
  g_assert_cmpuint(both->len, ==, 2);
  fake_ms += DAY_MS;
  ferry_certificates_look(s.api->certificates);
  g_autoptr(GPtrArray) one = ferry_credential_list(s.api, "system:node:h1");
  g_assert_cmpuint(one->len, ==, 1);
  server_down(&s, NULL);
}

/* Those for libvirt's TLS are listed, counted and warned of as the agent's are. */
static void trust_of_libvirt(Server *s, gint64 ends_ms) {
  g_autoptr(json_t) old = ferry_store_get(s->store, &ferry_kind_node, "", "h1");
  g_autoptr(json_t) node = json_deep_copy(old);
  g_autofree char *ends = ferry_rfc3339_format(ends_ms);
  ferry_json_set(node, "status.libvirtTrust",
                 json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:[s]}]}", "given", "serial", "aa01",
                           "qemuSerial", "bb02", "keyHash", "key1", "qemuKeyHash", "key2", "ends",
                           ends, "names", "h1"));
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_node,
                      .ns = "",
                      .name = "h1",
                      .object = node,
                      .revision = ferry_object_revision(old)};
  g_autoptr(GError) error = NULL;
  ferry_store_commit(s->store, &write, 1, NULL, &error);
  g_assert_no_error(error);
}

static void libvirts_are_seen(void) {
  Server s = {0};
  up(&s, 0);
  join_node(&s, "h1");
  trust_of_libvirt(&s, fake_ms + 20 * DAY_MS);
  ferry_certificates_look(s.api->certificates);
  g_assert_null(condition(&s, "h1"));
  g_autofree char *serial = NULL, *qemu = NULL;
  gint64 left = end_of(&s, "libvirt", &serial) - fake_ms;
  g_assert_cmpint(left, >, 19 * DAY_MS);
  end_of(&s, "qemu", &qemu);
  g_assert_cmpstr(serial, ==, "aa01");
  g_assert_cmpstr(qemu, ==, "bb02");
  g_autoptr(GString) metrics = g_string_new(NULL);
  ferry_certificates_metrics(s.api, metrics);
  g_assert_nonnull(strstr(metrics->str, "kind=\"libvirt\",name=\"h1\",serial=\"aa01\""));
  trust_of_libvirt(&s, fake_ms + 10 * DAY_MS);
  ferry_certificates_look(s.api->certificates);
  g_autofree char *text = condition(&s, "h1");
  g_assert_nonnull(text);
  g_assert_nonnull(strstr(text, "ferry-trust.timer"));
  server_down(&s, NULL);
}

static char *user_condition(Server *s, const char *user) {
  g_autoptr(json_t) object = ferry_store_get(s->store, &ferry_kind_user, "", user);
  const json_t *c =
      ferry_json_find(ferry_json_get(object, "status.conditions"), "type", "CredentialExpiring");
  return g_strdup(ferry_json_str(c, "message"));
}

/* A person's tokens and certificates end as well: the last one counts. */
static void users_are_told(void) {
  static const char users[] = "/apis/ferry.migration/v1/users";
  Server s = {0};
  up(&s, 0);
  g_autoptr(Answer) made = http(&s, "POST", users, "{\"metadata\":{\"name\":\"ann\"},\"spec\":{}}");
  expect(made, 201);
  g_autofree char *path = g_strconcat(users, "/ann/token", NULL);
  g_autoptr(Answer) first = http(&s, "POST", path, "{\"expirationSeconds\":2592000}");
  expect(first, 201);
  ferry_certificates_look(s.api->certificates);
  g_assert_null(user_condition(&s, "ann"));
  fake_ms += 20 * DAY_MS;
  ferry_certificates_look(s.api->certificates);
  g_autofree char *text = user_condition(&s, "ann");
  g_assert_nonnull(text);
  g_assert_nonnull(strstr(text, ferry_json_str(first->json, "expiresAt")));
  g_autoptr(GString) metrics = g_string_new(NULL);
  ferry_certificates_metrics(s.api, metrics);
  g_assert_nonnull(strstr(metrics->str, "ferry_user_credential_expiry_seconds{user=\"ann\"} 8"));
  g_autoptr(Answer) next = http(&s, "POST", path, "{\"expirationSeconds\":2592000}");
  expect(next, 201);
  ferry_certificates_look(s.api->certificates);
  g_assert_null(user_condition(&s, "ann"));
  server_down(&s, NULL);
}

/* Renews with the certificate `by` into DIR/AS.crt; the key is the same. */
static long renew(Server *s, const char *by, const char *as, const char *acts_as) {
  g_autofree char *csr = make_csr(s, as, "h1");
  g_autoptr(json_t) body = json_pack("{s:s, s:s}", "nodeName", "h1", "csr", csr);
  g_autofree char *text = ferry_json_dump(body);
  g_autoptr(Answer) a = http_full(s, by, "POST", "/apis/ferry.migration/v1/join", acts_as, text,
                                  (gssize)strlen(text));
  write_certificate(s, as, a);
  return a->status;
}

static Answer *as_node(Server *s, const char *who) {
  return http_full(s, who, "GET", "/api/v1/nodes/h1", NULL, NULL, 0);
}

/* Who has a node's key makes no endless list of certificates with it: the newest ten are good, and
 * the one that asks; an agent whose answers are lost goes on. */
static void renewed_over_and_over(void) {
  Server s = {0};
  up(&s, 0);
  join_node(&s, "h1");
  for (int i = 0; i < 40; i++) {
    g_autofree char *as = g_strdup_printf("h1-%d", i);
    fake_ms += 10000;
    g_assert_cmpint(renew(&s, "h1", as, NULL), ==, 201);
  }
  g_autoptr(GPtrArray) made = ferry_credential_list(s.api, "system:node:h1");
  g_assert_cmpuint(made->len, ==, 11);
  g_autoptr(Answer) first = as_node(&s, "h1");
  g_autoptr(Answer) lost = as_node(&s, "h1-5");
  g_autoptr(Answer) tenth = as_node(&s, "h1-30");
  g_autoptr(Answer) newest = as_node(&s, "h1-39");
  expect(first, 200);
  expect(newest, 200);
  expect(tenth, 200);
  expect(lost, 401);
  g_assert_nonnull(strstr(lost->body, "newer certificates"));
  long fast = 201; /* nor many lines of the audit */
  for (int i = 0; i < 12 && fast == 201; i++)
    fast = renew(&s, "h1", "h1-fast", NULL);
  g_assert_cmpint(fast, ==, 429);
  server_down(&s, NULL);
}

/* A certificate outlasts what it was made for: it is made for who has one, not for who acts so. */
static void renewed_by_nobody_else(void) {
  static const char acts[] = "Impersonate-User: system:node:h1\nImpersonate-Group: system:nodes";
  Server s = {0};
  up(&s, 0);
  join_node(&s, "h1");
  g_assert_cmpint(renew(&s, "admin", "h1-x", acts), ==, 403);
  g_autoptr(GPtrArray) made = ferry_credential_list(s.api, "system:node:h1");
  g_assert_cmpuint(made->len, ==, 1);
  server_down(&s, NULL);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/api/certificates/renewed", renewed_in_service);
  g_test_add_func("/api/certificates/due", only_what_is_due);
  g_test_add_func("/api/certificates/nodes", node_and_records);
  g_test_add_func("/api/certificates/libvirts", libvirts_are_seen);
  g_test_add_func("/api/certificates/ferryds-own", ferrys_own);
  g_test_add_func("/api/certificates/users", users_are_told);
  g_test_add_func("/api/certificates/over-and-over", renewed_over_and_over);
  g_test_add_func("/api/certificates/nobody-else", renewed_by_nobody_else);
  g_log_set_writer_func(count_warnings, NULL, NULL);
  return g_test_run();
}
