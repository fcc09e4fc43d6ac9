// SPDX-License-Identifier: Apache-2.0
// Roles and bindings over HTTP: what they give, that nobody gives what he lacks, acting as somebody
// else.
#include "rights.h"
#include "api/auth/rbac_rules.h"

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

/* ---- the pure rules ---- */

static gboolean covers(const char *rule, FerryAccess a) {
  g_autoptr(json_t) r = json_loads(rule, 0, NULL);
  g_assert_nonnull(r);
  return ferry_rbac_rule_covers(r, &a);
}

static void rules(void) {
#define PLAIN(v, g, r, rest)                                                                       \
  "{\"verbs\":[\"" v "\"],\"apiGroups\":[\"" g "\"],\"resources\":[\"" r "\"]" rest "}"
#define GET(r, ...) ((FerryAccess){.verb = "get", .group = "g", .resource = r, ##__VA_ARGS__})
  g_assert_true(covers(PLAIN("get", "g", "x", ""), GET("x")));
  g_assert_false(covers(PLAIN("list", "g", "x", ""), GET("x")));
  g_assert_false(covers(PLAIN("get", "", "x", ""), GET("x")));
  g_assert_false(covers(PLAIN("get", "g", "x", ""), GET("x", .subresource = "y")));
  g_assert_true(covers(PLAIN("get", "g", "x/y", ""), GET("x", .subresource = "y")));
  g_assert_false(covers(PLAIN("get", "g", "x/y", ""), GET("x")));
  g_assert_true(covers(PLAIN("get", "g", "*/y", ""), GET("x", .subresource = "y")));
  g_assert_false(covers(PLAIN("get", "g", "*/y", ""), GET("x")));
  g_assert_false(covers(PLAIN("get", "g", "x/*", ""), GET("x", .subresource = "y")));
  g_assert_true(covers(PLAIN("*", "*", "*", ""), GET("x", .subresource = "y")));
  const char *named = PLAIN("get", "g", "x", ",\"resourceNames\":[\"a\"]");
  g_assert_true(covers(named, GET("x", .name = "a")));
  g_assert_false(covers(named, GET("x", .name = "b")));
  g_assert_false(covers(named, GET("x")));
  const char *url = "{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a\",\"/b/*\"]}";
  g_assert_true(covers(url, (FerryAccess){.verb = "get", .path = "/a"}));
  g_assert_false(covers(url, (FerryAccess){.verb = "get", .path = "/a/b"}));
  g_assert_true(covers(url, (FerryAccess){.verb = "get", .path = "/b/c"}));
  g_assert_false(covers(url, (FerryAccess){.verb = "get", .path = "/b"}));
  g_assert_false(covers(url, GET("/a")));
  g_assert_false(covers(PLAIN("*", "*", "*", ""), (FerryAccess){.verb = "get", .path = "/a"}));
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
  g_assert_true(held("[" PLAIN("*", "*", "*", "") "]", "[" PLAIN("get", "g", "x/y", "") "]"));
  g_assert_false(held("[" PLAIN("get", "g", "x", "") "]", "[" PLAIN("*", "g", "x", "") "]"));
  g_assert_false(held("[" PLAIN("get", "g", "x", "") "]", "[" PLAIN("get", "*", "x", "") "]"));
  g_assert_false(held("[" PLAIN("get", "g", "x", "") "]", "[" PLAIN("get", "g", "*", "") "]"));
  g_assert_false(held("[" PLAIN("get", "g", "x", ",\"resourceNames\":[\"a\"]") "]",
                      "[" PLAIN("get", "g", "x", "") "]"));
  g_assert_true(held("[" PLAIN("get", "g", "x", "") "]",
                     "[" PLAIN("get", "g", "x", ",\"resourceNames\":[\"a\"]") "]"));
  g_assert_true(held("[" PLAIN("get", "g", "x", "") "," PLAIN("list", "g", "y", "") "]",
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
  return g_test_run();
}
