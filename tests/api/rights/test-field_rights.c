// SPDX-License-Identifier: Apache-2.0
// The fields that need a right of their own, by every way that sets one.
#include "../auth/rights.h"

#define POLICY(name, spec)                                                                         \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\",\"metadata\":" \
  "{\"name\":\"" name "\"},\"spec\":{\"selectors\":{}" spec "}}"
#define KUBEVIRTS "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
#define KUBEVIRT(settings)                                                                         \
  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"KubeVirt\",\"metadata\":{\"name\":\"kubevirt\"}," \
  "\"spec\":{\"configuration\":{\"migrations\":{" settings "}}}}"
#define SET(settings) "{\"spec\":{\"configuration\":{\"migrations\":{" settings "}}}}"

static void in_a_migration(Server *s, gconstpointer data) {
  static const char *const fields[] = {"\"migrateURI\":\"tcp://h2:49152\"",
                                       "\"disksURI\":\"tcp://h2:49153\"",
                                       "\"listenAddress\":\"10.0.0.2\"",
                                       "\"graphicsURI\":\"spice://h2:5900\"",
                                       "\"tlsDestination\":\"h2\"",
                                       "\"disksPort\":49153",
                                       "\"destinationName\":\"x\"",
                                       "\"destinationXML\":\"<domain/>\"",
                                       "\"persistentXML\":\"<domain/>\"",
                                       "\"unsafeMigrationOverride\":true",
                                       "\"disableTLS\":true",
                                       "\"allowMonitorCommands\":true"};
  bind_to(s, NULL, "operate", "olga");
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autofree char *body = g_strdup_printf(
        "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\",%s}}", fields[i]);
    EXPECT("olga", "POST", VMIM "?dryRun=All", body, 403);
    EXPECT("olga", "POST", VMIM, body, 403);
    g_assert_cmpint(ask(s, "ada", "POST", VMIM "?dryRun=All", body), !=, 403);
  }
  EXPECT("olga", "POST", VMIM, "{\"metadata\":{\"name\":\"plain\"},\"spec\":{\"vmiName\":\"db\"}}",
         201);
}

/* What a migration says, by an apply that makes it and by the way to which it was sent. */
static void by_apply(Server *s, gconstpointer data) {
#define APPLIED(spec)                                                                              \
  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\",\"metadata\":"  \
  "{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\"" spec "}}"
  bind_to(s, NULL, "operate", "olga");
  EXPECT("olga", "APPLY", VMIM "/m", APPLIED(",\"migrateURI\":\"tcp://h2:49152\""), 403);
  EXPECT("olga", "APPLY", VMIM "/m", APPLIED(",\"disableTLS\":true"), 403);
  EXPECT("olga", "APPLY", VMIM "/m", APPLIED(",\"disableTLS\":false"), 201);
}

static void in_a_policy(Server *s, gconstpointer data) {
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  EXPECT("ed", "POST", POLICIES, POLICY("bad", ",\"allowMonitorCommands\":true"), 403);
  EXPECT("ed", "POST", POLICIES, POLICY("p", ""), 201);
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"allowMonitorCommands\":true}}", 403);
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"allowMonitorCommands\":false}}", 200);
  EXPECT("ed", "PUT", POLICIES "/p", POLICY("p", ",\"allowMonitorCommands\":true"), 403);
  EXPECT("ed", "APPLY", POLICIES "/p", POLICY("p", ",\"allowMonitorCommands\":true"), 403);
  EXPECT("ed", "APPLY", POLICIES "/new", POLICY("new", ",\"allowMonitorCommands\":true"), 403);
  g_autoptr(Answer) json_patch =
      http_full(s, "admin", "PATCH", POLICIES "/p",
                "Impersonate-User: ed\nContent-Type: application/json-patch+json",
                "[{\"op\":\"add\",\"path\":\"/spec/allowMonitorCommands\",\"value\":true}]", -1);
  expect(json_patch, 403);
  EXPECT("ada", "PUT", POLICIES "/p", POLICY("p", ",\"allowMonitorCommands\":true"), 200);
  /* it is there: others go on, without it, and back only with the right */
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"maxDowntimeMs\":300}}", 200);
  EXPECT("ed", "PUT", POLICIES "/p", POLICY("p", ""), 200);
  EXPECT("ed", "PUT", POLICIES "/p", POLICY("p", ",\"allowMonitorCommands\":true"), 403);
  EXPECT("ada", "APPLY", POLICIES "/p", POLICY("p", ",\"allowMonitorCommands\":true"), 200);
}

/* For whom a policy counts is as dangerous as what it says. */
static void reach_of_a_policy(Server *s, gconstpointer data) {
#define SELECTS(selectors, spec)                                                                   \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\",\"metadata\":" \
  "{\"name\":\"p\"},\"spec\":{\"selectors\":{" selectors "}" spec "}}"
#define NARROW "\"virtualMachineInstanceSelector\":{\"app\":\"x\"}"
#define UNSAFE ",\"allowMonitorCommands\":true"
  static const char *const patches[] = {
      "{\"spec\":{\"selectors\":{\"virtualMachineInstanceSelector\":null}}}",
      "{\"spec\":{\"selectors\":{\"virtualMachineInstanceSelector\":{\"app\":\"y\"}}}}",
      "{\"spec\":{\"selectors\":{\"namespaceSelector\":{\"team\":\"z\"}}}}",
      "{\"spec\":{\"selectors\":null}}"};
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  EXPECT("ada", "POST", POLICIES, SELECTS(NARROW, UNSAFE), 201);
  for (gsize i = 0; i < G_N_ELEMENTS(patches); i++)
    EXPECT("ed", "PATCH", POLICIES "/p", patches[i], 403);
  EXPECT("ed", "PUT", POLICIES "/p", SELECTS("", UNSAFE), 403);
  EXPECT("ed", "APPLY", POLICIES "/p",
         SELECTS("\"virtualMachineInstanceSelector\":{\"app\":\"y\"}", UNSAFE), 403);
  EXPECT("ed", "PUT", POLICIES "/p", SELECTS(NARROW, UNSAFE ",\"maxDowntimeMs\":300"), 200);
  EXPECT("ada", "PATCH", POLICIES "/p", patches[0], 200);
  /* without what is dangerous it is anybody's who writes policies */
  EXPECT("ed", "PUT", POLICIES "/p", SELECTS(NARROW, ""), 200);
  EXPECT("ed", "PUT", POLICIES "/p", SELECTS("", ""), 200);
}

/* Nor may who writes the cluster's configuration make it the policy for all. */
static void default_policy(Server *s, gconstpointer data) {
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  EXPECT("ada", "POST", POLICIES, SELECTS(NARROW, UNSAFE), 201);
  EXPECT("ed", "POST", POLICIES, POLICY("plain", ""), 201);
  EXPECT("ed", "POST", KUBEVIRTS, KUBEVIRT("\"defaultPolicy\":\"p\""), 403);
  EXPECT("ed", "POST", KUBEVIRTS, KUBEVIRT("\"defaultPolicy\":\"plain\""), 201);
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"defaultPolicy\":\"p\""), 403);
  EXPECT("ada", "PATCH", KUBEVIRTS "/kubevirt", SET("\"defaultPolicy\":\"p\""), 200);
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"maxDowntimeMs\":200"), 200);
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"defaultPolicy\":null"), 200);
}

/* Where other hosts reach one: to set it, to change a part of it, and to leave it to the agent. */
static void peer_of_a_node(Server *s, gconstpointer data) {
#define HOST "/api/v1/nodes/h1"
#define PEER(inside) "{\"spec\":{\"peer\":{" inside "}}}"
#define REAL "\"scheme\":\"ssh\",\"host\":\"h1.lan\",\"port\":22,\"user\":\"root\""
  static const char *const others[] = {PEER("\"scheme\":\"tls\""),
                                       PEER("\"host\":\"evil.lan\""),
                                       PEER("\"port\":2222"),
                                       PEER("\"port\":null"),
                                       PEER("\"user\":\"mallory\""),
                                       PEER("\"user\":null"),
                                       "{\"spec\":{\"peer\":null}}",
                                       "{\"spec\":{\"peer\":{\"scheme\":\"tls\",\"host\":\"h2\"}}}",
                                       "{\"spec\":null}"};
  bind_to(s, NULL, "operate", "olga");
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  EXPECT("ed", "PATCH", HOST, PEER(REAL), 403);
  EXPECT("ada", "PATCH", HOST, PEER(REAL), 200);
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    EXPECT("olga", "PATCH", HOST, others[i], 403);
    EXPECT("ed", "PATCH", HOST, others[i], 403);
  }
  EXPECT("ed", "PUT", HOST,
         "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"h1\"},\"spec\":{}}",
         403);
  g_autoptr(Answer) json_patch = http_full(
      s, "admin", "PATCH", HOST, "Impersonate-User: ed\nContent-Type: application/json-patch+json",
      "[{\"op\":\"remove\",\"path\":\"/spec/peer\"}]", -1);
  expect(json_patch, 403);
  EXPECT("olga", "PATCH", HOST, "{\"spec\":{\"unschedulable\":true}}", 200);
  give(s, NULL, "only-uris",
       RULE("\"create\"", "kubevirt.io", "virtualmachineinstancemigrations/uris", ""), "olga");
  EXPECT("olga", "PATCH", HOST, "{\"spec\":{\"peer\":null}}", 200);
}

/* What is set for everybody needs the right everywhere. */
static void in_the_kubevirt_object(Server *s, gconstpointer data) {
  static const char *const fields[] = {"\"disableTLS\":true", "\"unsafeMigrationOverride\":true",
                                       "\"allowTCPPeers\":true", "\"allowMonitorCommands\":true"};
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
  bind_to(s, "kubevirt", "admin", "kim");
  EXPECT("ed", "POST", KUBEVIRTS, KUBEVIRT("\"disableTLS\":true"), 403);
  EXPECT("ed", "POST", KUBEVIRTS, KUBEVIRT("\"parallelMigrationsPerCluster\":3"), 201);
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autofree char *patch = g_strdup_printf(SET("%s"), fields[i]);
    g_autofree char *whole = g_strdup_printf(KUBEVIRT("%s"), fields[i]);
    EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", patch, 403);
    EXPECT("ed", "PUT", KUBEVIRTS "/kubevirt", whole, 403);
    EXPECT("ed", "APPLY", KUBEVIRTS "/kubevirt", whole, 403);
    EXPECT("kim", "PATCH", KUBEVIRTS "/kubevirt", patch, 403);
    EXPECT("ada", "PATCH", KUBEVIRTS "/kubevirt", patch, 200);
  }
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"maxDowntimeMs\":200"), 200);
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"disableTLS\":null"), 200);
  EXPECT("ed", "PATCH", KUBEVIRTS "/kubevirt", SET("\"disableTLS\":true"), 403);
}

/* In a migration it is asked for in the migration's namespace. */
static void in_one_namespace(Server *s, gconstpointer data) {
  static const char body[] =
      "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\",\"disableTLS\":true}}";
  bind_to(s, NULL, "operate", "kim");
  bind_to(s, "kubevirt", "admin", "kim");
  EXPECT("kim", "POST", VMIM, body, 403);
  bind_to(s, "default", "admin", "kim");
  EXPECT("kim", "POST", VMIM, body, 201);
}

static void by_kimchi(Server *s, gconstpointer data) {
  static const char plain[] = "{\"remote_host\":\"h2\"}";
  static const char back[] = "{\"remote_host\":\"h1\",\"enable_rdma\":true}";
  static const char rdma[] = "{\"remote_host\":\"h2\",\"enable_rdma\":true}";
  bind_to(s, NULL, "operate", "olga");
  EXPECT("olga", "POST", "/vms/db/migrate", rdma, 403);
  EXPECT("olga", "POST", "/vms/db/migrate", plain, 202);
  give(s, NULL, "only-uris",
       RULE("\"create\"", "kubevirt.io", "virtualmachineinstancemigrations/uris", ""), "olga");
  EXPECT("olga", "POST", "/vms/web/migrate", back, 403); /* it goes without TLS */
  give(s, NULL, "unsafe",
       RULE("\"create\"", "kubevirt.io", "virtualmachineinstancemigrations/unsafe", ""), "olga");
  g_assert_cmpint(ask(s, "olga", "POST", "/vms/web/migrate", back), !=, 403);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(path, f) g_test_add("/api/field-rights/" path, Server, NULL, server_up, f, server_down)
  ADD("migration", in_a_migration);
  ADD("apply", by_apply);
  ADD("policy", in_a_policy);
  ADD("reach", reach_of_a_policy);
  ADD("default-policy", default_policy);
  ADD("peer", peer_of_a_node);
  ADD("kubevirt", in_the_kubevirt_object);
  ADD("namespace", in_one_namespace);
  ADD("kimchi", by_kimchi);
  return g_test_run();
}
