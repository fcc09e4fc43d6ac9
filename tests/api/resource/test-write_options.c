// SPDX-License-Identifier: Apache-2.0
// What a write's query says beside its object: dry runs, fields that nobody knows.
#include "../http.h"

#define POLICY "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies/p"
#define POLICY_OF(spec)                                                                            \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","              \
  "\"metadata\":{\"name\":\"p\"},\"spec\":{\"selectors\":{}" spec "}}"
#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"

static Answer *deliver(Server *s, const char *method, const char *path, const char *type,
                       const char *body) {
  return http_full(s, "admin", method, path, type, body, (gssize)strlen(body));
}

/* Each kind of update shows what would come of it and leaves the object as it is. */
static void dry_runs_change_nothing(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", POLICIES, POLICY_OF(",\"maxDowntimeMs\":5"));
  expect(made, 201);
  gint64 before = ferry_store_revision(s->store);
  static const struct {
    const char *method, *query, *type;
  } cases[] = {
      {"PUT", "?dryRun=All", "Content-Type: application/json"},
      {"PATCH", "?dryRun=All", MERGE},
      {"PATCH", "?dryRun=All", "Content-Type: application/strategic-merge-patch+json"},
      {"PATCH", "?dryRun=All&fieldManager=a&force=true",
       "Content-Type: application/apply-patch+yaml"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat(POLICY, cases[i].query, NULL);
    g_autoptr(Answer) dry =
        deliver(s, cases[i].method, path, cases[i].type, POLICY_OF(",\"maxDowntimeMs\":7"));
    expect(dry, 200);
    g_assert_cmpint(ferry_json_int(dry->json, "spec.maxDowntimeMs", 0), ==, 7);
    g_autoptr(Answer) is = http(s, "GET", POLICY, NULL);
    g_assert_true(json_equal(is->json, made->json));
  }
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

/* Without fieldValidation a field that nobody knows is dropped with a warning, which kubectl
 * prints; the query can ask for silence or a refusal. */
static void unknown_fields_are_warned_of(Server *s, gconstpointer data) {
  static const char warning[] = "Warning: 299 - \"unknown field \\\"spec.colour\\\"\"";
  const char *body = POLICY_OF(",\"colour\":\"red\"");
  g_autoptr(Answer) made = http(s, "POST", POLICIES, body);
  expect(made, 201);
  g_assert_nonnull(strcasestr(made->headers, warning));
  g_assert_null(ferry_json_get(made->json, "spec.colour"));
  g_autoptr(Answer) put = http(s, "PUT", POLICY, body);
  expect(put, 200);
  g_assert_nonnull(strcasestr(put->headers, warning));
  g_autoptr(Answer) patched = deliver(s, "PATCH", POLICY "?fieldValidation=Warn", MERGE, body);
  expect(patched, 200);
  g_assert_nonnull(strcasestr(patched->headers, warning));
  g_autoptr(Answer) quiet = http(s, "PUT", POLICY "?fieldValidation=Ignore", body);
  expect(quiet, 200);
  g_assert_null(strcasestr(quiet->headers, "warning:"));
  g_autoptr(Answer) strict = http(s, "PUT", POLICY "?fieldValidation=Strict", body);
  expect(strict, 400);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/write-options/" #f, Server, NULL, server_up, f, server_down)
  ADD(dry_runs_change_nothing);
  ADD(unknown_fields_are_warned_of);
  return g_test_run();
}
