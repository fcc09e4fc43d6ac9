// SPDX-License-Identifier: Apache-2.0
// Kimchi's REST: paths, authorisation and errors.
//
// Theory of operation: Kimchi's resources are views of Ferry's objects. A Task is a
// VirtualMachineInstanceMigration, so it lasts as long as that does; /config is annotations of the
// KubeVirt object; a VM is a VirtualMachineInstance. Each call is authorised as the call on the
// object behind it, so whoever may not create migrations may not POST .../migrate either. Whatever
// goes wrong is answered in Kimchi's form.
#include "api/kimchi/kimchi.h"

#include <string.h>

#define PLUGIN "/plugins/kimchi"

static const struct {
  const char *root;
  gboolean named;     /* ROOT/NAME */
  const char *action; /* ROOT/NAME/ACTION */
  const char *method;
  gboolean (*handler)(FerryKimchi *k, GError **error);
} routes[] = {
    {"vms", FALSE, NULL, "GET", ferry_kimchi_list_vms},
    {"vms", TRUE, NULL, "GET", ferry_kimchi_get_vm},
    {"vms", TRUE, "migrate", "GET", ferry_kimchi_get_migrate},
    {"vms", TRUE, "migrate", "POST", ferry_kimchi_migrate},
    {"vms", TRUE, "migrate", "DELETE", ferry_kimchi_cancel_migrate},
    {"tasks", FALSE, NULL, "GET", ferry_kimchi_list_tasks},
    {"tasks", TRUE, NULL, "GET", ferry_kimchi_get_task},
    {"tasks", TRUE, NULL, "DELETE", ferry_kimchi_cancel_task},
    {"peers", FALSE, NULL, "GET", ferry_kimchi_get_peers},
    {"config", FALSE, NULL, "GET", ferry_kimchi_get_config},
    {"config", FALSE, NULL, "PUT", ferry_kimchi_put_config},
};

gboolean ferry_kimchi_owns(const char *path) {
  static const char *const roots[] = {"/vms", "/tasks", "/peers", "/config", PLUGIN};
  for (gsize i = 0; path && i < G_N_ELEMENTS(roots); i++) {
    gsize len = strlen(roots[i]);
    if (strncmp(path, roots[i], len) == 0 && (path[len] == '\0' || path[len] == '/'))
      return TRUE;
  }
  return FALSE;
}

void ferry_kimchi_warn(FerryKimchi *k, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_ptr_array_add(k->warnings, g_strdup_vprintf(format, ap));
  va_end(ap);
}

void ferry_kimchi_problem(FerryKimchi *k, const char *field, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  json_array_append_new(k->problems, json_pack("{ss,ss}", "field", field, "reason", text));
}

gboolean ferry_kimchi_no_problems(FerryKimchi *k, GError **error) {
  if (json_array_size(k->problems) == 0)
    return TRUE;
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GError) all = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "");
  gsize i;
  json_t *one;
  json_array_foreach(k->problems, i, one) {
    const char *field = ferry_json_str(one, "field"), *reason = ferry_json_str(one, "reason");
    g_string_append_printf(text, "%s%s: %s", i ? "; " : "", field, reason);
    ferry_error_add_cause(all, "FieldValueInvalid", field, "%s", reason);
  }
  g_free(all->message);
  all->message = g_string_free(g_steal_pointer(&text), FALSE);
  g_propagate_error(error, g_steal_pointer(&all));
  return FALSE;
}

gboolean ferry_kimchi_authorise(FerryKimchi *k, const FerryKind *kind, const char *verb,
                                const char *subresource, const char *ns, const char *name,
                                GError **error) {
  k->req->kind = kind;
  k->req->verb = verb;
  k->req->subresource = subresource;
  k->req->ns = ns;
  k->req->name = name;
  return ferry_authz_check(k->req, error);
}

json_t *ferry_kimchi_body(FerryKimchi *k, GError **error) {
  if (k->req->body->len == 0)
    return json_object();
  json_t *body = ferry_request_body(k->req, error);
  if (body && !json_is_object(body)) {
    json_decref(body);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must be a JSON object, such as {\"remote_host\": \"h2\"}");
    return NULL;
  }
  return body;
}

void ferry_kimchi_respond(FerryKimchi *k, unsigned status, json_t *value) {
  if (k->warnings->len && json_is_object(value)) {
    json_t *list = json_array();
    for (guint i = 0; i < k->warnings->len; i++)
      json_array_append_new(list, json_string(g_ptr_array_index(k->warnings, i)));
    json_object_set_new(value, "warnings", list);
  }
  for (guint i = 0; i < k->warnings->len; i++)
    ferry_respond_warning(k->req, g_ptr_array_index(k->warnings, i));
  ferry_respond_json(k->req, status, value);
}

void ferry_kimchi_respond_error(FerryRequest *req, const GError *error) {
  int code = error->domain == FERRY_ERROR ? error->code : FERRY_ERROR_INTERNAL;
  unsigned status = ferry_error_http_status(code);
  g_autofree char *text = g_strdup_printf("%u %s", status, MHD_get_reason_phrase_for(status));
  json_t *out = json_pack("{s:s, s:o}", "code", text, "reason", ferry_json_text(error->message));
  json_t *causes = json_array();
  for (guint i = 0; i < ferry_error_n_causes(error); i++) {
    const FerryCause *c = ferry_error_cause(error, i);
    json_array_append_new(causes,
                          json_pack("{s:s*, s:o}", "field", c->field && *c->field ? c->field : NULL,
                                    "reason", ferry_json_text(c->message)));
  }
  if (json_array_size(causes))
    json_object_set(out, "causes", causes);
  json_decref(causes);
  ferry_respond_json(req, status, out);
}

/* The table's row for the path, or NULL; `allow` gets the methods of rows for the same path. */
static gboolean find_route(FerryRequest *req, char *const *s, guint n, gsize *row, GString *allow) {
  gboolean found = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(routes) && !found; i++) {
    guint wanted = 1 + (routes[i].named ? 1 : 0) + (routes[i].action ? 1 : 0);
    if (n != wanted || !g_str_equal(s[0], routes[i].root) ||
        (routes[i].action && !g_str_equal(s[2], routes[i].action)))
      continue;
    found = g_str_equal(req->method, routes[i].method);
    *row = i;
    g_string_append_printf(allow, "%s%s", allow->len ? ", " : "", routes[i].method);
  }
  return found;
}

static gboolean route(FerryKimchi *k, GError **error) {
  FerryRequest *req = k->req;
  char **s = req->segments;
  guint n = g_strv_length(s);
  if (g_str_has_prefix(req->path, PLUGIN)) {
    k->prefix = PLUGIN;
    s += 2;
    n -= 2;
  }
  while (n > 0 && !*s[n - 1])
    n--;
  g_autoptr(GString) allow = g_string_new(NULL);
  gsize row = 0;
  gboolean found = find_route(req, s, n, &row, allow);
  if (!found && !ferry_authz_check(req, error)) /* strangers learn nothing about what is here */
    return FALSE;
  if (!found && !allow->len) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "there is no %s here; there are %s/vms, %s/vms/NAME, %s/vms/NAME/migrate, "
                "%s/tasks, %s/tasks/ID, %s/peers and %s/config",
                req->path, k->prefix, k->prefix, k->prefix, k->prefix, k->prefix, k->prefix,
                k->prefix);
    return FALSE;
  }
  if (!found) {
    ferry_respond_header(req, "Allow", allow->str);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
                "%s is not known for %s; allowed: %s", req->method, req->path, allow->str);
    return FALSE;
  }
  if (ferry_query(req, "dryRun")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "dryRun is not known here; POST the VirtualMachineInstanceMigration with "
                "?dryRun=All instead");
    return FALSE;
  }
  k->name = n > 1 ? s[1] : NULL;
  return routes[row].handler(k, error);
}

gboolean ferry_serve_kimchi(FerryRequest *req, GError **error) {
  FerryKimchi k = {.req = req, .prefix = ""};
  k.warnings = g_ptr_array_new_with_free_func(g_free);
  k.problems = json_array();
  gboolean ok = route(&k, error);
  g_ptr_array_unref(k.warnings);
  json_decref(k.problems);
  g_clear_pointer(&k.names, g_hash_table_unref);
  /* They pointed into objects of the handler. */
  req->kind = NULL;
  req->ns = req->name = req->subresource = NULL;
  return ok;
}
