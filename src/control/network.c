// SPDX-License-Identifier: Apache-2.0
#include "control/network.h"
#include "base/limits.h"
#include "model/migration/reasons.h"
#include "control/conditions.h"
#include "policy/network/network.h"

static void network_judge(json_t *copy, gsize n, const GString *without, gsize missing,
                          gint64 now_ms) {
  if (n == 0) {
    ferry_condition_set(copy, FERRY_CONDITION_READY, "Unknown",
                        ferry_reason_name(FERRY_REASON_NO_NODES), "no node has joined yet", now_ms);
    return;
  }
  g_autofree char *text =
      missing == 0
          ? g_strdup("every node has an address in it")
          : g_strdup_printf("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " nodes: %s%s", missing, n,
                            without->str, missing > FERRY_NAMED_MAX ? ", ..." : "");
  ferry_condition_set(copy, FERRY_CONDITION_READY, missing ? "False" : "True",
                      ferry_reason_name(missing ? FERRY_REASON_NODES_WITHOUT_ADDRESS
                                                : FERRY_REASON_ALL_NODES_CONNECTED),
                      text, now_ms);
}

/* One node's entry of status.nodes. */
static json_t *network_entry(const json_t *node, const FerryNetworkPlace *place) {
  json_t *entry = json_pack("{s:s, s:s}", "nodeName", ferry_json_str(node, "metadata.name"),
                            "address", place->address ? place->address : "");
  const json_t *interface =
      place->interface ? ferry_json_find(ferry_json_get(node, "status.interfaces"), "name",
                                         place->interface)
                       : NULL;
  gint64 speed = ferry_json_int(interface, "speedMbps", 0);
  if (place->interface)
    ferry_json_set_str(entry, "interface", place->interface);
  if (place->problem)
    ferry_json_set_str(entry, "message", place->problem);
  if (speed > 0)
    ferry_json_set_int(entry, "speedMbps", speed);
  return entry;
}

void ferry_network_step(const json_t *network, json_t *const *nodes, gsize n, gint64 now_ms,
                        FerryPlan *plan) {
  g_autoptr(GString) without = g_string_new(NULL);
  g_autoptr(json_t) copy = ferry_json_copy_along(network, "status");
  json_t *list = json_array();
  gsize missing = 0;
  for (gsize i = 0; i < n; i++) {
    g_auto(FerryNetworkPlace) place = {0};
    if (!ferry_network_place_any(network, nodes[i], &place) && ++missing <= FERRY_NAMED_MAX)
      g_string_append_printf(without, "%s%s (%s)", missing > 1 ? ", " : "",
                             ferry_json_str(nodes[i], "metadata.name"), place.problem);
    json_array_append_new(list, network_entry(nodes[i], &place));
  }
  ferry_json_set(copy, "status.nodes", list);
  network_judge(copy, n, without, missing, now_ms);
  if (!json_equal(ferry_json_get(copy, "status"), ferry_json_get(network, "status")))
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_network, g_steal_pointer(&copy), FALSE);
}

gboolean ferry_network_judge_node(json_t *node, json_t *const *networks, gsize n, gint64 now_ms,
                                  FerryPlan *plan) {
  g_autoptr(GString) text = g_string_new(NULL);
  gboolean was = ferry_condition_holds(node, FERRY_CONDITION_NETWORK_UNAVAILABLE), reported;
  reported = json_array_size(ferry_json_get(node, "status.interfaces")) > 0;
  for (gsize i = 0; reported && i < n; i++) {
    g_auto(FerryNetworkPlace) place = {0};
    gboolean required = ferry_json_bool(networks[i], "spec.required", FALSE);
    if ((!required && !ferry_network_has_role(networks[i], "migration")) ||
        ferry_network_place_any(networks[i], node, &place))
      continue;
    g_string_append_printf(text, "%snot in Network \"%s\"%s: %s", text->len ? "; " : "",
                           ferry_json_str(networks[i], "metadata.name"),
                           required ? ", which is required" : "", place.problem);
  }
  if (text->len == 0) {
    if (was)
      ferry_plan_event(plan, node, "Normal", ferry_reason_name(FERRY_REASON_NETWORK_BACK),
                       "in the migration network again", now_ms);
    return ferry_condition_remove(node, FERRY_CONDITION_NETWORK_UNAVAILABLE);
  }
  if (!was)
    ferry_plan_event(plan, node, "Warning", ferry_reason_name(FERRY_REASON_NETWORK_LOST), text->str,
                     now_ms);
  return ferry_condition_set(node, FERRY_CONDITION_NETWORK_UNAVAILABLE, "True",
                             ferry_reason_name(FERRY_REASON_NOT_IN_NETWORK), text->str, now_ms);
}
