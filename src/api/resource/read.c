// SPDX-License-Identifier: Apache-2.0
// GET of one object; what it shares with lists (list.c).
#include "api/resource/read.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/lookup/find.h"

#include <string.h>

gboolean ferry_request_selectors(FerryRequest *req, FerrySelector **labels, FerrySelector **fields,
                                 GError **error) {
  const char *l = ferry_query(req, "labelSelector"), *f = ferry_query(req, "fieldSelector");
  *labels = *fields = NULL;
  if (l && *l && !(*labels = ferry_selector_parse_labels(l, error)))
    return FALSE;
  if (f && *f && !(*fields = ferry_selector_parse_fields(req->found.kind, f, error)))
    return FALSE;
  return TRUE;
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
  ferry_respond_object(req, 200, req->found.kind, object);
  return TRUE;
}
