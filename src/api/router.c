// SPDX-License-Identifier: Apache-2.0
// From a method and a path to a handler.
//
// Theory of operation: the path is cut into segments and found in the table of routes.c; what was
// found (its rule, and the kind, namespace and name it names) is authorised; then its handler runs.
// Nothing judges the path as text, so no spelling of it can be judged differently from what it
// leads to.
#include "api/router.h"
#include "api/auth/authz.h"
#include "api/http/negotiate.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/http/route.h"
#include "api/routes.h"
#include "api/kimchi/kimchi.h"

#include <string.h>

#define MAX_SEGMENTS 16

static gboolean no_such_path(FerryRequest *req, GError **error) {
  if (ferry_kimchi_owns(req->asked.path))
    ferry_kimchi_no_such_path(req, error);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "the server could not find the requested resource: there is no %.200s here",
                req->asked.path);
  return FALSE;
}

static gboolean wrong_method(FerryRequest *req, const char *allow, GError **error) {
  const char *instead = req->found.refused_kind ? req->found.refused_kind->instead : NULL;
  ferry_respond_header(req, "Allow", allow);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
              "the server does not allow this method on the requested resource: %s here; allowed: "
              "%s%s%s",
              req->asked.method, allow, instead ? "; " : "", instead ? instead : "");
  return FALSE;
}

/* One slash at the end means nothing; "." and ".." are nobody's names. */
static gboolean cut_path(FerryRequest *req) {
  char **s = req->asked.segments;
  guint n = g_strv_length(s);
  if (n > 1 && !*s[n - 1])
    g_clear_pointer(&s[--n], g_free);
  for (guint i = 0; i < n; i++)
    if (g_str_equal(s[i], ".") || g_str_equal(s[i], ".."))
      return FALSE;
  return n < MAX_SEGMENTS;
}

gboolean ferry_route_judge(FerryRequest *req, GError **error) {
  g_autoptr(GString) allow = g_string_new(NULL);
  gboolean found = cut_path(req) && ferry_route_find(req, allow);
  if (!found && req->user->anonymous) { /* strangers learn nothing about what is here */
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized");
    return FALSE;
  }
  if (!found)
    return allow->len ? wrong_method(req, allow->str, error) : no_such_path(req, error);
  return ferry_authz_check(req, error);
}

static gboolean router_route(FerryRequest *req, GError **error) {
  if (!ferry_route_judge(req, error))
    return FALSE;
  if (!req->found.route->own_query && !ferry_query_check(req, error))
    return FALSE;
  if (req->found.route->rule == FERRY_RULE_KIND &&
      !ferry_negotiate(req, !req->found.subresource || g_str_equal(req->asked.method, "GET"),
                       error))
    return FALSE;
  return req->found.route->handler(req, error);
}

void ferry_route(FerryRequest *req) {
  g_autoptr(GError) error = NULL;
  if (router_route(req, &error))
    return;
  if (!error)
    g_set_error(&error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "the request failed without a reason");
  ferry_respond_error(req, error);
}
