// SPDX-License-Identifier: Apache-2.0
// Kimchi's REST over TLS, against the API with fake agents: starting, tasks in every state,
// monitor, cancel, refusals, and what Kimchi's words mean in Ferry's.
#include "../http.h"

#define NEW "{\"remote_host\":\"h2\"}"

static const char *str(const Answer *a, const char *path) {
  return ferry_json_str(a->json, path);
}

/* Puts `status` (taken) into the only migration, as controller and agent would. */
static char *set_status(Server *s, json_t *status) {
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, "default", NULL);
  g_assert_cmpuint(all->len, ==, 1);
  const json_t *old = g_ptr_array_index(all, 0);
  g_autoptr(json_t) object = ferry_json_copy_along(old, "");
  json_object_set_new(object, "status", status);
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmim,
                      .ns = "default",
                      .name = ferry_json_str(old, "metadata.name"),
                      .object = object};
  g_autoptr(GError) error = NULL;
  ferry_store_commit(s->store, &write, 1, NULL, &error);
  g_assert_no_error(error);
  return g_strdup(ferry_json_str(old, "metadata.uid"));
}

static json_t *status_of(const char *json) {
  json_error_t problem;
  json_t *status = json_loads(json, 0, &problem);
  if (!status)
    g_error("%s at %d", problem.text, problem.position);
  return status;
}

static void check_error(const Answer *a, const char *code, const char *word) {
  g_assert_cmpstr(str(a, "code"), ==, code);
  if (!str(a, "reason") || !strstr(str(a, "reason"), word))
    g_error("\"%s\" is not in %s", word, a->body);
  g_assert_null(str(a, "kind"));
}

static void test_migrate(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 202);
  g_assert_cmpstr(str(a, "status"), ==, "running");
  g_assert_cmpstr(str(a, "target_uri"), ==, "/vms/db");
  g_assert_true(g_str_has_prefix(str(a, "message"), "step 1 of 6, migration source check"));
  const char *id = str(a, "id");
  g_autoptr(json_t) m = ferry_store_get_by_uid(s->store, &ferry_kind_vmim, id);
  g_assert_nonnull(m);
  g_assert_cmpstr(ferry_json_str(m, "spec.vmiName"), ==, "db");
  g_assert_cmpstr(ferry_json_str(m, "spec.targetNode"), ==, "h2");
  g_assert_cmpint(ferry_json_int(m, "spec.maxDowntimeMs", 0), ==, 500);
  g_assert_cmpint(ferry_json_int(m, "spec.bandwidthPerMigration", -1), ==, 0);
  g_assert_cmpint(ferry_json_int(m, "spec.completionTimeoutSeconds", 0), ==, 21600);
  g_autofree char *path = g_strconcat("/tasks/", id, NULL);
  g_autofree char *location = g_strconcat("Location: ", path, NULL);
  g_assert_nonnull(strstr(a->headers, location));
  g_autoptr(Answer) task = http(s, "GET", path, NULL);
  expect(task, 200);
  g_assert_cmpstr(str(task, "id"), ==, id);
  g_autofree char *plugin = g_strconcat("/plugins/kimchi", path, NULL);
  g_autoptr(Answer) same = http(s, "GET", plugin, NULL);
  expect(same, 200);
  g_assert_cmpstr(str(same, "target_uri"), ==, "/plugins/kimchi/vms/db/migrate");
  static const struct {
    const char *query;
    guint n;
  } filters[] = {{"status=running&target_uri=%5E/plugins/kimchi/vms/db/migrate", 1},
                 {"target_uri=%5E/plugins/kimchi/vms/%5B%5E/%5D%2B/migrate%24", 1},
                 {"target_uri=%5E/plugins/kimchi/vms/%5B%5E/%5D%2B%24", 0},
                 {"target_uri=/vms/d.%3F", 1},
                 {"target_uri=/vms/web", 0},
                 {"target_uri=.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*x", 0},
                 {"status=run", 1}};
  for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
    g_autofree char *query = g_strconcat("/plugins/kimchi/tasks?", filters[i].query, NULL);
    g_autoptr(Answer) found = http(s, "GET", query, NULL);
    expect(found, 200);
    g_assert_cmpuint(json_array_size(found->json), ==, filters[i].n);
  }
  g_autoptr(Answer) group = http(s, "GET", "/tasks?target_uri=(a", NULL);
  expect(group, 400);
  g_assert_nonnull(strstr(str(group, "reason"), "target_uri: Invalid value"));
  g_autoptr(Answer) list = http(s, "GET", "/tasks?status=running", NULL);
  g_assert_cmpuint(json_array_size(list->json), ==, 1);
  g_autoptr(Answer) none = http(s, "GET", "/tasks?status=failed", NULL);
  g_assert_cmpuint(json_array_size(none->json), ==, 0);
  g_autoptr(Answer) second = http(s, "POST", "/plugins/kimchi/vms/db/migrate", NEW);
  expect(second, 409);
  check_error(second, "409 Conflict", "already");
}

static void test_names(Server *s, gconstpointer data) {
  static const char *const hosts[] = {
      "h1", "H1", "h1.local", "10.0.0.1", "https://h1:8001/", "https://10.0.0.1:8001"};
  for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
    g_autofree char *body = g_strdup_printf("{\"remote_host\":\"%s\"}", hosts[i]);
    g_autoptr(Answer) a = http(s, "POST", i % 2 ? "/vms/web_1/migrate" : "/vms/web/migrate", body);
    expect(a, 202);
    g_autofree char *path = g_strconcat("/tasks/", str(a, "id"), NULL);
    g_autoptr(Answer) cancel = http(s, "DELETE", path, NULL);
    expect(cancel, 202);
    g_assert_nonnull(strstr(str(cancel, "message"), "it is being cancelled"));
    g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, "default", NULL);
    const json_t *m = g_ptr_array_index(all, 0);
    g_assert_cmpstr(ferry_json_str(m, "spec.targetNode"), ==, "h1");
    g_assert_true(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
    FerryWrite gone = {.op = FERRY_WRITE_DELETE,
                       .kind = &ferry_kind_vmim,
                       .ns = "default",
                       .name = ferry_json_str(m, "metadata.name")};
    g_assert_true(ferry_store_commit(s->store, &gone, 1, NULL, NULL));
  }
}

static void test_monitor(Server *s, gconstpointer data) {
  g_autoptr(Answer) never = http(s, "GET", "/vms/db/migrate", NULL);
  expect(never, 404);
  check_error(never, "404 Not Found", "has not been migrated");
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 202);
  g_free(set_status(
      s, status_of("{\"phase\":\"Running\",\"phaseTransitionTimestamps\":[{\"phase\":\"Running\","
                   "\"phaseTransitionTimestamp\":\"2026-01-01T00:00:00Z\"}],\"migrationState\":{"
                   "\"sourceNode\":\"h1\",\"targetNode\":\"h2\",\"mode\":\"PreCopy\","
                   "\"migrationConfiguration\":{\"maxDowntimeMs\":500,\"bandwidthPerMigration\":"
                   "67108864,\"completionTimeoutSeconds\":21600}},"
                   "\"changes\":[{\"id\":\"1\",\"state\":\"Applied\",\"fields\":{\"downtimeMs\":"
                   "700,\"bandwidthMiBps\":30}},{\"id\":\"2\",\"state\":\"Refused\",\"fields\":{"
                   "\"downtimeMs\":777,\"bandwidthMiBps\":9},\"inForce\":{\"downtimeMs\":777}},{"
                   "\"id\":\"3\",\"state\":\"Requested\",\"fields\":{\"downtimeMs\":5}}],"
                   "\"progress\":{\"percent\":43,\"dataRemainingBytes\":1073741824}}")));
  g_autoptr(Answer) m = http(s, "GET", "/vms/db/migrate", NULL);
  expect(m, 200);
  g_assert_cmpstr(str(m, "step"), ==, "migrate");
  g_assert_cmpstr(str(m, "message"), ==, "step 4 of 6, migrate: 43 %, 1.0 GiB remain");
  g_assert_cmpstr(str(m, "source"), ==, "h1");
  g_assert_cmpstr(str(m, "destination"), ==, "h2");
  g_assert_cmpint(ferry_json_int(m->json, "progress.percent", 0), ==, 43);
  g_assert_cmpint(ferry_json_int(m->json, "settings.migration_max_bandwidth", 0), ==, 30);
  g_assert_cmpint(ferry_json_int(m->json, "settings.migration_downtime", 0), ==, 777);
  g_assert_cmpint(ferry_json_int(m->json, "settings.migration_destination_timeout", 0), ==, 21600);
  static const char *const states[] = {"done", "done", "done", "running", "pending", "pending"};
  const json_t *steps = json_object_get(m->json, "steps");
  g_assert_cmpuint(json_array_size(steps), ==, G_N_ELEMENTS(states));
  for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
    g_assert_cmpstr(ferry_json_str(json_array_get(steps, i), "status"), ==, states[i]);
  g_assert_cmpstr(ferry_json_str(json_array_get(steps, 3), "started"), ==, "2026-01-01T00:00:00Z");
  g_autoptr(Answer) cancel = http(s, "DELETE", "/vms/db/migrate", NULL);
  expect(cancel, 202);
  g_assert_cmpstr(str(cancel, "status"), ==, "running");
  g_assert_nonnull(strstr(str(cancel, "message"), "it is being cancelled"));
  g_free(set_status(s, status_of("{\"phase\":\"Running\",\"migrationState\":{\"mode\":"
                                 "\"PostCopy\"}}")));
  g_autoptr(Answer) late = http(s, "DELETE", "/vms/db/migrate", NULL);
  expect(late, 409);
  check_error(late, "409 Conflict", "post-copy");
}

/* How each end looks as a task: status, and words of the message. */
#define RAN                                                                                        \
  "\"phaseTransitionTimestamps\":[{\"phase\":\"Pending\"},{\"phase\":\"Running\"},{\"phase\":"     \
  "\"Failed\"}],"
#define STATE "\"migrationState\":{\"sourceNode\":\"h1\",\"targetNode\":\"h2\","
static const struct {
  const char *status, *task, *words[4];
} ends[] = {
    {"{\"phase\":\"Succeeded\",\"message\":\"db moved from h1 to h2 in 1.2 s\"}",
     "finished",
     {"step 6 of 6, finish: db moved from h1 to h2"}},
    {"{\"phase\":\"Failed\",\"reason\":\"Unschedulable\",\"message\":\"no host can take it\"}",
     "failed",
     {"step 1 of 6", "no host can take it", "nothing to recover"}},
    {"{\"phase\":\"Failed\",\"reason\":\"MigrationFailed\"," RAN STATE
     "\"agentResult\":{\"error\":\"out of luck\"},\"sourceDomainState\":\"running\","
     "\"targetDomainState\":\"gone\"}}",
     "failed",
     {"step 4 of 6, migrate: failed: out of luck",
      "step 5 of 6, recover: recovered: the VM is running on h1 as before, nothing of it is left "
      "on h2"}},
    {"{\"phase\":\"Failed\",\"reason\":\"MigrationFailed\"," RAN STATE
     "\"sourceDomainState\":\"paused\",\"targetDomainState\":\"shutoff\","
     "\"sourceDomainStateBefore\":\"paused\"}}",
     "failed",
     {"paused on h1 as before, but h2 still has a domain of it"}},
    {"{\"phase\":\"Failed\",\"reason\":\"MigrationFailed\"," RAN STATE
     "\"sourceDomainState\":\"blocked\",\"targetDomainState\":\"unknown\","
     "\"sourceDomainStateBefore\":\"running\"}}",
     "failed",
     {"recovered: the VM is blocked on h1 as before, whether anything of it is left on h2 is "
      "unknown"}},
    {"{\"phase\":\"Failed\",\"reason\":\"Cancelled\"," RAN STATE
     "\"abortRequestedBy\":\"kim\",\"sourceDomainState\":\"running\","
     "\"targetDomainState\":\"gone\"}}",
     "killed",
     {"step 4 of 6, migrate: cancelled by kim", "recovered: the VM is running on h1"}},
    {"{\"phase\":\"Failed\",\"reason\":\"MigrationFailed\"," RAN STATE
     "\"sourceDomainState\":\"paused\",\"targetDomainState\":\"unknown\","
     "\"sourceDomainStateBefore\":\"running\"}}",
     "failed",
     {"NOT recovered by itself: the VM is paused on h1 and was running before", "virsh"}},
    {"{\"phase\":\"Failed\",\"reason\":\"VMNotFound\"," RAN STATE
     "\"sourceDomainState\":\"gone\",\"targetDomainState\":\"gone\"}}",
     "failed",
     {"NOT recovered", "h1 says gone", "virsh"}},
    {"{\"phase\":\"Failed\",\"reason\":\"RunsOnBothHosts\"," RAN STATE
     "\"sourceDomainState\":\"running\",\"targetDomainState\":\"running\"}}",
     "failed",
     {"NOT recovered", "h2 says running"}},
};

static void test_ends(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 202);
  for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
    g_autofree char *id = set_status(s, status_of(ends[i].status));
    g_autofree char *path = g_strconcat("/tasks/", id, NULL);
    g_autoptr(Answer) task = http(s, "GET", path, NULL);
    expect(task, 200);
    g_assert_cmpstr(str(task, "status"), ==, ends[i].task);
    for (gsize w = 0; w < 4 && ends[i].words[w]; w++)
      if (!strstr(str(task, "message"), ends[i].words[w]))
        g_error("\"%s\" is not in \"%s\"", ends[i].words[w], str(task, "message"));
    g_autoptr(Answer) cancel = http(s, "DELETE", path, NULL);
    expect(cancel, 409);
    g_autoptr(Answer) monitor = http(s, "GET", "/vms/db/migrate", NULL);
    const json_t *recover = json_array_get(json_object_get(monitor->json, "steps"), 4);
    g_assert_cmpstr(ferry_json_str(recover, "status"), ==,
                    i == 0   ? "skipped"
                    : i >= 6 ? "failed"
                             : "done");
  }
}

static void test_refusals(Server *s, gconstpointer data) {
  static const struct {
    const char *method, *path, *body;
    int status;
    const char *words[3];
  } cases[] = {
      {"POST", "/vms/db/migrate", "{}", 400, {"remote_host: it is required"}},
      {"POST", "/vms/db/migrate", NULL, 400, {"remote_host: it is required"}},
      {"POST", "/vms/db/migrate", "{\"remote_host\":7}", 400, {"remote_host: expected"}},
      {"POST", "/vms/db/migrate", "[]", 400, {"JSON object"}},
      {"POST", "/vms/db/migrate", "{", 400, {"remote_host"}},
      {"POST",
       "/vms/db/migrate",
       "{\"remote_host\":\"h9\",\"warp\":1,\"migration_downtime\":\"fast\"}",
       400,
       {"the hosts are: h1, h2, h3", "warp: it is not known", "migration_downtime: \"fast\""}},
      {"POST",
       "/vms/db/migrate",
       "{\"remote_host\":\"h2\",\"enable_rdma\":\"yes\",\"tunnelled\":1}",
       400,
       {"enable_rdma: expected true or false", "tunnelled: expected true or false"}},
      {"POST", "/vms/db/migrate", "{\"remote_host\":\"h1\"}", 422, {"runs on h1 already"}},
      {"POST", "/vms/db/migrate", "{\"remote_host\":\"h3\"}", 422, {"h3 is not ready"}},
      {"POST", "/vms/off/migrate", NEW, 422, {"not running"}},
      {"POST", "/vms/nope/migrate", NEW, 404, {"there is no VM"}},
      {"POST", "/vms/db/migrate?dryRun=All", NEW, 400, {"dryRun"}},
      {"GET", "/vms/nope", NULL, 404, {"there is no VM"}},
      {"GET", "/tasks/1", NULL, 404, {"no task \"1\""}},
      {"DELETE", "/tasks/1", NULL, 404, {"no task \"1\""}},
      {"GET", "/tasks/1/2", NULL, 404, {"/tasks/1/2"}},
      {"GET", "/plugins/kimchi", NULL, 404, {"/plugins/kimchi/vms/NAME/migrate"}},
      {"PUT", "/vms/db/migrate", "{}", 405, {"GET, POST, DELETE"}},
      {"POST", "/vms", "{}", 405, {"GET"}},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, cases[i].method, cases[i].path, cases[i].body);
    g_test_message("%s %s %s", cases[i].method, cases[i].path, cases[i].body);
    expect(a, cases[i].status);
    g_autofree char *code = g_strdup_printf("%d ", cases[i].status);
    g_assert_true(g_str_has_prefix(str(a, "code"), code));
    for (gsize w = 0; i != 4 && w < 3 && cases[i].words[w]; w++)
      check_error(a, str(a, "code"), cases[i].words[w]);
  }
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, NULL, NULL);
  g_assert_cmpuint(all->len, ==, 0);
}

/* Puts `value` (taken) at `path` of an object that is there. */
static void set(Server *s, const FerryKind *kind, const char *ns, const char *name,
                const char *path, json_t *value) {
  g_autoptr(json_t) old = ferry_store_get(s->store, kind, ns, name);
  g_autoptr(json_t) object = json_deep_copy(old);
  ferry_json_set(object, path, value);
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE, .kind = kind, .ns = ns, .name = name, .object = object};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

/* Kimchi's capability checks: all that is wrong is said at once. */
static void test_capabilities(Server *s, gconstpointer data) {
  set(s, &ferry_kind_vmi, "default", "db", "spec.domain.devices.hostDevices",
      json_pack("[{s:s, s:s}]", "name", "0000:03:00.0", "type", "pci"));
  set(s, &ferry_kind_node, "", "h1", "status.hypervisor.cpuArch", json_string("x86_64"));
  set(s, &ferry_kind_node, "", "h2", "status.hypervisor.cpuArch", json_string("ppc64le"));
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 422);
  check_error(a, str(a, "code"), "0000:03:00.0 (pci)");
  check_error(a, str(a, "code"), "architecture ppc64le");
  g_assert_cmpuint(json_array_size(json_object_get(a->json, "causes")), >=, 2);
}

/* Storage that the destination cannot reach, or not write. A dry run says the same. */
static void test_shared_storage(Server *s, gconstpointer data) {
#define DRY "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations?dryRun=All"
#define JOB "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\",\"targetNode\":\"h2\"}}"
  set(s, &ferry_kind_vmi, "default", "db", "spec.domain.devices.disks",
      json_pack("[{s:s, s:s, s:s, s:b}]", "name", "vdb", "type", "file", "source", "/mnt/nfs/b.raw",
                "shared", TRUE));
  set(s, &ferry_kind_node, "", "h1", "status.sharedFileSystems",
      json_pack("[{s:s, s:s}]", "path", "/mnt/nfs", "type", "nfs4"));
  g_autoptr(Answer) unknown = http(s, "POST", DRY, JOB);
  expect(unknown, 201);
  set(s, &ferry_kind_node, "", "h2", "status.sharedFileSystems", json_array());
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 422);
  check_error(a, str(a, "code"), "disk vdb (/mnt/nfs/b.raw)");
  check_error(a, str(a, "code"), "h2 has not mounted");
  g_autoptr(Answer) dry = http(s, "POST", DRY, JOB);
  expect(dry, 422);
  const json_t *cause =
      ferry_json_find(ferry_json_get(dry->json, "details.causes"), "reason", "SharedStorage");
  g_assert_cmpstr(ferry_json_str(cause, "field"), ==, "nodes[h2]");
  set(s, &ferry_kind_node, "", "h2", "status.sharedFileSystems",
      json_pack("[{s:s, s:s, s:b}]", "path", "/mnt", "type", "nfs4", "readOnly", TRUE));
  g_autoptr(Answer) look = http(s, "POST", "/vms/db/migrate", NEW);
  expect(look, 422);
  check_error(look, str(look, "code"), "h2 has mounted read-only (/mnt, nfs4)");
  set(s, &ferry_kind_node, "", "h2", "status.sharedFileSystems",
      json_pack("[{s:s, s:s, s:b}]", "path", "/mnt", "type", "nfs4", "readOnly", FALSE));
  g_autoptr(Answer) fits = http(s, "POST", "/vms/db/migrate", NEW);
  expect(fits, 202);
}

/* enable_rdma is libvirt's rdma:// URI, to where the data would go anyway. */
static void test_rdma(Server *s, gconstpointer data) {
  static const char body[] = "{\"remote_host\":\"h2\",\"enable_rdma\":true}";
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", body);
  expect(a, 202);
  g_autoptr(json_t) m = ferry_store_get_by_uid(s->store, &ferry_kind_vmim, str(a, "id"));
  g_assert_cmpstr(ferry_json_str(m, "spec.migrateURI"), ==, "rdma://10.0.0.2");
  g_assert_true(ferry_json_bool(m, "spec.disableTLS", FALSE));
  g_assert_null(ferry_json_get(m, "spec.tunnelled"));
  seed_put(s->store, &ferry_kind_migration_policy, "", "many",
           json_pack("{s:{s:{}, s:b}}", "spec", "selectors", "parallel", TRUE));
  g_autoptr(Answer) b =
      http(s, "POST", "/vms/web/migrate", "{\"remote_host\":\"h1\",\"enable_rdma\":true}");
  expect(b, 422);
  check_error(b, str(b, "code"), "one connection");
}

/* What a policy says of network and flags is judged as admission will; a tunnel takes libvirtd's
 * own way, whatever the network. */
static void test_policies(Server *s, gconstpointer data) {
  seed_put(s->store, &ferry_kind_migration_policy, "", "far",
           json_pack("{s:{s:{s:{s:s}}, s:s, s:b}}", "spec", "selectors",
                     "virtualMachineInstanceSelector", "tier", "db", "network", "gone", "parallel",
                     TRUE));
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", "{\"remote_host\":\"h2\"}");
  expect(a, 422);
  check_error(a, str(a, "code"), "VM db cannot be migrated to h2: ");
  check_error(a, str(a, "code"), "gone");
  g_autoptr(Answer) b =
      http(s, "POST", "/vms/db/migrate", "{\"remote_host\":\"h2\",\"tunnelled\":true}");
  expect(b, 422);
  check_error(b, str(b, "code"), "unnelled");
  g_assert_null(strstr(str(b, "code"), "gone"));
  g_autoptr(GPtrArray) none = ferry_store_list(s->store, &ferry_kind_vmim, NULL, NULL);
  g_assert_cmpuint(none->len, ==, 0);
}

/* A tunnel is encrypted by libvirtd, so the cluster's wish for QEMU's TLS is none against it. */
static void test_tunnel(Server *s, gconstpointer data) {
  seed_put(
      s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt",
      json_pack("{s:{s:{s:{s:b}}}}", "spec", "configuration", "migrations", "disableTLS", FALSE));
  g_autoptr(Answer) a =
      http(s, "POST", "/vms/db/migrate", "{\"remote_host\":\"h2\",\"tunnelled\":true}");
  expect(a, 202);
}

/* A host that the request left out was not refused for what it is. */
static void test_monitor_refusals(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "POST", "/vms/db/migrate", NEW);
  expect(a, 202);
  g_free(set_status(
      s, status_of(
             "{\"phase\":\"Pending\",\"refusals\":["
             "{\"nodeName\":\"h1\",\"reasons\":[{\"reason\":\"SameNode\",\"message\":\"a\"}]},"
             "{\"nodeName\":\"h2\",\"reasons\":[{\"reason\":\"Memory\",\"message\":\"b\"}]},"
             "{\"nodeName\":\"h3\",\"reasons\":[{\"reason\":\"NotTheTarget\",\"message\":\"c\"}]}"
             "]}")));
  g_autoptr(Answer) m = http(s, "GET", "/plugins/kimchi/vms/db/migrate", NULL);
  expect(m, 200);
  const json_t *refusals = json_object_get(m->json, "refusals");
  g_assert_cmpuint(json_array_size(refusals), ==, 1);
  g_assert_cmpstr(ferry_json_str(json_array_get(refusals, 0), "nodeName"), ==, "h2");
}

static void test_who(Server *s, gconstpointer data) {
  static const char *const paths[] = {"/vms",
                                      "/vms/db",
                                      "/tasks",
                                      "/peers",
                                      "/config",
                                      "/vms/db/migrate",
                                      "/plugins/kimchi/tasks",
                                      "/vms/x/y/z"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) a = http_full(s, NULL, "GET", paths[i], NULL, NULL, 0);
    expect(a, 401);
    check_error(a, "401 Unauthorized", "Unauthorized");
  }
  g_autoptr(Answer) post = http_full(s, NULL, "POST", "/vms/db/migrate", NULL, NEW, sizeof NEW - 1);
  expect(post, 401);
}

/* A viewer reads all of it and changes nothing; a node's agent has no business here. */
static void test_viewer(Server *s, gconstpointer data) {
  static const char viewer[] = "Authorization: Bearer look-look-look-look",
                    agent[] = "Authorization: Bearer node-node-node-node";
  g_autofree char *look = ferry_sha256_hex("look-look-look-look", 19),
                  *node = ferry_sha256_hex("node-node-node-node", 19);
  g_autofree char *tokens = g_strdup_printf(
      "{\"tokens\":[{\"hash\":\"%s\",\"user\":\"vera\",\"groups\":[\"ferry:viewers\"]},"
      "{\"hash\":\"%s\",\"user\":\"system:node:h1\",\"groups\":[\"system:nodes\"]}]}",
      look, node);
  g_autofree char *path = g_build_filename(s->dir, "tokens.json", NULL);
  g_autoptr(GError) error = NULL;
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  FerryApiConfig config = {.store = s->store, .state_dir = s->dir, .listen = listen};
  ferry_api_free(s->api);
  g_file_set_contents_full(path, tokens, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error(error);
  s->api = ferry_api_new(&config, &error);
  g_assert_no_error(error);
  g_autoptr(Answer) made = http(s, "POST", "/vms/db/migrate", NEW);
  expect(made, 202);
  g_autofree char *task = g_strconcat("/tasks/", str(made, "id"), NULL);
  const struct {
    const char *method, *path, *body;
    int viewer;
  } cases[] = {
      {"GET", "/vms", NULL, 200},
      {"GET", "/vms/db/migrate", NULL, 200},
      {"GET", "/tasks", NULL, 200},
      {"GET", task, NULL, 200},
      {"GET", "/peers", NULL, 200},
      {"GET", "/config", NULL, 200},
      {"POST", "/vms/web/migrate", "{\"remote_host\":\"h1\"}", 403},
      {"POST", "/vms/nope/migrate", NEW, 403}, /* not even whether it is there */
      {"DELETE", "/vms/db/migrate", NULL, 403},
      {"DELETE", task, NULL, 403},
      {"PUT", "/plugins/kimchi/config", "{\"migration_downtime\":300}", 403},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    gssize len = cases[i].body ? (gssize)strlen(cases[i].body) : 0;
    g_autoptr(Answer) a =
        http_full(s, NULL, cases[i].method, cases[i].path, viewer, cases[i].body, len);
    expect(a, cases[i].viewer);
    g_autoptr(Answer) b =
        http_full(s, NULL, cases[i].method, cases[i].path, agent, cases[i].body, len);
    expect(b, 403);
    check_error(b, "403 Forbidden", "system:node:h1");
  }
  g_autoptr(json_t) m = ferry_store_get_by_uid(s->store, &ferry_kind_vmim, str(made, "id"));
  g_assert_false(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
  g_assert_null(ferry_store_get(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt"));
}

static void test_vms(Server *s, gconstpointer data) {
  g_autoptr(Answer) list = http(s, "GET", "/vms", NULL);
  expect(list, 200);
  g_assert_cmpuint(json_array_size(list->json), ==, 3);
  g_autoptr(Answer) vm = http(s, "GET", "/vms/web_1", NULL); /* by its domain's name */
  expect(vm, 200);
  g_assert_cmpstr(str(vm, "name"), ==, "web");
  g_assert_cmpstr(str(vm, "state"), ==, "running");
  g_assert_cmpstr(str(vm, "host"), ==, "h2");
  g_assert_cmpint(ferry_json_int(vm->json, "cpus", 0), ==, 2);
  seed_put(s->store, &ferry_kind_namespace, "", "lab", json_object());
  seed_vmi(s->store, "lab", "db", "db", "h2", "Running");
  g_autoptr(Answer) two = http(s, "GET", "/vms/db", NULL);
  expect(two, 409);
  check_error(two, "409 Conflict", "lab/db");
  g_autoptr(Answer) one = http(s, "GET", "/vms/db?namespace=lab", NULL);
  expect(one, 200);
  g_autofree char *path = g_strconcat("/vms/", str(one, "uuid"), "/migrate", NULL);
  g_autoptr(Answer) a = http(s, "POST", path, "{\"remote_host\":\"h1\"}");
  expect(a, 422); /* the name is taken there, so the other VM of the name is known */
  check_error(a, str(a, "code"), "h1 has another domain named db");
  g_autoptr(Answer) b = http(s, "POST", path, "{\"remote_host\":\"h9\"}");
  expect(b, 400);
  g_autoptr(Answer) first = http(s, "POST", "/vms/db/migrate?namespace=default", NEW);
  expect(first, 422); /* and so it is on h2 */
  seed_vmi(s->store, "lab", "web", "other", "h2", "Running");
  g_autoptr(Answer) own =
      http(s, "POST", "/vms/web/migrate?namespace=default", "{\"remote_host\":\"h1\"}");
  expect(own, 202); /* a URI that means this VM and no other */
  g_autoptr(Answer) there = http(s, "GET", str(own, "target_uri"), NULL);
  expect(there, 200);
  g_assert_cmpstr(str(there, "namespace"), ==, "default");
  /* renamed on the way, it is known by its new name */
  g_autofree char *id = g_strdup(str(own, "id"));
  g_autoptr(json_t) m = ferry_store_get_by_uid(s->store, &ferry_kind_vmim, id);
  g_autoptr(json_t) renamed = json_deep_copy(m);
  ferry_json_set_str(renamed, "status.migrationState.migrationConfiguration.destinationName",
                     "web_1");
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmim,
                      .ns = "default",
                      .name = ferry_json_str(m, "metadata.name"),
                      .object = renamed};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autofree char *task = g_strconcat("/tasks/", id, NULL);
  g_autoptr(Answer) known = http(s, "GET", task, NULL);
  g_assert_cmpstr(str(known, "target_uri"), ==, "/vms/web_1");
  g_autoptr(Answer) peers = http(s, "GET", "/peers", NULL);
  g_assert_true(json_is_array(peers->json));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, f) g_test_add("/kimchi/" name, Server, NULL, server_up, f, server_down)
  ADD("migrate", test_migrate);
  ADD("names", test_names);
  ADD("monitor-and-cancel", test_monitor);
  ADD("ends", test_ends);
  ADD("refusals", test_refusals);
  ADD("capabilities", test_capabilities);
  ADD("shared_storage", test_shared_storage);
  ADD("rdma", test_rdma);
  ADD("policies", test_policies);
  ADD("tunnel", test_tunnel);
  ADD("monitor-refusals", test_monitor_refusals);
  ADD("who", test_who);
  ADD("viewer", test_viewer);
  ADD("vms", test_vms);
  return g_test_run();
}
