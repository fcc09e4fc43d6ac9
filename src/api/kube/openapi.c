// SPDX-License-Identifier: Apache-2.0
// /openapi/v2 (JSON, or protobuf for kubectl) and /openapi/v3. Documents never change while the
// program runs, so each is made once.
#include "api/kube/openapi.h"
#include "api/http/respond.h"
#include "base/random.h"
#include "model/schema/schema.h"

#include <string.h>

#define V2_PROTOBUF "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

static GBytes *bytes_of(json_t *value) {
  char *text = ferry_json_dump(value);
  json_decref(value);
  return g_bytes_new_take(text, strlen(text));
}

static void serve_v2(FerryRequest *req) {
  static GBytes *json, *protobuf;
  static gsize once;
  if (g_once_init_enter(&once)) {
    json = bytes_of(ferry_schema_openapi_v2());
    protobuf = ferry_schema_openapi_v2_protobuf();
    g_once_init_leave(&once, 1);
  }
  /* kubectl asks with "@v1.0"; the answer's own type has a dot there, or old ones fail. */
  if (req->asked.accept &&
      strstr(req->asked.accept, "application/com.github.proto-openapi.spec.v2"))
    ferry_respond_cached(req, protobuf, V2_PROTOBUF);
  else
    ferry_respond_cached(req, json, "application/json");
}

static const char *gv_path(const FerryKind *kind) {
  g_autofree char *path = *kind->group ? g_strdup_printf("apis/%s/%s", kind->group, kind->version)
                                       : g_strdup_printf("api/%s", kind->version);
  return g_intern_string(path);
}

static json_t *v3_index(void) {
  json_t *paths = json_object();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++) {
    const char *path = gv_path(kinds[i]);
    if (json_object_get(paths, path))
      continue;
    json_t *document = ferry_schema_openapi_v3(kinds[i]->group, kinds[i]->version);
    if (!document)
      continue;
    g_autoptr(GBytes) bytes = bytes_of(document);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    g_autofree char *hash = ferry_sha256_hex(data, len);
    g_autofree char *url = g_strdup_printf("/openapi/v3/%s?hash=%s", path, hash);
    json_object_set_new(paths, path, json_pack("{s:s}", "serverRelativeURL", url));
  }
  return json_pack("{s:o}", "paths", paths);
}

gboolean ferry_serve_openapi(FerryRequest *req, GError **error) {
  char **s = req->asked.segments;
  guint n = g_strv_length(s);
  if (n == 2 && g_str_equal(s[1], "v2")) {
    serve_v2(req);
    return TRUE;
  }
  json_t *body = NULL;
  if (n == 2 && g_str_equal(s[1], "v3")) {
    static json_t *index;
    static gsize once;
    if (g_once_init_enter(&once)) {
      index = v3_index();
      g_once_init_leave(&once, 1);
    }
    body = json_incref(index);
  } else if (n == 4 && g_str_equal(s[1], "v3") && g_str_equal(s[2], "api")) {
    body = ferry_schema_openapi_v3("", s[3]);
  } else if (n == 5 && g_str_equal(s[1], "v3") && g_str_equal(s[2], "apis")) {
    body = ferry_schema_openapi_v3(s[3], s[4]);
  }
  if (!body) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "the server could not find the requested resource");
    return FALSE;
  }
  g_autoptr(GBytes) bytes = bytes_of(body);
  ferry_respond_cached(req, bytes, "application/json");
  return TRUE;
}
