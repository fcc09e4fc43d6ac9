// SPDX-License-Identifier: Apache-2.0
// Pods, which are made of VMs: what is shown and watched of them, and what their eviction does. The
// server has seeded VMs and no agents, so that a migration stays where a test puts it.
// Pods that stand for VMs, their eviction, and virtctl's subresource.
#include "../http.h"

#define PODS "/api/v1/namespaces/default/pods"
#define EVICTION(version, pod)                                                                     \
  "{\"apiVersion\":\"policy/" version "\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" pod     \
  "\",\"namespace\":\"default\"}}"
#define DB "virt-launcher-db-h1"

static void one_pod_a_vm(Server *s, gconstpointer data) {
  g_autoptr(Answer) all =
      http(s, "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dh1,status.phase!%3DFailed", NULL);
  expect(all, 200);
  json_t *items = ferry_json_get(all->json, "items");
  g_assert_cmpuint(json_array_size(items), ==, 1); /* "off" does not run */
  json_t *pod = json_array_get(items, 0);
  g_assert_cmpstr(ferry_json_str(pod, "metadata.name"), ==, DB);
  g_assert_cmpstr(ferry_json_str(pod, "status.phase"), ==, "Running");
  json_t *owner = json_array_get(ferry_json_get(pod, "metadata.ownerReferences"), 0);
  g_assert_true(ferry_json_bool(owner, "controller", FALSE));
  json_t *container = json_array_get(ferry_json_get(pod, "spec.containers"), 0);
  g_assert_cmpstr(ferry_json_str(container, "resources.requests.memory"), ==, "256Mi");
  g_autoptr(Answer) one = http(s, "GET", PODS "/" DB, NULL);
  expect(one, 200);
  g_assert_true(json_equal(one->json, pod));
  g_autoptr(Answer) none = http(s, "GET", PODS "/virt-launcher-db-h2", NULL);
  expect(none, 404);
  g_assert_cmpstr(ferry_json_str(none->json, "details.kind"), ==, "pods");
  g_autoptr(Answer) field = http(s, "GET", "/api/v1/pods?fieldSelector=spec.colour%3Dred", NULL);
  expect(field, 400);
}

static guint count(Server *s) {
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, NULL, NULL);
  return all->len;
}

static void set_status(Server *s, const char *name, const char *path, const char *word) {
  g_autoptr(json_t) m = ferry_store_get(s->store, &ferry_kind_vmim, "default", name);
  g_autoptr(json_t) copy = json_deep_copy(m);
  ferry_json_set_str(copy, path, word);
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmim,
                      .ns = "default",
                      .name = name,
                      .object = copy};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

static void set_phase(Server *s, const char *name, const char *phase) {
  set_status(s, name, "status.phase", phase);
}

static void eviction_migrates(Server *s, gconstpointer data) {
  g_autoptr(Answer) dry =
      http(s, "POST", PODS "/" DB "/eviction",
           "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" DB
           "\"},\"deleteOptions\":{\"dryRun\":[\"All\"]}}");
  expect(dry, 201);
  g_assert_cmpuint(count(s), ==, 0);
  g_autoptr(Answer) done = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1", DB));
  expect(done, 201);
  g_assert_cmpstr(ferry_json_str(done->json, "status"), ==, "Success");
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, NULL, NULL);
  g_assert_cmpuint(all->len, ==, 1);
  g_assert_cmpstr(ferry_json_str(all->pdata[0], "spec.priority"), ==, "system-critical");
  g_assert_cmpstr(ferry_json_str(all->pdata[0], "spec.vmiName"), ==, "db");
  g_autoptr(Answer) again = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1beta1", DB));
  expect(again, 201);
  g_assert_cmpuint(count(s), ==, 1);
}

/* One for tonight does not keep the VM here until then. */
static void eviction_beside_put_off(Server *s, gconstpointer data) {
  g_autoptr(Answer) tonight = http(s, "POST", VMIM, MIGRATION("tonight", "db"));
  expect(tonight, 201);
  set_status(s, "tonight", "status.queue.reason", "NotYet");
  g_autoptr(Answer) done = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1", DB));
  expect(done, 201);
  g_assert_cmpuint(count(s), ==, 2);
}

/* The queue and hosts that cannot take the VM: 429 and why. */
static void eviction_waits(Server *s, gconstpointer data) {
  seed_put(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt",
           json_pack("{s:{s:{s:{s:i}}}}", "spec", "configuration", "migrations",
                     "parallelMigrationsPerCluster", 1));
  g_autoptr(Answer) other = http(s, "POST", VMIM, MIGRATION("other", "web"));
  expect(other, 201);
  set_phase(s, "other", "Running");
  g_autoptr(Answer) queued = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1", DB));
  expect(queued, 429);
  g_assert_null(strcasestr(queued->headers, "retry-after:"));
  g_assert_null(ferry_json_get(queued->json, "details.retryAfterSeconds"));
  g_assert_nonnull(strstr(queued->body, "parallelMigrationsPerCluster"));
  g_assert_nonnull(strstr(queued->body, "place 1"));
  g_autoptr(Answer) cordon = http_full(s, "admin", "PATCH", "/api/v1/nodes/h1", MERGE,
                                       "{\"spec\":{\"unschedulable\":true}}", -1);
  expect(cordon, 200);
  g_autoptr(Answer) web = http(s, "POST", PODS "/virt-launcher-web-h2/eviction",
                               EVICTION("v1", "virt-launcher-web-h2"));
  expect(web, 429); /* nobody sees to it that it leaves */
  g_assert_nonnull(strstr(web->body, "migration other of the VM is under way already (Running)"));
  set_phase(s, "other", "Failed");
  g_autoptr(Answer) forecast = http(
      s, "POST", VMIM,
      "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
      "\"metadata\":{\"name\":\"weather\"},\"spec\":{\"vmiName\":\"db\",\"forecastOnly\":true}}");
  g_test_message("%s", forecast->body);
  if (forecast->status == 201) {
    g_autoptr(Answer) reckoned = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1", DB));
    expect(reckoned, 429);
    g_assert_nonnull(strstr(reckoned->body, "a forecast of the VM is being made (weather)"));
    set_phase(s, "weather", "Succeeded");
  }
  g_autoptr(Answer) nowhere = http(s, "POST", PODS "/virt-launcher-web-h2/eviction",
                                   EVICTION("v1", "virt-launcher-web-h2"));
  expect(nowhere, 429);
  g_assert_nonnull(strstr(nowhere->body, "cordoned"));
  g_assert_nonnull(strstr(nowhere->body, "not ready"));
}

#define WITH_OPTIONS(options)                                                                      \
  "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" DB "\"},"        \
  "\"deleteOptions\":" options "}"

static void pods_bad_input(Server *s, gconstpointer data) {
  gint64 before = ferry_store_revision(s->store);
  const struct {
    const char *method, *path, *body;
    long status;
  } cases[] = {
      {"POST", PODS "/nope/eviction", EVICTION("v1", "nope"), 404},
      {"POST", PODS "/" DB "/eviction", EVICTION("v1", "another"), 400},
      {"POST", PODS "/" DB "/eviction", EVICTION("v2", DB), 400},
      {"POST", PODS "/" DB "/eviction", "{}", 400},
      {"POST", PODS "/" DB "/eviction", WITH_OPTIONS("7"), 400},
      {"POST", PODS "/" DB "/eviction", WITH_OPTIONS("{\"dryRun\":\"All\"}"), 400},
      {"POST", PODS "/" DB "/eviction", WITH_OPTIONS("{\"preconditions\":{\"uid\":1}}"), 400},
      {"POST", PODS "/" DB "/eviction", WITH_OPTIONS("{\"preconditions\":{\"uid\":\"1\"}}"), 409},
      {"POST", PODS "/" DB "/eviction", "", 400},
      {"GET", PODS "/" DB "/eviction", NULL, 405},
      {"POST", PODS, "{}", 405},
      {"DELETE", PODS "/" DB, NULL, 405},
      {"PUT", PODS "/" DB, "{}", 405},
      {"PATCH", PODS "/" DB, "{}", 405},
      {"GET", PODS "/" DB "/log", NULL, 404},
      {"GET", "/api/v1/pods?watch=1&timeoutSeconds=x", NULL, 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, cases[i].method, cases[i].path, cases[i].body);
    g_test_message("%s %s: %s", cases[i].method, cases[i].path, a->body);
    g_assert_cmpint(a->status, ==, cases[i].status);
    g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Status");
  }
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

static void move(Server *s, const char *name, const char *node) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) vmi = ferry_store_get(s->store, &ferry_kind_vmi, "default", name);
  g_autoptr(json_t) moved = json_deep_copy(vmi);
  ferry_json_set_str(moved, "status.nodeName", node);
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmi,
                      .ns = "default",
                      .name = name,
                      .object = moved};
  ferry_store_commit(s->store, &write, 1, NULL, &error);
  g_assert_no_error(error);
}

/* The first line of a watch that has both, from `at` on; where it ends. */
static const char *told(const char *at, const char *type, const char *name) {
  g_autofree char *line =
      g_strdup_printf("{\"type\":\"%s\",\"object\":{\"apiVersion\":\"v1\"", type);
  const char *event = strstr(at, line);
  g_assert_nonnull(event);
  const char *end = strchr(event, '\n');
  g_assert_nonnull(end);
  g_autofree char *text = g_strndup(event, (gsize)(end - event));
  g_assert_nonnull(strstr(text, name));
  return end;
}

/* A VM that moves is another pod on another host. */
static void pods_watched(Server *s, gconstpointer data) {
  g_autoptr(Answer) list = http(s, "GET", "/api/v1/pods", NULL);
  expect(list, 200);
  g_assert_cmpuint(json_array_size(json_object_get(list->json, "items")), ==, 2);
  g_autoptr(Answer) all = http(s, "GET", "/api/v1/pods?watch=True&timeoutSeconds=1", NULL);
  expect(all, 200);
  told(told(all->body, "ADDED", DB), "ADDED", "virt-launcher-web-h2");
  move(s, "db", "h2");
  g_autofree char *since =
      g_strdup_printf("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion=%s",
                      ferry_json_str(list->json, "metadata.resourceVersion"));
  g_autoptr(Answer) moved = http(s, "GET", since, NULL);
  expect(moved, 200);
  const char *at = told(moved->body, "DELETED", DB);
  told(at, "ADDED", "virt-launcher-db-h2");
  g_autofree char *of_h1 = g_strconcat(since, "&fieldSelector=spec.nodeName%3Dh1", NULL);
  g_autoptr(Answer) left = http(s, "GET", of_h1, NULL);
  told(left->body, "DELETED", DB);
  g_assert_null(strstr(left->body, "ADDED"));
}

#define VM(version, name)                                                                          \
  "/apis/subresources.kubevirt.io/" version "/namespaces/default/virtualmachines/" name "/migrate"

static void virtctl(Server *s, gconstpointer data) {
  g_autoptr(Answer) list = http(s, "GET", "/apis/subresources.kubevirt.io/v1", NULL);
  expect(list, 200);
  g_assert_nonnull(strstr(list->body, "virtualmachines/migrate"));
  g_autoptr(Answer) dry = http(s, "PUT", VM("v1", "db"), "{\"dryRun\":[\"All\"]}");
  expect(dry, 202);
  g_assert_cmpuint(count(s), ==, 0);
  g_autoptr(Answer) none = http(s, "PUT", VM("v1", "nope"), "{}");
  expect(none, 404);
  g_autoptr(Answer) off = http(s, "PUT", VM("v1", "off"), "{}");
  expect(off, 422);
  g_autoptr(Answer) list_body = http(s, "PUT", VM("v1", "db"), "[]");
  expect(list_body, 400);
  g_autoptr(Answer) method = http(s, "POST", VM("v1", "db"), "{}");
  expect(method, 405);
  g_assert_cmpuint(count(s), ==, 0);
  g_autoptr(Answer) done = http(s, "PUT", VM("v1", "db"), NULL);
  expect(done, 202);
  g_autoptr(Answer) old =
      http(s, "PUT", VM("v1alpha3", "web"), "{\"addedNodeSelector\":{\"zone\":\"a\"}}");
  expect(old, 202);
  g_assert_cmpuint(count(s), ==, 2);
  g_autoptr(Answer) twice = http(s, "PUT", VM("v1", "db"), NULL);
  expect(twice, 409);
}

/* A question about a VM that no host can take is answered with every host's reasons. */
static void dry_run_judges_hosts(Server *s, gconstpointer data) {
  g_autoptr(Answer) can = http(s, "POST", VMIM "?dryRun=All", MIGRATION("m", "db"));
  expect(can, 201);
  g_assert_cmpuint(json_array_size(ferry_json_get(can->json, "status.refusals")), ==, 2);
  g_autoptr(Answer) cordon = http_full(s, "admin", "PATCH", "/api/v1/nodes/h2", MERGE,
                                       "{\"spec\":{\"unschedulable\":true}}", -1);
  expect(cordon, 200);
  g_autoptr(Answer) cannot = http(s, "POST", VMIM "?dryRun=All", MIGRATION("m", "db"));
  expect(cannot, 422);
  json_t *causes = ferry_json_get(cannot->json, "details.causes");
  g_assert_cmpuint(json_array_size(causes), ==, 3);
  static const char *const want[][2] = {
      {"nodes[h1]", "SameNode"}, {"nodes[h2]", "Unschedulable"}, {"nodes[h3]", "NotReady"}};
  for (gsize i = 0; i < 3; i++) {
    g_assert_cmpstr(ferry_json_str(json_array_get(causes, i), "field"), ==, want[i][0]);
    g_assert_cmpstr(ferry_json_str(json_array_get(causes, i), "reason"), ==, want[i][1]);
  }
  /* what is really asked for may wait for a host */
  g_autoptr(Answer) real = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(real, 201);
}

/* What cannot be moved live is refused, however it is asked for. */
static void unmovable(Server *s, gconstpointer data) {
  g_autoptr(json_t) db = ferry_store_get(s->store, &ferry_kind_vmi, "default", "db");
  g_autoptr(json_t) copy = json_deep_copy(db);
  ferry_json_set(copy, "spec.domain.devices.hostDevices",
                 json_pack("[{s:s, s:s}]", "name", "gpu", "type", "pci"));
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmi,
                      .ns = "default",
                      .name = "db",
                      .object = copy};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 422);
  g_assert_nonnull(strstr(made->body, "HostDeviceNotLiveMigratable"));
  g_autoptr(Answer) evicted = http(s, "POST", PODS "/" DB "/eviction", EVICTION("v1", DB));
  expect(evicted, 429);
  g_assert_nonnull(strstr(evicted->body, "gpu"));
  g_autoptr(Answer) virtctl_asks = http(s, "PUT", VM("v1", "db"), NULL);
  expect(virtctl_asks, 422);
  g_assert_cmpuint(count(s), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/pods/one-a-vm", Server, NULL, server_up, one_pod_a_vm, server_down);
  g_test_add("/pods/eviction", Server, NULL, server_up, eviction_migrates, server_down);
  g_test_add("/pods/eviction-beside-put-off", Server, NULL, server_up, eviction_beside_put_off,
             server_down);
  g_test_add("/pods/eviction-waits", Server, NULL, server_up, eviction_waits, server_down);
  g_test_add("/pods/watched", Server, NULL, server_up, pods_watched, server_down);
  g_test_add("/pods/bad-input", Server, NULL, server_up, pods_bad_input, server_down);
  g_test_add("/pods/virtctl", Server, NULL, server_up, virtctl, server_down);
  g_test_add("/pods/unmovable", Server, NULL, server_up, unmovable, server_down);
  g_test_add("/pods/dry-run", Server, NULL, server_up, dry_run_judges_hosts, server_down);
  return g_test_run();
}
