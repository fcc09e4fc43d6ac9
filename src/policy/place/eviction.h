// SPDX-License-Identifier: Apache-2.0
// Who moves a VM when its host is emptied: KubeVirt's evictionStrategy.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Why Ferry doesn't move a VM with that resolved configuration when its host is emptied, for
 * people; NULL: it does. `external` tells whether somebody else is to, who is waited for. Free with
 * g_free. Pure. */
char *ferry_eviction_obstacle(const json_t *config, gboolean *external);

G_END_DECLS
