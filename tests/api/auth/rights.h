// SPDX-License-Identifier: Apache-2.0
// For the tests of rights: a person is whoever the administrator acts as, which is judged by that
// person's rights alone.
#pragma once
#include "../http.h"

#define RBAC "/apis/rbac.authorization.k8s.io/v1"
#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"

/* `method` APPLY is a server-side apply that takes fields over. */
static inline Answer *answer_to(Server *s, const char *who, const char *method, const char *path,
                                const char *body) {
  gboolean apply = g_str_equal(method, "APPLY"), patch = apply || g_str_equal(method, "PATCH");
  g_autofree char *headers =
      g_strdup_printf("Impersonate-User: %s%s%s", who, patch ? "\nContent-Type: application/" : "",
                      apply   ? "apply-patch+yaml"
                      : patch ? "merge-patch+json"
                              : "");
  g_autofree char *full = g_strconcat(path, apply ? "?fieldManager=test&force=true" : "", NULL);
  return http_full(s, "admin", apply ? "PATCH" : method, full, headers, body, body ? -1 : 0);
}

static inline long ask(Server *s, const char *who, const char *method, const char *path,
                       const char *body) {
  g_autoptr(Answer) a = answer_to(s, who, method, path, body);
  return a->status;
}

#define EXPECT(who, method, path, body, code)                                                      \
  g_assert_cmpint(ask(s, who, method, path, body), ==, code)

static inline void bind_to(Server *s, const char *ns, const char *role, const char *who) {
  g_autofree char *path = ns ? g_strdup_printf(RBAC "/namespaces/%s/rolebindings", ns)
                             : g_strdup(RBAC "/clusterrolebindings");
  g_autofree char *body = g_strdup_printf(
      "{\"metadata\":{\"name\":\"%s-%s\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"%s\"},"
      "\"subjects\":[{\"kind\":\"User\",\"name\":\"%s\"}]}",
      who, role, role, who);
  g_autoptr(Answer) a = http_full(s, "admin", "POST", path, NULL, body, (gssize)strlen(body));
  expect(a, 201);
}

/* A ClusterRole of these rules, given to `who` everywhere, or in `ns`. */
static inline void give(Server *s, const char *ns, const char *role, const char *rules,
                        const char *who) {
  g_autofree char *body =
      g_strdup_printf("{\"metadata\":{\"name\":\"%s\"},\"rules\":[%s]}", role, rules);
  g_autoptr(Answer) a = http(s, "POST", RBAC "/clusterroles", body);
  expect(a, 201);
  bind_to(s, ns, role, who);
}

#define RULE(v, g, r, rest)                                                                        \
  "{\"verbs\":[" v "],\"apiGroups\":[\"" g "\"],\"resources\":[\"" r "\"]" rest "}"
#define NAMED(n) ",\"resourceNames\":[\"" n "\"]"
