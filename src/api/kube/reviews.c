// SPDX-License-Identifier: Apache-2.0
// Questions about oneself: may I, what may I, who am I. Plus health and version.
#include "api/internal.h"

#include <string.h>

static json_t *string_list(char *const *list) {
  json_t *out = json_array();
  for (gsize i = 0; list[i]; i++)
    json_array_append_new(out, json_string(list[i]));
  return out;
}

static json_t *answer_access(FerryRequest *req, const json_t *body) {
  const json_t *r = ferry_json_get(body, "spec.resourceAttributes");
  const json_t *p = ferry_json_get(body, "spec.nonResourceAttributes");
  const char *verb = ferry_json_str(r ? r : p, "verb");
  FerryAccess access = {.verb = verb ? verb : ""};
  if (r) {
    const char *group = ferry_json_str(r, "group");
    const char *resource = ferry_json_str(r, "resource");
    access.group = group ? group : "";
    access.resource = resource ? resource : "";
    access.subresource = ferry_json_str(r, "subresource");
    access.ns = ferry_json_str(r, "namespace");
    access.name = ferry_json_str(r, "name");
    if (access.subresource && !*access.subresource)
      access.subresource = NULL;
    if (access.name && !*access.name)
      access.name = NULL;
  } else {
    access.path = ferry_json_str(p, "path");
    if (!access.path)
      access.path = "/";
  }
  gboolean allowed = ferry_authz_allows(req->api, req->user, &access);
  json_t *status = json_pack("{s:b}", "allowed", allowed);
  if (allowed && r && *access.resource && !g_str_equal(access.resource, "*")) {
    /* An administrator may do all, but not what nothing here can do. */
    const FerryKind *kind = ferry_kind_by_plural(access.group, NULL, access.resource);
    if (!kind)
      json_object_set_new(status, "reason", json_string("the server has no such resource"));
  }
  return status;
}

gboolean ferry_serve_review(FerryRequest *req, GError **error) {
  static const struct {
    const char *group, *resource, *kind;
  } known[] = {
      {"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"},
      {"authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"},
      {"authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"},
  };
  char **s = req->segments;
  if (g_strv_length(s) == 3)
    return ferry_serve_discovery(req, error);
  gsize which = G_N_ELEMENTS(known);
  for (gsize i = 0; i < G_N_ELEMENTS(known) && g_strv_length(s) == 4; i++)
    if (g_str_equal(known[i].group, s[1]) && g_str_equal(known[i].resource, s[3]))
      which = i;
  if (which == G_N_ELEMENTS(known)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "the server could not find the requested resource");
    return FALSE;
  }
  if (!g_str_equal(req->method, "POST")) {
    ferry_respond_header(req, "Allow", "POST");
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
                "the server does not allow this method on the requested resource: POST only");
    return FALSE;
  }
  if (!ferry_negotiate(req, FALSE, error))
    return FALSE;
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  json_t *status;
  if (which == 0)
    status = answer_access(req, body);
  else if (which == 1)
    status = json_pack("{s:o, s:[], s:b}", "resourceRules", ferry_authz_rules(req->user),
                       "nonResourceRules", "incomplete", 0);
  else
    status = json_pack("{s:{s:s, s:o}}", "userInfo", "username", req->user->name, "groups",
                       string_list(req->user->groups));
  json_t *spec = json_object_get(body, "spec");
  g_autofree char *version = g_strdup_printf("%s/%s", s[1], s[2]);
  json_t *answer = json_pack("{s:s, s:s, s:{}, s:o}", "kind", known[which].kind, "apiVersion",
                             version, "metadata", "status", status);
  if (spec)
    json_object_set(answer, "spec", spec);
  ferry_respond_json(req, 201, answer);
  return TRUE;
}
