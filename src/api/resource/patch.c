// SPDX-License-Identifier: Apache-2.0
// A PATCH by its Content-Type. Strategic patches are taken for every kind: merge keys come from the
// kind's own description.
#include "api/resource/patch.h"
#include "api/resource/apply.h"
#include "api/http/negotiate.h"
#include "base/json_size.h"
#include "base/patch/patch.h"

#include <string.h>

static json_t *apply_by_type(FerryRequest *req, const json_t *old, json_t *patch, GError **error) {
  g_autofree char *type = ferry_media_type(req->asked.content_type);
  gboolean list = json_is_array(patch);
  if (g_str_equal(type, "application/json-patch+json")) {
    if (list)
      return ferry_patch_json(old, patch, error);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "a JSON patch must be a list of operations");
    return NULL;
  }
  if (!json_is_object(patch)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "the patch must be an object");
    return NULL;
  }
  if (g_str_equal(type, "application/merge-patch+json"))
    return ferry_patch_merge(old, patch);
  if (g_str_equal(type, "application/strategic-merge-patch+json"))
    return ferry_patch_strategic(old, patch, ferry_kind_merge_key, (gpointer)req->found.kind,
                                 error);
  if (g_str_equal(type, "application/apply-patch+yaml"))
    return ferry_apply_patch(req, old, patch, error);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE,
              "the body of the request was in an unknown format - accepted media types include: "
              "application/json-patch+json, application/merge-patch+json, "
              "application/strategic-merge-patch+json, application/apply-patch+yaml");
  return NULL;
}

/* The result of a merge is at most what is stored and the patch together: it is judged when it is
 * there, as a body would be. */
json_t *ferry_patch_apply(FerryRequest *req, const json_t *old, json_t *patch, GError **error) {
  g_autoptr(json_t) result = apply_by_type(req, old, patch, error);
  FerryJsonSize left = FERRY_JSON_SIZE_FULL;
  if (!result || !ferry_json_size_spend(&left, result, 0, error))
    return NULL;
  return g_steal_pointer(&result);
}
