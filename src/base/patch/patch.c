// SPDX-License-Identifier: Apache-2.0
#include "base/patch/patch.h"

/* A new reference to what `patch` makes of `target`, which may be NULL and stays as it is: the
 * objects that the patch names are copied, one level each, and the rest is shared. */
json_t *ferry_patch_merge(const json_t *target, const json_t *patch) {
  if (!json_is_object(patch))
    return json_incref((json_t *)patch);
  json_t *out = json_is_object(target) ? json_copy((json_t *)target) : json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    if (json_is_null(value))
      json_object_del(out, key);
    else
      json_object_set_new(out, key, ferry_patch_merge(json_object_get(out, key), value));
  }
  return out;
}
