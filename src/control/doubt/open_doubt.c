// SPDX-License-Identifier: Apache-2.0
#include "control/doubt/open_doubt.h"
#include "base/rfc3339.h"
#include "model/migration/migration.h"

static gboolean doubt_node_exists(FerryStore *store, const char *node) {
  g_autoptr(json_t) found = ferry_store_get(store, &ferry_kind_node, "", node);
  return found != NULL;
}

/* Whether `node` reports the VM as active; another one of the same name does not count. */
static gboolean is_active_there(const json_t *vmi, const json_t *migration, const char *node) {
  const char *uid = ferry_json_str(migration, FERRY_STATE "vmiUID");
  const json_t *record = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node);
  return ferry_json_bool(record, "active", FALSE) &&
         (!uid || g_strcmp0(uid, ferry_json_str(vmi, "metadata.uid")) == 0);
}

gboolean ferry_open_doubt(FerryStore *store, const json_t *migration, gint64 now_ms,
                          gint64 *until_ms) {
  gint64 end = ferry_rfc3339_parse(ferry_json_str(migration, FERRY_STATE "endTimestamp"));
  gboolean grace = now_ms < end + FERRY_OPEN_DOUBT_GRACE_MS;
  if (until_ms)
    *until_ms = grace ? end + FERRY_OPEN_DOUBT_GRACE_MS : 0;
  if (!ferry_doubt_is_open(migration))
    return FALSE;
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *name = ferry_json_str(migration, "spec.vmiName");
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, ns ? ns : "", name ? name : "");
  for (FerrySide side = FERRY_SIDE_SOURCE; side <= FERRY_SIDE_TARGET; side++) {
    const char *node = ferry_side_node(migration, side);
    if (node && ferry_doubt_of(migration, side) == FERRY_DOUBT_SUSPENDED &&
        doubt_node_exists(store, node) && (grace || is_active_there(vmi, migration, node)))
      return TRUE;
  }
  return FALSE;
}
