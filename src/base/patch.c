// SPDX-License-Identifier: Apache-2.0
#include "base/patch.h"

/* Merges into `target`, which is the caller's own and may be NULL; a new reference. One copy is
 * made at the top and changed in place: a copy at each level would cost depth times size. */
static json_t *merge_into(json_t *target, const json_t *patch) {
  if (!json_is_object(patch))
    return json_deep_copy(patch);
  json_t *out = json_is_object(target) ? json_incref(target) : json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    if (json_is_null(value))
      json_object_del(out, key);
    else
      json_object_set_new(out, key, merge_into(json_object_get(out, key), value));
  }
  return out;
}

json_t *ferry_patch_merge(const json_t *target, const json_t *patch) {
  if (!json_is_object(patch))
    return json_deep_copy(patch);
  g_autoptr(json_t) copy = json_is_object(target) ? json_deep_copy(target) : NULL;
  return merge_into(copy, patch);
}
