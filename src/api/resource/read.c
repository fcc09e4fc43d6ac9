// SPDX-License-Identifier: Apache-2.0
// GET of one object; what it shares with lists (list.c).
#include "api/internal.h"

#include <string.h>

gint64 ferry_object_revision(const json_t *object) {
  const char *text = ferry_json_str(object, "metadata.resourceVersion");
  return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

gboolean ferry_request_selectors(FerryRequest *req, FerrySelector **labels, FerrySelector **fields,
                                 GError **error) {
  const char *l = ferry_query(req, "labelSelector"), *f = ferry_query(req, "fieldSelector");
  *labels = *fields = NULL;
  if (l && *l && !(*labels = ferry_selector_parse_labels(l, error)))
    return FALSE;
  if (f && *f && !(*fields = ferry_selector_parse_fields(req->kind, f, error)))
    return FALSE;
  return TRUE;
}

/* A VM is also found by its UUID and by the domain's name, where that is one's alone. */
static json_t *find_vmi(FerryRequest *req) {
  FerryStore *store = req->api->store;
  json_t *object = ferry_store_get_by_uid(store, &ferry_kind_vmi, req->name);
  if (object && g_strcmp0(ferry_json_str(object, "metadata.namespace"), req->ns) == 0)
    return object;
  if (object)
    json_decref(object);
  return ferry_store_get_by_domain(store, &ferry_kind_vmi, req->ns, req->name);
}

json_t *ferry_resource_find(FerryRequest *req, GError **error) {
  if (req->kind->make) {
    g_autoptr(json_t) source = ferry_made_source(req, req->kind, req->ns, req->name, error);
    return source ? ferry_made_of(req->kind, source) : NULL;
  }
  json_t *object = ferry_store_get(req->api->store, req->kind, req->ns ? req->ns : "", req->name);
  if (!object && req->kind == &ferry_kind_vmi && req->ns)
    object = find_vmi(req);
  if (!object)
    ferry_set_not_found(error, req->kind, req->name);
  return object;
}

gboolean ferry_set_too_new(gint64 wanted, gint64 now, GError **error) {
  g_autofree char *text = g_strdup_printf(
      "Too large resource version: %" G_GINT64_FORMAT ", current: %" G_GINT64_FORMAT, wanted, now);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT, text);
  if (error && *error)
    ferry_error_add_cause(*error, "ResourceVersionTooLarge", "", "Too large resource version");
  return FALSE;
}

gboolean ferry_resource_get(FerryRequest *req, GError **error) {
  gint64 wanted, now = ferry_store_revision(req->api->store);
  if (!ferry_query_int(req, "resourceVersion", 0, &wanted, error))
    return FALSE;
  if (wanted > now)
    return ferry_set_too_new(wanted, now, error);
  g_autoptr(json_t) object = ferry_resource_find(req, error);
  if (!object)
    return FALSE;
  ferry_respond_object(req, 200, req->kind, object);
  return TRUE;
}
