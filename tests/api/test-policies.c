// SPDX-License-Identifier: Apache-2.0
// Policies as people write them: presets that are there and stay, and faults said at once.
#include "http.h"

#include <string.h>

#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"
#define KUBEVIRTS "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
#define POLICY(name, spec)                                                                         \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","              \
  "\"metadata\":{\"name\":\"" name "\"},\"spec\":" spec "}"

static void presets_are_there(Server *s, gconstpointer data) {
  g_autoptr(Answer) all = http(s, "GET", POLICIES "?labelSelector=ferry.migration/preset", NULL);
  expect(all, 200);
  g_assert_cmpuint(json_array_size(ferry_json_get(all->json, "items")), ==, 11);
  g_autoptr(Answer) nova = http(s, "GET", POLICIES "/nova", NULL);
  expect(nova, 200);
  g_assert_cmpstr(ferry_json_str(nova->json, "spec.preset"), ==, "nova");
  g_assert_cmpint(ferry_json_int(nova->json, "spec.completionTimeoutPerGiB", 0), ==, 800);
}

static void presets_stay(Server *s, gconstpointer data) {
  g_autoptr(Answer) gone = http(s, "DELETE", POLICIES "/nova", NULL);
  expect(gone, 403);
  g_assert_nonnull(strstr(ferry_json_str(gone->json, "message"), "preset"));
  g_autoptr(Answer) made =
      http(s, "POST", POLICIES,
           "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","
           "\"metadata\":{\"name\":\"mine\",\"labels\":{\"ferry.migration/preset\":\"mine\"}},"
           "\"spec\":{}}");
  expect(made, 403);
  g_autoptr(Answer) nova = http(s, "GET", POLICIES "/nova", NULL);
  expect(nova, 200);
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

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define T(name, f) g_test_add("/policies/" name, Server, NULL, server_up, f, server_down)
  T("presets-are-there", presets_are_there);
  T("presets-stay", presets_stay);
  T("faults-at-once", faults_at_once);
  T("cluster-default", cluster_default);
  T("migrations", migrations);
  return g_test_run();
}
