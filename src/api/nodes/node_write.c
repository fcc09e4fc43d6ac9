// SPDX-License-Identifier: Apache-2.0
// A Node that was deleted and comes back must not meet epochs that its agent has seen, so a new one
// begins above the store's revision, of which there are more than there ever were sessions.
#include "api/nodes/node_write.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/field/object_meta.h"

static json_t *node_write_new(FerryApi *api, const char *name, gint64 now_ms) {
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:{s:s}}, s:{}, s:{s:{s:I}}}", "apiVersion",
                   "v1", "kind", "Node", "metadata", "name", name, "uid", uid, "creationTimestamp",
                   now, "generation", 1, "labels", "kubernetes.io/hostname", name, "spec", "status",
                   "agent", "epoch", (json_int_t)ferry_store_revision(api->store));
}

gboolean ferry_node_write(FerryApi *api, const char *name, gboolean make, FerryNodeChange change,
                          gpointer data, GError **error) {
  gint64 now_ms = ferry_clock_wall_ms(api->clock);
  for (int i = 0; i < FERRY_API_MAX_TRIES; i++) {
    g_autoptr(json_t) old = ferry_store_get(api->store, &ferry_kind_node, "", name);
    if (!old && !make) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "node \"%s\" is not there any more",
                  name);
      return FALSE;
    }
    g_autoptr(json_t) object = old ? json_deep_copy(old) : node_write_new(api, name, now_ms);
    change(object, now_ms, data);
    if (old && json_equal(old, object))
      return TRUE;
    FerryWrite write = {.op = old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                        .kind = &ferry_kind_node,
                        .ns = "",
                        .name = name,
                        .object = object,
                        .revision = ferry_object_revision(old)};
    g_autoptr(GError) problem = NULL;
    if (ferry_store_commit(api->store, &write, 1, NULL, &problem))
      return TRUE;
    if (!ferry_error_came_between(problem)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "node \"%s\" changes too fast to be written; try again", name);
  return FALSE;
}
