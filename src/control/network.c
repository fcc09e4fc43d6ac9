// SPDX-License-Identifier: Apache-2.0
#include "control/network.h"
#include "model/migration/reasons.h"
#include "control/conditions.h"
#include "policy/network.h"
#include <sys/socket.h>

#define NAMED 5 /* nodes, in the condition's message */

static char *network_address_of(const json_t *network, const json_t *node) {
  char *address = ferry_network_node_address(network, node, AF_INET);
  if (!address)
    address = ferry_network_node_address(network, node, AF_INET6);
  return address;
}

static void network_judge(json_t *copy, gsize n, const GString *without, gsize missing,
                          gint64 now_ms) {
  if (n == 0) {
    ferry_condition_set(copy, FERRY_CONDITION_READY, "Unknown",
                        ferry_reason_name(FERRY_REASON_NO_NODES), "no node has joined yet", now_ms);
    return;
  }
  g_autofree char *text =
      missing == 0 ? g_strdup("every node has an address in it")
                   : g_strdup_printf("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " nodes: %s%s",
                                     missing, n, without->str, missing > NAMED ? ", ..." : "");
  ferry_condition_set(copy, FERRY_CONDITION_READY, missing ? "False" : "True",
                      ferry_reason_name(missing ? FERRY_REASON_NODES_WITHOUT_ADDRESS
                                                : FERRY_REASON_ALL_NODES_CONNECTED),
                      text, now_ms);
}

void ferry_network_step(const json_t *network, json_t *const *nodes, gsize n, gint64 now_ms,
                        FerryPlan *plan) {
  g_autoptr(GString) without = g_string_new(NULL);
  g_autoptr(json_t) copy = ferry_json_copy_along(network, "status");
  json_t *list = json_array();
  gsize missing = 0;
  for (gsize i = 0; i < n; i++) {
    const char *name = ferry_json_str(nodes[i], "metadata.name");
    g_autofree char *address = network_address_of(network, nodes[i]);
    if (!address && ++missing <= NAMED)
      g_string_append_printf(without, "%s%s", missing > 1 ? ", " : "", name);
    json_array_append_new(
        list, json_pack("{s:s, s:s}", "nodeName", name, "address", address ? address : ""));
  }
  ferry_json_set(copy, "status.nodes", list);
  network_judge(copy, n, without, missing, now_ms);
  if (!json_equal(ferry_json_get(copy, "status"), ferry_json_get(network, "status")))
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_network, g_steal_pointer(&copy), FALSE);
}
