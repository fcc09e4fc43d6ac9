// SPDX-License-Identifier: Apache-2.0
// THE table of routes. A row cannot be written without a rule, as ROW asks for one, and the build
// fails where a kind offers a verb or subresource that has no row.
//
// A path is split into segments once. Paths of a kind (/api/v1/..., /apis/G/V/...) are parsed into
// kind, namespace, name and subresource and then find the row of that subresource and verb; all
// others are compared with the patterns of the rows, in order. The methods that would have fitted
// make the Allow header of a 405.
#include "api/routes.h"
#include "api/auth/certificates.h"
#include "api/auth/node_join.h"
#include "api/auth/users.h"
#include "api/events/events_stream.h"
#include "api/http/health.h"
#include "api/http/query.h"
#include "api/http/route.h"
#include "api/kube/discovery.h"
#include "api/kube/eviction.h"
#include "api/kube/migrate_subresource.h"
#include "api/kube/openapi.h"
#include "api/kube/reviews.h"
#include "api/metrics/metrics.h"
#include "api/resource/change.h"
#include "api/resource/delete.h"
#include "api/resource/list.h"
#include "api/resource/read.h"
#include "api/resource/resolve.h"
#include "api/resource/rollout.h"
#include "api/resource/watch.h"
#include "api/resource/write.h"
#include "api/kimchi/kimchi.h"
#include "api/web/web.h"
#include "model/field/object_meta.h"

#include <string.h>

#define OPEN .rule = FERRY_RULE_OPEN
#define OWN_NODE .rule = FERRY_RULE_OWN_NODE
#define URL(u) .rule = FERRY_RULE_URL, .url = (u)
#define ON(g, r, s) .rule = FERRY_RULE_RESOURCE, .group = (g), .resource = (r), .subresource = (s)
#define KIND(s, v) .rule = FERRY_RULE_KIND, .subresource = (s), .verbs = (v)
#define ROW(m, v, p, r, h, ...)                                                                    \
  { .method = (m), .verb = (v), .path = (p), r, .handler = (h), ##__VA_ARGS__ }

#define AUTHN "authentication.k8s.io"
#define REVIEW(g, version, r)                                                                      \
  ROW("POST", "create", "apis/" g "/" version "/" r, ON(g, r, NULL), ferry_serve_review)
#define REVIEWS(version)                                                                           \
  REVIEW(FERRY_GROUP_AUTHORIZATION, version, "selfsubjectaccessreviews"),                          \
      REVIEW(FERRY_GROUP_AUTHORIZATION, version, "selfsubjectrulesreviews"),                       \
      REVIEW(FERRY_GROUP_AUTHORIZATION, version, "subjectaccessreviews"),                          \
      ROW("POST", "create",                                                                        \
          "apis/" FERRY_GROUP_AUTHORIZATION "/" version                                            \
          "/namespaces/{ns}/localsubjectaccessreviews",                                            \
          ON(FERRY_GROUP_AUTHORIZATION, "localsubjectaccessreviews", NULL), ferry_serve_review),   \
      REVIEW(AUTHN, version, "selfsubjectreviews")

#define NODES "apis/ferry.migration/v1/nodes/{name}"
#define MIGRATE(version)                                                                           \
  ROW("PUT", "update",                                                                             \
      "apis/subresources.kubevirt.io/" version "/namespaces/{ns}/virtualmachines/{name}/migrate",  \
      ON("subresources.kubevirt.io", "virtualmachines", "migrate"),                                \
      ferry_serve_migrate_subresource, .names_vm = TRUE)

#define CERTIFICATES(sub) ON("ferry.migration", "certificates", sub)
#define VMI ON("kubevirt.io", "virtualmachineinstances", NULL)
#define VMIM(sub) ON("kubevirt.io", "virtualmachineinstancemigrations", sub)
#define CONFIG ON("kubevirt.io", "kubevirts", NULL)
/* A VM or task is found in the namespace of ?namespace= or in all, so there is no one name. */
#define KIMCHI(m, v, p, r, h, ...)                                                                 \
  {                                                                                                \
    .method = (m), .verb = (v), .path = (p), r, .handler = ferry_serve_kimchi,                     \
    .prefix = "plugins/kimchi", .own_query = TRUE, .detail = FERRY_KIMCHI_DETAIL(h), ##__VA_ARGS__ \
  }

static const FerryApiRoute api_routes[] = {
    ROW("GET", "get", "healthz/**", OPEN, ferry_serve_health),
    ROW("GET", "get", "livez/**", OPEN, ferry_serve_health),
    ROW("GET", "get", "readyz/**", OPEN, ferry_serve_health),
    ROW("GET", "get", "version", OPEN, ferry_serve_health),
    ROW("GET", "get", "metrics", URL("/metrics"), ferry_serve_metrics),
    /* the page: its login is open, where what logs in is asked for by the handler */
    ROW("GET", "get", "web/session", OPEN, ferry_serve_session),
    ROW("DELETE", "delete", "web/session", OPEN, ferry_serve_session),
    ROW("POST", "create", "web/session", URL("/web/session"), ferry_serve_session),
    ROW("POST", "create", "web/link", URL("/web/link"), ferry_serve_link),
    ROW("POST", "create", "web/link/redeem", OPEN, ferry_serve_link),
    ROW("GET", "get", "web/tables", URL("/openapi"), ferry_serve_web_tables),
    ROW("GET", "get", "web/**", OPEN, ferry_serve_web),
    ROW("GET", "get", "openapi/**", URL("/openapi"), ferry_serve_openapi),
    ROW("GET", "get", "api", URL("/api"), ferry_serve_discovery),
    ROW("GET", "get", "api/v1", URL("/api"), ferry_serve_discovery),
    ROW("GET", "get", "apis", URL("/apis"), ferry_serve_discovery),
    ROW("GET", "get", "apis/{any}", URL("/apis"), ferry_serve_discovery),
    ROW("GET", "get", "apis/{any}/{any}", URL("/apis"), ferry_serve_discovery),
    ROW("GET", "watch", "api/v1/events/stream", VMIM(NULL), ferry_serve_events_stream),
    REVIEWS("v1"),
    REVIEWS("v1beta1"),
    /* whoever has a join token, or a certificate to renew: the handler asks for either */
    ROW("POST", "create", "apis/ferry.migration/v1/join", OPEN, ferry_serve_node_route),
    ROW("POST", "create", NODES "/token", ON("ferry.migration", "nodes", "token"),
        ferry_serve_node_route),
    ROW("POST", "create", NODES "/session", OWN_NODE, ferry_serve_node_route),
    ROW("POST", "create", NODES "/report", OWN_NODE, ferry_serve_node_route),
    ROW("POST", "create", NODES "/trust", OWN_NODE, ferry_serve_node_route),
    ROW("POST", "create", NODES "/newkeys", VMIM("trust"), ferry_serve_node_route),
    ROW("GET", "list", "apis/ferry.migration/v1/certificates", CERTIFICATES(NULL),
        ferry_serve_certificates),
    ROW("GET", "get", "apis/ferry.migration/v1/ca", CERTIFICATES("ca"), ferry_serve_certificates),
    ROW("POST", "create", "apis/ferry.migration/v1/ca/begin", CERTIFICATES("ca"),
        ferry_serve_certificates),
    ROW("POST", "create", "apis/ferry.migration/v1/ca/finish", CERTIFICATES("ca"),
        ferry_serve_certificates),
    MIGRATE("v1"),
    MIGRATE("v1alpha3"),
    ROW("POST", "create", "api/v1/namespaces/{ns}/pods/{name}/eviction", ON("", "pods", "eviction"),
        ferry_serve_eviction),
    KIMCHI("GET", "list", "vms", VMI, ferry_kimchi_list_vms, .query_ns = TRUE),
    KIMCHI("GET", "get", "vms/{any}", VMI, ferry_kimchi_get_vm, .query_ns = TRUE),
    KIMCHI("GET", "get", "vms/{any}/migrate", VMIM(NULL), ferry_kimchi_get_migrate,
           .query_ns = TRUE),
    KIMCHI("POST", "create", "vms/{any}/migrate", VMIM(NULL), ferry_kimchi_migrate,
           .query_ns = TRUE),
    KIMCHI("DELETE", "update", "vms/{any}/migrate", VMIM("cancel"), ferry_kimchi_cancel_migrate,
           .query_ns = TRUE),
    KIMCHI("GET", "list", "tasks", VMIM(NULL), ferry_kimchi_list_tasks),
    KIMCHI("GET", "get", "tasks/{any}", VMIM(NULL), ferry_kimchi_get_task),
    KIMCHI("DELETE", "update", "tasks/{any}", VMIM("cancel"), ferry_kimchi_cancel_task),
    KIMCHI("GET", "list", "peers", ON("", "nodes", NULL), ferry_kimchi_get_peers),
    KIMCHI("GET", "get", "config", CONFIG, ferry_kimchi_get_config, .in_ns = "kubevirt",
           .named = "kubevirt"),
    KIMCHI("PUT", "update", "config", CONFIG, ferry_kimchi_put_config, .in_ns = "kubevirt",
           .named = "kubevirt"),
    ROW("GET", "list", "{kind}", KIND(NULL, FERRY_VERB_LIST), ferry_resource_list),
    ROW("GET", "watch", "{kind}", KIND(NULL, FERRY_VERB_WATCH), ferry_resource_watch),
    ROW("POST", "create", "{kind}", KIND(NULL, FERRY_VERB_CREATE), ferry_resource_create),
    ROW("DELETE", "deletecollection", "{kind}", KIND(NULL, FERRY_VERB_DELETE),
        ferry_resource_delete_collection),
    ROW("GET", "get", "{kind}/{name}", KIND(NULL, FERRY_VERB_GET), ferry_resource_get),
    ROW("GET", "watch", "{kind}/{name}", KIND(NULL, FERRY_VERB_WATCH), ferry_resource_watch),
    ROW("PUT", "update", "{kind}/{name}", KIND(NULL, FERRY_VERB_UPDATE), ferry_resource_update),
    ROW("PATCH", "patch", "{kind}/{name}", KIND(NULL, FERRY_VERB_PATCH), ferry_resource_patch),
    ROW("DELETE", "delete", "{kind}/{name}", KIND(NULL, FERRY_VERB_DELETE), ferry_resource_delete),
    ROW("GET", "get", "{kind}/{name}", KIND("status", 0), ferry_resource_get),
    ROW("PUT", "update", "{kind}/{name}", KIND("status", 0), ferry_resource_update),
    ROW("PATCH", "patch", "{kind}/{name}", KIND("status", 0), ferry_resource_patch),
    ROW("PUT", "update", "{kind}/{name}", KIND("cancel", 0), ferry_resource_cancel),
    ROW("PUT", "update", "{kind}/{name}", KIND("change", 0), ferry_resource_change),
    ROW("PUT", "update", "{kind}/{name}", KIND("resolve", 0), ferry_resource_resolve),
    ROW("PUT", "update", "{kind}/{name}", KIND("done", 0), ferry_resource_done),
    ROW("POST", "create", "{kind}/{name}", KIND("token", 0), ferry_serve_user_action),
    ROW("POST", "create", "{kind}/{name}", KIND("certificate", 0), ferry_serve_user_action),
    ROW("POST", "create", "{kind}/{name}", KIND("revoke", 0), ferry_serve_user_action),
};

const FerryApiRoute *ferry_routes(gsize *n) {
  *n = G_N_ELEMENTS(api_routes);
  return api_routes;
}

/* ---- a path that is no kind's ---- */

static gboolean segment_is(const char *pattern, gsize len, const char *segment) {
  if (*pattern == '{')
    return *segment != '\0';
  return strlen(segment) == len && strncmp(pattern, segment, len) == 0;
}

/* Fits the segments to a row's path; ns and name get what stands for {ns} and {name}. */
static gboolean path_fits(const FerryApiRoute *route, char *const *s, const char **ns,
                          const char **name) {
  const char *p = route->path;
  for (; *p; s++) {
    gsize len = strcspn(p, "/");
    if (strncmp(p, "**", 2) == 0)
      return TRUE;
    if (!*s || !segment_is(p, len, *s))
      return FALSE;
    if (strncmp(p, "{ns}", len) == 0)
      *ns = *s;
    else if (strncmp(p, "{name}", len) == 0)
      *name = *s;
    p += len + (p[len] == '/');
  }
  return *s == NULL;
}

/* ---- a kind's ---- */

/* The kind of a plural; where it is another spelling or version of it, req->found.alias says so. */
static const FerryKind *find_kind(FerryRequest *req, const char *group, const char *version,
                                  const char *plural) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++) {
    if (!g_str_equal(kinds[i]->plural, plural) || !g_str_equal(kinds[i]->group, group) ||
        !g_str_equal(kinds[i]->version, version))
      continue;
    req->found.alias = kinds[i]->alias_of ? kinds[i] : NULL;
    return kinds[i]->alias_of ? kinds[i]->alias_of : kinds[i];
  }
  return NULL;
}

/* Kind, namespace, name and subresource from the segments; nothing is set where there is no such
 * kind there. */
static gboolean parse_kind(FerryRequest *req, char *const *s, gsize n) {
  gboolean core = g_strcmp0(s[0], "api") == 0;
  gsize head = core ? 2 : 3;
  if (n <= head || (!core && !g_str_equal(s[0], "apis")))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!*s[i])
      return FALSE;
  const char *group = core ? "" : s[1], *version = core ? s[1] : s[2], *ns = NULL;
  s += head;
  n -= head;
  if (n >= 3 && g_str_equal(s[0], "namespaces") &&
      !(*group == '\0' && n == 3 && g_str_equal(s[2], "status"))) {
    ns = s[1];
    s += 2;
    n -= 2;
  }
  const FerryKind *kind = find_kind(req, group, version, s[0]);
  if (!kind || n > 3 || (ns && !kind->namespaced) || (n > 1 && kind->namespaced && !ns)) {
    req->found.alias = NULL;
    return FALSE;
  }
  req->found.kind = kind;
  req->found.ns = ns;
  req->found.name = n > 1 ? s[1] : NULL;
  req->found.subresource = n > 2 ? s[2] : NULL;
  return TRUE;
}

static gboolean routes_offers(const FerryKind *kind, const char *subresource) {
  if (g_str_equal(subresource, "status"))
    return kind->has_status;
  return kind->subresources && g_strv_contains(kind->subresources, subresource);
}

static gboolean kind_fits(const FerryRequest *req, const FerryApiRoute *route) {
  gboolean object = g_str_equal(route->path, "{kind}/{name}");
  if (object != (req->found.name != NULL) ||
      g_strcmp0(route->subresource, req->found.subresource) != 0)
    return FALSE;
  if (route->subresource)
    return routes_offers(req->found.kind, route->subresource);
  /* A collection of a namespaced kind is made and deleted in one namespace. */
  return (req->found.kind->verbs & route->verbs) &&
         (object || !req->found.kind->namespaced || req->found.ns ||
          g_str_equal(route->method, "GET"));
}

/* ---- finding ---- */

static gboolean is_kinds(const FerryApiRoute *route) {
  return g_str_has_prefix(route->path, "{kind}");
}

static void add_method(GString *allow, const char *method) {
  g_auto(GStrv) there = g_strsplit(allow->str, ", ", -1);
  if (!g_strv_contains((const char *const *)there, method))
    g_string_append_printf(allow, "%s%s", allow->len ? ", " : "", method);
}

/* How many segments of the path are the route's prefix; 0: it stands by itself. */
static gsize prefix_length(const FerryApiRoute *r, char **s) {
  g_auto(GStrv) prefix = r->prefix ? g_strsplit(r->prefix, "/", -1) : NULL;
  gsize n = 0;
  while (prefix && prefix[n] && s[n] && g_str_equal(prefix[n], s[n]))
    n++;
  return prefix && !prefix[n] ? n : 0;
}

gboolean ferry_route_find(FerryRequest *req, GString *allow) {
  char **s = req->asked.segments;
  gsize n = g_strv_length(s);
  gboolean of_kind = parse_kind(req, s, n);
  gboolean watch = of_kind && !req->found.subresource && g_str_equal(req->asked.method, "GET") &&
                   ferry_query_bool(req, "watch") && (req->found.kind->verbs & FERRY_VERB_WATCH);
  for (gsize i = 0; i < G_N_ELEMENTS(api_routes); i++) {
    const FerryApiRoute *r = &api_routes[i];
    const char *ns = req->found.ns, *name = req->found.name;
    if (is_kinds(r) ? !of_kind || !kind_fits(req, r)
                    : !path_fits(r, s + prefix_length(r, s), &ns, &name))
      continue;
    add_method(allow, r->method);
    if (!g_str_equal(r->method, req->asked.method) ||
        (is_kinds(r) && g_str_equal(req->asked.method, "GET") &&
         watch != g_str_equal(r->verb, "watch")))
      continue;
    req->found.route = r;
    req->found.verb = r->verb;
    req->found.ns = ns;
    req->found.name = name;
    if (!is_kinds(r))
      req->found.kind = NULL;
    return TRUE;
  }
  req->found.refused_kind = req->found.kind;
  req->found.kind = NULL;
  req->found.ns = req->found.name = req->found.subresource = NULL;
  return FALSE;
}

/* ---- the check of the build ---- */

static gboolean has_row(unsigned verb, const char *subresource) {
  for (gsize i = 0; i < G_N_ELEMENTS(api_routes); i++)
    if (is_kinds(&api_routes[i]) && g_strcmp0(api_routes[i].subresource, subresource) == 0 &&
        (subresource || (api_routes[i].verbs & verb)))
      return TRUE;
  return FALSE;
}

static void check_kind(const FerryKind *kind, GString *missing) {
  for (unsigned verb = 1; verb <= FERRY_VERB_ALL; verb <<= 1)
    if ((kind->verbs & verb) && !has_row(verb, NULL))
      g_string_append_printf(missing, "kind %s: verb %u has no row in src/api/routes.c\n",
                             kind->kind, verb);
  if (kind->has_status && !has_row(0, "status"))
    g_string_append_printf(missing, "kind %s: status has no row\n", kind->kind);
  for (gsize i = 0; kind->subresources && kind->subresources[i]; i++)
    if (!has_row(0, kind->subresources[i]))
      g_string_append_printf(missing, "kind %s: subresource %s has no row in src/api/routes.c\n",
                             kind->kind, kind->subresources[i]);
}

static gboolean is_ruled(const FerryApiRoute *r) {
  switch (r->rule) {
  case FERRY_RULE_OPEN:
    return TRUE;
  case FERRY_RULE_URL:
    return r->url && *r->url == '/';
  case FERRY_RULE_RESOURCE:
    return r->group && r->resource && *r->resource;
  case FERRY_RULE_KIND:
    return is_kinds(r) && (r->subresource || r->verbs);
  case FERRY_RULE_OWN_NODE:
    return strstr(r->path, "/{name}/") != NULL;
  }
  return FALSE;
}

gboolean ferry_routes_check(GString *missing) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++)
    check_kind(kinds[i], missing);
  for (gsize i = 0; i < G_N_ELEMENTS(api_routes); i++)
    if (!is_ruled(&api_routes[i]) || !api_routes[i].handler || !api_routes[i].verb ||
        !api_routes[i].method)
      g_string_append_printf(missing, "route %s %s: no rule, or one that says nothing\n",
                             api_routes[i].method ? api_routes[i].method : "?", api_routes[i].path);
  return missing->len == 0;
}
