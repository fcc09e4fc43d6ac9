// SPDX-License-Identifier: Apache-2.0
#include "policy/freeze.h"
#include "base/rfc3339.h"

char *ferry_freeze_text(const json_t *kubevirt) {
  const json_t *freeze = ferry_json_get(kubevirt, "spec.freeze");
  const char *by = ferry_json_str(freeze, "by"), *since = ferry_json_str(freeze, "since"),
             *reason = ferry_json_str(freeze, "reason");
  if (!json_is_object(freeze))
    return NULL;
  return g_strdup_printf("Ferry is frozen%s%s%s%s%s%s: nothing new starts until 'ferry unfreeze'",
                         by ? " by " : "", by ? by : "", since ? " since " : "", since ? since : "",
                         reason && *reason ? ", because " : "", reason ? reason : "");
}

void ferry_freeze_sign(const json_t *old, json_t *kubevirt, const char *user, gint64 now_ms) {
  json_t *freeze = ferry_json_get(kubevirt, "spec.freeze");
  const json_t *before = ferry_json_get(old, "spec.freeze");
  if (!json_is_object(freeze))
    return;
  if (json_is_object(before)) {
    json_object_set(freeze, "by", json_object_get(before, "by"));
    json_object_set(freeze, "since", json_object_get(before, "since"));
    return;
  }
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  ferry_json_set_str(freeze, "by", user);
  ferry_json_set_str(freeze, "since", now);
}
