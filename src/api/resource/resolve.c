// SPDX-License-Identifier: Apache-2.0
// A person's word which copy of a VM goes on: PUT .../resolve with {"keepNode": "h1"} on a
// migration that left two. It is noted in status.migrationState.keepNode; the agents of both hosts
// see it by their watches: the other host's destroys its copy, the named one's lets its own go on
// (agent/twin). What it says cannot be taken back once a copy is gone, so it is a right of its own.
#include "api/resource/resolve.h"
#include "api/http/negotiate.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"
#include "base/rfc3339.h"
#include "control/vmi_owner.h"
#include "model/migration/doubt.h"
#include "model/migration/migration.h"

static gboolean is_active_on(const json_t *vmi, const char *node) {
  const json_t *record = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node);
  return ferry_json_bool(record, "active", FALSE) && !ferry_vmi_record_receives(record);
}

/* Whether there are two copies of the VM, or may be: one of them waits, both hosts report one, or
 * it is not known. */
static gboolean has_two_copies(FerryRequest *req, const json_t *m) {
  if (ferry_doubt_is_open(m))
    return TRUE;
  const char *ns = ferry_json_str(m, "metadata.namespace");
  const char *name = ferry_json_str(m, "spec.vmiName");
  g_autoptr(json_t) vmi =
      ferry_store_get(req->api->store, &ferry_kind_vmi, ns ? ns : "", name ? name : "");
  return vmi && is_active_on(vmi, ferry_side_node(m, FERRY_SIDE_SOURCE)) &&
         is_active_on(vmi, ferry_side_node(m, FERRY_SIDE_TARGET));
}

/* Why it can't be done, or NULL; free with g_free. */
static char *resolve_obstacle(FerryRequest *req, const json_t *m, const char *node) {
  const char *source = ferry_side_node(m, FERRY_SIDE_SOURCE);
  const char *target = ferry_side_node(m, FERRY_SIDE_TARGET);
  const char *kept = ferry_doubt_kept(m);
  if (!source || !target)
    return g_strdup("it has not begun, so that there is one copy of the VM");
  if (!g_str_equal(node, source) && !g_str_equal(node, target))
    return g_strdup_printf("node %s has no copy by it: name %s or %s", node, source, target);
  if (kept && g_strcmp0(kept, node) != 0)
    return g_strdup_printf("%s was named before, and its agents carry that out", kept);
  FerrySide side = g_str_equal(node, source) ? FERRY_SIDE_SOURCE : FERRY_SIDE_TARGET;
  if (ferry_doubt_of(m, side) == FERRY_DOUBT_GONE)
    return g_strdup_printf("the copy on %s is gone", node);
  if (!kept && !has_two_copies(req, m))
    return g_strdup("there is one copy of the VM, as far as both hosts say: nothing is in doubt");
  return NULL;
}

static json_t *resolve_resolved(FerryRequest *req, const json_t *old, gpointer data,
                                GError **error) {
  const char *node = data;
  g_autofree char *why = resolve_obstacle(req, old, node);
  if (why) {
    ferry_request_refuse(req, why, error);
    return NULL;
  }
  if (ferry_doubt_kept(old))
    return json_incref((json_t *)old);
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(req->api->clock));
  json_t *object = ferry_json_copy_along(old, "status.migrationState");
  ferry_json_set_str(object, FERRY_STATE "keepNode", node);
  ferry_json_set_str(object, FERRY_STATE "keepRequestedBy", req->user->name);
  ferry_json_set_str(object, FERRY_STATE "keepTimestamp", now);
  /* one that an earlier version ended names the source's agent alone */
  json_t *agents = json_pack("[s*, s*]", ferry_side_node(old, FERRY_SIDE_SOURCE),
                             ferry_side_node(old, FERRY_SIDE_TARGET));
  ferry_json_set(object, FERRY_STATE "agents", agents);
  return object;
}

gboolean ferry_resource_resolve(FerryRequest *req, GError **error) {
  gboolean dry;
  g_autoptr(json_t) body = ferry_request_body(req, error);
  const char *node =
      body ? ferry_request_one_field(
                 body, "keepNode", "the node whose copy goes on, as {\"keepNode\": \"h1\"}", error)
           : NULL;
  return node && ferry_request_dry_run(req, body, &dry, error) &&
         ferry_resource_replace(req, resolve_resolved, (gpointer)node, dry, error);
}
