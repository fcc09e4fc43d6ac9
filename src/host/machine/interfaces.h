// SPDX-License-Identifier: Apache-2.0
// The network of the machine that this process runs on, as its network namespace has it now.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Fields of a Node's status: interfaces, with speedMbps where the link says it, and routes (see
 * host/machine/rtnetlink.h), of this process's network namespace; a new object. NULL: the kernel
 * does not tell. Any thread. */
json_t *ferry_host_local_network(GError **error);

/** Where a packet from here to the IP address `to` would go now. */
typedef struct {
  char *interface;
  char *source, *gateway; /* IP addresses; `gateway` NULL: it is on the link */
} FerryHostWay;
void ferry_host_way_clear(FerryHostWay *way);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryHostWay, ferry_host_way_clear)
/** Asks the kernel, rules of the machine's own included. FALSE: it has no route. Any thread. */
gboolean ferry_host_way_to(const char *to, FerryHostWay *way, GError **error);

G_END_DECLS
