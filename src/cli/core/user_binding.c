// SPDX-License-Identifier: Apache-2.0
#include "cli/core/user_binding.h"
#include "model/field/object_meta.h"
#include <stdio.h>
#include <string.h>

#define RBAC "/apis/rbac.authorization.k8s.io/v1"

static char *bindings_path(const FerryUserWish *wish) {
  g_autofree char *ns = wish->ns ? g_uri_escape_string(wish->ns, NULL, FALSE) : NULL;
  return ns ? g_strdup_printf(RBAC "/namespaces/%s/rolebindings", ns)
            : g_strdup(RBAC "/clusterrolebindings");
}

gboolean ferry_user_bind(FerryCli *cli, const FerryUserWish *wish, GError **error) {
  g_autofree char *path = bindings_path(wish);
  g_autofree char *name = g_strdup_printf("%s-%s", wish->name, wish->role);
  g_autoptr(json_t) body = json_pack(
      "{s:s, s:s, s:{s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion",
      FERRY_GROUP_RBAC "/v1", "kind", wish->ns ? "RoleBinding" : "ClusterRoleBinding", "metadata",
      "name", name, "roleRef", "apiGroup", FERRY_GROUP_RBAC, "kind", "ClusterRole", "name",
      wish->role, "subjects", "kind", "User", "apiGroup", FERRY_GROUP_RBAC, "name", wish->name);
  g_autoptr(json_t) answer = ferry_user_send(cli, "POST", path, body, error);
  return answer != NULL;
}

static gboolean is_subject(const json_t *binding, const char *name) {
  json_t *subject;
  size_t i;
  json_array_foreach(ferry_json_get(binding, "subjects"), i, subject) {
    if (g_strcmp0(ferry_json_str(subject, "kind"), "User") == 0 &&
        g_strcmp0(ferry_json_str(subject, "name"), name) == 0)
      return TRUE;
  }
  return FALSE;
}

static char *path_of_binding(const char *plural, const json_t *binding) {
  const char *ns = ferry_json_str(binding, "metadata.namespace");
  g_autofree char *name =
      g_uri_escape_string(ferry_json_str(binding, "metadata.name"), NULL, FALSE);
  return ns ? g_strdup_printf(RBAC "/namespaces/%s/%s/%s", ns, plural, name)
            : g_strdup_printf(RBAC "/%s/%s", plural, name);
}

/* In the list of this plural. */
static gboolean unbind_in(FerryCli *cli, const char *plural, const char *name, guint *gone,
                          GError **error) {
  g_autofree char *list = g_strconcat(RBAC "/", plural, NULL);
  g_autoptr(json_t) all = ferry_user_send(cli, "GET", list, NULL, error);
  json_t *binding;
  size_t i;
  if (!all)
    return FALSE;
  json_array_foreach(json_object_get(all, "items"), i, binding) {
    if (!is_subject(binding, name))
      continue;
    g_autofree char *path = path_of_binding(plural, binding);
    if (json_array_size(ferry_json_get(binding, "subjects")) > 1) {
      printf("%s names %s beside others: take the name out with kubectl edit\n",
             path + strlen(RBAC "/"), name);
      continue;
    }
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) answer = ferry_user_send(cli, "DELETE", path, NULL, &problem);
    if (answer) {
      ++*gone;
    } else if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
  return TRUE;
}

gboolean ferry_user_unbind(FerryCli *cli, const char *name, guint *gone, GError **error) {
  return unbind_in(cli, "clusterrolebindings", name, gone, error) &&
         unbind_in(cli, "rolebindings", name, gone, error);
}

char *ferry_user_binding(const FerryUserWish *wish) {
  g_autofree char *bindings = bindings_path(wish);
  return g_strdup_printf("%s/%s-%s", bindings, wish->name, wish->role);
}
