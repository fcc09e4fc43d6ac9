// SPDX-License-Identifier: Apache-2.0
// An agent's key is worth its host: what it says of where its host is reached must not be where
// another host is. Whose something is follows from order: a node's name goes before all, then
// whoever said it first. control/node_claims.c keeps newcomers out when they report; here the
// outcome is looked at once more before a VM goes there.
#include "policy/network/peers.h"
#include "model/migration/node_address.h"
#include "model/migration/reasons.h"
#include "model/migration/peer_uri.h"
#include "model/migration/condition.h"
#include <string.h>

static gboolean has_address(const json_t *node, const char *host) {
  gsize i, k, len = strlen(host);
  json_t *item, *text;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    if (g_strcmp0(ferry_internal_address(item), host) == 0)
      return TRUE;
  }
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, item)
      json_array_foreach(json_object_get(item, "addresses"), k, text) {
    const char *address = json_string_value(text);
    if (address && strncmp(address, host, len) == 0 && (!address[len] || address[len] == '/'))
      return TRUE;
  }
  return FALSE;
}

const char *ferry_peers_holder(json_t *const *nodes, gsize n, const char *name, const char *host) {
  if (g_strcmp0(name, host) == 0)
    return NULL;
  for (gsize i = 0; i < n; i++) {
    const char *other = ferry_json_str(nodes[i], "metadata.name");
    if (g_strcmp0(other, name) == 0)
      continue;
    if (g_strcmp0(other, host) == 0 ||
        g_strcmp0(ferry_json_str(ferry_peer_of_node(nodes[i]), "host"), host) == 0 ||
        has_address(nodes[i], host))
      return other;
  }
  return NULL;
}

char *ferry_peers_obstacle(json_t *const *nodes, gsize n, const json_t *node, const json_t *config,
                           FerryReason *reason) {
  const char *name = ferry_json_str(node, "metadata.name");
  const json_t *peer = ferry_peer_of_node(node);
  const json_t *conflict = ferry_condition_find(node, FERRY_CONDITION_PEER_CONFLICT);
  if (!peer && ferry_condition_entry_holds(conflict)) {
    *reason = FERRY_REASON_PEER_CONFLICT;
    return g_strdup(ferry_json_str(conflict, "message"));
  }
  *reason = FERRY_REASON_NO_PEER_URI;
  if (!peer)
    return g_strdup_printf(
        "node %s has not said how other hosts' libvirtd reach its libvirtd; ferry host trust %s "
        "sets "
        "libvirt's TLS up there, or start its agent with --peer-uri qemu+tls://%s/system (or "
        "qemu+ssh://root@%s/system)",
        name, name, name, name);
  g_autoptr(GError) error = NULL;
  g_autofree char *uri = ferry_peer_uri(peer, &error);
  if (!uri)
    return g_strdup_printf("node %s: %s", name, error->message);
  const char *host = ferry_json_str(peer, "host");
  const char *holder =
      ferry_json_get(node, "spec.peer") ? NULL : ferry_peers_holder(nodes, n, name, host);
  if (holder) {
    *reason = FERRY_REASON_PEER_CONFLICT;
    return g_strdup_printf("node %s says that it is reached at %s, which is node %s's; correct its "
                           "agent's --peer-uri, or bind it with spec.peer of the Node",
                           name, host, holder);
  }
  if (g_strcmp0(ferry_json_str(peer, "scheme"), "tcp") == 0 &&
      !ferry_json_bool(config, "allowTCPPeers", FALSE)) {
    *reason = FERRY_REASON_TCP_NOT_ALLOWED;
    return g_strdup_printf(
        "node %s is reached over tcp, in the clear and by anybody; give its agent --peer-uri "
        "qemu+tls://%s/system, or set allowTCPPeers: true in the KubeVirt object",
        name, host);
  }
  return NULL;
}
