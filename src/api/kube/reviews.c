// SPDX-License-Identifier: Apache-2.0
// Questions about rights: may I, what may I, who am I, may that one; answered by the authoriser
// that judges requests. Plus health and version.

#include "api/kube/reviews.h"
#include "api/auth/authz.h"
#include "api/auth/own_rules.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/http/route.h"

#include <string.h>

static const char *word_or(const json_t *object, const char *path, const char *fallback) {
  const char *text = ferry_json_str(object, path);
  return text && *text ? text : fallback;
}

/* What would be found is judged like what is found: a kind by its table, a namespace in itself. */
static void read_resource(FerryApi *api, const json_t *r, FerryAccess *a) {
  a->group = word_or(r, "group", "");
  a->resource = word_or(r, "resource", "");
  a->subresource = word_or(r, "subresource", NULL);
  a->ns = word_or(r, "namespace", NULL);
  a->name = word_or(r, "name", NULL);
  if (*a->group == '\0' && g_str_equal(a->resource, "namespaces"))
    a->ns = a->name;
  else if (!ferry_authz_in_namespaces(api, a->group, a->resource))
    a->ns = NULL;
}

static gboolean is_known(FerryApi *api, const FerryAccess *a) {
  const FerryApiRoute *routes = api->routes;
  if (a->path || !*a->resource || g_str_equal(a->resource, "*") ||
      ferry_kind_by_plural(a->group, NULL, a->resource))
    return TRUE;
  for (gsize i = 0; i < api->n_routes; i++)
    if (routes[i].rule == FERRY_RULE_RESOURCE && g_str_equal(routes[i].group, a->group) &&
        g_str_equal(routes[i].resource, a->resource))
      return TRUE;
  return FALSE;
}

/* Of a user (a SubjectAccessReview's, or oneself), by the same authoriser that judges requests. */
static json_t *answer_access(FerryRequest *req, const FerryUser *user, const json_t *body) {
  const json_t *r = ferry_json_get(body, "spec.resourceAttributes");
  const json_t *p = ferry_json_get(body, "spec.nonResourceAttributes");
  FerryAccess access = {.verb = word_or(r ? r : p, "verb", "")};
  if (r)
    read_resource(req->api, r, &access);
  else
    access.path = word_or(p, "path", "/");
  json_t *status = json_pack("{s:b}", "allowed", ferry_authz_allows(req->api, user, &access));
  if (!is_known(req->api, &access))
    json_object_set_new(status, "reason", json_string("the server has no such resource"));
  return status;
}

/* The user that a SubjectAccessReview asks about; NULL with BAD_REQUEST. */
static FerryUser *subject_of(const json_t *body, GError **error) {
  const char *name = ferry_json_str(body, "spec.user");
  const json_t *list = ferry_json_get(body, "spec.groups");
  g_autoptr(GPtrArray) groups = g_ptr_array_new();
  gsize i;
  json_t *one;
  json_array_foreach(list, i, one) {
    if (json_is_string(one))
      g_ptr_array_add(groups, (gpointer)json_string_value(one));
  }
  if ((!name || !*name) && groups->len == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "spec: name the user or at least one group that is asked about");
    return NULL;
  }
  g_ptr_array_add(groups, NULL);
  return ferry_user_new(name ? name : "", (const char *const *)groups->pdata);
}

static json_t *answer_subject(FerryRequest *req, const json_t *body, GError **error) {
  const char *ns = ferry_json_str(body, "spec.resourceAttributes.namespace");
  if (req->found.ns && g_strcmp0(ns, req->found.ns) != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "spec.resourceAttributes.namespace must be the namespace of the URL, %s",
                req->found.ns);
    return NULL;
  }
  g_autoptr(FerryUser) user = subject_of(body, error);
  return user ? answer_access(req, user, body) : NULL;
}

static json_t *answer_rules(FerryRequest *req, const json_t *body) {
  const char *ns = word_or(body, "spec.namespace", NULL);
  return json_pack("{s:o, s:o, s:b}", "resourceRules",
                   ferry_authz_rules(req->api, req->user, ns, FALSE), "nonResourceRules",
                   ferry_authz_rules(req->api, req->user, ns, TRUE), "incomplete", 0);
}

static json_t *answer_self(FerryRequest *req) {
  return json_pack("{s:{s:s, s:s*, s:o}}", "userInfo", "username", req->user->name, "uid",
                   req->user->uid, "groups",
                   ferry_json_strings((const char *const *)req->user->groups));
}

gboolean ferry_serve_review(FerryRequest *req, GError **error) {
  static const struct {
    const char *resource, *kind;
  } known[] = {
      {"selfsubjectaccessreviews", "SelfSubjectAccessReview"},
      {"selfsubjectrulesreviews", "SelfSubjectRulesReview"},
      {"selfsubjectreviews", "SelfSubjectReview"},
      {"subjectaccessreviews", "SubjectAccessReview"},
      {"localsubjectaccessreviews", "LocalSubjectAccessReview"},
  };
  gsize which = 0;
  while (!g_str_equal(known[which].resource, req->found.route->resource))
    which++;
  if (!ferry_negotiate(req, FALSE, error))
    return FALSE;
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  json_t *status = which == 0   ? answer_access(req, req->user, body)
                   : which == 1 ? answer_rules(req, body)
                   : which == 2 ? answer_self(req)
                                : answer_subject(req, body, error);
  if (!status)
    return FALSE;
  json_t *spec = json_object_get(body, "spec");
  g_autofree char *version =
      g_strdup_printf("%s/%s", req->found.route->group, req->asked.segments[2]);
  json_t *answer = json_pack("{s:s, s:s, s:{}, s:o}", "kind", known[which].kind, "apiVersion",
                             version, "metadata", "status", status);
  if (spec)
    json_object_set(answer, "spec", spec);
  ferry_respond_json(req, 201, answer);
  return TRUE;
}
