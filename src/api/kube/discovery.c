// SPDX-License-Identifier: Apache-2.0
// Discovery, plain and aggregated, made from the kinds' tables: /api, /api/v1, /apis, /apis/G,
// /apis/G/V. Only verbs that work are listed.
//
// A document is put together from three sources: the kinds (ferry_kinds_served), the table of
// routes, which says what a subresource takes, and a short table of resources that are no objects.
// The same parts make the plain lists and the aggregated document that newer clients ask for;
// which one is sent the Accept header says. They never change while the process runs, so that they
// go out with an ETag.

#include "api/kube/discovery.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/http/route.h"
#include "model/field/object_meta.h"

#include <string.h>

/* Resources that are not kinds of objects, each with one verb. */
static const struct {
  const char *group, *version, *resource, *kind, *verb;
  gboolean namespaced;
  const char *kind_group, *kind_version; /* of `kind` where they differ, else NULL */
} extra_resources[] = {
    {FERRY_GROUP_AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview",
     "create"},
    {FERRY_GROUP_AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview",
     "create"},
    {FERRY_GROUP_AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview", "create"},
    {FERRY_GROUP_AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview",
     "create", TRUE},
    {"authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", "create"},
    {"", "v1", "pods/eviction", "Eviction", "create", TRUE, "policy", "v1"},
    {"policy", "v1", NULL}, /* kubectl drain looks for the group only */
    {"subresources.kubevirt.io", "v1", "virtualmachines/migrate", "VirtualMachine", "update", TRUE},
    {"subresources.kubevirt.io", "v1alpha3", "virtualmachines/migrate", "VirtualMachine", "update",
     TRUE},
};

/* An alias that has not even the name of its kind. */
static gboolean is_spelling(const FerryKind *kind) {
  return kind->alias_of && !g_str_equal(kind->plural, kind->alias_of->plural);
}

static json_t *verbs_of(const FerryKind *kind) {
  static const struct {
    unsigned flag;
    const char *name;
  } verbs[] = {{FERRY_VERB_CREATE, "create"},
               {FERRY_VERB_DELETE, "delete"},
               {FERRY_VERB_DELETE, "deletecollection"},
               {FERRY_VERB_GET, "get"},
               {FERRY_VERB_LIST, "list"},
               {FERRY_VERB_PATCH, "patch"},
               {FERRY_VERB_UPDATE, "update"},
               {FERRY_VERB_WATCH, "watch"}};
  json_t *out = json_array();
  /* Another spelling is found by its kind; without verbs, kubectl api-resources does not show it.
   */
  gboolean spelling = is_spelling(kind);
  for (gsize i = 0; !spelling && i < G_N_ELEMENTS(verbs); i++)
    if (kind->verbs & verbs[i].flag)
      json_array_append_new(out, json_string(verbs[i].name));
  return out;
}

/* What the table of routes has for a subresource of a kind. */
static json_t *sub_verbs(FerryApi *api, const char *subresource) {
  json_t *out = json_array();
  const FerryApiRoute *routes = api->routes;
  for (gsize i = 0; i < api->n_routes; i++)
    if (routes[i].rule == FERRY_RULE_KIND && g_strcmp0(routes[i].subresource, subresource) == 0)
      json_array_append_new(out, json_string(routes[i].verb));
  return out;
}

static json_t *plain_entry(const FerryKind *kind) {
  json_t *entry =
      json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", kind->plural, "singularName", kind->singular,
                "namespaced", kind->namespaced, "kind", kind->kind, "verbs", verbs_of(kind));
  if (kind->short_names)
    json_object_set_new(entry, "shortNames", ferry_json_strings(kind->short_names));
  if (kind->categories)
    json_object_set_new(entry, "categories", ferry_json_strings(kind->categories));
  return entry;
}

static void add_plain_sub(FerryApi *api, json_t *list, const FerryKind *kind, const char *sub) {
  g_autofree char *name = g_strdup_printf("%s/%s", kind->plural, sub);
  json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "singularName",
                                        "", "namespaced", kind->namespaced, "kind", kind->kind,
                                        "verbs", sub_verbs(api, sub)));
}

static void add_plain_extra(json_t *list, gsize i) {
  json_t *entry = json_pack("{s:s, s:s, s:b, s:s, s:[s]}", "name", extra_resources[i].resource,
                            "singularName", "", "namespaced", extra_resources[i].namespaced, "kind",
                            extra_resources[i].kind, "verbs", extra_resources[i].verb);
  if (extra_resources[i].kind_group) {
    json_object_set_new(entry, "group", json_string(extra_resources[i].kind_group));
    json_object_set_new(entry, "version", json_string(extra_resources[i].kind_version));
  }
  json_array_append_new(list, entry);
}

/* APIResourceList of a group version, NULL where there is none. */
static json_t *resource_list(FerryApi *api, const char *group, const char *version) {
  g_autoptr(json_t) list = json_array();
  gboolean found = FALSE;
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++) {
    const FerryKind *kind = kinds[i];
    if (!g_str_equal(kind->group, group) || !g_str_equal(kind->version, version))
      continue;
    found = TRUE;
    json_array_append_new(list, plain_entry(kind));
    if (is_spelling(kind))
      continue;
    if (kind->has_status)
      add_plain_sub(api, list, kind, "status");
    for (gsize s = 0; kind->subresources && kind->subresources[s]; s++)
      add_plain_sub(api, list, kind, kind->subresources[s]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(extra_resources); i++) {
    if (!g_str_equal(extra_resources[i].group, group) ||
        !g_str_equal(extra_resources[i].version, version))
      continue;
    found = TRUE;
    if (extra_resources[i].resource)
      add_plain_extra(list, i);
  }
  if (!found)
    return NULL;
  g_autofree char *gv = *group ? g_strdup_printf("%s/%s", group, version) : g_strdup(version);
  return json_pack("{s:s, s:s, s:s, s:O}", "kind", "APIResourceList", "apiVersion", "v1",
                   "groupVersion", gv, "resources", list);
}

/* All groups but the core one as "group", "version" pairs in a stable order. */
static GPtrArray *group_versions(void) {
  GPtrArray *out = g_ptr_array_new();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n + G_N_ELEMENTS(extra_resources); i++) {
    const char *group = i < n ? kinds[i]->group : extra_resources[i - n].group;
    const char *version = i < n ? kinds[i]->version : extra_resources[i - n].version;
    gboolean known = *group == '\0';
    for (guint j = 0; j < out->len && !known; j += 2)
      known = g_str_equal(g_ptr_array_index(out, j), group) &&
              g_str_equal(g_ptr_array_index(out, j + 1), version);
    if (known)
      continue;
    g_ptr_array_add(out, (gpointer)group);
    g_ptr_array_add(out, (gpointer)version);
  }
  return out;
}

/* One group with all its versions; the first is preferred. */
static json_t *group_entry(const GPtrArray *all, const char *group) {
  json_t *versions = json_array();
  for (guint i = 0; i < all->len; i += 2) {
    const char *version = g_ptr_array_index(all, i + 1);
    g_autofree char *gv = g_strdup_printf("%s/%s", group, version);
    if (g_str_equal(g_ptr_array_index(all, i), group))
      json_array_append_new(versions,
                            json_pack("{s:s, s:s}", "groupVersion", gv, "version", version));
  }
  return json_pack("{s:s, s:o, s:O}", "name", group, "versions", versions, "preferredVersion",
                   json_array_get(versions, 0));
}

/* Whether the pair at `i` is the first of its group. */
static gboolean is_first(const GPtrArray *all, guint i) {
  for (guint j = 0; j < i; j += 2)
    if (g_str_equal(g_ptr_array_index(all, j), g_ptr_array_index(all, i)))
      return FALSE;
  return TRUE;
}

static json_t *discovery_group_list(void) {
  g_autoptr(GPtrArray) all = group_versions();
  json_t *groups = json_array();
  for (guint i = 0; i < all->len; i += 2)
    if (is_first(all, i))
      json_array_append_new(groups, group_entry(all, g_ptr_array_index(all, i)));
  return json_pack("{s:s, s:s, s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups", groups);
}

static json_t *one_group(const char *group) {
  g_autoptr(GPtrArray) all = group_versions();
  for (guint i = 0; i < all->len; i += 2) {
    if (!g_str_equal(g_ptr_array_index(all, i), group))
      continue;
    json_t *entry = group_entry(all, group);
    json_object_set_new(entry, "kind", json_string("APIGroup"));
    json_object_set_new(entry, "apiVersion", json_string("v1"));
    return entry;
  }
  return NULL;
}

static json_t *response_kind(const char *group, const char *version, const char *kind) {
  return json_pack("{s:s, s:s, s:s}", "group", group, "version", version, "kind", kind);
}

static void add_aggregated_sub(FerryApi *api, json_t *list, const FerryKind *kind,
                               const char *sub) {
  json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "subresource", sub, "responseKind",
                                        response_kind(kind->group, kind->version, kind->kind),
                                        "verbs", sub_verbs(api, sub)));
}

/* Whether the extra is a subresource of the resource `plural` of that group version. */
static gboolean is_extra_of(gsize i, const char *group, const char *version, const char *plural) {
  gsize len = strlen(plural);
  return extra_resources[i].resource && g_str_equal(extra_resources[i].group, group) &&
         g_str_equal(extra_resources[i].version, version) &&
         strncmp(extra_resources[i].resource, plural, len) == 0 &&
         extra_resources[i].resource[len] == '/';
}

static json_t *extra_kind(gsize i) {
  return response_kind(extra_resources[i].kind_group ? extra_resources[i].kind_group
                                                     : extra_resources[i].group,
                       extra_resources[i].kind_version ? extra_resources[i].kind_version
                                                       : extra_resources[i].version,
                       extra_resources[i].kind);
}

static json_t *aggregated_extra_sub(gsize i) {
  return json_pack("{s:s, s:o, s:[s]}", "subresource", strchr(extra_resources[i].resource, '/') + 1,
                   "responseKind", extra_kind(i), "verbs", extra_resources[i].verb);
}

static json_t *aggregated_entry(FerryApi *api, const FerryKind *kind) {
  json_t *subs = json_array();
  gboolean subresources = !is_spelling(kind);
  if (kind->has_status && subresources)
    add_aggregated_sub(api, subs, kind, "status");
  for (gsize s = 0; subresources && kind->subresources && kind->subresources[s]; s++)
    add_aggregated_sub(api, subs, kind, kind->subresources[s]);
  for (gsize i = 0; i < G_N_ELEMENTS(extra_resources); i++)
    if (is_extra_of(i, kind->group, kind->version, kind->plural))
      json_array_append_new(subs, aggregated_extra_sub(i));
  json_t *entry =
      json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "resource", kind->plural, "responseKind",
                response_kind(kind->group, kind->version, kind->kind), "scope",
                kind->namespaced ? "Namespaced" : "Cluster", "singularResource", kind->singular,
                "verbs", verbs_of(kind), "subresources", subs);
  if (kind->short_names)
    json_object_set_new(entry, "shortNames", ferry_json_strings(kind->short_names));
  if (kind->categories)
    json_object_set_new(entry, "categories", ferry_json_strings(kind->categories));
  return entry;
}

/* A subresource alone hangs from a resource without verbs. Each has a responseKind: client-go
 * before 0.27 looks into it without asking whether it is there. */
static json_t *aggregated_extra(gsize i) {
  const char *slash = strchr(extra_resources[i].resource, '/');
  g_autofree char *name =
      slash ? g_strndup(extra_resources[i].resource, (gsize)(slash - extra_resources[i].resource))
            : g_strdup(extra_resources[i].resource);
  json_t *entry =
      json_pack("{s:s, s:o, s:s, s:s, s:[], s:[]}", "resource", name, "responseKind", extra_kind(i),
                "scope", extra_resources[i].namespaced ? "Namespaced" : "Cluster",
                "singularResource", "", "verbs", "subresources");
  if (slash)
    json_array_append_new(json_object_get(entry, "subresources"), aggregated_extra_sub(i));
  else
    json_array_append_new(json_object_get(entry, "verbs"), json_string(extra_resources[i].verb));
  return entry;
}

/* Whether the extra is a subresource of a kind. */
static gboolean is_of_kind(gsize extra, const FerryKind *const *kinds, gsize n) {
  for (gsize i = 0; i < n; i++)
    if (is_extra_of(extra, kinds[i]->group, kinds[i]->version, kinds[i]->plural))
      return TRUE;
  return FALSE;
}

static json_t *aggregated_version(FerryApi *api, const char *group, const char *version) {
  json_t *list = json_array();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(kinds[i]->group, group) && g_str_equal(kinds[i]->version, version))
      json_array_append_new(list, aggregated_entry(api, kinds[i]));
  for (gsize i = 0; i < G_N_ELEMENTS(extra_resources); i++)
    if (extra_resources[i].resource && g_str_equal(extra_resources[i].group, group) &&
        g_str_equal(extra_resources[i].version, version) && !is_of_kind(i, kinds, n))
      json_array_append_new(list, aggregated_extra(i));
  return json_pack("{s:s, s:s, s:o}", "version", version, "freshness", "Current", "resources",
                   list);
}

static json_t *discovery_aggregated(FerryApi *api, gboolean core, const char *version) {
  json_t *items = json_array();
  if (core) {
    json_array_append_new(items, json_pack("{s:{}, s:[o]}", "metadata", "versions",
                                           aggregated_version(api, "", "v1")));
  } else {
    g_autoptr(GPtrArray) all = group_versions();
    for (guint i = 0; i < all->len; i += 2) {
      const char *group = g_ptr_array_index(all, i);
      if (!is_first(all, i))
        continue;
      json_t *versions = json_array();
      for (guint j = i; j < all->len; j += 2)
        if (g_str_equal(g_ptr_array_index(all, j), group))
          json_array_append_new(versions,
                                aggregated_version(api, group, g_ptr_array_index(all, j + 1)));
      json_array_append_new(
          items, json_pack("{s:{s:s}, s:o}", "metadata", "name", group, "versions", versions));
    }
  }
  g_autofree char *gv = g_strdup_printf("apidiscovery.k8s.io/%s", version);
  return json_pack("{s:s, s:s, s:{}, s:o}", "kind", "APIGroupDiscoveryList", "apiVersion", gv,
                   "metadata", "items", items);
}

static void respond_cached(FerryRequest *req, json_t *body, const char *type) {
  char *text = ferry_json_dump(body);
  json_decref(body);
  g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));
  ferry_respond_cached(req, bytes, type);
}

gboolean ferry_serve_discovery(FerryRequest *req, GError **error) {
  char **s = req->asked.segments;
  guint n = g_strv_length(s);
  gboolean core = g_str_equal(s[0], "api");
  const char *version = n == 1 ? ferry_negotiate_aggregated(req) : NULL;
  if (version) {
    g_autofree char *type = g_strdup_printf(
        "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", version);
    respond_cached(req, discovery_aggregated(req->api, core, version), type);
    return TRUE;
  }
  if (!ferry_negotiate(req, FALSE, error))
    return FALSE;
  json_t *body;
  if (core)
    body = n == 1 ? json_pack("{s:s, s:[s], s:[]}", "kind", "APIVersions", "versions", "v1",
                              "serverAddressByClientCIDRs")
                  : resource_list(req->api, "", "v1");
  else
    body = n == 1   ? discovery_group_list()
           : n == 2 ? one_group(s[1])
                    : resource_list(req->api, s[1], s[2]);
  if (!body) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "the server could not find the requested resource: there is no group or version "
                "%.200s here",
                req->asked.path);
    return FALSE;
  }
  respond_cached(req, body, "application/json");
  return TRUE;
}
