// SPDX-License-Identifier: Apache-2.0
// Kinds whose objects are stored nowhere: each is made of a stored one when somebody looks, by its
// kind's own function. All else (selectors, pages, tables, watches) goes on as with any other kind.
#include "api/lookup/made.h"
#include "api/http/respond.h"
#include "model/kinds/pod.h"

#include <string.h>

json_t *ferry_made_of(const FerryKind *kind, json_t *source) {
  return kind->make ? kind->make(source) : json_incref(source);
}

/* By what stands before each dash of the name; NULL: none, or the name was shortened. */
static json_t *find_by_parts(FerryRequest *req, const FerryKind *stored, const char *ns,
                             const char *name) {
  const char *rest =
      g_str_has_prefix(name, FERRY_POD_PREFIX) ? name + strlen(FERRY_POD_PREFIX) : NULL;
  for (const char *dash = rest ? strchr(rest, '-') : NULL; dash; dash = strchr(dash + 1, '-')) {
    g_autofree char *vmi_name = g_strndup(rest, (gsize)(dash - rest));
    g_autoptr(json_t) vmi = ferry_store_get(req->api->store, stored, ns, vmi_name);
    if (vmi && ferry_pod_is_named(vmi, name))
      return g_steal_pointer(&vmi);
  }
  return NULL;
}

json_t *ferry_made_source(FerryRequest *req, const FerryKind *kind, const char *ns,
                          const char *name, GError **error) {
  const FerryKind *stored = ferry_kind_stored(kind);
  json_t *found = find_by_parts(req, stored, ns, name);
  if (found)
    return found;
  g_autoptr(GPtrArray) all = strlen(name) >= FERRY_POD_SHORTENED
                                 ? ferry_store_list(req->api->store, stored, ns, NULL)
                                 : NULL;
  for (guint i = 0; all && i < all->len; i++) {
    json_t *source = g_ptr_array_index(all, i);
    if (ferry_pod_is_named(source, name))
      return json_incref(source);
  }
  ferry_set_not_found(error, kind, name);
  return NULL;
}
