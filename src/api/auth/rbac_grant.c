// SPDX-License-Identifier: Apache-2.0
// Nobody grants what he lacks, as in Kubernetes: who writes a role holds every right in it, or the
// verb escalate on it; who writes a binding holds every right of the role that it gives, where it
// gives it, or the verb bind on that role. Nor does anybody hand out a credential that can do more.
#include "api/auth/rbac_grant.h"
#include "api/auth/authz.h"
#include "api/http/respond.h"
#include "api/auth/rbac.h"
#include "model/field/object_meta.h"

#include <string.h>

/* FORBIDDEN with what is lacking, unless `user` has all of `wanted` in `ns`. */
static gboolean holds_all(FerryApi *api, const FerryUser *user, const char *ns,
                          const json_t *wanted, const char *what, GError **error) {
  g_autofree char *missing = NULL;
  if (user->admin)
    return TRUE;
  g_autoptr(GPtrArray) owned = ferry_rbac_rules_of(api, user, ns);
  if (ferry_rbac_rules_cover(owned, wanted, &missing))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "%s is forbidden: user \"%s\" is attempting to grant rights not currently held: %s",
              what, user->name, missing);
  return FALSE;
}

static gboolean rbac_grant_may(FerryRequest *req, const char *verb, const FerryKind *kind,
                               const char *ns, const char *name) {
  FerryAccess a = {
      .verb = verb, .group = FERRY_GROUP_RBAC, .resource = kind->plural, .ns = ns, .name = name};
  return ferry_authz_allows(req->api, req->user, &a);
}

static char *what_of(FerryRequest *req, const json_t *object) {
  g_autofree char *kind = ferry_qualified(req->found.kind);
  return g_strdup_printf("%s \"%s\"", kind, ferry_json_str(object, "metadata.name"));
}

static gboolean judge_role(FerryRequest *req, const json_t *object, GError **error) {
  if (rbac_grant_may(req, "escalate", req->found.kind, req->found.ns,
                     ferry_json_str(object, "metadata.name")))
    return TRUE;
  g_autofree char *what = what_of(req, object);
  return holds_all(req->api, req->user, req->found.ns, json_object_get(object, "rules"), what,
                   error);
}

static gboolean judge_binding(FerryRequest *req, const json_t *object, GError **error) {
  const char *name = ferry_json_str(object, "roleRef.name");
  gboolean cluster = g_strcmp0(ferry_json_str(object, "roleRef.kind"), "ClusterRole") == 0;
  const FerryKind *kind = cluster ? &ferry_kind_cluster_role : &ferry_kind_role;
  /* Kubernetes asks for `bind` in the binding's namespace, also on a ClusterRole. */
  if (req->user->admin || rbac_grant_may(req, "bind", kind, req->found.ns, name))
    return TRUE;
  g_autoptr(json_t) role =
      ferry_store_get(req->api->store, kind, cluster ? "" : req->found.ns, name);
  if (!role) {
    ferry_set_not_found(error, kind, name);
    return FALSE;
  }
  g_autofree char *what = what_of(req, object);
  return holds_all(req->api, req->user, req->found.ns, json_object_get(role, "rules"), what, error);
}

static gboolean is_role(const FerryKind *kind) {
  return kind == &ferry_kind_role || kind == &ferry_kind_cluster_role;
}

/* roleRef.apiGroup and the subjects' are filled in, as Kubernetes does. */
static void fill_groups(json_t *object) {
  gsize i;
  json_t *subject;
  const char *said = ferry_json_str(object, "roleRef.apiGroup");
  if (ferry_json_get(object, "roleRef") && (!said || !*said))
    ferry_json_set_str(object, "roleRef.apiGroup", FERRY_GROUP_RBAC);
  json_array_foreach(json_object_get(object, "subjects"), i, subject) {
    const char *group = ferry_json_str(subject, "apiGroup");
    if (!group || !*group)
      json_object_set_new(subject, "apiGroup", json_string(FERRY_GROUP_RBAC));
  }
}

gboolean ferry_rbac_admit_create(FerryRequest *req, json_t *object, GError **error) {
  if (is_role(req->found.kind))
    return judge_role(req, object, error);
  fill_groups(object);
  return judge_binding(req, object, error);
}

gboolean ferry_rbac_admit_update(FerryRequest *req, const json_t *old, json_t *object,
                                 GError **error) {
  static const char *const parts[] = {"rules", "subjects", "roleRef", "aggregationRule"};
  if (!is_role(req->found.kind))
    fill_groups(object);
  gboolean same = TRUE; /* a label of a role that one does not hold gives nothing */
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
    json_t *was = json_object_get(old, parts[i]), *is = json_object_get(object, parts[i]);
    same &= was == is || (was && is && json_equal(was, is));
  }
  if (same)
    return TRUE;
  return is_role(req->found.kind) ? judge_role(req, object, error)
                                  : judge_binding(req, object, error);
}

/* ---- credentials ---- */

/* The namespaces in which bindings give something to the user, and NULL for everywhere. */
static gboolean covered_in(FerryApi *api, const FerryUser *granter, const FerryUser *user,
                           const char *ns, GError **error) {
  g_autoptr(GPtrArray) rules = ferry_rbac_rules_of(api, user, ns);
  g_autoptr(json_t) wanted = json_array();
  for (guint i = 0; i < rules->len; i++)
    json_array_append(wanted, g_ptr_array_index(rules, i));
  g_autofree char *what = g_strdup_printf("a credential of \"%s\"", user->name);
  return holds_all(api, granter, ns, wanted, what, error);
}

gboolean ferry_rbac_user_covered(FerryApi *api, const FerryUser *granter, const char *name,
                                 const char *const *groups, GError **error) {
  static const char *const none[] = {NULL};
  if (granter->admin)
    return TRUE;
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  for (gsize i = 0; groups && groups[i]; i++)
    g_ptr_array_add(all, (gpointer)groups[i]);
  g_ptr_array_add(all, (gpointer) "system:authenticated");
  g_ptr_array_add(all, NULL);
  g_autoptr(FerryUser) user =
      ferry_user_new(name ? name : "", all->len ? (const char *const *)all->pdata : none);
  if (user->admin || user->node) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "a credential of \"%s\" is forbidden: user \"%s\" is not of system:masters, and "
                "only they make others of system:masters or agents",
                user->name, granter->name);
    return FALSE;
  }
  if (!covered_in(api, granter, user, NULL, error))
    return FALSE;
  g_autoptr(GPtrArray) spaces = ferry_store_list(api->store, &ferry_kind_namespace, NULL, NULL);
  for (guint i = 0; i < spaces->len; i++) {
    const char *ns = ferry_json_str(g_ptr_array_index(spaces, i), "metadata.name");
    if (!covered_in(api, granter, user, ns, error))
      return FALSE;
  }
  return TRUE;
}
