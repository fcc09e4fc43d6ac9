// SPDX-License-Identifier: Apache-2.0
// Which nodes are being emptied, by what is written on them.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Key of the taint by which a node is emptied: the resolved configuration's, or KubeVirt's. A
 * taint with it keeps migrations away, whatever its effect. */
const char *ferry_placement_drain_key(const json_t *config);

/** Whether its VMs are to leave `node`: it is cordoned, or has a taint with `drain_key`, or one of
 * effect NoExecute. Taints that only keep others away, or ask for that, don't say so. Pure. */
gboolean ferry_node_is_emptied(const json_t *node, const char *drain_key);

G_END_DECLS
