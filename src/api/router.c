// SPDX-License-Identifier: Apache-2.0
// From a method and a path to a handler. Paths are Kubernetes': /api/v1/...,
// /apis/GROUP/VERSION/..., [namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]; the few others are listed
// in `fixed`.
#include "api/internal.h"
#include "api/kimchi/kimchi.h"

#include <string.h>

static const struct {
  const char *path; /* first segments */
  gboolean more;    /* whatever follows belongs to it */
  FerryHandler handler;
} fixed[] = {
    {"healthz", TRUE, ferry_serve_health},
    {"livez", TRUE, ferry_serve_health},
    {"readyz", TRUE, ferry_serve_health},
    {"version", FALSE, ferry_serve_health},
    {"metrics", FALSE, ferry_serve_metrics},
    {"openapi", TRUE, ferry_serve_openapi},
    {"api", FALSE, ferry_serve_discovery},
    {"apis", FALSE, ferry_serve_discovery},
    {"api/v1", FALSE, ferry_serve_discovery},
    {"api/v1/events/stream", FALSE, ferry_serve_events_stream},
    {"apis/authorization.k8s.io/v1", TRUE, ferry_serve_review},
    {"apis/authorization.k8s.io/v1beta1", TRUE, ferry_serve_review},
    {"apis/authentication.k8s.io/v1", TRUE, ferry_serve_review},
    {"apis/authentication.k8s.io/v1beta1", TRUE, ferry_serve_review},
    {"apis/subresources.kubevirt.io/v1", TRUE, ferry_serve_migrate_subresource},
    {"apis/subresources.kubevirt.io/v1alpha3", TRUE, ferry_serve_migrate_subresource},
    {"apis/ferry.migration/v1/nodes", TRUE, ferry_serve_node_route},
    {"apis/ferry.migration/v1/join", FALSE, ferry_serve_node_route},
    {"apis/ferry.migration/v1/certificates", FALSE, ferry_serve_certificates},
    {"apis/ferry.migration/v1/ca", TRUE, ferry_serve_certificates},
};

const char *ferry_query(const FerryRequest *req, const char *name) {
  return req->query ? g_hash_table_lookup(req->query, name) : NULL;
}

gboolean ferry_query_bool(const FerryRequest *req, const char *name) {
  const char *value = ferry_query(req, name);
  return value && (g_str_equal(value, "true") || g_str_equal(value, "1"));
}

gboolean ferry_query_int(const FerryRequest *req, const char *name, gint64 fallback, gint64 *value,
                         GError **error) {
  const char *text = ferry_query(req, name);
  *value = fallback;
  if (!text || !*text)
    return TRUE;
  if (g_ascii_string_to_signed(text, 10, 0, G_GINT64_CONSTANT(1) << 62, value, NULL))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: Invalid value: \"%s\": expected a whole number that is not negative", name,
              text);
  return FALSE;
}

static gboolean no_such_path(GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
              "the server could not find the requested resource");
  return FALSE;
}

static gboolean wrong_method(FerryRequest *req, const char *allow, GError **error) {
  ferry_respond_header(req, "Allow", allow);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
              "the server does not allow this method on the requested resource: %s here; allowed: "
              "%s",
              req->method, *allow ? allow : "none");
  return FALSE;
}

typedef struct {
  const char *method, *verb;
  FerryVerbs flag;
  FerryHandler handler;
} Method;

static const Method on_object[] = {
    {"GET", "get", FERRY_VERB_GET, ferry_resource_get},
    {"PUT", "update", FERRY_VERB_UPDATE, ferry_resource_update},
    {"PATCH", "patch", FERRY_VERB_PATCH, ferry_resource_patch},
    {"DELETE", "delete", FERRY_VERB_DELETE, ferry_resource_delete},
};
static const Method on_collection[] = {
    {"GET", "list", FERRY_VERB_LIST, ferry_resource_list},
    {"POST", "create", FERRY_VERB_CREATE, ferry_resource_create},
    {"DELETE", "deletecollection", FERRY_VERB_DELETE, ferry_resource_delete_collection},
};
static const Method on_status[] = {
    {"GET", "get", FERRY_VERB_GET, ferry_resource_get},
    {"PUT", "update", 0, ferry_resource_update},
    {"PATCH", "patch", 0, ferry_resource_patch},
};
static const Method on_cancel[] = {
    {"PUT", "update", 0, ferry_resource_cancel},
};

static const Method on_change[] = {
    {"PUT", "update", 0, ferry_resource_change},
};

static const Method on_user_action[] = {
    {"POST", "create", 0, ferry_serve_user_action},
};

static gboolean pick_method(FerryRequest *req, const Method *methods, gsize n, Method *chosen,
                            GError **error) {
  g_autoptr(GString) allow = g_string_new(NULL);
  for (gsize i = 0; i < n; i++) {
    if (methods[i].flag && !(req->kind->verbs & methods[i].flag))
      continue;
    /* A collection of a namespaced kind is made in one namespace. */
    if (req->kind->namespaced && !req->ns && !g_str_equal(methods[i].method, "GET"))
      continue;
    if (g_str_equal(methods[i].method, req->method)) {
      *chosen = methods[i];
      return TRUE;
    }
    g_string_append_printf(allow, "%s%s", allow->len ? ", " : "", methods[i].method);
  }
  return wrong_method(req, allow->str, error);
}

/* The kind of a plural, also of the plural of another spelling of it. */
static const FerryKind *find_kind(FerryRequest *req, const char *group, const char *version,
                                  const char *plural) {
  const FerryKind *kind = ferry_kind_by_plural(group, version, plural);
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n && !kind; i++) {
    FerryKind alias;
    for (gsize a = 0; !kind && ferry_kind_alias(kinds[i], a, &alias); a++) {
      if (!g_str_equal(alias.plural, plural) || !g_str_equal(alias.group, group) ||
          !g_str_equal(alias.version, version))
        continue;
      kind = kinds[i];
      req->alias = alias.kind;
    }
  }
  return kind;
}

/* Finds kind, namespace, name and subresource from the segments after the version. */
static gboolean parse_resource(FerryRequest *req, const char *group, const char *version,
                               char *const *rest, GError **error) {
  gsize n = g_strv_length((char **)rest);
  if (n == 0)
    return no_such_path(error);
  for (gsize i = 0; i < n; i++)
    if (!*rest[i])
      return no_such_path(error);
  const char *ns = NULL;
  if (n >= 3 && g_str_equal(rest[0], "namespaces")) {
    gboolean own = *group == '\0' && n == 3 && g_str_equal(rest[2], "status");
    if (!own) {
      ns = rest[1];
      rest += 2;
      n -= 2;
    }
  }
  req->kind = find_kind(req, group, version, rest[0]);
  if (!req->kind || n > 3 || (ns && !req->kind->namespaced) ||
      (n > 1 && req->kind->namespaced && !ns)) {
    req->kind = NULL;
    return no_such_path(error);
  }
  req->ns = ns;
  req->name = n > 1 ? rest[1] : NULL;
  req->subresource = n > 2 ? rest[2] : NULL;
  return TRUE;
}

static gboolean choose(FerryRequest *req, FerryHandler *handler, GError **error) {
  Method m = {0};
  if (req->subresource && g_str_equal(req->subresource, "status") && req->kind->has_status) {
    if (!pick_method(req, on_status, G_N_ELEMENTS(on_status), &m, error))
      return FALSE;
  } else if (req->subresource && req->kind->subresources &&
             g_strv_contains(req->kind->subresources, req->subresource) &&
             g_str_equal(req->subresource, "cancel")) {
    if (!pick_method(req, on_cancel, G_N_ELEMENTS(on_cancel), &m, error))
      return FALSE;
  } else if (req->subresource && req->kind->subresources &&
             g_strv_contains(req->kind->subresources, req->subresource) &&
             g_str_equal(req->subresource, "change")) {
    if (!pick_method(req, on_change, G_N_ELEMENTS(on_change), &m, error))
      return FALSE;
  } else if (req->kind == &ferry_kind_user && req->subresource &&
             g_strv_contains(req->kind->subresources, req->subresource)) {
    if (!pick_method(req, on_user_action, G_N_ELEMENTS(on_user_action), &m, error))
      return FALSE;
  } else if (req->subresource) {
    return no_such_path(error);
  } else if (req->name) {
    if (!pick_method(req, on_object, G_N_ELEMENTS(on_object), &m, error))
      return FALSE;
  } else if (!pick_method(req, on_collection, G_N_ELEMENTS(on_collection), &m, error)) {
    return FALSE;
  }
  req->verb = m.verb;
  *handler = m.handler;
  if (g_str_equal(req->method, "GET") && !req->subresource && ferry_query_bool(req, "watch") &&
      (req->kind->verbs & FERRY_VERB_WATCH)) {
    req->verb = "watch";
    *handler = ferry_resource_watch;
  }
  return TRUE;
}

static gboolean route(FerryRequest *req, GError **error) {
  char **s = req->segments;
  guint n = g_strv_length(s);
  if (n > 1 && !*s[n - 1]) /* a slash at the end */
    g_clear_pointer(&s[--n], g_free);
  if (n >= 16)
    return no_such_path(error);
  if (ferry_kimchi_owns(req->path))
    return ferry_serve_kimchi(req, error);
  g_autofree char *path = g_strjoinv("/", s);
  FerryHandler handler = NULL;
  gboolean resource = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(fixed) && !handler; i++) {
    gsize len = strlen(fixed[i].path);
    if (strncmp(path, fixed[i].path, len) == 0 &&
        (path[len] == '\0' || (fixed[i].more && path[len] == '/')))
      handler = fixed[i].handler;
  }
  if (!handler && ferry_pods_owns(s, n))
    handler = ferry_serve_pods;
  if (!handler && (n == 2 || n == 3) && g_str_equal(s[0], "apis"))
    handler = ferry_serve_discovery;
  if (!handler && ((n > 2 && g_str_equal(s[0], "api")) || (n > 3 && g_str_equal(s[0], "apis")))) {
    gboolean core = g_str_equal(s[0], "api");
    resource = TRUE;
    if (!parse_resource(req, core ? "" : s[1], core ? s[1] : s[2], s + (core ? 2 : 3), error) ||
        !choose(req, &handler, error)) {
      /* Strangers learn nothing about what is here. */
      if (req->user->anonymous) {
        g_clear_error(error);
        return ferry_authz_check(req, error);
      }
      return FALSE;
    }
  }
  if (!ferry_authz_check(req, error))
    return FALSE;
  if (!handler)
    return no_such_path(error);
  if (resource &&
      !ferry_negotiate(req, !req->subresource || g_str_equal(req->method, "GET"), error))
    return FALSE;
  return handler(req, error);
}

void ferry_route(FerryRequest *req) {
  g_autoptr(GError) error = NULL;
  if (route(req, &error))
    return;
  if (!error)
    g_set_error(&error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "the request failed without a reason");
  ferry_respond_error(req, error);
}
