// SPDX-License-Identifier: Apache-2.0
// Everything of one host's that reaches another one, and what keeps it in its place:
//
//   what an agent gives              used by another host as          checked
//   status.hypervisor.peer           targetURI of the source's call   here; built by
//   model/migration/peer_uri.c status.addresses, .interfaces    targetNodeAddress, migrate and
//   here; policy/network/network.c takes
//                                    disks URIs                       none but usable addresses
//   migrationState.bandwidthProbe    address and port that the        agent/job_check.c: it is the
//                                    source's agent connects to       node's address, port >= 1024
//   status.hypervisor.hostUUID       nothing: it is shown alone       -
//   status.hypervisor.libvirtURI     nothing: it is shown alone       -
//   capabilities, memory, storage    whether it is chosen             counted, never an address
//   domains' XML                     nothing: the source's libvirtd   -
//                                    reads its own
//
// Whoever claims what is another's gets nothing, also where that other came later but bears the
// name. What two nodes both had before (an address that moves) is left to both: placement refuses
// where it matters. Bridges like virbr0 have one address on every host: that is no conflict that
// anybody need see, but the second one is no address of its node's.
#include "control/node_claims.h"
#include "model/migration/node_address.h"
#include "model/migration/reasons.h"
#include "control/conditions.h"
#include "model/migration/peer_uri.h"
#include "model/migration/way.h"
#include "policy/network/peers.h"
#include <string.h>

#define PEER "status.hypervisor.peer"

typedef struct {
  FerryPlan *plan;
  json_t *node;
  const json_t *stored;
  json_t *const *networks;
  gsize n_networks;
  gint64 now_ms;
} Claims;

/* `event`: the Event's reason, which is the condition's word. */
static void set_conflict(const Claims *c, FerryConditionType type, FerryReason event,
                         FerryReason reason, const char *text) {
  const json_t *before = ferry_condition_find(c->stored, type);
  if (!text) {
    ferry_condition_remove(c->node, type);
    return;
  }
  if (g_strcmp0(ferry_json_str(before, "message"), text) != 0)
    ferry_plan_event(c->plan, c->node, "Warning", ferry_reason_name(event), text, c->now_ms);
  ferry_condition_set(c->node, type, "True", ferry_reason_name(reason), text, c->now_ms);
}

static void judge_peer(const Claims *c, json_t *const *nodes, gsize n) {
  const char *name = ferry_json_str(c->node, "metadata.name");
  json_t *hypervisor = ferry_json_get(c->node, "status.hypervisor");
  const json_t *peer = json_object_get(hypervisor, "peer");
  g_autoptr(GError) error = NULL;
  g_autofree char *uri = peer ? ferry_peer_uri(peer, &error) : NULL;
  g_autofree char *host = uri ? g_strdup(ferry_json_str(peer, "host")) : NULL;
  const char *holder = host ? ferry_peers_holder(nodes, n, name, host) : NULL;
  g_autofree char *text =
      error ? g_strdup_printf("the peer that node %s's agent reports is refused: %s", name,
                              error->message)
      : holder
          ? g_strdup_printf("node %s's agent says that it is reached at %s, which is node %s's; "
                            "correct its --peer-uri, or bind it with spec.peer of the Node",
                            name, host, holder)
          : NULL;
  set_conflict(c, FERRY_CONDITION_PEER_CONFLICT, FERRY_REASON_PEER_CONFLICT,
               error ? FERRY_REASON_INVALID_PEER : FERRY_REASON_HOST_OF_ANOTHER_NODE, text);
  if (text)
    json_object_del(hypervisor, "peer");
  const char *before = ferry_json_str(c->stored, PEER ".host");
  if (!text && before && host && strcmp(before, host) != 0) {
    g_autofree char *said = g_strdup_printf("reached at %s now, was at %s", host, before);
    ferry_plan_event(c->plan, c->node, "Normal", ferry_reason_name(FERRY_REASON_PEER_CHANGED), said,
                     c->now_ms);
  }
  g_autofree char *shown = ferry_peer_uri(ferry_peer_of_node(c->node), NULL);
  if (shown)
    ferry_json_set_str(c->node, "status.hypervisor.peerURI", shown);
  else
    json_object_del(hypervisor, "peerURI");
}

/* Address (without its prefix length) -> name of the node that has it. */
static GHashTable *node_claims_addresses_of(json_t *const *nodes, gsize n, const char *but) {
  GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; i < n; i++) {
    const char *name = ferry_json_str(nodes[i], "metadata.name");
    gsize k, l;
    json_t *item, *text;
    if (but && g_strcmp0(name, but) == 0)
      continue;
    json_array_foreach(ferry_json_get(nodes[i], "status.addresses"), k, item) {
      const char *address = ferry_internal_address(item);
      if (address)
        g_hash_table_insert(all, g_strdup(address), (char *)name);
    }
    json_array_foreach(ferry_json_get(nodes[i], "status.interfaces"), k, item)
        json_array_foreach(json_object_get(item, "addresses"), l, text) {
      if (json_is_string(text))
        g_hash_table_insert(
            all, g_strndup(json_string_value(text), strcspn(json_string_value(text), "/")),
            (char *)name);
    }
    const char *host = ferry_json_str(ferry_peer_of_node(nodes[i]), "host");
    if (host)
      g_hash_table_insert(all, g_strdup(host), (char *)name);
  }
  return all;
}

typedef struct {
  GHashTable *others, *had;
  GHashTable *told; /* addresses that are in `said` */
  GString *said;    /* what people should know of */
} Filter;

static gboolean carries_migrations(const Claims *c, const char *address) {
  gsize k;
  json_t *subnet;
  for (gsize i = 0; i < c->n_networks; i++)
    json_array_foreach(ferry_json_get(c->networks[i], "spec.subnets"), k, subnet) {
      if (json_is_string(subnet) && ferry_way_in_subnet(json_string_value(subnet), address))
        return TRUE;
    }
  return FALSE;
}

static gboolean node_claims_taken(const Claims *c, const Filter *f, const char *text,
                                  gboolean first) {
  g_autofree char *address = g_strndup(text, strcspn(text, "/"));
  const char *holder = g_hash_table_lookup(f->others, address);
  if (!holder || g_hash_table_contains(f->had, address))
    return FALSE;
  if ((first || carries_migrations(c, address)) && g_hash_table_add(f->told, g_strdup(address)))
    g_string_append_printf(f->said, "%s%s (node %s's)", f->said->len ? ", " : "", address, holder);
  return TRUE;
}

static void judge_addresses(const Claims *c, json_t *const *nodes, gsize n) {
  const char *name = ferry_json_str(c->node, "metadata.name");
  json_t *const stored = (json_t *)c->stored;
  g_autoptr(GHashTable) others = node_claims_addresses_of(nodes, n, name);
  g_autoptr(GHashTable) had = node_claims_addresses_of(&stored, 1, NULL);
  g_autoptr(GString) said = g_string_new(NULL);
  g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Filter f = {others, had, told, said};
  json_t *list = ferry_json_get(c->node, "status.addresses"), *item;
  gboolean first = TRUE;
  for (gsize i = 0; i < json_array_size(list);) {
    item = json_array_get(list, i);
    const char *address = ferry_internal_address(item);
    gboolean internal = address != NULL;
    if (internal && node_claims_taken(c, &f, address, first))
      json_array_remove(list, i);
    else
      i++;
    first = first && !internal;
  }
  gsize i;
  json_array_foreach(ferry_json_get(c->node, "status.interfaces"), i, item) {
    json_t *addresses = json_object_get(item, "addresses");
    for (gsize k = 0; k < json_array_size(addresses);) {
      const char *text = json_string_value(json_array_get(addresses, k));
      if (text && node_claims_taken(c, &f, text, FALSE))
        json_array_remove(addresses, k);
      else
        k++;
    }
  }
  g_autofree char *text =
      said->len ? g_strdup_printf("node %s's agent reports addresses that are another node's: %s; "
                                  "no migration uses them for this node",
                                  name, said->str)
                : NULL;
  set_conflict(c, FERRY_CONDITION_ADDRESS_CONFLICT, FERRY_REASON_ADDRESS_CONFLICT,
               FERRY_REASON_ADDRESS_OF_ANOTHER_NODE, text);
}

void ferry_node_claims_apply(FerryPlan *plan, json_t *node, const json_t *stored,
                             json_t *const *nodes, gsize n_nodes, json_t *const *networks,
                             gsize n_networks, gint64 now_ms) {
  Claims c = {plan, node, stored, networks, n_networks, now_ms};
  judge_peer(&c, nodes, n_nodes);
  judge_addresses(&c, nodes, n_nodes);
}

/* ---- what is shown ---- */

static gboolean is_internal_of(const json_t *item, gboolean v6) {
  const char *address = ferry_internal_address(item);
  return address && (strchr(address, ':') != NULL) == v6;
}

/* The one to be shown of a family, borrowed; NULL: there is none. */
static const json_t *shown_address(const json_t *list, gboolean v6) {
  const json_t *first = NULL;
  for (gsize i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    if (!is_internal_of(item, v6))
      continue;
    if (ferry_peer_host_is_valid(ferry_json_str(item, "address")))
      return item;
    if (!first)
      first = item;
  }
  return first;
}

void ferry_node_addresses_reduce(json_t *node) {
  json_t *list = ferry_json_get(node, "status.addresses");
  const json_t *shown[] = {shown_address(list, FALSE), shown_address(list, TRUE)};
  for (gsize i = 0; i < json_array_size(list);) {
    const json_t *item = json_array_get(list, i);
    if ((is_internal_of(item, FALSE) && item != shown[0]) ||
        (is_internal_of(item, TRUE) && item != shown[1]))
      json_array_remove(list, i);
    else
      i++;
  }
}
