// SPDX-License-Identifier: Apache-2.0
// The verbs bind and escalate, bindings and their subjects, credentials for others, and the roles
// that Ferry ships.
#include "rights.h"

#define USERS "/apis/ferry.migration/v1/users"
#define USER(name, groups)                                                                         \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"User\",\"metadata\":{\"name\":\"" name        \
  "\"},\"spec\":{\"groups\":[" groups "]}}"
#define BINDING(name, role, subject)                                                               \
  "{\"metadata\":{\"name\":\"" name "\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"" role   \
  "\"},\"subjects\":[" subject "]}"
#define SUBJECT(kind, name) "{\"kind\":\"" kind "\",\"name\":\"" name "\"}"
#define ALL(name)                                                                                  \
  "{\"metadata\":{\"name\":\"" name "\"},\"rules\":[" RULE("\"*\"", "*", "*", "") "]}"
#define ROLES RBAC "/clusterroles"
#define BINDINGS RBAC "/clusterrolebindings"
#define GROUP "rbac.authorization.k8s.io"

static void writing_without_having(Server *s, gconstpointer data) {
  bind_to(s, NULL, "admin", "adam");
  EXPECT("adam", "POST", ROLES, ALL("mine"), 403);
  give(s, NULL, "lift", RULE("\"escalate\"", GROUP, "clusterroles", NAMED("mine")), "adam");
  EXPECT("adam", "POST", ROLES, ALL("other"), 403);
  EXPECT("adam", "POST", ROLES, ALL("mine"), 201);
  EXPECT("adam", "POST", RBAC "/namespaces/default/roles", ALL("mine"), 403);
  EXPECT("adam", "PATCH", ROLES "/view", "{\"rules\":[" RULE("\"*\"", "*", "*", "") "]}", 403);
  /* to have written it is not to have it, nor to give it */
  EXPECT("adam", "POST", BINDINGS, BINDING("b", "mine", SUBJECT("User", "adam")), 403);
}

static void binding_without_having(Server *s, gconstpointer data) {
  bind_to(s, NULL, "admin", "adam");
  g_autoptr(Answer) other = http(s, "POST", ROLES, ALL("other"));
  expect(other, 201);
  EXPECT("adam", "POST", BINDINGS, BINDING("b", "cluster-admin", SUBJECT("User", "eve")), 403);
  give(s, NULL, "binder", RULE("\"bind\"", GROUP, "clusterroles", NAMED("cluster-admin")), "adam");
  EXPECT("adam", "POST", BINDINGS, BINDING("b", "other", SUBJECT("User", "eve")), 403);
  EXPECT("adam", "POST", BINDINGS, BINDING("b", "cluster-admin", SUBJECT("User", "eve")), 201);
  EXPECT("eve", "DELETE", POLICIES "/none", NULL, 404);
}

/* What is granted in a namespace is good for bindings there. */
static void bind_in_a_namespace(Server *s, gconstpointer data) {
  bind_to(s, NULL, "admin", "adam");
  give(s, "default", "binder", RULE("\"bind\"", GROUP, "clusterroles", ""), "adam");
  static const char body[] = BINDING("b", "cluster-admin", SUBJECT("User", "eve"));
  EXPECT("adam", "POST", BINDINGS, body, 403);
  EXPECT("adam", "POST", RBAC "/namespaces/kubevirt/rolebindings", body, 403);
  EXPECT("adam", "POST", RBAC "/namespaces/default/rolebindings", body, 201);
}

static void what_a_binding_is(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", BINDINGS, BINDING("b", "view", SUBJECT("User", "eve")));
  expect(made, 201);
  g_autoptr(Answer) patched =
      http_full(s, "admin", "PATCH", BINDINGS "/b", MERGE, "{\"roleRef\":{\"name\":\"edit\"}}", -1);
  expect(patched, 422);
  g_assert_nonnull(strstr(patched->body, "roleRef"));
  g_autoptr(Answer) put =
      http(s, "PUT", BINDINGS "/b", BINDING("b", "edit", SUBJECT("User", "eve")));
  expect(put, 422);
  g_autoptr(Answer) account =
      http(s, "POST", BINDINGS, BINDING("c", "view", SUBJECT("ServiceAccount", "eve")));
  expect(account, 422);
  g_assert_nonnull(strstr(account->body, "no service accounts here"));
  g_autoptr(Answer) later = http_full(
      s, "admin", "PATCH", BINDINGS "/b", MERGE,
      "{\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"a\",\"namespace\":\"default\"}]}",
      -1);
  expect(later, 422);
  EXPECT("eve", "GET", VMI, NULL, 200);
}

/* ---- credentials ---- */

static void credentials_for_others(Server *s, gconstpointer data) {
  bind_to(s, NULL, "admin", "adam");
  bind_to(s, NULL, "cluster-admin", "strong");
  bind_to(s, "default", "cluster-admin", "local");
  g_autoptr(Answer) bosses =
      http(s, "POST", BINDINGS, BINDING("bosses", "cluster-admin", SUBJECT("Group", "bosses")));
  expect(bosses, 201);
  /* the name, a namespace's binding, a group: each would be more than adam is */
  static const char *const refused[] = {USER("strong", ""), USER("local", ""),
                                        USER("x", "\"bosses\""),
                                        USER("x", "\"ferry:viewers\",\"bosses\"")};
  for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_autoptr(Answer) a = answer_to(s, "adam", "POST", USERS, refused[i]);
    expect(a, 403);
    g_assert_nonnull(strstr(a->body, "not currently held"));
  }
  g_assert_cmpint(ask(s, "adam", "POST", USERS, USER("y", "\"system:masters\"")), >=, 400);
  for (gsize i = 0; i < 3; i++) {
    g_autoptr(Answer) made = http(s, "POST", USERS, refused[i]);
    expect(made, 201);
  }
  EXPECT("adam", "POST", USERS, USER("weak", "\"ferry:viewers\""), 201);
  static const char *const names[] = {"strong", "local", "x", "weak"};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *token = g_strdup_printf(USERS "/%s/token", names[i]);
    g_autofree char *certificate = g_strdup_printf(USERS "/%s/certificate", names[i]);
    gboolean weak = g_str_equal(names[i], "weak");
    EXPECT("adam", "POST", token, "{}", weak ? 201 : 403);
    EXPECT("adam", "POST", certificate, "{}", weak ? 400 : 403); /* 400: no request in it */
  }
  EXPECT("adam", "PATCH", USERS "/weak", "{\"spec\":{\"groups\":[\"bosses\"]}}", 403);
  /* whoever became stronger meanwhile is out of reach, too */
  bind_to(s, NULL, "cluster-admin", "weak");
  EXPECT("adam", "POST", USERS "/weak/token", "{}", 403);
}

/* A status says which VM of which host is meant: all rights in one's own namespace do not reach so
 * far, by whatever is asked for. */
static void status_is_nobodys(Server *s, gconstpointer data) {
  static const char m[] = "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\"}}";
  static const char steal[] =
      "{\"status\":{\"migrationState\":{\"domainName\":\"other\",\"sourceNode\":\"h2\"}}}";
  static const char vm[] = "{\"status\":{\"nodeName\":\"h2\"}}";
  static const char can[] =
      "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
      "\"resourceAttributes\":{\"verb\":\"patch\",\"group\":\"kubevirt.io\",\"resource\":"
      "\"virtualmachineinstances\",\"subresource\":\"status\",\"namespace\":\"default\"}}}";
  bind_to(s, "default", "cluster-admin", "kim");
  EXPECT("kim", "POST", VMIM, m, 201);
  static const char *const methods[] = {"PATCH", "PUT", "APPLY"};
  for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
    EXPECT("kim", methods[i], VMIM "/m/status", steal, 403);
    EXPECT("kim", methods[i], VMI "/db/status", vm, 403);
  }
  EXPECT("kim", "GET", VMIM "/m/status", NULL, 200);
  g_autoptr(Answer) no =
      answer_to(s, "kim", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", can);
  g_assert_false(ferry_json_bool(no->json, "status.allowed", TRUE));
  give(s, NULL, "statuses",
       RULE("\"patch\"", "kubevirt.io", "virtualmachineinstancemigrations/status", ""), "kim");
  EXPECT("kim", "PATCH", VMIM "/m/status", "{\"status\":{\"phase\":\"Pending\"}}", 200);
}

/* ---- the roles that are there ---- */

static void restart(Server *s) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  g_autoptr(GError) error = NULL;
  ferry_api_free(s->api);
  FerryApiConfig config = {.store = s->store, .state_dir = s->dir, .listen = listen};
  s->api = ferry_api_new(&config, &error);
  g_assert_no_error(error);
}

static void shipped_roles(Server *s, gconstpointer data) {
  static const char nothing[] = "{\"rules\":[]}";
  static const char own[] =
      "{\"metadata\":{\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"false\"}},"
      "\"rules\":[]}";
  bind_to(s, NULL, "view", "ann");
  bind_to(s, NULL, "operate", "olga");
  bind_to(s, NULL, "edit", "ed");
  EXPECT("ann", "GET", VMI, NULL, 200);
  g_autoptr(Answer) gone = http(s, "DELETE", ROLES "/view", NULL);
  expect(gone, 200);
  g_autoptr(Answer) empty = http_full(s, "admin", "PATCH", ROLES "/operate", MERGE, nothing, -1);
  expect(empty, 200);
  g_autoptr(Answer) kept = http_full(s, "admin", "PATCH", ROLES "/edit", MERGE, own, -1);
  expect(kept, 200);
  g_autoptr(Answer) added = http_full(s, "admin", "PATCH", BINDINGS "/ferry:viewers", MERGE,
                                      "{\"subjects\":[" SUBJECT("User", "vic") "]}", -1);
  expect(added, 200);
  const char *people[] = {"ann", "olga", "ed"};
  for (gsize i = 0; i < G_N_ELEMENTS(people); i++)
    EXPECT(people[i], "GET", VMI, NULL, 403);
  EXPECT("vic", "GET", VMI, NULL, 403); /* his binding's role is gone */
  restart(s);
  EXPECT("ann", "GET", VMI, NULL, 200);
  EXPECT("olga", "GET", VMI, NULL, 200);
  EXPECT("vic", "GET", VMI, NULL, 200);
  EXPECT("ed", "GET", VMI, NULL, 403);
  g_autoptr(Answer) viewers = http(s, "GET", BINDINGS "/ferry:viewers", NULL);
  g_assert_cmpuint(json_array_size(ferry_json_get(viewers->json, "subjects")), ==, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(path, f) g_test_add("/api/granting/" path, Server, NULL, server_up, f, server_down)
  ADD("escalate", writing_without_having);
  ADD("bind", binding_without_having);
  ADD("bind-in-a-namespace", bind_in_a_namespace);
  ADD("binding", what_a_binding_is);
  ADD("credentials", credentials_for_others);
  ADD("status", status_is_nobodys);
  ADD("shipped", shipped_roles);
  return g_test_run();
}
