// SPDX-License-Identifier: Apache-2.0
#include "api/nodes/trust_ends.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "model/migration/condition.h"
#include "model/migration/reasons.h"

#define ABOUT "libvirt's certificates"

const json_t *ferry_trust_last(const json_t *node) {
  const json_t *last = NULL;
  gint64 last_ms = -1;
  size_t i;
  json_t *one;
  json_array_foreach(ferry_json_get(node, "status.libvirtTrust.given"), i, one) {
    gint64 ends_ms = ferry_rfc3339_parse(ferry_json_str(one, "ends"));
    if (ends_ms > last_ms) {
      last = one;
      last_ms = ends_ms;
    }
  }
  return last;
}

void ferry_trust_warn(json_t *node, gint64 now_ms, gint64 soon_ms) {
  const json_t *last = ferry_trust_last(node);
  const char *ends = ferry_json_str(last, "ends");
  const json_t *there = ferry_condition_find(node, FERRY_CONDITION_CERTIFICATE_EXPIRING);
  const char *said = ferry_json_str(there, "message");
  gboolean ours = said && g_str_has_prefix(said, ABOUT);
  if (!last || ferry_rfc3339_parse(ends) - now_ms >= soon_ms) {
    if (ours)
      ferry_condition_remove(node, FERRY_CONDITION_CERTIFICATE_EXPIRING);
    return;
  }
  if (there && !ours)
    return;
  g_autofree char *text = g_strdup_printf(
      ABOUT " of this host end at %s and were not renewed, which ferry-trust.timer there does: see "
            "journalctl -u ferry-trust on it, and ferry-agentd trust",
      ends);
  ferry_condition_set(node, FERRY_CONDITION_CERTIFICATE_EXPIRING, "True",
                      ferry_reason_name(FERRY_REASON_NOT_RENEWED), text, now_ms);
}
