// SPDX-License-Identifier: Apache-2.0
// What ends with a Node: certificates (with and without a record), sessions, join tokens, records.
#include "csr.h"

#define NODES "/api/v1/nodes/"
#define SESSION(node) "/apis/ferry.migration/v1/nodes/" node "/session"

static Answer *session(Server *s, const char *who) {
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/nodes/%s/session", who);
  return http_full(s, who, "POST", path, NULL, "{\"version\":\"v1\",\"mode\":\"local\"}", -1);
}

static void stamp_report(Server *s, const char *node, gint64 ms_ago) {
  g_autoptr(json_t) old = ferry_store_get(s->store, &ferry_kind_node, "", node);
  g_autoptr(json_t) object = json_deep_copy(old);
  g_autofree char *when = ferry_rfc3339_format_ms(g_get_real_time() / 1000 - ms_ago);
  ferry_json_set_str(object, "status.agent.lastReportTime", when);
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE, .kind = &ferry_kind_node, .ns = "", .name = node, .object = object};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

static void refused_while_in_use(Server *s, gconstpointer data) {
  g_autoptr(Answer) runs = http(s, "DELETE", NODES "h1", "{}");
  expect(runs, 409);
  g_assert_nonnull(strstr(runs->body, "1 virtual machine runs there (default/db)"));
  g_assert_nonnull(strstr(runs->body, "--force"));
  stamp_report(s, "h3", 1000);
  g_autoptr(Answer) reports = http(s, "DELETE", NODES "h3", NULL);
  expect(reports, 409);
  g_assert_nonnull(strstr(reports->body, "its agent reports"));
  g_assert_null(strstr(reports->body, "virtual machine runs"));
  stamp_report(s, "h3", 20000);
  g_autoptr(Answer) dry = http(s, "DELETE", NODES "h3?dryRun=All", NULL);
  expect(dry, 200);
  g_autoptr(Answer) there = http(s, "GET", NODES "h3", NULL);
  expect(there, 200);
  g_autoptr(Answer) silent = http(s, "DELETE", NODES "h3", NULL);
  expect(silent, 200);
  g_autoptr(Answer) collection = http(s, "DELETE", "/api/v1/nodes", NULL);
  expect(collection, 409);
}

static void forced(Server *s, gconstpointer data) {
  g_autoptr(Answer) soon = http(s, "DELETE", NODES "h1", "{\"gracePeriodSeconds\":1}");
  expect(soon, 409);
  g_autoptr(Answer) body = http(s, "DELETE", NODES "h1", "{\"gracePeriodSeconds\":0}");
  expect(body, 200);
  g_assert_nonnull(strstr(ferry_json_str(body->json, "message"), "certificates are void"));
  /* what it said of VMs is gone, and so are VMs that were nowhere else */
  g_assert_null(ferry_store_get(s->store, &ferry_kind_vmi, "default", "db"));
  g_autoptr(Answer) query = http(s, "DELETE", NODES "h2?gracePeriodSeconds=0", NULL);
  expect(query, 200);
}

/* Nobody's finalizer keeps a host in: it is gone at once, and so is its certificate. */
static void despite_a_finalizer(Server *s, gconstpointer data) {
  join_node(s, "n1");
  g_autoptr(Answer) first = session(s, "n1");
  expect(first, 201);
  g_autoptr(json_t) old = ferry_store_get(s->store, &ferry_kind_node, "", "n1");
  g_autoptr(json_t) kept = json_deep_copy(old);
  ferry_json_set(kept, "metadata.finalizers", json_pack("[s]", "x.y/z"));
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE,
      .kind = &ferry_kind_node,
      .ns = "",
      .name = "n1",
      .object = kept,
      .revision = g_ascii_strtoll(ferry_json_str(old, "metadata.resourceVersion"), NULL, 10)};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autoptr(Answer) gone = http(s, "DELETE", NODES "n1?gracePeriodSeconds=0", NULL);
  expect(gone, 200);
  g_autoptr(Answer) there = http(s, "GET", NODES "n1", NULL);
  expect(there, 404);
  g_autoptr(Answer) again = session(s, "n1");
  expect(again, 401);
}

static void certificates_end(Server *s, gconstpointer data) {
  join_node(s, "n1");
  join_node(s, "n2");
  g_autoptr(Answer) first = session(s, "n1");
  expect(first, 201);
  g_autofree char *waiting = ferry_api_token_new(s->api, "n1", NULL);
  g_autoptr(Answer) gone = http(s, "DELETE", NODES "n1", NULL);
  expect(gone, 200);
  g_assert_nonnull(strstr(ferry_json_str(gone->json, "message"), "1 join token was taken back"));
  g_autoptr(Answer) again = session(s, "n1");
  expect(again, 401);
  g_assert_nonnull(strstr(again->body, "node n1 was deleted at "));
  g_assert_nonnull(strstr(again->body, "ferryd token create --node n1"));
  g_assert_null(ferry_store_get(s->store, &ferry_kind_node, "", "n1"));
  g_autofree char *csr = make_csr(s, "n1-new", "n1");
  g_autoptr(json_t) wish = json_pack("{s:s, s:s}", "nodeName", "n1", "csr", csr);
  g_autofree char *text = ferry_json_dump(wish);
  g_autoptr(Answer) renew =
      http_full(s, "n1", "POST", "/apis/ferry.migration/v1/join", NULL, text, -1);
  expect(renew, 401);
  g_autoptr(Answer) other = session(s, "n2");
  expect(other, 201);
  g_autoptr(Answer) old_token = try_join(s, waiting, "n1");
  expect(old_token, 401);
  /* a new token makes it a node again, with a certificate that holds */
  join_node(s, "n1");
  g_autoptr(Answer) back = session(s, "n1");
  expect(back, 201);
}

/* As an older version left it: a certificate of which there is no record. */
static void without_record(Server *s, gconstpointer data) {
  join_node(s, "n1");
  g_autoptr(Answer) first = session(s, "n1");
  expect(first, 201);
  FerryKind credentials = {.group = "internal.ferry.migration", .plural = "credentials"};
  g_autoptr(GPtrArray) records = ferry_store_list(s->store, &credentials, NULL, NULL);
  g_assert_cmpuint(records->len, ==, 1);
  FerryWrite write = {.op = FERRY_WRITE_DELETE,
                      .kind = &credentials,
                      .ns = "",
                      .name = ferry_json_str(g_ptr_array_index(records, 0), "metadata.name")};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autoptr(Answer) known = session(s, "n1");
  expect(known, 201);
  g_autoptr(Answer) gone = http(s, "DELETE", NODES "n1", NULL);
  expect(gone, 200);
  g_usleep(1100000); /* a certificate's time has whole seconds */
  g_autoptr(Answer) again = session(s, "n1");
  expect(again, 401);
  g_assert_nonnull(strstr(again->body, "node n1 was deleted"));
}

/* A connection that is open when the node goes is not good any more either. */
static void kept_connection(Server *s, gconstpointer data) {
  join_node(s, "n1");
  CURL *c = curl_easy_init();
  g_autofree char *url = g_strconcat(ferry_api_url(s->api), NODES "n1", NULL);
  g_autofree char *ca = g_build_filename(s->dir, "ca.crt", NULL);
  g_autofree char *crt = g_build_filename(s->dir, "n1.crt", NULL);
  g_autofree char *key = g_build_filename(s->dir, "n1.key", NULL);
  g_autoptr(Answer) begun = session(s, "n1");
  expect(begun, 201);
  g_autoptr(GString) out = g_string_new(NULL);
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_CAINFO, ca);
  curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(c, CURLOPT_SSLCERT, crt);
  curl_easy_setopt(c, CURLOPT_SSLKEY, key);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_append);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
  long status = 0, connects = 0;
  g_assert_cmpint(curl_easy_perform(c), ==, CURLE_OK);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  g_assert_cmpint(status, ==, 200);
  g_autoptr(Answer) gone = http(s, "DELETE", NODES "n1", NULL);
  expect(gone, 200);
  g_assert_cmpint(curl_easy_perform(c), ==, CURLE_OK);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
  g_assert_cmpint(connects, ==, 0);
  g_assert_cmpint(status, ==, 401);
  curl_easy_cleanup(c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add("/api/node_delete/" name, Server, NULL, server_up, func, server_down)
  ADD("refused", refused_while_in_use);
  ADD("forced", forced);
  ADD("despite-a-finalizer", despite_a_finalizer);
  ADD("certificates", certificates_end);
  ADD("without-record", without_record);
  ADD("kept-connection", kept_connection);
  return g_test_run();
}
