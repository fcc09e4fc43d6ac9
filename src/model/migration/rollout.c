// SPDX-License-Identifier: Apache-2.0
#include "model/migration/rollout.h"

json_t *ferry_rollout_host(const json_t *rollout, const char *node) {
  return ferry_json_find(ferry_json_get(rollout, "status.hosts"), "nodeName", node);
}

const json_t *ferry_rollout_of_host(json_t *const *rollouts, gsize n, const char *own,
                                    const char *node) {
  for (gsize i = 0; i < n; i++)
    if (!ferry_rollout_is_final(rollouts[i]) &&
        g_strcmp0(ferry_json_str(rollouts[i], "metadata.name"), own) != 0 &&
        ferry_rollout_host(rollouts[i], node))
      return rollouts[i];
  return NULL;
}

gboolean ferry_rollout_is_final(const json_t *rollout) {
  return ferry_phase_is_final(ferry_phase_of(rollout));
}

gboolean ferry_rollout_is_under_way(FerryPhase host) {
  return host != FERRY_PHASE_NONE && host != FERRY_PHASE_QUEUED && !ferry_phase_is_final(host);
}

void ferry_rollout_say_done(json_t *host, const char *done_at, const char *by) {
  ferry_json_set_str(host, "doneAt", done_at);
  ferry_json_set_str(host, "doneBy", by);
}
