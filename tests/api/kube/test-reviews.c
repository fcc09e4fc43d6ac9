// SPDX-License-Identifier: Apache-2.0
// What one may do, as one is told it.
#include "base/file.h"
#include "../http.h"

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

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/api/reviews/a-viewer-looks", Server, NULL, viewer_up, a_viewer_looks, server_down);
  return g_test_run();
}
