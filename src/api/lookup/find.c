// SPDX-License-Identifier: Apache-2.0
// The object that a request names.
#include "api/lookup/find.h"
#include "api/http/respond.h"
#include "store/store.h"
#include "api/lookup/made.h"

/* A VM is also found by its UUID and by the domain's name, where that is one's alone. */
static json_t *find_vmi(FerryRequest *req) {
  FerryStore *store = req->api->store;
  json_t *object = ferry_store_get_by_uid(store, &ferry_kind_vmi, req->found.name);
  if (object && g_strcmp0(ferry_json_str(object, "metadata.namespace"), req->found.ns) == 0)
    return object;
  if (object)
    json_decref(object);
  return ferry_store_get_by_domain(store, &ferry_kind_vmi, req->found.ns, req->found.name);
}

json_t *ferry_resource_find(FerryRequest *req, GError **error) {
  if (req->found.kind->make) {
    g_autoptr(json_t) source =
        ferry_made_source(req, req->found.kind, req->found.ns, req->found.name, error);
    return source ? ferry_made_of(req->found.kind, source) : NULL;
  }
  json_t *object = ferry_store_get(req->api->store, req->found.kind,
                                   req->found.ns ? req->found.ns : "", req->found.name);
  if (!object && req->found.kind == &ferry_kind_vmi && req->found.ns)
    object = find_vmi(req);
  if (!object)
    ferry_set_not_found(error, req->found.kind, req->found.name);
  return object;
}
