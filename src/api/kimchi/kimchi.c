// SPDX-License-Identifier: Apache-2.0
// Kimchi's REST: paths, authorisation and errors.
//
// Theory of operation: Kimchi's resources are views of Ferry's objects. A Task is a
// VirtualMachineInstanceMigration, so it lasts as long as that does; /config is annotations of the
// KubeVirt object; a VM is a VirtualMachineInstance. Each call is authorised as the call on the
// object behind it (its rows are in routes.c), so whoever may not create migrations may not POST
// .../migrate either. Whatever goes wrong is answered in Kimchi's form.
#include "api/kimchi/kimchi.h"
#include "api/auth/authz.h"
#include "api/http/negotiate.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/http/route.h"

#include <string.h>

#define PLUGIN "/plugins/kimchi"

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
  FerryAccess access = {.verb = verb,
                        .group = kind->group,
                        .resource = kind->plural,
                        .subresource = subresource,
                        .ns = ns,
                        .name = name};
  k->req->found.kind = kind;
  k->req->found.verb = verb;
  k->req->found.subresource = subresource;
  k->req->found.ns = ns;
  k->req->found.name = name;
  return ferry_authz_require(k->req, &access, error);
}

json_t *ferry_kimchi_body(FerryKimchi *k, GError **error) {
  if (k->req->asked.body->len == 0)
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

void ferry_kimchi_no_such_path(const FerryRequest *req, GError **error) {
  const char *p = g_str_has_prefix(req->asked.path, PLUGIN) ? PLUGIN : "";
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
              "there is no %s here; there are %s/vms, %s/vms/NAME, %s/vms/NAME/migrate, "
              "%s/tasks, %s/tasks/ID, %s/peers and %s/config",
              req->asked.path, p, p, p, p, p, p, p);
}

static gboolean kimchi_serve(FerryKimchi *k, GError **error) {
  FerryRequest *req = k->req;
  char **s = req->asked.segments;
  if (g_str_equal(s[0], "plugins")) {
    k->prefix = PLUGIN;
    s += 2;
  }
  if (ferry_query(req, "dryRun")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "dryRun is not known here; POST the VirtualMachineInstanceMigration with "
                "?dryRun=All instead");
    return FALSE;
  }
  k->name = s[1];
  return ((FerryKimchiFunc)req->found.route->detail)(k, error);
}

gboolean ferry_serve_kimchi(FerryRequest *req, GError **error) {
  FerryKimchi k = {.req = req, .prefix = ""};
  k.warnings = g_ptr_array_new_with_free_func(g_free);
  k.problems = json_array();
  gboolean ok = kimchi_serve(&k, error);
  g_ptr_array_unref(k.warnings);
  json_decref(k.problems);
  g_clear_pointer(&k.names, g_hash_table_unref);
  /* They pointed into objects of the handler. */
  req->found.kind = NULL;
  req->found.ns = req->found.name = req->found.subresource = NULL;
  return ok;
}
