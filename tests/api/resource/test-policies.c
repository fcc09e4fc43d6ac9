// SPDX-License-Identifier: Apache-2.0
// Policies as people write them: presets that are there and stay, and faults said at once.
#include "../http.h"
#include "convergence/presets.h"

#include <string.h>

#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"
#define KUBEVIRTS "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
#define POLICY(name, spec)                                                                         \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","              \
  "\"metadata\":{\"name\":\"" name "\"},\"spec\":" spec "}"

static void presets_are_there(Server *s, gconstpointer data) {
  g_autoptr(Answer) all = http(s, "GET", POLICIES "?labelSelector=ferry.migration/preset", NULL);
  expect(all, 200);
  gsize n;
  ferry_presets(&n);
  g_assert_cmpuint(json_array_size(ferry_json_get(all->json, "items")), ==, n);
  g_autoptr(Answer) nova = http(s, "GET", POLICIES "/nova", NULL);
  expect(nova, 200);
  g_assert_cmpstr(ferry_json_str(nova->json, "spec.preset"), ==, "nova");
  g_assert_cmpint(ferry_json_int(nova->json, "spec.completionTimeoutPerGiB", 0), ==, 800);
}

static void presets_stay(Server *s, gconstpointer data) {
  g_autoptr(Answer) before = http(s, "GET", POLICIES "/nova", NULL);
  g_autoptr(Answer) gone = http(s, "DELETE", POLICIES "/nova", NULL);
  expect(gone, 200);
  g_assert_nonnull(strstr(ferry_json_str(gone->json, "message"), "there again"));
  g_assert_cmpstr(ferry_json_str(gone->json, "details.uid"), ==,
                  ferry_json_str(before->json, "metadata.uid"));
  g_autoptr(Answer) all = http(s, "DELETE", POLICIES, NULL);
  expect(all, 200);
  g_autoptr(Answer) made =
      http(s, "POST", POLICIES,
           "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","
           "\"metadata\":{\"name\":\"mine\",\"labels\":{\"ferry.migration/preset\":\"mine\"}},"
           "\"spec\":{}}");
  expect(made, 403);
  g_autoptr(Answer) nova = http(s, "GET", POLICIES "/nova", NULL);
  expect(nova, 200);
  g_assert_cmpstr(ferry_json_str(nova->json, "metadata.uid"), !=,
                  ferry_json_str(before->json, "metadata.uid"));
  g_assert_true(
      json_equal(json_object_get(nova->json, "spec"), json_object_get(before->json, "spec")));
  ferry_json_set_int(nova->json, "spec.maxDowntimeMs", 5);
  g_autofree char *body = ferry_json_dump(nova->json);
  g_autoptr(Answer) changed = http(s, "PUT", POLICIES "/nova", body);
  expect(changed, 403);
}

static void faults_at_once(Server *s, gconstpointer data) {
  g_autoptr(Answer) bad =
      http(s, "POST", POLICIES "?dryRun=All",
           POLICY("bad", "{\"preset\":\"x\",\"intent\":{\"maxDuration\":\"soon\"},\"schedule\":"
                         "{\"stalling\":[]}}"));
  expect(bad, 422);
  const char *message = ferry_json_str(bad->json, "message");
  g_assert_nonnull(strstr(message, "MigrationPolicy.migrations.kubevirt.io \"bad\" is invalid: ["));
  g_assert_nonnull(strstr(message, "spec.preset"));
  g_assert_nonnull(strstr(message, "must end in abort"));
  g_assert_nonnull(strstr(message, "spec.intent.maxDuration"));
  g_autoptr(Answer) good = http(s, "POST", POLICIES, POLICY("good", "{\"preset\":\"proxmox\"}"));
  expect(good, 201);
  g_autoptr(Answer) deleted = http(s, "DELETE", POLICIES "/good", NULL);
  expect(deleted, 200);
}

static void cluster_default(Server *s, gconstpointer data) {
#define KUBEVIRT(policy)                                                                           \
  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"KubeVirt\",\"metadata\":{\"name\":\"kubevirt\"}," \
  "\"spec\":{\"configuration\":{\"migrations\":{\"defaultPolicy\":\"" policy "\"}}}}"
  g_autoptr(Answer) bad = http(s, "POST", KUBEVIRTS, KUBEVIRT("nosuch"));
  expect(bad, 422);
  g_assert_nonnull(strstr(ferry_json_str(bad->json, "message"), "defaultPolicy"));
  g_autoptr(Answer) good = http(s, "POST", KUBEVIRTS, KUBEVIRT("ovirt-legacy"));
  expect(good, 201);
}

static void migrations(Server *s, gconstpointer data) {
#define MOVE(fields)                                                                               \
  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\",\"metadata\":"  \
  "{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\"," fields "}}"
  g_autoptr(Answer) bad =
      http(s, "POST", VMIM, MOVE("\"policy\":\"nosuch\",\"intent\":{\"maxDowntime\":\"x\"}"));
  expect(bad, 422);
  const char *message = ferry_json_str(bad->json, "message");
  g_assert_nonnull(strstr(message, "spec.policy"));
  g_assert_nonnull(strstr(message, "spec.intent.maxDowntime"));
  g_autoptr(Answer) good =
      http(s, "POST", VMIM, MOVE("\"policy\":\"nova\",\"intent\":{\"maxDowntime\":\"300ms\"}"));
  expect(good, 201);
}

/* a dry run says what the migration would go by, and from where; what is made gets that later */
static void dry_run_resolves(Server *s, gconstpointer data) {
#define RESOLVED "status.migrationState.migrationConfiguration"
  const char *body = MOVE("\"policy\":\"nova\",\"maxDowntimeMs\":70");
  g_autoptr(Answer) dry = http(s, "POST", VMIM "?dryRun=All", body);
  expect(dry, 201);
  g_assert_cmpstr(ferry_json_str(dry->json, RESOLVED ".preset"), ==, "nova");
  g_assert_cmpint(ferry_json_int(dry->json, RESOLVED ".maxDowntimeMs", 0), ==, 70);
  g_assert_cmpstr(ferry_json_str(dry->json, "status.configurationOrigins.preset"), ==,
                  "MigrationPolicy/nova");
  g_assert_cmpstr(ferry_json_str(dry->json, "status.configurationOrigins.maxDowntimeMs"), ==,
                  "VirtualMachineInstanceMigration");
  g_autoptr(Answer) made = http(s, "POST", VMIM, body);
  expect(made, 201);
  g_assert_null(ferry_json_get(made->json, RESOLVED));
}

/* the manifests of seeds/003 as they stand there, but for the article's arrows beside two fields
 * and the metadata that it leaves out of its examples of policies */
static void seeds(Server *s, gconstpointer data) {
  static const struct {
    const char *path, *yaml, *field, *value;
  } manifests[] = {
      {KUBEVIRTS,
       "apiVersion: kubevirt.io/v1\nkind: Kubevirt\nmetadata:\n  name: kubevirt\n"
       "  namespace: kubevirt\nspec:\n  configuration:\n    migrations:\n"
       "      parallelMigrationsPerCluster: 5\n      parallelOutboundMigrationsPerNode: 2\n"
       "      bandwidthPerMigration: 64Mi\n      completionTimeoutPerGiB: 800\n"
       "      progressTimeout: 150\n      disableTLS: false\n"
       "      nodeDrainTaintKey: \"kubevirt.io/drain\"\n      allowAutoConverge: false\n"
       "      allowPostCopy: false\n      unsafeMigrationOverride: false\n",
       "spec.configuration.migrations.bandwidthPerMigration", "\"64Mi\""},
      {POLICIES,
       "apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\nmetadata:\n"
       "  name: a\nspec:\n    allowAutoConverge: true\n    bandwidthPerMigration: 217Ki\n"
       "    completionTimeoutPerGiB: 23\n    allowPostCopy: false\n",
       "spec.completionTimeoutPerGiB", "23"},
      {POLICIES,
       "apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\nmetadata:\n"
       "  name: b\nspec:\n  selectors:\n    namespaceSelector:\n"
       "      hpc-workloads: true       # Matches a key and a value\n",
       "spec.selectors.namespaceSelector.hpc-workloads", "\"true\""},
      {POLICIES,
       "apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\nmetadata:\n"
       "  name: c\nspec:\n  selectors:\n    virtualMachineInstanceSelector:\n"
       "      workload-type: db       # Matches a key and a value\n",
       "spec.selectors.virtualMachineInstanceSelector.workload-type", "\"db\""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(manifests); i++) {
    g_autoptr(Answer) a =
        http_full(s, "admin", "POST", manifests[i].path, "Content-Type: application/yaml",
                  manifests[i].yaml, (gssize)strlen(manifests[i].yaml));
    expect(a, 201);
    json_t *value = ferry_json_get(a->json, manifests[i].field);
    g_autofree char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    g_assert_cmpstr(text, ==, manifests[i].value);
  }
  g_autoptr(Answer) migration =
      http(s, "POST", VMIM,
           "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
           "\"metadata\":{\"name\":\"migration-job\"},\"spec\":{\"vmiName\":\"db\"}}");
  expect(migration, 201);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define T(name, f) g_test_add("/policies/" name, Server, NULL, server_up, f, server_down)
  T("presets-are-there", presets_are_there);
  T("presets-stay", presets_stay);
  T("faults-at-once", faults_at_once);
  T("cluster-default", cluster_default);
  T("migrations", migrations);
  T("dry-run-resolves", dry_run_resolves);
  T("seeds", seeds);
  return g_test_run();
}
