// SPDX-License-Identifier: Apache-2.0
#include "cli/core/apply_patch.h"

json_t *ferry_cli_apply_patch(const json_t *last, const json_t *wanted, const json_t *live) {
  json_t *patch = json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)wanted, key, value) {
    json_t *now = json_object_get(live, key);
    if (json_is_object(value) && json_is_object(now)) {
      json_t *inner = ferry_cli_apply_patch(json_object_get(last, key), value, now);
      if (json_object_size(inner) > 0)
        json_object_set(patch, key, inner);
      json_decref(inner);
    } else if (now == NULL || !json_equal(value, now)) {
      json_object_set(patch, key, value);
    }
  }
  json_object_foreach((json_t *)last, key, value) {
    if (json_object_get(wanted, key) == NULL && json_object_get(live, key) != NULL)
      json_object_set_new(patch, key, json_null());
  }
  return patch;
}
