// SPDX-License-Identifier: Apache-2.0
// Answers: objects in the negotiated form, Kubernetes' Status for errors, warnings.
#include "api/http/respond.h"
#include "api/http/query.h"
#include "model/listing/table.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/yaml.h"

#include <string.h>

#define MAX_WARNING 256

void ferry_respond_header(FerryRequest *req, const char *name, const char *value) {
  g_ptr_array_add(req->answer.headers, g_strdup(name));
  g_ptr_array_add(req->answer.headers, g_strdup(value));
}

static void respond_anew(FerryRequest *req, unsigned status, const char *type) {
  g_clear_pointer(&req->answer.out, g_bytes_unref);
  g_clear_pointer(&req->answer.body, ferry_body_free);
  g_free(req->answer.out_type);
  req->answer.status = status;
  req->answer.out_type = g_strdup(type);
}

void ferry_respond_bytes(FerryRequest *req, unsigned status, const char *type, GBytes *bytes) {
  respond_anew(req, status, type);
  req->answer.out = g_bytes_ref(bytes);
}

void ferry_respond_body(FerryRequest *req, unsigned status, const char *type, FerryBody *body) {
  respond_anew(req, status, type);
  req->answer.body = body;
}

gboolean ferry_respond_is_done(const FerryRequest *req) {
  return req->answer.out || req->answer.body || req->answer.stream;
}

gsize ferry_respond_size(const FerryRequest *req) {
  return req->answer.body  ? req->answer.body->size
         : req->answer.out ? g_bytes_get_size(req->answer.out)
                           : 0;
}

void ferry_respond_text(FerryRequest *req, unsigned status, const char *type, const char *text) {
  g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
  ferry_respond_bytes(req, status, type, bytes);
}

static gboolean wants_pretty(const FerryRequest *req) {
  if (ferry_query(req, "pretty"))
    return ferry_query_bool(req, "pretty");
  return req->asked.user_agent && (g_str_has_prefix(req->asked.user_agent, "curl/") ||
                                   g_str_has_prefix(req->asked.user_agent, "Wget/"));
}

gboolean ferry_respond_is_compact(const FerryRequest *req) {
  return !req->form.yaml && !wants_pretty(req);
}

void ferry_respond_json(FerryRequest *req, unsigned status, json_t *value) {
  char *text;
  if (req->form.yaml)
    text = ferry_yaml_dump(value);
  else if (wants_pretty(req))
    text = ferry_json_dump_pretty(value);
  else
    text = ferry_json_dump(value);
  json_decref(value);
  g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));
  ferry_respond_bytes(req, status, req->form.yaml ? "application/yaml" : "application/json", bytes);
}

json_t *ferry_partial_metadata(const json_t *object) {
  return json_pack("{s:s, s:s, s:O?}", "kind", "PartialObjectMetadata", "apiVersion",
                   "meta.k8s.io/v1", "metadata", json_object_get(object, "metadata"));
}

void ferry_respond_object(FerryRequest *req, unsigned status, const FerryKind *kind,
                          json_t *object) {
  json_t *out;
  g_autoptr(json_t) view = ferry_kind_view(req->found.alias, object);
  object = view;
  if (req->form.format == FERRY_FORMAT_TABLE) {
    out = ferry_table_new(kind, &object, 1, req->form.table_version, ferry_query_include(req), TRUE,
                          ferry_clock_wall_ms(req->api->clock));
    const char *revision = ferry_json_str(object, "metadata.resourceVersion");
    if (revision)
      ferry_json_set_str(out, "metadata.resourceVersion", revision);
  } else if (req->form.format == FERRY_FORMAT_PARTIAL) {
    out = ferry_partial_metadata(object);
  } else {
    out = json_incref(object);
  }
  ferry_respond_json(req, status, out);
}

void ferry_respond_warning(FerryRequest *req, const char *text) {
  guint n = 0;
  for (guint i = 0; i < req->answer.headers->len; i += 2)
    n += g_str_equal(g_ptr_array_index(req->answer.headers, i), "Warning");
  if (n >= FERRY_WARNINGS_MAX)
    return;
  GString *value = g_string_new("299 - \"");
  for (const char *p = text; *p && value->len < MAX_WARNING; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(value, '\\');
    g_string_append_c(value, (guchar)*p < 0x20 || (guchar)*p == 0x7f ? ' ' : *p);
  }
  g_string_append_c(value, '"');
  g_ptr_array_add(req->answer.headers, g_strdup("Warning"));
  g_ptr_array_add(req->answer.headers, g_string_free(value, FALSE));
}

char *ferry_qualified(const FerryKind *kind) {
  return *kind->group ? g_strdup_printf("%s.%s", kind->plural, kind->group)
                      : g_strdup(kind->plural);
}

void ferry_set_not_found(GError **error, const FerryKind *kind, const char *name) {
  g_autofree char *what = ferry_qualified(kind);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "%s \"%s\" not found", what, name);
}

void ferry_store_error(GError **error, const FerryKind *kind, const char *name) {
  if (!error || !*error || (*error)->domain != FERRY_ERROR)
    return;
  g_autofree char *what = ferry_qualified(kind);
  int code = (*error)->code;
  if (code == FERRY_ERROR_NOT_FOUND) {
    g_clear_error(error);
    ferry_set_not_found(error, kind, name);
  } else if (code == FERRY_ERROR_ALREADY_EXISTS) {
    g_clear_error(error);
    g_set_error(error, FERRY_ERROR, code, "%s \"%s\" already exists", what, name);
  } else if (code == FERRY_ERROR_CONFLICT) {
    g_clear_error(error);
    g_set_error(error, FERRY_ERROR, code,
                "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
                "apply your changes to the latest version and try again",
                what, name);
  }
}

json_t *ferry_status_of(const FerryRequest *req, const GError *error) {
  int code = error->domain == FERRY_ERROR ? error->code : FERRY_ERROR_INTERNAL;
  json_t *details = json_object();
  const char *name =
      req->found.name && !req->form.error_kind ? req->found.name : req->form.error_name;
  const FerryKind *kind = req->form.error_kind ? req->form.error_kind : req->found.kind;
  if (name)
    json_object_set_new(details, "name", ferry_json_text(name));
  if (kind) {
    if (*kind->group)
      json_object_set_new(details, "group", json_string(kind->group));
    json_object_set_new(details, "kind",
                        json_string(code == FERRY_ERROR_INVALID ? kind->kind : kind->plural));
  }
  json_t *causes = json_array();
  for (guint i = 0; i < ferry_error_n_causes(error); i++) {
    const FerryCause *c = ferry_error_cause(error, i);
    json_t *cause =
        json_pack("{s:s, s:o}", "reason", c->reason, "message", ferry_json_text(c->message));
    if (c->field && *c->field)
      json_object_set_new(cause, "field", ferry_json_text(c->field));
    json_array_append_new(causes, cause);
  }
  /* Old clients print nothing but "invalid" without a cause, and "FIELD: MESSAGE" of one. */
  if (code == FERRY_ERROR_INVALID && json_array_size(causes) == 0)
    json_array_append_new(
        causes, json_pack("{s:s, s:o, s:s}", "reason", "FieldValueInvalid", "message",
                          ferry_json_text(error->message), "field",
                          g_strcmp0(req->asked.method, "PATCH") == 0 ? "patch" : "request"));
  if (json_array_size(causes))
    json_object_set_new(details, "causes", causes);
  else
    json_decref(causes);
  if ((code == FERRY_ERROR_TOO_MANY_REQUESTS && !req->seat.waits_in_words) ||
      code == FERRY_ERROR_TIMEOUT)
    json_object_set_new(details, "retryAfterSeconds",
                        json_integer(MAX(req->seat.retry_after_s, 1)));
  json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:o, s:s}", "kind", "Status", "apiVersion",
                             "v1", "metadata", "status", "Failure", "message",
                             ferry_json_text(error->message), "reason", ferry_error_reason(code));
  if (json_object_size(details))
    json_object_set(status, "details", details);
  json_decref(details);
  json_object_set_new(status, "code", json_integer((json_int_t)ferry_error_http_status(code)));
  return status;
}

void ferry_respond_error(FerryRequest *req, const GError *error) {
  int code = error->domain == FERRY_ERROR ? error->code : FERRY_ERROR_INTERNAL;
  if (code == FERRY_ERROR_TOO_MANY_REQUESTS && !req->seat.waits_in_words) {
    g_autofree char *seconds = g_strdup_printf("%u", MAX(req->seat.retry_after_s, 1));
    ferry_respond_header(req, "Retry-After", seconds);
  }
  if (code == FERRY_ERROR_UNAUTHORIZED)
    ferry_respond_header(req, "WWW-Authenticate", "Bearer");
  req->form.yaml = FALSE;
  const FerryApiStages *stages = req->api ? req->api->stages : NULL;
  if (stages)
    stages->refused(req, error);
  if (stages && stages->respond_error(req, error))
    return;
  ferry_respond_json(req, ferry_error_http_status(code), ferry_status_of(req, error));
}

void ferry_respond_cached(FerryRequest *req, GBytes *bytes, const char *type) {
  gsize len;
  const void *data = g_bytes_get_data(bytes, &len);
  g_autofree char *hash = ferry_sha256_hex(data, len);
  g_autofree char *etag = g_strdup_printf("\"%s\"", hash);
  ferry_respond_header(req, "ETag", etag);
  ferry_respond_header(req, "Vary", "Accept");
  if (req->asked.if_none_match && strstr(req->asked.if_none_match, etag))
    ferry_respond_text(req, 304, "", "");
  else
    ferry_respond_bytes(req, 200, type, bytes);
}
