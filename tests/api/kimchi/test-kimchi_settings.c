// SPDX-License-Identifier: Apache-2.0
// Kimchi's three settings: defaults, per request, stored, and what comes before them.
#include "../http.h"

static json_t *migrate(Server *s, const char *vm, const char *body, Answer **answer) {
  g_autofree char *path = g_strdup_printf("/vms/%s/migrate", vm);
  *answer = http(s, "POST", path, body);
  expect(*answer, 202);
  return ferry_store_get_by_uid(s->store, &ferry_kind_vmim, ferry_json_str((*answer)->json, "id"));
}

static void check(Server *s, gint64 timeout, const char *bandwidth, gint64 downtime) {
  g_autoptr(Answer) a = http(s, "GET", "/plugins/kimchi/config", NULL);
  expect(a, 200);
  g_assert_cmpint(ferry_json_int(a->json, "migration_destination_timeout", -1), ==, timeout);
  g_assert_cmpint(ferry_json_int(a->json, "migration_downtime", -1), ==, downtime);
  json_t *value = json_object_get(a->json, "migration_max_bandwidth");
  g_autofree char *text = json_is_string(value)
                              ? g_strdup(json_string_value(value))
                              : g_strdup_printf("%lld", (long long)json_integer_value(value));
  g_assert_cmpstr(text, ==, bandwidth);
}

static void test_config(Server *s, gconstpointer data) {
  check(s, 21600, "unlimited", 500);
  g_autoptr(Answer) put =
      http(s, "PUT", "/config", "{\"migration_max_bandwidth\":\"64\",\"migration_downtime\":300}");
  expect(put, 200);
  check(s, 21600, "64", 300);
  g_autoptr(Answer) more = http(s, "PUT", "/config",
                                "{\"migration_max_bandwidth\":\"unlimited\","
                                "\"migration_destination_timeout\":\"60\"}");
  expect(more, 200);
  check(s, 60, "unlimited", 300);
  g_autoptr(json_t) kubevirt =
      ferry_store_get(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  g_assert_cmpstr(
      json_string_value(json_object_get(ferry_json_get(kubevirt, "metadata.annotations"),
                                        "kimchi.ferry.migration/migration_downtime")),
      ==, "300");
  g_autoptr(Answer) a = NULL;
  g_autoptr(json_t) m = migrate(s, "db", "{\"remote_host\":\"h2\"}", &a);
  g_assert_cmpint(ferry_json_int(m, "spec.maxDowntimeMs", 0), ==, 300);
  g_assert_cmpint(ferry_json_int(m, "spec.completionTimeoutSeconds", 0), ==, 60);
}

/* Below 100 ms: ignored, and the answer says so, then and later. */
static void test_short_downtime(Server *s, gconstpointer data) {
  g_autoptr(Answer) put = http(s, "PUT", "/config", "{\"migration_downtime\":99}");
  expect(put, 200);
  g_assert_nonnull(strstr(put->body, "99 is below 100 ms and is ignored"));
  g_assert_nonnull(strstr(put->headers, "Warning: 299"));
  check(s, 21600, "unlimited", 500);
  g_autoptr(Answer) a = NULL;
  g_autoptr(json_t) m =
      migrate(s, "db", "{\"remote_host\":\"h2\",\"migration_downtime\":50,\"password\":\"x\"}", &a);
  g_assert_cmpint(ferry_json_int(m, "spec.maxDowntimeMs", 0), ==, 500);
  g_assert_nonnull(strstr(a->body, "50 is below 100 ms and is ignored"));
  g_autofree char *path = g_strconcat("/tasks/", ferry_json_str(a->json, "id"), NULL);
  g_autoptr(Answer) task = http(s, "GET", path, NULL);
  g_assert_cmpuint(json_array_size(json_object_get(task->json, "warnings")), ==, 2);
  g_autofree char *stored = ferry_json_dump(m);
  g_assert_null(strstr(stored, "\"password\""));
}

static void test_request(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = NULL;
  g_autoptr(json_t) m = migrate(s, "db",
                                "{\"remote_host\":\"h2\",\"migration_downtime\":\"100\","
                                "\"tunnelled\":true,\"enable_rdma\":false,"
                                "\"migration_max_bandwidth\":32,"
                                "\"migration_destination_timeout\":1}",
                                &a);
  g_assert_cmpint(ferry_json_int(m, "spec.maxDowntimeMs", 0), ==, 100);
  g_assert_cmpint(ferry_json_int(m, "spec.bandwidthPerMigration", 0), ==, 32 << 20);
  g_assert_true(ferry_json_bool(m, "spec.tunnelled", FALSE));
  g_assert_cmpint(ferry_json_int(m, "spec.completionTimeoutSeconds", 0), ==, 1);
}

/* A policy comes before Kimchi's configuration and defaults, not before the request. */
static void test_policy(Server *s, gconstpointer data) {
  seed_put(s->store, &ferry_kind_migration_policy, "", "gentle",
           json_pack("{s:{s:{s:{s:s}}, s:i, s:i}}", "spec", "selectors",
                     "virtualMachineInstanceSelector", "tier", "db", "maxDowntimeMs", 150,
                     "completionTimeoutPerGiB", 9));
  g_autoptr(Answer) a = NULL;
  g_autoptr(json_t) m = migrate(s, "db", "{\"remote_host\":\"h2\"}", &a);
  g_assert_null(ferry_json_get(m, "spec.maxDowntimeMs"));
  g_assert_null(ferry_json_get(m, "spec.completionTimeoutSeconds"));
  g_assert_nonnull(ferry_json_get(m, "spec.bandwidthPerMigration"));
  g_autoptr(Answer) b = NULL;
  g_autoptr(json_t) own =
      migrate(s, "web", "{\"remote_host\":\"h1\",\"migration_downtime\":700}", &b);
  g_assert_cmpint(ferry_json_int(own, "spec.maxDowntimeMs", 0), ==, 700);
}

/* What the cluster sets for all migrations counts where Kimchi's configuration is silent. */
static void test_cluster(Server *s, gconstpointer data) {
  seed_put(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt",
           json_pack("{s:{s:{s:{s:i, s:s}}}}", "spec", "configuration", "migrations",
                     "maxDowntimeMs", 222, "bandwidthPerMigration", "64Mi"));
  check(s, 21600, "64", 222);
  g_autoptr(Answer) put = http(s, "PUT", "/config", "{\"migration_downtime\":333}");
  expect(put, 200);
  check(s, 21600, "64", 333);
}

static void test_bad(Server *s, gconstpointer data) {
  static const struct {
    const char *body, *word;
  } cases[] = {
      {"{\"migration_downtime\":2000001}", "migration_downtime: 2000001 is not"},
      {"{\"migration_downtime\":-1}", "migration_downtime: -1 is not"},
      {"{\"migration_downtime\":1.5}", "migration_downtime: 1.5 is not"},
      {"{\"migration_downtime\":true}", "migration_downtime: true is not"},
      {"{\"migration_max_bandwidth\":\"lots\"}", "or \\\"unlimited\\\""},
      {"{\"migration_max_bandwidth\":9223372036854775807}", "migration_max_bandwidth"},
      {"{\"migration_destination_timeout\":0}", "migration_destination_timeout: 0 is not"},
      {"{\"http_port\":1}", "http_port: no setting of that name"},
      {"[1]", "JSON object"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, "PUT", "/config", cases[i].body);
    expect(a, 400);
    if (!strstr(a->body, cases[i].word))
      g_error("\"%s\" is not in %s", cases[i].word, a->body);
  }
  check(s, 21600, "unlimited", 500);
  g_autoptr(Answer) method = http(s, "DELETE", "/config", NULL);
  expect(method, 405);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, f) g_test_add("/kimchi/settings/" name, Server, NULL, server_up, f, server_down)
  ADD("config", test_config);
  ADD("short-downtime", test_short_downtime);
  ADD("request", test_request);
  ADD("policy", test_policy);
  ADD("cluster", test_cluster);
  ADD("bad", test_bad);
  return g_test_run();
}
