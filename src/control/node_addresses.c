// SPDX-License-Identifier: Apache-2.0
#include "control/node_addresses.h"
#include "model/migration/peer_uri.h"

#include <string.h>

static gboolean is_internal(const json_t *item, gboolean v6) {
  const char *address = ferry_json_str(item, "address");
  return address && g_strcmp0(ferry_json_str(item, "type"), "InternalIP") == 0 &&
         (strchr(address, ':') != NULL) == v6;
}

/* The one to be shown of a family, borrowed; NULL: there is none. */
static const json_t *chosen(const json_t *list, gboolean v6) {
  const json_t *first = NULL;
  for (gsize i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    if (!is_internal(item, v6))
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
  const json_t *shown[] = {chosen(list, FALSE), chosen(list, TRUE)};
  for (gsize i = 0; i < json_array_size(list);) {
    const json_t *item = json_array_get(list, i);
    if ((is_internal(item, FALSE) && item != shown[0]) ||
        (is_internal(item, TRUE) && item != shown[1]))
      json_array_remove(list, i);
    else
      i++;
  }
}
