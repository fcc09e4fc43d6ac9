// SPDX-License-Identifier: Apache-2.0
#include "control/conditions.h"
#include "base/rfc3339.h"

gboolean ferry_condition_set(json_t *object, FerryConditionType type, const char *status,
                             const char *reason, const char *message, gint64 now_ms) {
  json_t *there = ferry_condition_find(object, type);
  if (there && g_strcmp0(ferry_json_str(there, "status"), status) == 0 &&
      g_strcmp0(ferry_json_str(there, "reason"), reason) == 0 &&
      g_strcmp0(ferry_json_str(there, "message"), message) == 0)
    return FALSE;
  gboolean flipped = !there || g_strcmp0(ferry_json_str(there, "status"), status) != 0;
  json_t *list = ferry_json_own(object, "status.conditions");
  if (!json_is_array(list)) {
    list = json_array();
    ferry_json_set(object, "status.conditions", list);
  }
  there = ferry_json_own_found(list, "type", ferry_condition_name(type));
  if (!there) {
    there = json_object();
    json_array_append_new(list, there);
  }
  ferry_json_set_str(there, "type", ferry_condition_name(type));
  ferry_json_set_str(there, "status", status);
  ferry_json_set_str(there, "reason", reason);
  ferry_json_set_str(there, "message", message);
  if (flipped) {
    g_autofree char *now = ferry_rfc3339_format(now_ms);
    ferry_json_set_str(there, "lastTransitionTime", now);
  }
  return TRUE;
}

gboolean ferry_condition_remove(json_t *object, FerryConditionType type) {
  const json_t *list = ferry_json_get(object, "status.conditions");
  for (gsize i = 0; i < json_array_size(list); i++)
    if (g_strcmp0(ferry_json_str(json_array_get(list, i), "type"), ferry_condition_name(type)) ==
        0) {
      json_array_remove(ferry_json_own(object, "status.conditions"), i);
      return TRUE;
    }
  return FALSE;
}
