// SPDX-License-Identifier: Apache-2.0
// A migration's parameters while it runs: PUT .../change and the same by PATCH of the spec.
#include "../http.h"

#define STRATEGIC "Content-Type: application/strategic-merge-patch+json"

static void patch_as(Server *s, const char *path, const char *type, const char *body, long status) {
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", path, type, body, (gssize)strlen(body));
  expect(a, status);
}

static void begin(Server *s, const char *state) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  g_autofree char *status = g_strdup_printf("{\"status\":{\"phase\":\"Running\","
                                            "\"migrationState\":%s}}",
                                            state);
  patch_as(s, VMIM "/m/status", MERGE, status, 200);
}

static const json_t *change(const Answer *a, gsize i) {
  return json_array_get(ferry_json_get(a->json, "status.changes"), i);
}

static void is_noted_and_answered(Server *s, gconstpointer data) {
  begin(s, "{\"mode\":\"PreCopy\"}");
  g_autoptr(Answer) first =
      http(s, "PUT", VMIM "/m/change", "{\"downtimeMs\":300,\"reason\":\"it is late\"}");
  expect(first, 200);
  g_assert_cmpstr(ferry_json_str(change(first, 0), "id"), ==, "1");
  g_assert_cmpstr(ferry_json_str(change(first, 0), "by"), ==, "admin");
  g_assert_cmpstr(ferry_json_str(change(first, 0), "reason"), ==, "it is late");
  g_assert_cmpstr(ferry_json_str(change(first, 0), "state"), ==, "Requested");
  g_assert_cmpint(ferry_json_int(change(first, 0), "fields.downtimeMs", 0), ==, 300);
  g_autoptr(Answer) dry =
      http(s, "PUT", VMIM "/m/change?dryRun=All", "{\"technique\":\"pre-copy\"}");
  expect(dry, 200);
  g_autoptr(Answer) second = http(s, "PUT", VMIM "/m/change", "{\"bandwidthMiBps\":7}");
  expect(second, 200);
  g_assert_cmpstr(ferry_json_str(change(second, 1), "id"), ==, "2");
  /* the agent's answer to one leaves the other alone */
  patch_as(s, VMIM "/m/status", STRATEGIC,
           "{\"status\":{\"changes\":[{\"id\":\"1\",\"state\":\"Applied\",\"message\":\"ok\"}]}}",
           200);
  g_autoptr(Answer) after = http(s, "GET", VMIM "/m", NULL);
  g_assert_cmpuint(json_array_size(ferry_json_get(after->json, "status.changes")), ==, 2);
  g_assert_cmpstr(ferry_json_str(change(after, 0), "state"), ==, "Applied");
  g_assert_cmpint(ferry_json_int(change(after, 0), "fields.downtimeMs", 0), ==, 300);
  g_assert_cmpstr(ferry_json_str(change(after, 1), "state"), ==, "Requested");
}

static void refuses_what_is_wrong(Server *s, gconstpointer data) {
  begin(s, "{\"mode\":\"PreCopy\"}");
  gint64 before = ferry_store_revision(s->store);
  const struct {
    const char *body;
    long status;
    const char *part;
  } cases[] = {
      {"{}", 400, "nothing to change"},
      {"[]", 400, "object"},
      {"{\"reason\":\"why\"}", 400, "nothing to change"},
      {"{\"downtime\":5}", 400, "downtime"},
      {"{\"downtimeMs\":0}", 422, "downtimeMs"},
      {"{\"downtimeMs\":2000001}", 422, "2000000"},
      {"{\"downtimeMs\":\"5\"}", 422, "whole number"},
      {"{\"bandwidthMiBps\":1.5}", 422, "bandwidthMiBps"},
      {"{\"technique\":\"suspend\"}", 422, "post-copy"},
      {"{\"stallingLimitSeconds\":-1}", 422, "stallingLimitSeconds"},
      {"{\"downtimeMs\":5,\"reason\":7}", 422, "reason"},
      {"{\"technique\":\"post-copy\"}", 409, "allowPostCopy"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, "PUT", VMIM "/m/change", cases[i].body);
    expect(a, cases[i].status);
    g_assert_nonnull(strstr(a->body, cases[i].part));
  }
  g_autoptr(Answer) none = http(s, "PUT", VMIM "/none/change", "{\"downtimeMs\":5}");
  expect(none, 404);
  g_autoptr(Answer) method = http(s, "POST", VMIM "/m/change", "{\"downtimeMs\":5}");
  expect(method, 405);
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

static void only_while_it_runs(Server *s, gconstpointer data) {
  begin(s, "{\"mode\":\"PostCopy\",\"migrationConfiguration\":{\"allowPostCopy\":true}}");
  const char *body = "{\"downtimeMs\":5}";
  g_autoptr(Answer) post = http(s, "PUT", VMIM "/m/change", body);
  expect(post, 409);
  g_assert_nonnull(strstr(post->body, "already in post-copy"));
  g_autoptr(Answer) limit = http(s, "PUT", VMIM "/m/change", "{\"stallingLimitSeconds\":5}");
  expect(limit, 200);
  static const char *const phases[] = {"Pending", "Succeeded", "Failed"};
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    g_autofree char *status = g_strdup_printf("{\"status\":{\"phase\":\"%s\"}}", phases[i]);
    patch_as(s, VMIM "/m/status", MERGE, status, 200);
    g_autoptr(Answer) a = http(s, "PUT", VMIM "/m/change", body);
    expect(a, 409);
    g_assert_nonnull(strstr(a->body, "nothing is in progress"));
  }
}

static void by_patch_of_the_spec(Server *s, gconstpointer data) {
  begin(s, "{\"mode\":\"PreCopy\"}");
  const char *both = "{\"spec\":{\"maxDowntimeMs\":250,\"bandwidthPerMigration\":\"64Mi\"}}";
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", VMIM "/m", MERGE, both, strlen(both));
  expect(a, 200);
  g_assert_cmpint(ferry_json_int(change(a, 0), "fields.downtimeMs", 0), ==, 250);
  g_assert_cmpint(ferry_json_int(change(a, 0), "fields.bandwidthMiBps", 0), ==, 64);
  g_assert_cmpint(ferry_json_int(a->json, "spec.maxDowntimeMs", 0), ==, 250);
  g_assert_cmpstr(ferry_json_str(a->json, "spec.vmiName"), ==, "db");
  patch_as(s, VMIM "/m", MERGE, "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", 200);
  patch_as(s, VMIM "/m", MERGE, "{\"spec\":{\"maxDowntimeMs\":0}}", 422);
  patch_as(s, VMIM "/m", MERGE, "{\"spec\":{\"maxDowntimeMs\":null}}", 422);
  patch_as(s, VMIM "/m", MERGE, "{\"spec\":{\"maxDowntimeMs\":5,\"targetNode\":\"h2\"}}", 422);
  patch_as(s, VMIM "/m", MERGE, "{\"spec\":{\"bandwidthPerMigration\":\"0\"}}", 422);
  g_autoptr(Answer) after = http(s, "GET", VMIM "/m", NULL);
  g_assert_cmpuint(json_array_size(ferry_json_get(after->json, "status.changes")), ==, 1);
  patch_as(s, VMIM "/m/status", MERGE, "{\"status\":{\"phase\":\"Succeeded\"}}", 200);
  patch_as(s, VMIM "/m", MERGE, "{\"spec\":{\"maxDowntimeMs\":300}}", 409);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/change/" #f, Server, NULL, server_up, f, server_down)
  ADD(is_noted_and_answered);
  ADD(refuses_what_is_wrong);
  ADD(only_while_it_runs);
  ADD(by_patch_of_the_spec);
  return g_test_run();
}
