// SPDX-License-Identifier: Apache-2.0
// Reading and writing objects by HTTP: names and aliases, lists in pages, patches of each kind,
// conflicts, dry runs, and bad input that changes nothing.
#include "../http.h"

static void reads(Server *s, gconstpointer data) {
  g_autoptr(Answer) one = http(s, "GET", VMI "/db", NULL);
  expect(one, 200);
  g_assert_cmpstr(ferry_json_str(one->json, "spec.domainName"), ==, "db");
  g_autoptr(Answer) by_domain = http(s, "GET", VMI "/web_1", NULL);
  g_assert_cmpstr(ferry_json_str(by_domain->json, "metadata.name"), ==, "web");
  g_autoptr(Answer) none = http(s, "GET", VMI "/nope", NULL);
  expect(none, 404);
  g_assert_cmpstr(ferry_json_str(none->json, "message"), ==,
                  "virtualmachineinstances.kubevirt.io \"nope\" not found");
  g_assert_cmpstr(ferry_json_str(none->json, "details.kind"), ==, "virtualmachineinstances");
  g_autoptr(Answer) empty =
      http(s, "GET", "/apis/kubevirt.io/v1/namespaces/zz/virtualmachineinstances", NULL);
  expect(empty, 200);
  g_assert_true(json_is_array(ferry_json_get(empty->json, "items")));
  g_autoptr(Answer) path = http(s, "GET", "/apis/kubevirt.io/v2/x", NULL);
  expect(path, 404);
  g_assert_cmpstr(ferry_json_str(path->json, "kind"), ==, "Status");
  g_autoptr(Answer) method = http(s, "POST", VMI, "{}");
  expect(method, 405);
  g_assert_nonnull(strcasestr(method->headers, "allow: GET"));
  static const char only_metadata[] =
      "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
  g_autoptr(Answer) partial = http_full(s, "admin", "GET", VMI "/db", only_metadata, NULL, 0);
  expect(partial, 200);
  g_assert_cmpstr(ferry_json_str(partial->json, "kind"), ==, "PartialObjectMetadata");
  g_assert_cmpstr(ferry_json_str(partial->json, "apiVersion"), ==, "meta.k8s.io/v1");
  g_assert_true(json_equal(json_object_get(partial->json, "metadata"),
                           json_object_get(one->json, "metadata")));
  g_assert_null(json_object_get(partial->json, "spec"));
  g_autoptr(Answer) partials = http_full(
      s, "admin", "GET", VMI,
      "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", NULL, 0);
  expect(partials, 200);
  g_assert_cmpstr(ferry_json_str(partials->json, "kind"), ==, "PartialObjectMetadataList");
  g_assert_cmpstr(ferry_json_str(partials->json, "apiVersion"), ==, "meta.k8s.io/v1");
  g_assert_nonnull(ferry_json_str(partials->json, "metadata.resourceVersion"));
  json_t *items = ferry_json_get(partials->json, "items");
  g_assert_cmpuint(json_array_size(items), ==, 3);
  g_assert_true(json_equal(json_array_get(items, 0), partial->json));
  g_autoptr(Answer) future = http(s, "GET", VMI "?resourceVersion=999999", NULL);
  expect(future, 504);
}

/* What `kubectl describe` and `kubectl get events` select by. */
static void events_are_selected(Server *s, gconstpointer data) {
  static const char *const events[][3] = {
      {"db", "Migrated", "Normal"}, {"db", "Failed", "Warning"}, {"web", "Failed", "Warning"}};
  for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
    g_autofree char *body = g_strdup_printf(
        "{\"metadata\":{\"name\":\"e%zu\"},\"involvedObject\":{\"kind\":\"VirtualMachineInstance\","
        "\"namespace\":\"default\",\"name\":\"%s\"},\"reason\":\"%s\",\"type\":\"%s\"}",
        i, events[i][0], events[i][1], events[i][2]);
    g_autoptr(Answer) made = http(s, "POST", "/api/v1/namespaces/default/events", body);
    expect(made, 201);
  }
  static const struct {
    const char *selector, *names;
  } cases[] = {
      {"involvedObject.name%3Ddb", "e0 e1 "},
      {"reason%3DFailed", "e1 e2 "},
      {"type%3DNormal", "e0 "},
      {"type!%3DNormal", "e1 e2 "},
      {"involvedObject.name%3Ddb,reason%3DFailed,type%3DWarning", "e1 "},
      {"involvedObject.name%3Ddb,involvedObject.kind%3DNode", ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path =
        g_strconcat("/api/v1/namespaces/default/events?fieldSelector=", cases[i].selector, NULL);
    g_autoptr(Answer) list = http(s, "GET", path, NULL);
    expect(list, 200);
    g_autoptr(GString) names = g_string_new(NULL);
    gsize k;
    json_t *event;
    json_array_foreach(ferry_json_get(list->json, "items"), k, event)
        g_string_append_printf(names, "%s ", ferry_json_str(event, "metadata.name"));
    g_assert_cmpstr(names->str, ==, cases[i].names);
  }
}

static void pages_share_a_snapshot(Server *s, gconstpointer data) {
  g_autoptr(Answer) first = http(s, "GET", VMI "?limit=2", NULL);
  g_assert_cmpuint(json_array_size(ferry_json_get(first->json, "items")), ==, 2);
  g_assert_cmpint(ferry_json_int(first->json, "metadata.remainingItemCount", -1), ==, 1);
  seed_vmi(s->store, "default", "aaa", "aaa", "h1", "Running");
  g_autofree char *next =
      g_strdup_printf(VMI "?limit=2&continue=%s", ferry_json_str(first->json, "metadata.continue"));
  g_autoptr(Answer) second = http(s, "GET", next, NULL);
  json_t *items = ferry_json_get(second->json, "items");
  g_assert_cmpuint(json_array_size(items), ==, 1);
  g_assert_cmpstr(ferry_json_str(json_array_get(items, 0), "metadata.name"), ==, "web");
  g_assert_cmpstr(ferry_json_str(second->json, "metadata.resourceVersion"), ==,
                  ferry_json_str(first->json, "metadata.resourceVersion"));
  g_assert_null(ferry_json_get(second->json, "metadata.continue"));
  /* what a page was authorised for is what its token is good for */
  static const char *const others[] = {"/apis/kubevirt.io/v1/virtualmachineinstances?limit=2",
                                       "/apis/kubevirt.io/v1/namespaces/kubevirt/"
                                       "virtualmachineinstances?limit=2",
                                       VMI "?limit=2&fieldSelector=metadata.name%3Ddb",
                                       VMI "?limit=2&labelSelector=tier%3Ddb"};
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autofree char *path = g_strdup_printf("%s&continue=%s", others[i],
                                            ferry_json_str(first->json, "metadata.continue"));
    g_autoptr(Answer) other = http(s, "GET", path, NULL);
    expect(other, 400);
    g_assert_nonnull(strstr(other->body, "continue: the key is of another list"));
  }
  g_autoptr(Answer) old = http(s, "GET", VMI "?limit=2&continue=ZmVycnkxOmFiYzoxOjE=", NULL);
  expect(old, 410);
  g_autoptr(Answer) bad = http(s, "GET", VMI "?limit=2&continue=zz", NULL);
  expect(bad, 400);
}

static void creates_once(Server *s, gconstpointer data) {
  g_autoptr(Answer) dry = http(s, "POST", VMIM "?dryRun=All", MIGRATION("m", "db"));
  expect(dry, 201);
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  g_assert_cmpstr(ferry_json_str(made->json, "status.phase"), ==, "Pending");
  g_autoptr(Answer) same = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(same, 409);
  g_assert_cmpstr(ferry_json_str(same->json, "reason"), ==, "AlreadyExists");
  g_autoptr(Answer) second = http(s, "POST", VMIM, MIGRATION("n", "db"));
  expect(second, 409);
  g_assert_cmpstr(ferry_json_str(second->json, "reason"), ==, "Conflict");
  g_autoptr(Answer) ns =
      http(s, "POST", "/apis/kubevirt.io/v1/namespaces/zz/virtualmachineinstancemigrations",
           MIGRATION("m", "db"));
  expect(ns, 404);
  g_assert_cmpstr(ferry_json_str(ns->json, "message"), ==, "namespaces \"zz\" not found");
  g_assert_cmpstr(ferry_json_str(ns->json, "details.kind"), ==, "namespaces");
  g_assert_cmpstr(ferry_json_str(ns->json, "details.name"), ==, "zz");
  g_assert_null(ferry_json_get(ns->json, "details.group"));
}

static gpointer create_thread(gpointer data) {
  g_autoptr(Answer) a = http(data, "POST", VMIM,
                             "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
                             "\"VirtualMachineInstanceMigration\",\"metadata\":{\"generateName\":"
                             "\"m-\"},\"spec\":{\"vmiName\":\"db\"}}");
  return GINT_TO_POINTER((int)a->status);
}

static void one_of_many_concurrent_creates(Server *s, gconstpointer data) {
  GThread *threads[12];
  guint made = 0, refused = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new(NULL, create_thread, s);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
    int status = GPOINTER_TO_INT(g_thread_join(threads[i]));
    made += status == 201;
    refused += status == 409;
  }
  g_assert_cmpuint(made, ==, 1);
  g_assert_cmpuint(refused, ==, G_N_ELEMENTS(threads) - 1);
}

static void bad_input_changes_nothing(Server *s, gconstpointer data) {
  gint64 before = ferry_store_revision(s->store);
  g_autofree char *brackets = g_strnfill(5000, '[');
  g_autofree char *deep = g_strconcat("{\"a\":", brackets, NULL);
  const struct {
    const char *method, *path, *headers, *body;
    long status;
  } cases[] = {
      {"POST", VMIM, NULL, "{", 400},
      {"POST", VMIM, NULL, "[]", 400},
      {"POST", VMIM, NULL, "\"x\"", 400},
      {"POST", VMIM, NULL, deep, 400},
      {"POST", VMIM, NULL, "{\"metadata\":[]}", 400},
      {"POST", VMIM, NULL, "{\"apiVersion\":\"v1\",\"kind\":\"Node\"}", 400},
      {"POST", VMIM, NULL, MIGRATION("m", "nope"), 422},
      {"POST", VMIM, NULL, MIGRATION("m", "off"), 422},
      {"POST", VMIM, NULL, MIGRATION("M_", "db"), 422},
      {"POST", VMIM "?dryRun=Some", NULL, MIGRATION("m", "db"), 400},
      {"POST", VMIM "?fieldValidation=Perhaps", NULL, MIGRATION("m", "db"), 400},
      {"POST", VMIM, "Content-Type: text/xml", "<a/>", 415},
      {"POST", VMIM, "Content-Type: application/vnd.kubernetes.protobuf", "k8s", 400},
      {"PATCH", VMI "/db", "Content-Type: text/plain", "{}", 415},
      {"PATCH", VMI "/db", MERGE, "[]", 400},
      {"PATCH", VMI "/db", MERGE, "{\"metadata\":{\"name\":\"x\"}}", 400},
      {"PATCH", VMI "/db", MERGE, "{\"metadata\":{\"labels\":{\"a b\":\"c\"}}}", 422},
      {"PATCH", VMI "/db", MERGE, "{\"spec\":{\"domainName\":\"x\"}}", 422},
      {"PATCH", VMI "/db", MERGE, "{\"metadata\":{\"resourceVersion\":\"1\"}}", 409},
      {"PATCH", VMI "/db", MERGE, "{\"metadata\":{\"uid\":\"1\"}}", 409},
      {"PATCH", VMI "/db", "Content-Type: application/json-patch+json", "{}", 400},
      {"PUT", VMI "/db", NULL, "{}", 422},
      {"GET", VMI "?labelSelector=a%20in%20(", NULL, NULL, 400},
      {"GET", VMI "?fieldSelector=a%3Db", NULL, NULL, 400},
      {"GET", VMI "?limit=-1", NULL, NULL, 400},
      {"GET", VMI "/d%00b", NULL, NULL, 400},
      {"GET", VMI "/%ff", NULL, NULL, 400},
      {"GET", VMI, "Accept: application/vnd.kubernetes.protobuf", NULL, 406},
      {"GET", VMI, "Impersonate-User: bob", NULL, 403},
      {"GET", "/api/v1/nodes", "Impersonate-User: bob", NULL, 403},
      {"GET", "/metrics", "Impersonate-User: bob", NULL, 403},
      {"POST", "/apis/kubevirt.io/v1", "Impersonate-Group: a", "{}", 400},
      {"DELETE", "/api/v1/namespaces/default", NULL, NULL, 403},
      {"DELETE", VMI "/db", NULL, NULL, 405},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a =
        http_full(s, "admin", cases[i].method, cases[i].path, cases[i].headers, cases[i].body,
                  cases[i].body ? (gssize)strlen(cases[i].body) : 0);
    if (a->status != cases[i].status)
      g_test_message("%s %s %s", cases[i].method, cases[i].path, cases[i].body);
    expect(a, cases[i].status);
    g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Status");
    const char *message = ferry_json_str(a->json, "message");
    g_assert_true(message && *message);
  }
  g_autofree char *huge = g_malloc(4 * 1024 * 1024);
  memset(huge, ' ', 4 * 1024 * 1024);
  g_autoptr(Answer) large = http_full(s, "admin", "POST", VMIM, NULL, huge, 4 * 1024 * 1024);
  expect(large, 413);
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

static void writes_keep_what_is_owned(Server *s, gconstpointer data) {
  g_autoptr(Answer) old = http(s, "GET", "/api/v1/nodes/h1", NULL);
  g_autoptr(Answer) put = http(s, "PUT", "/api/v1/nodes/h1",
                               "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":"
                               "\"h1\"},\"spec\":{\"unschedulable\":true},\"status\":{}}");
  expect(put, 200);
  g_assert_cmpstr(ferry_json_str(put->json, "metadata.uid"), ==,
                  ferry_json_str(old->json, "metadata.uid"));
  g_assert_true(
      json_equal(json_object_get(put->json, "status"), json_object_get(old->json, "status")));
  g_assert_cmpint(ferry_json_int(put->json, "metadata.generation", 0), ==, 2);
  g_autoptr(Answer) nothing = http_full(s, "admin", "PATCH", "/api/v1/nodes/h1", MERGE, "{}", 2);
  g_assert_cmpstr(ferry_json_str(nothing->json, "metadata.resourceVersion"), ==,
                  ferry_json_str(put->json, "metadata.resourceVersion"));
  const char *conditions = "{\"status\":{\"conditions\":[{\"type\":\"X\",\"status\":\"True\"}]}}";
  g_autoptr(Answer) status = http_full(s, "admin", "PATCH", "/api/v1/nodes/h1/status",
                                       "Content-Type: application/strategic-merge-patch+json",
                                       conditions, (gssize)strlen(conditions));
  expect(status, 200);
  g_assert_cmpuint(json_array_size(ferry_json_get(status->json, "status.conditions")), ==, 2);
}

static void deletes_in_two_steps(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  g_autoptr(Answer) wrong = http(s, "DELETE", VMIM "/m", "{\"preconditions\":{\"uid\":\"x\"}}");
  expect(wrong, 409);
  g_autoptr(Answer) dry = http(s, "DELETE", VMIM "/m", "{\"dryRun\":[\"All\"]}");
  expect(dry, 200);
  g_autoptr(Answer) still = http(s, "GET", VMIM "/m", NULL);
  g_assert_null(ferry_json_str(still->json, "metadata.deletionTimestamp"));
  g_autoptr(Answer) marked = http(s, "DELETE", VMIM "/m", NULL);
  expect(marked, 200);
  g_assert_nonnull(ferry_json_str(marked->json, "metadata.deletionTimestamp"));
  g_assert_cmpint(ferry_json_int(marked->json, "metadata.deletionGracePeriodSeconds", -1), ==, 0);
  g_assert_true(ferry_json_bool(marked->json, "status.migrationState.abortRequested", FALSE));
  const char *off = "{\"metadata\":{\"finalizers\":null}}";
  g_autoptr(Answer) last =
      http_full(s, "admin", "PATCH", VMIM "/m", MERGE, off, (gssize)strlen(off));
  expect(last, 200);
  g_autoptr(Answer) gone = http(s, "GET", VMIM "/m", NULL);
  expect(gone, 404);
}

/* Clients wait until an object of this very uid is gone. */
static void tells_what_was_deleted(Server *s, gconstpointer data) {
  g_autoptr(Answer) made =
      http(s, "POST", "/apis/ferry.migration/v1/networks",
           "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"subnets\":[\"10.0.0.0/8\"]}}");
  expect(made, 201);
  g_autoptr(Answer) gone = http(s, "DELETE", "/apis/ferry.migration/v1/networks/n", NULL);
  expect(gone, 200);
  g_assert_cmpstr(ferry_json_str(gone->json, "kind"), ==, "Status");
  g_assert_cmpstr(ferry_json_str(gone->json, "status"), ==, "Success");
  g_assert_cmpstr(ferry_json_str(gone->json, "details.name"), ==, "n");
  g_assert_cmpstr(ferry_json_str(gone->json, "details.group"), ==, "ferry.migration");
  g_assert_cmpstr(ferry_json_str(gone->json, "details.kind"), ==, "networks");
  g_assert_cmpstr(ferry_json_str(gone->json, "details.uid"), ==,
                  ferry_json_str(made->json, "metadata.uid"));
}

static void set_status(Server *s, const char *status) {
  g_autoptr(Answer) a =
      http_full(s, "admin", "PATCH", VMIM "/m/status", MERGE, status, (gssize)strlen(status));
  expect(a, 200);
}

static void cancels_until_post_copy(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  set_status(s, "{\"status\":{\"phase\":\"Running\",\"migrationState\":{\"mode\":\"PostCopy\"}}}");
  g_autoptr(Answer) post = http(s, "PUT", VMIM "/m/cancel", "{}");
  expect(post, 409);
  g_assert_nonnull(strstr(post->body, "post-copy"));
  /* one that broke is resumed until somebody says that it shall not be */
  set_status(s, "{\"status\":{\"migrationState\":{\"recovery\":{\"state\":\"PathDown\"}}}}");
  g_autoptr(Answer) broken = http(s, "PUT", VMIM "/m/cancel?dryRun=All", "{}");
  expect(broken, 200);
  set_status(s, "{\"status\":{\"migrationState\":{\"recovery\":{\"state\":\"Recovered\"}}}}");
  g_autoptr(Answer) well = http(s, "PUT", VMIM "/m/cancel?dryRun=All", "{}");
  expect(well, 409);
  set_status(s, "{\"status\":{\"migrationState\":{\"mode\":\"PreCopy\"}}}");
  g_autoptr(Answer) dry = http(s, "PUT", VMIM "/m/cancel?dryRun=All", "{}");
  expect(dry, 200);
  g_autoptr(Answer) runs = http(s, "GET", VMIM "/m", NULL);
  g_assert_false(ferry_json_bool(runs->json, "status.migrationState.abortRequested", FALSE));
  g_autoptr(Answer) some = http(s, "PUT", VMIM "/m/cancel?dryRun=Some", "{}");
  expect(some, 400);
  g_autoptr(Answer) ok = http(s, "PUT", VMIM "/m/cancel", "{}");
  expect(ok, 200);
  g_assert_true(ferry_json_bool(ok->json, "status.migrationState.abortRequested", FALSE));
  g_assert_cmpstr(ferry_json_str(ok->json, "status.migrationState.abortRequestedBy"), ==, "admin");
  set_status(s, "{\"status\":{\"phase\":\"Succeeded\"}}");
  g_autoptr(Answer) late = http(s, "PUT", VMIM "/m/cancel", "{}");
  expect(late, 409);
}

static void namespaces_with_vms_stay(Server *s, gconstpointer data) {
  g_autoptr(Answer) made =
      http(s, "POST", "/api/v1/namespaces", "{\"metadata\":{\"name\":\"team\"}}");
  expect(made, 201);
  seed_vmi(s->store, "team", "mail", "mail", "h1", "Running");
  g_autoptr(Answer) kept = http(s, "DELETE", "/api/v1/namespaces/team", NULL);
  expect(kept, 409);
  g_assert_nonnull(strstr(kept->body, "mail"));
}

static void applies_on_the_server(Server *s, gconstpointer data) {
#define POLICY "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies/p"
#define APPLY "Content-Type: application/apply-patch+yaml"
#define HEAD "apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\nspec:\n"
  const char *both = HEAD "  allowPostCopy: true\n  maxDowntimeMs: 100\n";
  const char *less = HEAD "  allowPostCopy: true\n";
  const char *other = HEAD "  maxDowntimeMs: 200\n";
  g_autoptr(Answer) made =
      http_full(s, "admin", "PATCH", POLICY "?fieldManager=a", APPLY, both, (gssize)strlen(both));
  expect(made, 201);
  g_autoptr(Answer) conflict =
      http_full(s, "admin", "PATCH", POLICY "?fieldManager=b", APPLY, other, (gssize)strlen(other));
  expect(conflict, 409);
  g_assert_cmpstr(
      ferry_json_str(json_array_get(ferry_json_get(conflict->json, "details.causes"), 0), "reason"),
      ==, "FieldManagerConflict");
  g_autoptr(Answer) removed =
      http_full(s, "admin", "PATCH", POLICY "?fieldManager=a", APPLY, less, (gssize)strlen(less));
  expect(removed, 200);
  g_assert_null(ferry_json_get(removed->json, "spec.maxDowntimeMs"));
  g_assert_true(ferry_json_bool(removed->json, "spec.allowPostCopy", FALSE));
}

/* Options that come as protobuf are heeded, too. */
static void delete_by_protobuf(Server *s, gconstpointer data) {
  static const char body[] = "k8s\0\x0a\x13\x0a\x02v1\x12\x0d"
                             "DeleteOptions\x12\x05\x2a\x03"
                             "All";
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("kept", "db"));
  g_assert_cmpint(made->status, ==, 201);
  g_autoptr(Answer) dry =
      http_full(s, "admin", "DELETE", VMIM "/kept",
                "Content-Type: application/vnd.kubernetes.protobuf", body, sizeof body - 1);
  g_test_message("%s", dry->body);
  g_assert_cmpint(dry->status, ==, 200);
  g_autoptr(Answer) there = http(s, "GET", VMIM "/kept", NULL);
  g_assert_cmpint(there->status, ==, 200);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/resources/" #f, Server, NULL, server_up, f, server_down)
  ADD(reads);
  ADD(events_are_selected);
  ADD(pages_share_a_snapshot);
  ADD(creates_once);
  ADD(one_of_many_concurrent_creates);
  ADD(bad_input_changes_nothing);
  ADD(writes_keep_what_is_owned);
  ADD(deletes_in_two_steps);
  ADD(tells_what_was_deleted);
  ADD(cancels_until_post_copy);
  ADD(namespaces_with_vms_stay);
  ADD(applies_on_the_server);
  g_test_add("/resources/delete-protobuf", Server, NULL, server_up, delete_by_protobuf,
             server_down);
  return g_test_run();
}
