// SPDX-License-Identifier: Apache-2.0
// What one may do, as one is told it.
#include "base/file.h"
#include "../auth/rights.h"

#define REVIEWS "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#define VIEWER "Authorization: Bearer look-look-look-look"

/* A server that knows a token of a viewer. */
static void viewer_up(Server *s, gconstpointer data) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  server_up(s, data);
  g_autofree char *hash = ferry_sha256_hex("look-look-look-look", 19);
  g_autofree char *text = g_strdup_printf(
      "{\"tokens\":[{\"hash\":\"%s\",\"user\":\"vera\",\"groups\":[\"ferry:viewers\"]}]}", hash);
  g_autofree char *path = g_build_filename(s->dir, "tokens.json", NULL);
  g_assert_true(ferry_file_write(path, text, strlen(text), 0600, NULL));
  ferry_api_free(s->api);
  FerryApiConfig config = {.store = s->store, .state_dir = s->dir, .listen = listen};
  s->api = ferry_api_new(&config, NULL);
  g_assert_nonnull(s->api);
}

static gboolean allowed(Server *s, const char *who, const char *headers, const char *verb,
                        const char *resource) {
  g_autofree char *body = g_strdup_printf(
      "{\"spec\":{\"resourceAttributes\":{\"verb\":\"%s\",\"group\":\"kubevirt.io\","
      "\"resource\":\"%s\",\"namespace\":\"default\"}}}",
      verb, resource);
  g_autoptr(Answer) a = http_full(s, who, "POST", REVIEWS, headers, body, (gssize)strlen(body));
  expect(a, 201);
  g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "SelfSubjectAccessReview");
  g_assert_cmpstr(ferry_json_str(a->json, "spec.resourceAttributes.verb"), ==, verb);
  g_assert_true(json_is_boolean(ferry_json_get(a->json, "status.allowed")));
  return ferry_json_bool(a->json, "status.allowed", FALSE);
}

static void a_viewer_looks(Server *s, gconstpointer data) {
  g_assert_true(allowed(s, NULL, VIEWER, "list", "virtualmachineinstances"));
  g_assert_false(allowed(s, NULL, VIEWER, "create", "virtualmachineinstancemigrations"));
  g_assert_false(allowed(s, NULL, VIEWER, "delete", "virtualmachineinstancemigrations"));
  g_assert_true(allowed(s, "admin", NULL, "create", "virtualmachineinstancemigrations"));
  /* as it turns out */
  const char *body = MIGRATION("m", "db");
  g_autoptr(Answer) made = http_full(s, NULL, "POST", VMIM, VIEWER, body, (gssize)strlen(body));
  expect(made, 403);
}

#define RULES "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"

static gboolean may(Server *s, const char *who, const char *verb, const char *group,
                    const char *resource, const char *sub) {
  g_autofree char *body = g_strdup_printf(
      "{\"spec\":{\"resourceAttributes\":{\"verb\":\"%s\",\"group\":\"%s\",\"resource\":\"%s\","
      "\"subresource\":\"%s\",\"namespace\":\"default\"}}}",
      verb, group, resource, sub);
  g_autoptr(Answer) a = answer_to(s, who, "POST", REVIEWS, body);
  expect(a, 201);
  return ferry_json_bool(a->json, "status.allowed", FALSE);
}

/* Whether a list of rules gives this. */
static gboolean gives(const Answer *a, const char *verb, const char *resource) {
  gsize i;
  json_t *rule;
  json_array_foreach(ferry_json_get(a->json, "status.resourceRules"), i, rule) {
    if (ferry_json_has_word(json_object_get(rule, "resources"), resource) &&
        ferry_json_has_word(json_object_get(rule, "verbs"), verb))
      return TRUE;
  }
  return FALSE;
}

/* A binding in a namespace gives no hosts, and no status: neither question says otherwise. */
static void in_a_namespace(Server *s, gconstpointer data) {
  static const char ask_rules[] = "{\"spec\":{\"namespace\":\"default\"}}";
  static const char host[] = "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}";
  bind_to(s, "default", "operate", "nina");
  bind_to(s, NULL, "operate", "olga");
  give(s, "default", "writes-status",
       RULE("\"get\",\"patch\"", "kubevirt.io", "virtualmachineinstancemigrations/status", ""),
       "nina");
  EXPECT("nina", "PATCH", "/api/v1/nodes/h1", host, 403);
  EXPECT("olga", "PATCH", "/api/v1/nodes/h1", host, 200);
  g_assert_false(may(s, "nina", "patch", "", "nodes", ""));
  g_assert_false(may(s, "nina", "create", "ferry.migration", "evacuations", ""));
  g_assert_false(may(s, "nina", "create", "ferry.migration", "nodes", "token"));
  g_assert_true(may(s, "nina", "create", "kubevirt.io", "virtualmachineinstancemigrations", ""));
  g_assert_true(may(s, "nina", "create", "", "pods", "eviction"));
  g_assert_true(may(s, "olga", "patch", "", "nodes", ""));
  g_autoptr(Answer) own = answer_to(s, "nina", "POST", RULES, ask_rules);
  g_assert_false(gives(own, "patch", "nodes"));
  g_assert_false(gives(own, "list", "nodes"));
  g_assert_false(gives(own, "create", "evacuations"));
  g_assert_false(gives(own, "get", "migrationpolicies"));
  g_assert_false(gives(own, "patch", "virtualmachineinstancemigrations/status"));
  g_assert_true(gives(own, "get", "virtualmachineinstancemigrations/status"));
  g_assert_true(gives(own, "create", "virtualmachineinstancemigrations"));
  g_assert_true(gives(own, "list", "pods"));
  g_assert_true(gives(own, "create", "selfsubjectaccessreviews")); /* everybody's, everywhere */
  g_autoptr(Answer) all = answer_to(s, "olga", "POST", RULES, ask_rules);
  g_assert_true(gives(all, "patch", "nodes"));
  g_assert_true(gives(all, "create", "evacuations"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/api/reviews/a-viewer-looks", Server, NULL, viewer_up, a_viewer_looks, server_down);
  g_test_add("/api/reviews/in-a-namespace", Server, NULL, server_up, in_a_namespace, server_down);
  return g_test_run();
}
