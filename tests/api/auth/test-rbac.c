// SPDX-License-Identifier: Apache-2.0
// Roles and bindings over HTTP: what they give, that nobody gives what he lacks, acting as somebody
// else, and the fields that need a right of their own. A person is whoever the administrator acts
// as, which is judged by that person's rights alone.
#include "../http.h"
#include "api/auth/rbac_rules.h"

#define RBAC "/apis/rbac.authorization.k8s.io/v1"
#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"

static long ask(Server *s, const char *who, const char *method, const char *path,
                const char *body) {
  g_autofree char *headers = g_strdup_printf(
      "Impersonate-User: %s%s", who,
      g_str_equal(method, "PATCH") ? "\nContent-Type: application/merge-patch+json" : "");
  g_autoptr(Answer) a =
      http_full(s, "admin", method, path, headers, body, body ? (gssize)strlen(body) : 0);
  return a->status;
}

#define EXPECT(who, method, path, body, code)                                                      \
  g_assert_cmpint(ask(s, who, method, path, body), ==, code)

static void bind_to(Server *s, const char *ns, const char *role, const char *who) {
  g_autofree char *path = ns ? g_strdup_printf(RBAC "/namespaces/%s/rolebindings", ns)
                             : g_strdup(RBAC "/clusterrolebindings");
  g_autofree char *body = g_strdup_printf(
      "{\"metadata\":{\"name\":\"%s-%s\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"%s\"},"
      "\"subjects\":[{\"kind\":\"User\",\"name\":\"%s\"}]}",
      who, role, role, who);
  g_autoptr(Answer) a = http_full(s, "admin", "POST", path, NULL, body, (gssize)strlen(body));
  expect(a, 201);
}

static void a_binding_gives_at_once(Server *s, gconstpointer data) {
  EXPECT("ann", "GET", VMI, NULL, 403);
  bind_to(s, "default", "view", "ann");
  EXPECT("ann", "GET", VMI, NULL, 200);
  EXPECT("ann", "GET", "/apis/kubevirt.io/v1/virtualmachineinstances", NULL, 403);
  EXPECT("ann", "GET", "/apis/kubevirt.io/v1/namespaces/kubevirt/virtualmachineinstances", NULL,
         403);
  EXPECT("ann", "GET", "/api/v1/namespaces/default", NULL, 200);
  EXPECT("ann", "GET", "/api/v1/namespaces/kubevirt", NULL, 403);
  EXPECT("ann", "GET", "/metrics", NULL, 403);
  EXPECT("ann", "GET", RBAC "/namespaces/default/rolebindings", NULL, 403);
  g_autoptr(Answer) gone = http_full(
      s, "admin", "DELETE", RBAC "/namespaces/default/rolebindings/ann-view", NULL, NULL, 0);
  expect(gone, 200);
  EXPECT("ann", "GET", VMI, NULL, 403);
}

static const char everything[] =
    "{\"metadata\":{\"name\":\"mine\"},\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],"
    "\"resources\":[\"*\"]}]}";

static void nobody_grants_what_he_lacks(Server *s, gconstpointer data) {
  bind_to(s, NULL, "admin", "adam");
  EXPECT("adam", "POST", RBAC "/clusterroles", everything, 403);
  EXPECT("adam", "POST", RBAC "/namespaces/default/roles", everything, 403);
  EXPECT("adam", "POST", RBAC "/clusterroles",
         "{\"metadata\":{\"name\":\"e\"},\"rules\":[{\"verbs\":[\"escalate\"],\"apiGroups\":"
         "[\"rbac.authorization.k8s.io\"],\"resources\":[\"clusterroles\"]}]}",
         403);
  EXPECT("adam", "POST", RBAC "/clusterroles",
         "{\"metadata\":{\"name\":\"i\"},\"rules\":[{\"verbs\":[\"impersonate\"],\"apiGroups\":"
         "[\"\"],\"resources\":[\"users\",\"groups\"]}]}",
         403);
  EXPECT("adam", "POST", RBAC "/clusterroles",
         "{\"metadata\":{\"name\":\"look\"},\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],"
         "\"resources\":[\"nodes\"],\"resourceNames\":[\"h1\"]}]}",
         201);
  EXPECT("adam", "PATCH", RBAC "/clusterroles/look",
         "{\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"nodes\"]}]}", 403);
  EXPECT("adam", "PATCH", RBAC "/clusterroles/view",
         "{\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]}", 403);
  EXPECT("adam", "PATCH", RBAC "/clusterrolebindings/cluster-admin",
         "{\"subjects\":[{\"kind\":\"User\",\"name\":\"adam\"}]}", 403);
  EXPECT("adam", "POST", RBAC "/clusterrolebindings",
         "{\"metadata\":{\"name\":\"b\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
         "\"cluster-admin\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"adam\"}]}",
         403);
  EXPECT("adam", "POST", RBAC "/clusterrolebindings",
         "{\"metadata\":{\"name\":\"b\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
         "\"edit\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"eve\"}]}",
         201);
  EXPECT("eve", "POST", RBAC "/clusterrolebindings", "{}", 403);
}

/* Of one namespace's administrator: nothing for the whole cluster, nothing elsewhere. */
static void a_namespace_is_a_limit(Server *s, gconstpointer data) {
  bind_to(s, "default", "admin", "ned");
  EXPECT("ned", "POST", RBAC "/clusterroles", "{\"metadata\":{\"name\":\"x\"}}", 403);
  EXPECT("ned", "POST", RBAC "/namespaces/default/rolebindings",
         "{\"metadata\":{\"name\":\"b\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"view\"},"
         "\"subjects\":[{\"kind\":\"Group\",\"name\":\"team\"}]}",
         201);
  EXPECT("ned", "POST", RBAC "/namespaces/default/roles",
         "{\"metadata\":{\"name\":\"r\"},\"rules\":[{\"verbs\":[\"list\"],\"apiGroups\":"
         "[\"kubevirt.io\"],\"resources\":[\"virtualmachineinstances\"]}]}",
         201);
  EXPECT("ned", "POST", RBAC "/namespaces/kubevirt/roles",
         "{\"metadata\":{\"name\":\"r\"},\"rules\":[]}", 403);
  EXPECT("ned", "DELETE", "/api/v1/nodes/h1", NULL, 403);
}

static void acting_as(Server *s, gconstpointer data) {
  bind_to(s, NULL, "edit", "joe");
  g_autoptr(Answer) self =
      http_full(s, "admin", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                "Impersonate-User: joe\nImpersonate-Group: team", "{}", 2);
  expect(self, 201);
  g_assert_cmpstr(ferry_json_str(self->json, "status.userInfo.username"), ==, "joe");
  g_assert_true(ferry_json_has_word(ferry_json_get(self->json, "status.userInfo.groups"), "team"));
  g_assert_true(ferry_json_has_word(ferry_json_get(self->json, "status.userInfo.groups"),
                                    "system:authenticated"));
  static const char *const refused[] = {"Impersonate-User: joe\nImpersonate-Uid: 1",
                                        "Impersonate-User: joe\nImpersonate-Extra-x: 1"};
  for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_autoptr(Answer) a = http_full(s, "admin", "GET", VMI, refused[i], NULL, 0);
    expect(a, 403);
  }
  g_autoptr(Answer) nobody = http_full(s, NULL, "GET", VMI, "Impersonate-User: joe", NULL, 0);
  expect(nobody, 401);
}

static void dangerous_fields(Server *s, gconstpointer data) {
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
  const char *policy = "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"selectors\":{}}}";
  EXPECT("ed", "POST", POLICIES, policy, 201);
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"allowMonitorCommands\":true}}", 403);
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"allowMonitorCommands\":false}}", 200);
  EXPECT("ada", "PATCH", POLICIES "/p", "{\"spec\":{\"allowMonitorCommands\":true}}", 200);
  EXPECT("ed", "PATCH", POLICIES "/p", "{\"spec\":{\"maxDowntimeMs\":300}}", 200);
  EXPECT("olga", "POST", VMIM, "{\"metadata\":{\"name\":\"plain\"},\"spec\":{\"vmiName\":\"db\"}}",
         201);
}

/* ---- the pure rules ---- */

static gboolean covers(const char *rule, FerryAccess a) {
  g_autoptr(json_t) r = json_loads(rule, 0, NULL);
  g_assert_nonnull(r);
  return ferry_rbac_rule_covers(r, &a);
}

static void rules(void) {
#define RULE(v, g, r, rest)                                                                        \
  "{\"verbs\":[\"" v "\"],\"apiGroups\":[\"" g "\"],\"resources\":[\"" r "\"]" rest "}"
#define GET(r, ...) ((FerryAccess){.verb = "get", .group = "g", .resource = r, ##__VA_ARGS__})
  g_assert_true(covers(RULE("get", "g", "x", ""), GET("x")));
  g_assert_false(covers(RULE("list", "g", "x", ""), GET("x")));
  g_assert_false(covers(RULE("get", "", "x", ""), GET("x")));
  g_assert_false(covers(RULE("get", "g", "x", ""), GET("x", .subresource = "y")));
  g_assert_true(covers(RULE("get", "g", "x/y", ""), GET("x", .subresource = "y")));
  g_assert_false(covers(RULE("get", "g", "x/y", ""), GET("x")));
  g_assert_true(covers(RULE("get", "g", "*/y", ""), GET("x", .subresource = "y")));
  g_assert_false(covers(RULE("get", "g", "*/y", ""), GET("x")));
  g_assert_false(covers(RULE("get", "g", "x/*", ""), GET("x", .subresource = "y")));
  g_assert_true(covers(RULE("*", "*", "*", ""), GET("x", .subresource = "y")));
  const char *named = RULE("get", "g", "x", ",\"resourceNames\":[\"a\"]");
  g_assert_true(covers(named, GET("x", .name = "a")));
  g_assert_false(covers(named, GET("x", .name = "b")));
  g_assert_false(covers(named, GET("x")));
  const char *url = "{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a\",\"/b/*\"]}";
  g_assert_true(covers(url, (FerryAccess){.verb = "get", .path = "/a"}));
  g_assert_false(covers(url, (FerryAccess){.verb = "get", .path = "/a/b"}));
  g_assert_true(covers(url, (FerryAccess){.verb = "get", .path = "/b/c"}));
  g_assert_false(covers(url, (FerryAccess){.verb = "get", .path = "/b"}));
  g_assert_false(covers(url, GET("/a")));
  g_assert_false(covers(RULE("*", "*", "*", ""), (FerryAccess){.verb = "get", .path = "/a"}));
}

static gboolean held(const char *owned, const char *wanted) {
  g_autoptr(json_t) o = json_loads(owned, 0, NULL);
  g_autoptr(json_t) w = json_loads(wanted, 0, NULL);
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  for (gsize i = 0; i < json_array_size(o); i++)
    g_ptr_array_add(list, json_array_get(o, i));
  g_autofree char *missing = NULL;
  gboolean ok = ferry_rbac_rules_cover(list, w, &missing);
  g_assert_true(ok == (missing == NULL));
  return ok;
}

static void one_role_in_another(void) {
  g_assert_true(held("[" RULE("*", "*", "*", "") "]", "[" RULE("get", "g", "x/y", "") "]"));
  g_assert_false(held("[" RULE("get", "g", "x", "") "]", "[" RULE("*", "g", "x", "") "]"));
  g_assert_false(held("[" RULE("get", "g", "x", "") "]", "[" RULE("get", "*", "x", "") "]"));
  g_assert_false(held("[" RULE("get", "g", "x", "") "]", "[" RULE("get", "g", "*", "") "]"));
  g_assert_false(held("[" RULE("get", "g", "x", ",\"resourceNames\":[\"a\"]") "]",
                      "[" RULE("get", "g", "x", "") "]"));
  g_assert_true(held("[" RULE("get", "g", "x", "") "]",
                     "[" RULE("get", "g", "x", ",\"resourceNames\":[\"a\"]") "]"));
  g_assert_true(held("[" RULE("get", "g", "x", "") "," RULE("list", "g", "y", "") "]",
                     "[{\"verbs\":[\"get\"],\"apiGroups\":[\"g\"],\"resources\":[\"x\"]}]"));
  g_assert_false(held("[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a/*\"]}]",
                      "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"*\"]}]"));
  g_assert_true(held("[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a/*\"]}]",
                     "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a/b*\"]}]"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(path, f) g_test_add("/api/rbac/" path, Server, NULL, server_up, f, server_down)
  g_test_add_func("/api/rbac/rules", rules);
  g_test_add_func("/api/rbac/one-role-in-another", one_role_in_another);
  ADD("a-binding-gives-at-once", a_binding_gives_at_once);
  ADD("nobody-grants-what-he-lacks", nobody_grants_what_he_lacks);
  ADD("a-namespace-is-a-limit", a_namespace_is_a_limit);
  ADD("acting-as", acting_as);
  ADD("dangerous-fields", dangerous_fields);
  return g_test_run();
}
