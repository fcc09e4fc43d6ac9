// SPDX-License-Identifier: Apache-2.0
// Whether the target's address is reachable from here, and over the right network.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether this host reaches `address`: a way there, by the network that the status of `migration`
 * (NULL: none) names, and a peer that answers within a second, be it by refusing. `source` (may be
 * NULL) gets the source address. */
gboolean ferry_probe(const char *address, const json_t *migration, char **source, GError **error);

G_END_DECLS
