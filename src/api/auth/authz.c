// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what nothing allows is forbidden. system:masters may do all; an agent may do
// what node_rules.c says of its own node; everything else is what the stored roles and bindings
// give (rbac.c). What is asked here is what the router found, or what a handler is about to do
// besides; never the text of a request.
#include "api/auth/authz.h"
#include "api/auth/node_rules.h"
#include "api/http/query.h"
#include "api/http/route.h"
#include "api/lookup/find.h"
#include "api/auth/rbac.h"
#include "api/http/route.h"

/* What is stored as an object's status steers hosts (which VM, where to), so it is nobody's in a
 * namespace of his: a binding must give it everywhere. */
static gboolean is_of_all(const FerryAccess *a) {
  static const char *const writes[] = {"update", "patch", NULL};
  return g_strcmp0(a->subresource, "status") == 0 && g_strv_contains(writes, a->verb);
}

gboolean ferry_authz_allows(FerryApi *api, const FerryUser *user, const FerryAccess *a) {
  if (user->admin)
    return TRUE;
  if (!a->verb || (!a->path && !a->resource))
    return FALSE;
  if (user->node && !a->path && ferry_node_rules_allow(api, user->node, a))
    return TRUE;
  FerryAccess wanted = *a;
  if (!a->path && is_of_all(a))
    wanted.ns = NULL;
  return ferry_rbac_allows(api, user, &wanted);
}

static gboolean authz_forbid(const FerryUser *user, const FerryAccess *a, GError **error) {
  if (user->anonymous && !user->impersonator) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized");
    return FALSE;
  }
  if (a->path) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "forbidden: User \"%s\" cannot %s path \"%s\"", user->name, a->verb, a->path);
    return FALSE;
  }
  g_autofree char *name = a->name ? g_strdup_printf(" \"%s\"", a->name) : g_strdup("");
  g_autofree char *where =
      a->ns ? g_strdup_printf("in the namespace \"%s\"", a->ns) : g_strdup("at the cluster scope");
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API group "
              "\"%s\" %s",
              a->resource, *a->group ? "." : "", a->group, name, user->name, a->verb, a->resource,
              a->subresource ? "/" : "", a->subresource ? a->subresource : "", a->group, where);
  return FALSE;
}

gboolean ferry_authz_require(FerryRequest *req, const FerryAccess *access, GError **error) {
  return ferry_authz_allows(req->api, req->user, access) || authz_forbid(req->user, access, error);
}

/* ---- what was found ---- */

/* The VM's own name where it was asked for by another: a rule for one name must not let another VM
 * in that answers to it. NULL: it is asked for by its own, or there is none. */
static char *own_name(FerryRequest *req) {
  const FerryKind *kind = req->found.kind;
  req->found.kind = &ferry_kind_vmi;
  g_autoptr(json_t) vmi = ferry_resource_find(req, NULL);
  req->found.kind = kind;
  return g_strdup(ferry_json_str(vmi, "metadata.name"));
}

/* A list or watch of the one object that its field selector names is judged like a get of it. */
static void fill_from_fields(FerryRequest *req, FerryAccess *a, FerrySelector **fields) {
  const char *text = ferry_query(req, "fieldSelector");
  gboolean many = g_str_equal(a->verb, "list") || g_str_equal(a->verb, "watch");
  if (!many || !text || !req->found.kind)
    return;
  *fields =
      ferry_selector_parse_fields(req->found.kind, text, NULL); /* the handler says what is wrong */
  a->fields = *fields;
  if (*fields && !a->name)
    a->name = ferry_selector_required(*fields, "metadata.name");
}

void ferry_authz_access_of(FerryRequest *req, FerryAccess *access, char **own,
                           FerrySelector **fields) {
  const FerryApiRoute *r = req->found.route;
  gboolean kind = r->rule == FERRY_RULE_KIND;
  FerryAccess a = {.verb = req->found.verb,
                   .group = kind ? req->found.kind->group : r->group,
                   .resource = kind ? req->found.kind->plural : r->resource,
                   .subresource = r->subresource,
                   .ns = r->in_ns ? r->in_ns : req->found.ns,
                   .name = r->named ? r->named : req->found.name};
  if (r->query_ns)
    a.ns = ferry_query(req, "namespace");
  if (a.ns && !*a.ns)
    a.ns = NULL;
  if (req->found.kind == &ferry_kind_namespace) /* as in Kubernetes: a namespace is in itself */
    a.ns = a.name;
  if (!req->user->admin && a.name && (r->names_vm || req->found.kind == &ferry_kind_vmi))
    *own = own_name(req);
  if (*own)
    a.name = *own;
  fill_from_fields(req, &a, fields);
  *access = a;
}

static gboolean check_resource(FerryRequest *req, GError **error) {
  FerryAccess a;
  g_autoptr(FerrySelector) fields = NULL;
  g_autofree char *own = NULL;
  ferry_authz_access_of(req, &a, &own, &fields);
  return ferry_authz_require(req, &a, error);
}

gboolean ferry_authz_check(FerryRequest *req, GError **error) {
  const FerryApiRoute *r = req->found.route;
  const FerryUser *user = req->user;
  if (r->rule == FERRY_RULE_OPEN)
    return TRUE;
  if (r->rule == FERRY_RULE_URL || r->rule == FERRY_RULE_OWN_NODE) {
    FerryAccess a = {.verb = req->found.verb, .path = r->url ? r->url : r->path};
    if (r->rule == FERRY_RULE_URL)
      return ferry_authz_require(req, &a, error);
    return user->admin || (user->node && g_strcmp0(user->node, req->found.name) == 0) ||
           authz_forbid(user, &a, error);
  }
  return check_resource(req, error);
}
