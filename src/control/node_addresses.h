// SPDX-License-Identifier: Apache-2.0
// Which of a host's addresses its Node shows.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Leaves in `node`'s status.addresses one InternalIP of each family, the first that other hosts
 * can reach, or else the first: Kubernetes' clients take the list as one with a single entry of
 * each type and family. All addresses stay in status.interfaces. In place; any thread. */
void ferry_node_addresses_reduce(json_t *node);

G_END_DECLS
