// SPDX-License-Identifier: Apache-2.0
// Paths of the OpenAPI documents: for each kind the operations that its verbs allow, marked with
// x-kubernetes-action and x-kubernetes-group-version-kind, by which kubectl finds them.
#include "model/schema/schema_paths.h"
#include "model/schema/schema_parts.h"
#include <string.h>

static json_t *schema_paths_parameter(const char *in, const char *name, const char *type,
                                      const char *doc, gboolean v3) {
  json_t *out = json_pack("{s:s, s:s, s:s}", "name", name, "in", in, "description", doc);
  if (g_str_equal(in, "path"))
    json_object_set_new(out, "required", json_true());
  if (v3)
    json_object_set_new(out, "schema", json_pack("{s:s}", "type", type));
  else
    json_object_set_new(out, "type", json_string(type));
  if (!v3)
    json_object_set_new(out, "uniqueItems", json_true());
  return out;
}

static void add_write_parameters(json_t *list, const char *action, gboolean v3) {
  json_array_append_new(list,
                        schema_paths_parameter("query", "dryRun", "string",
                                               "All: check the request and change nothing.", v3));
  if (g_str_equal(action, "delete"))
    return;
  json_array_append_new(list, schema_paths_parameter("query", "fieldManager", "string",
                                                     "Name of the program that writes.", v3));
  json_array_append_new(
      list, schema_paths_parameter("query", "fieldValidation", "string",
                                   "What unknown fields are: Ignore, Warn or Strict.", v3));
  if (g_str_equal(action, "patch"))
    json_array_append_new(
        list, schema_paths_parameter("query", "force", "boolean",
                                     "Take fields over from other managers (apply only).", v3));
}

static void add_list_parameters(json_t *list, gboolean v3) {
  static const struct {
    const char *name, *type, *doc;
  } parameters[] = {
      {"labelSelector", "string", "Only objects with these labels."},
      {"fieldSelector", "string", "Only objects with these fields."},
      {"limit", "integer", "Most objects on a page."},
      {"continue", "string", "Token of the page before."},
      {"resourceVersion", "string", "Version to list at or to watch from."},
      {"resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."},
      {"watch", "boolean", "Send changes as they happen."},
      {"allowWatchBookmarks", "boolean", "Send bookmarks during a watch."},
      {"sendInitialEvents", "boolean", "Begin a watch with all objects."},
      {"timeoutSeconds", "integer", "End the watch after this many seconds."},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(parameters); i++)
    json_array_append_new(list, schema_paths_parameter("query", parameters[i].name,
                                                       parameters[i].type, parameters[i].doc, v3));
}

static json_t *schema_paths_content(const char *const *types, json_t *schema) {
  json_t *out = json_object();
  for (gsize i = 0; types[i]; i++)
    json_object_set_new(out, types[i], json_pack("{s:O}", "schema", schema));
  json_decref(schema);
  return out;
}

static void set_body(json_t *operation, json_t *parameters, const char *action, const char *name,
                     gboolean v3) {
  static const char *const json_types[] = {"application/json", "application/yaml", NULL};
  static const char *const patch_types[] = {
      "application/merge-patch+json", "application/strategic-merge-patch+json",
      "application/json-patch+json", "application/apply-patch+yaml", NULL};
  gboolean patch = g_str_equal(action, "patch");
  const char *const *types = patch ? patch_types : json_types;
  json_t *schema = patch ? json_pack("{s:s}", "type", "object") : ferry_schema_ref(name, v3);
  if (v3) {
    json_object_set_new(
        operation, "requestBody",
        json_pack("{s:b, s:o}", "required", 1, "content", schema_paths_content(types, schema)));
    return;
  }
  json_t *consumes = json_array();
  for (gsize i = 0; types[i]; i++)
    json_array_append_new(consumes, json_string(types[i]));
  json_object_set_new(operation, "consumes", consumes);
  json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:o}", "name", "body", "in", "body",
                                              "required", 1, "schema", schema));
}

static json_t *schema_paths_responses(const char *name, gboolean created, gboolean v3) {
  static const char *const types[] = {"application/json", NULL};
  json_t *schema = ferry_schema_ref(name, v3);
  json_t *ok = v3 ? json_pack("{s:s, s:o}", "description", "OK", "content",
                              schema_paths_content(types, schema))
                  : json_pack("{s:s, s:o}", "description", "OK", "schema", schema);
  json_t *out = json_object();
  json_object_set_new(out, created ? "201" : "200", ok);
  return out;
}

/* One operation: `verb` is HTTP's in lower case, `action` Kubernetes'. */
static void add_operation(json_t *item, const FerryKind *kind, const char *verb, const char *action,
                          const char *where, gboolean v3) {
  g_autofree char *name = ferry_schema_name(kind, "");
  g_autofree char *list_name = ferry_schema_name(kind, "List");
  gboolean write = !g_str_equal(verb, "get");
  json_t *operation = json_object(), *parameters = json_array();
  json_object_set_new(operation, "description",
                      json_sprintf("%s %s", action, *where ? where + 1 : kind->plural));
  g_autofree char *id =
      g_strdup_printf("%s-%s-%s-%s%s", action, kind->group, kind->version, kind->plural, where);
  json_object_set_new(operation, "operationId", json_string(g_strdelimit(id, "/.", '-')));
  if (g_str_equal(action, "list"))
    add_list_parameters(parameters, v3);
  if (write)
    add_write_parameters(parameters, action, v3);
  if (write && !g_str_equal(action, "delete"))
    set_body(operation, parameters, action, name, v3);
  json_object_set_new(operation, "parameters", parameters);
  json_object_set_new(operation, "responses",
                      schema_paths_responses(g_str_equal(action, "list")     ? list_name
                                             : g_str_equal(action, "delete") ? SCHEMA_STATUS
                                                                             : name,
                                             g_str_equal(action, "post"), v3));
  if (!v3)
    json_object_set_new(operation, "produces", json_pack("[s]", "application/json"));
  json_object_set_new(operation, "x-kubernetes-action", json_string(action));
  json_object_set_new(operation, "x-kubernetes-group-version-kind", ferry_schema_gvk(kind, ""));
  json_object_set_new(item, verb, operation);
}

static json_t *new_item(const FerryKind *kind, gboolean namespaced, gboolean named, gboolean v3) {
  json_t *item = json_object(), *parameters = json_array();
  if (named)
    json_array_append_new(
        parameters, schema_paths_parameter("path", "name", "string", "Name of the object.", v3));
  if (namespaced)
    json_array_append_new(parameters,
                          schema_paths_parameter("path", "namespace", "string", "Namespace.", v3));
  json_object_set_new(item, "parameters", parameters);
  return item;
}

static void schema_paths_add_item(json_t *paths, const FerryKind *kind, const char *path,
                                  unsigned verbs, const char *where, gboolean v3) {
  json_t *item = new_item(kind, kind->namespaced, TRUE, v3);
  if (verbs & FERRY_VERB_GET)
    add_operation(item, kind, "get", "get", where, v3);
  if (verbs & FERRY_VERB_UPDATE)
    add_operation(item, kind, "put", "put", where, v3);
  if (verbs & FERRY_VERB_PATCH)
    add_operation(item, kind, "patch", "patch", where, v3);
  if (verbs & FERRY_VERB_DELETE)
    add_operation(item, kind, "delete", "delete", where, v3);
  json_object_set_new(paths, path, item);
}

static void add_kind_paths(json_t *paths, const FerryKind *kind, gboolean v3) {
  g_autofree char *root = *kind->group ? g_strdup_printf("/apis/%s/%s/", kind->group, kind->version)
                                       : g_strdup_printf("/api/%s/", kind->version);
  g_autofree char *collection =
      g_strconcat(root, kind->namespaced ? "namespaces/{namespace}/" : "", kind->plural, NULL);
  json_t *item = new_item(kind, kind->namespaced, FALSE, v3);
  if (kind->verbs & FERRY_VERB_LIST)
    add_operation(item, kind, "get", "list", "", v3);
  if (kind->verbs & FERRY_VERB_CREATE)
    add_operation(item, kind, "post", "post", "", v3);
  json_object_set_new(paths, collection, item);
  if (kind->namespaced && (kind->verbs & FERRY_VERB_LIST)) {
    g_autofree char *everywhere = g_strconcat(root, kind->plural, NULL);
    item = new_item(kind, FALSE, FALSE, v3);
    add_operation(item, kind, "get", "list", "/all", v3);
    json_object_set_new(paths, everywhere, item);
  }
  g_autofree char *one = g_strconcat(collection, "/{name}", NULL);
  schema_paths_add_item(paths, kind, one, kind->verbs, "/one", v3);
  if (kind->has_status) {
    g_autofree char *status = g_strconcat(one, "/status", NULL);
    schema_paths_add_item(paths, kind, status,
                          FERRY_VERB_GET | FERRY_VERB_UPDATE | FERRY_VERB_PATCH, "/status", v3);
  }
  for (gsize i = 0; kind->subresources && kind->subresources[i]; i++) {
    g_autofree char *path = g_strconcat(one, "/", kind->subresources[i], NULL);
    g_autofree char *where = g_strconcat("/", kind->subresources[i], NULL);
    schema_paths_add_item(paths, kind, path,
                          kind->subresource_verb ? kind->subresource_verb : FERRY_VERB_UPDATE,
                          where, v3);
  }
}

json_t *ferry_schema_paths(const char *group, const char *version, gboolean v3) {
  json_t *paths = json_object();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++) {
    if (group && !(g_str_equal(group, kinds[i]->group) && g_str_equal(version, kinds[i]->version)))
      continue;
    add_kind_paths(paths, kinds[i], v3);
  }
  return paths;
}
