// SPDX-License-Identifier: Apache-2.0
#include "policy/place/emptied.h"

const char *ferry_placement_drain_key(const json_t *config) {
  const char *key = ferry_json_str(config, "nodeDrainTaintKey");
  return key ? key : "kubevirt.io/drain";
}

gboolean ferry_node_is_emptied(const json_t *node, const char *drain_key) {
  gsize i;
  json_t *taint;
  if (ferry_json_bool(node, "spec.unschedulable", FALSE))
    return TRUE;
  json_array_foreach(ferry_json_get(node, "spec.taints"), i, taint) {
    if (g_strcmp0(ferry_json_str(taint, "effect"), "NoExecute") == 0 ||
        g_strcmp0(ferry_json_str(taint, "key"), drain_key) == 0)
      return TRUE;
  }
  return FALSE;
}
