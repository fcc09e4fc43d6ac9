// SPDX-License-Identifier: Apache-2.0
// Which host is whose: no node is reached under what is another one's. Pure; any thread.
#pragma once
#include "base/json.h"
#include "model/migration/reasons.h"

G_BEGIN_DECLS

/** The node among `nodes`, other than the one named `name`, to which `host` (a name or an address)
 * belongs, be it as its name, as its peer's host or as an address of its interfaces; its name,
 * borrowed, or NULL. A node's own name is always its own. */
const char *ferry_peers_holder(json_t *const *nodes, gsize n, const char *name, const char *host);

/** Why no VM is sent to `node`: the reason in `*reason`, in words as the result (free
 * with g_free). NULL: nothing is in the way. `config` is the resolved configuration. */
char *ferry_peers_obstacle(json_t *const *nodes, gsize n, const json_t *node, const json_t *config,
                           FerryReason *reason);

G_END_DECLS
