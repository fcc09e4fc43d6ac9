// SPDX-License-Identifier: Apache-2.0
// Media types: what a client sends (Content-Type) and what it takes (Accept, clauses in order).
#include "api/http/negotiate.h"
#include "api/http/protobuf.h"
#include "base/yaml.h"

#include <string.h>

#define MAX_CLAUSES 32

char *ferry_media_type(const char *header) {
  if (!header)
    return g_strdup("");
  const char *end = strchr(header, ';');
  char *type = end ? g_strndup(header, (gsize)(end - header)) : g_strdup(header);
  g_strstrip(type);
  for (char *p = type; *p; p++)
    *p = g_ascii_tolower(*p);
  return type;
}

/* The value of parameter NAME of a clause, or NULL. */
static char *clause_param(char *const *parts, const char *name) {
  gsize len = strlen(name);
  for (gsize i = 1; parts[i]; i++) {
    char *p = g_strstrip(parts[i]);
    if (g_ascii_strncasecmp(p, name, len) == 0 && p[len] == '=')
      return p + len + 1;
  }
  return NULL;
}

static gboolean takes_json(const char *type) {
  return g_str_equal(type, "application/json") || g_str_equal(type, "*/*") ||
         g_str_equal(type, "application/*");
}

/* One clause; TRUE where it can be served. */
static gboolean try_clause(FerryRequest *req, const char *clause, gboolean tables) {
  g_auto(GStrv) parts = g_strsplit(clause, ";", 16);
  if (!parts[0])
    return FALSE;
  const char *type = g_strstrip(parts[0]);
  const char *as = clause_param(parts, "as"), *group = clause_param(parts, "g"),
             *version = clause_param(parts, "v"), *q = clause_param(parts, "q");
  if (q && g_ascii_strtod(q, NULL) <= 0)
    return FALSE;
  gboolean yaml = g_str_equal(type, "application/yaml");
  if (!yaml && !takes_json(type))
    return FALSE;
  if (as) {
    gboolean v1 = g_strcmp0(version, "v1") == 0;
    if (!tables || g_strcmp0(group, "meta.k8s.io") != 0 ||
        (!v1 && g_strcmp0(version, "v1beta1") != 0))
      return FALSE;
    if (g_str_equal(as, "Table"))
      req->form.format = FERRY_FORMAT_TABLE;
    else if (g_str_equal(as, "PartialObjectMetadata") ||
             g_str_equal(as, "PartialObjectMetadataList"))
      req->form.format = FERRY_FORMAT_PARTIAL;
    else
      return FALSE;
    req->form.table_version = v1 ? "v1" : "v1beta1";
  } else {
    req->form.format = FERRY_FORMAT_JSON;
  }
  req->form.yaml = yaml;
  return TRUE;
}

gboolean ferry_negotiate(FerryRequest *req, gboolean tables, GError **error) {
  req->form.format = FERRY_FORMAT_JSON;
  req->form.yaml = FALSE;
  if (!req->asked.accept || !*g_strstrip(req->asked.accept))
    return TRUE;
  g_auto(GStrv) clauses = g_strsplit(req->asked.accept, ",", MAX_CLAUSES);
  for (gsize i = 0; clauses[i]; i++)
    if (try_clause(req, clauses[i], tables))
      return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_ACCEPTABLE,
              "only the following media types are accepted: application/json, application/yaml%s",
              tables ? ", application/json;as=Table;v=v1;g=meta.k8s.io, "
                       "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
                     : "");
  return FALSE;
}

const char *ferry_negotiate_aggregated(const FerryRequest *req) {
  g_auto(GStrv) clauses = g_strsplit(req->asked.accept ? req->asked.accept : "", ",", MAX_CLAUSES);
  for (gsize i = 0; clauses[i]; i++) {
    g_auto(GStrv) parts = g_strsplit(clauses[i], ";", 16);
    if (!parts[0] || !takes_json(g_strstrip(parts[0])))
      continue;
    const char *as = clause_param(parts, "as"), *version = clause_param(parts, "v");
    if (!as)
      return NULL;
    if (!g_str_equal(as, "APIGroupDiscoveryList") ||
        g_strcmp0(clause_param(parts, "g"), "apidiscovery.k8s.io") != 0)
      continue;
    if (g_strcmp0(version, "v2") == 0)
      return "v2";
    if (g_strcmp0(version, "v2beta1") == 0)
      return "v2beta1";
  }
  return NULL;
}

static json_t *yaml_body(const FerryRequest *req, GError **error) {
  g_autoptr(json_t) docs =
      ferry_yaml_parse((const char *)req->asked.body->data, req->asked.body->len, error);
  if (!docs)
    return NULL;
  if (json_array_size(docs) != 1) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must hold one YAML document, it holds %zu", json_array_size(docs));
    return NULL;
  }
  return json_incref(json_array_get(docs, 0));
}

json_t *ferry_request_body(FerryRequest *req, GError **error) {
  g_autofree char *type = ferry_media_type(req->asked.content_type);
  gsize len = req->asked.body->len;
  if (len == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the request has no body: expected an object in JSON or YAML");
    return NULL;
  }
  const char *encoding =
      MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, "Content-Encoding");
  if (encoding && *encoding && g_ascii_strcasecmp(encoding, "identity") != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE,
                "the body has Content-Encoding \"%.32s\": send it as it is, without one", encoding);
    return NULL;
  }
  if (g_str_equal(type, "application/vnd.kubernetes.protobuf"))
    return ferry_protobuf_decode(req->asked.body->data, len, error);
  if (g_str_equal(type, "application/yaml") || g_str_equal(type, "application/apply-patch+yaml"))
    return yaml_body(req, error);
  if (!*type || g_str_equal(type, "application/json") || g_str_equal(type, "*/*") ||
      g_str_has_suffix(type, "+json"))
    return ferry_json_parse((const char *)req->asked.body->data, len, error);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE,
              "the body of the request was in an unknown format - accepted media types include: "
              "application/json, application/yaml");
  return NULL;
}
