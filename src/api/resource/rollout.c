// SPDX-License-Identifier: Apache-2.0
#include "api/resource/rollout.h"
#include "api/http/negotiate.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"
#include "base/rfc3339.h"
#include "control/rollout/rollout_host.h"
#include "model/migration/rollout.h"

/* Why it can't be said, or NULL; free with g_free. */
static char *done_obstacle(FerryRequest *req, const json_t *host, const char *node) {
  if (!host)
    return g_strdup_printf("node %s is not one of its hosts", node);
  FerryPhase phase = ferry_phase_parse(ferry_json_str(host, "phase"));
  guint vms = ferry_rollout_host_vms(req->api->store, node);
  const char *why = ferry_json_str(host, "message");
  if (phase == FERRY_PHASE_QUEUED)
    return g_strdup_printf("the turn of %s has not come yet", node);
  if (ferry_phase_is_final(phase))
    return g_strdup_printf("%s: %s", node, why ? why : ferry_phase_name(phase));
  if (vms > 0)
    return g_strdup_printf("%u VMs run on %s yet", vms, node);
  if (phase != FERRY_PHASE_EMPTY && phase != FERRY_PHASE_VERIFYING)
    return g_strdup_printf("%s is not known to be empty (%s): %s", node, ferry_phase_name(phase),
                           why ? why : "ask again in a moment");
  return NULL;
}

static json_t *rollout_say_done(FerryRequest *req, const json_t *old, gpointer data,
                                GError **error) {
  const char *node = data;
  const json_t *host = ferry_rollout_host(old, node);
  g_autofree char *why = done_obstacle(req, host, node);
  if (why) {
    ferry_request_refuse(req, why, error);
    return NULL;
  }
  if (ferry_json_str(host, "doneAt"))
    return json_incref((json_t *)old);
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(req->api->clock));
  json_t *object = json_deep_copy(old);
  ferry_rollout_say_done(ferry_rollout_host(object, node), now, req->user->name);
  return object;
}

gboolean ferry_resource_done(FerryRequest *req, GError **error) {
  gboolean dry;
  g_autoptr(json_t) body = ferry_request_body(req, error);
  const char *node =
      body ? ferry_request_one_field(body, "nodeName",
                                     "the host that is done, as {\"nodeName\": \"h1\"}", error)
           : NULL;
  return node && ferry_request_dry_run(req, body, &dry, error) &&
         ferry_resource_replace(req, rollout_say_done, (gpointer)node, dry, error);
}
