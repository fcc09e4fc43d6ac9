// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what is not listed here is forbidden. Administrators (system:masters) may do
// all; ferry:viewers may read; an agent (system:nodes) may do what its own host's migrations need:
// its own routes, its own Node, the migrations that name it among their agents, and events. "Own"
// is judged by what is stored, never by what the request says. What the agent of a target may write
// in a migration is narrower: see model/agent_rules.c.
#include "api/internal.h"

#include <string.h>

#define SOURCE "status.migrationState.sourceNode"
#define AGENTS "status.migrationState.agents"

static gboolean is_one_of(const char *word, const char *const *list) {
  return word && g_strv_contains(list, word);
}

static gboolean may_read_path(const char *path) {
  static const char *const roots[] = {"/api",     "/apis",  "/openapi", "/version",
                                      "/healthz", "/livez", "/readyz",  NULL};
  for (gsize i = 0; roots[i]; i++) {
    gsize len = strlen(roots[i]);
    if (strncmp(path, roots[i], len) == 0 && (path[len] == '\0' || path[len] == '/'))
      return TRUE;
  }
  return FALSE;
}

/* /apis/ferry.migration/v1/nodes/NAME/(session|report) of one's own, and join (to renew). */
static gboolean is_own_route(const char *node, const char *path) {
  static const char prefix[] = "/apis/ferry.migration/v1/nodes/";
  if (g_str_equal(path, "/apis/ferry.migration/v1/join"))
    return TRUE;
  if (!g_str_has_prefix(path, prefix))
    return FALSE;
  const char *rest = path + strlen(prefix);
  gsize len = strlen(node);
  return strncmp(rest, node, len) == 0 &&
         (g_str_equal(rest + len, "/session") || g_str_equal(rest + len, "/report"));
}

static gboolean is_pods_path(const char *path) {
  g_auto(GStrv) s = g_strsplit(path + (*path == '/'), "/", 9);
  return ferry_pods_owns(s, g_strv_length(s));
}

static gboolean is_named(const json_t *migration, const char *node) {
  const json_t *agent;
  size_t i;
  json_array_foreach(ferry_json_get(migration, AGENTS), i, agent) {
    if (g_strcmp0(json_string_value(agent), node) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean owns_migration(FerryApi *api, const char *node, const FerryAccess *a) {
  if (!a->name || !a->ns)
    return FALSE;
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_vmim, a->ns, a->name);
  return object && (g_strcmp0(ferry_json_str(object, SOURCE), node) == 0 || is_named(object, node));
}

static gboolean node_may(FerryApi *api, const char *node, const FerryAccess *a) {
  static const char *const listing[] = {"list", "watch", NULL};
  static const char *const writing[] = {"patch", NULL};
  if (g_str_equal(a->group, "kubevirt.io") && g_str_equal(a->resource, ferry_kind_vmim.plural)) {
    if (is_one_of(a->verb, listing) && !a->subresource && !a->name)
      return a->fields && (g_strcmp0(ferry_selector_required(a->fields, AGENTS), node) == 0 ||
                           g_strcmp0(ferry_selector_required(a->fields, SOURCE), node) == 0);
    if (g_str_equal(a->verb, "get"))
      return owns_migration(api, node, a);
    return is_one_of(a->verb, writing) && g_strcmp0(a->subresource, "status") == 0 &&
           owns_migration(api, node, a);
  }
  if (*a->group == '\0' && g_str_equal(a->resource, "nodes"))
    return g_str_equal(a->verb, "get") && a->name && !a->subresource; /* any: jobs name others */
  return *a->group == '\0' && g_str_equal(a->resource, "events") &&
         g_str_equal(a->verb, "create") && !a->subresource;
}

gboolean ferry_authz_allows(FerryApi *api, const FerryUser *user, const FerryAccess *a) {
  static const char *const reading[] = {"get", "list", "watch", NULL};
  if (user->admin)
    return TRUE;
  if (a->path) {
    static const char *const open_paths[] = {"/healthz", "/livez", "/readyz", "/version", NULL};
    if (is_one_of(a->path, open_paths))
      return g_str_equal(a->verb, "get");
    if (user->anonymous)
      return g_str_equal(a->verb, "post") && g_str_equal(a->path, "/apis/ferry.migration/v1/join");
    if (g_str_has_prefix(a->path, "/apis/ferry.migration/v1/nodes/") ||
        g_str_equal(a->path, "/apis/ferry.migration/v1/join"))
      return user->node && g_str_equal(a->verb, "post") && is_own_route(user->node, a->path);
    if (g_str_has_prefix(a->path, "/apis/authorization.k8s.io/") ||
        g_str_has_prefix(a->path, "/apis/authentication.k8s.io/"))
      return TRUE;
    if (g_str_equal(a->path, "/metrics") || g_str_equal(a->path, "/api/v1/events/stream") ||
        is_pods_path(a->path))
      return g_str_equal(a->verb, "get") &&
             g_strv_contains((const char *const *)user->groups, "ferry:viewers");
    return g_str_equal(a->verb, "get") && may_read_path(a->path);
  }
  if (user->anonymous || !a->resource || !a->verb)
    return FALSE;
  if (user->node)
    return node_may(api, user->node, a);
  return g_strv_contains((const char *const *)user->groups, "ferry:viewers") &&
         is_one_of(a->verb, reading);
}

gboolean ferry_authz_check(FerryRequest *req, GError **error) {
  const FerryUser *user = req->user;
  if (user->admin)
    return TRUE;
  g_autofree char *verb = g_ascii_strdown(req->method, -1);
  FerryAccess access = {.verb = verb, .path = req->path};
  g_autoptr(FerrySelector) fields = NULL;
  if (req->kind && req->verb) {
    access = (FerryAccess){.verb = req->verb,
                           .group = req->kind->group,
                           .resource = req->kind->plural,
                           .subresource = req->subresource,
                           .ns = req->ns,
                           .name = req->name};
    const char *text = ferry_query(req, "fieldSelector");
    if (user->node && text && !(fields = ferry_selector_parse_fields(req->kind, text, error)))
      return FALSE;
    access.fields = fields;
  }
  if (ferry_authz_allows(req->api, user, &access))
    return TRUE;
  if (user->anonymous) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized");
    return FALSE;
  }
  if (access.path) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "forbidden: User \"%s\" cannot %s path \"%s\"", user->name, access.verb,
                access.path);
    return FALSE;
  }
  g_autofree char *what = ferry_qualified(req->kind);
  g_autofree char *name = access.name ? g_strdup_printf(" \"%s\"", access.name) : g_strdup("");
  g_autofree char *where = access.ns ? g_strdup_printf("in the namespace \"%s\"", access.ns)
                                     : g_strdup("at the cluster scope");
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "%s%s is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API group \"%s\" %s",
              what, name, user->name, access.verb, access.resource, access.subresource ? "/" : "",
              access.subresource ? access.subresource : "", access.group, where);
  return FALSE;
}

json_t *ferry_authz_rules(const FerryUser *user) {
  if (user->admin)
    return json_pack("[{s:[s], s:[s], s:[s]}]", "verbs", "*", "apiGroups", "*", "resources", "*");
  if (g_strv_contains((const char *const *)user->groups, "ferry:viewers"))
    return json_pack("[{s:[sss], s:[s], s:[s]}]", "verbs", "get", "list", "watch", "apiGroups", "*",
                     "resources", "*");
  if (user->node)
    return json_pack("[{s:[s], s:[s], s:[s]}, {s:[s], s:[s], s:[s]},"
                     " {s:[sss], s:[s], s:[s]}, {s:[s], s:[s], s:[s]}]",
                     "verbs", "get", "apiGroups", "", "resources", "nodes", "verbs", "create",
                     "apiGroups", "", "resources", "events", "verbs", "get", "list", "watch",
                     "apiGroups", "kubevirt.io", "resources", "virtualmachineinstancemigrations",
                     "verbs", "patch", "apiGroups", "kubevirt.io", "resources",
                     "virtualmachineinstancemigrations/status");
  return json_array();
}
