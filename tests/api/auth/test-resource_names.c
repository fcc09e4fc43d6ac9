// SPDX-License-Identifier: Apache-2.0
// Rights for objects by name, whatever a VM is called by, and what an apply that creates needs.
#include "rights.h"

#define MIGRATE(vm)                                                                                \
  "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/" vm "/migrate"

static void one_vm(Server *s, gconstpointer data) {
  g_autoptr(Answer) web = http(s, "GET", VMI "/web", NULL);
  g_autoptr(Answer) db = http(s, "GET", VMI "/db", NULL);
  g_autofree char *uid = g_strconcat(VMI "/", ferry_json_str(web->json, "metadata.uid"), NULL);
  g_autofree char *other = g_strconcat(VMI "/", ferry_json_str(db->json, "metadata.uid"), NULL);
  give(s, NULL, "web-only",
       RULE("\"get\",\"list\",\"patch\"", "kubevirt.io", "virtualmachineinstances", NAMED("web")),
       "rob");
  EXPECT("rob", "GET", VMI "/web", NULL, 200);
  EXPECT("rob", "GET", VMI "/web_1", NULL, 200); /* its domain's name */
  EXPECT("rob", "GET", uid, NULL, 200);
  EXPECT("rob", "GET", VMI "/db", NULL, 403);
  EXPECT("rob", "GET", other, NULL, 403);
  EXPECT("rob", "GET", VMI "/none", NULL, 403);
  EXPECT("rob", "GET", VMI, NULL, 403);
  EXPECT("rob", "GET", VMI "?fieldSelector=metadata.name%3Dweb", NULL, 200);
  EXPECT("rob", "GET", VMI "?fieldSelector=metadata.name%3Ddb", NULL, 403);
  EXPECT("rob", "GET", VMI "?fieldSelector=metadata.name%21%3Ddb", NULL, 403);
  EXPECT("rob", "PATCH", VMI "/web_1", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", 200);
  EXPECT("rob", "PATCH", VMI "/db", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", 403);
}

/* A rule names VMs by their own names: that of another's domain opens nothing. */
static void another_name_is_no_name(Server *s, gconstpointer data) {
  give(s, NULL, "by-domain",
       RULE("\"get\"", "kubevirt.io", "virtualmachineinstances", NAMED("web_1")), "rob");
  EXPECT("rob", "GET", VMI "/web_1", NULL, 403);
  EXPECT("rob", "GET", VMI "/web", NULL, 403);
}

static void moving_one_vm(Server *s, gconstpointer data) {
  give(s, NULL, "mover",
       RULE("\"update\"", "subresources.kubevirt.io", "virtualmachines/migrate", NAMED("web")),
       "rob");
  EXPECT("rob", "PUT", MIGRATE("db"), "{}", 403);
  EXPECT("rob", "PUT", MIGRATE("off"), "{}", 403);
  EXPECT("rob", "PUT", MIGRATE("web_1"), "{}", 202);
}

/* Who may patch may not create by an apply; a name does not hold for what is not there yet. */
static void apply_that_creates(Server *s, gconstpointer data) {
#define POLICY(n)                                                                                  \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\",\"metadata\":" \
  "{\"name\":\"" n "\"},\"spec\":{\"selectors\":{},\"maxDowntimeMs\":400}}"
  g_autoptr(Answer) there = http(s, "POST", POLICIES, POLICY("old"));
  expect(there, 201);
  give(s, NULL, "patcher",
       RULE("\"get\",\"patch\",\"update\"", "migrations.kubevirt.io", "migrationpolicies", ""),
       "pat");
  EXPECT("pat", "APPLY", POLICIES "/old", POLICY("old"), 200);
  EXPECT("pat", "APPLY", POLICIES "/new", POLICY("new"), 403);
  EXPECT("pat", "PATCH", POLICIES "/new", POLICY("new"), 404);
  give(s, NULL, "named",
       RULE("\"create\"", "migrations.kubevirt.io", "migrationpolicies", NAMED("new")), "pat");
  EXPECT("pat", "POST", POLICIES, POLICY("new"), 403);
  give(s, NULL, "creator", RULE("\"create\"", "migrations.kubevirt.io", "migrationpolicies", ""),
       "pat");
  EXPECT("pat", "APPLY", POLICIES "/new", POLICY("new"), 201);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(path, f)                                                                               \
  g_test_add("/api/resource-names/" path, Server, NULL, server_up, f, server_down)
  ADD("one-vm", one_vm);
  ADD("another-name", another_name_is_no_name);
  ADD("moving-one", moving_one_vm);
  ADD("apply-that-creates", apply_that_creates);
  return g_test_run();
}
