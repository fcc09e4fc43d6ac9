// SPDX-License-Identifier: Apache-2.0
// Whether the target's address is reachable from here, and over the right network.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether this host reaches `address`: a route with a source address (in one of `subnets`, where
 * that is a list of CIDRs) and a peer that answers within a second, be it by refusing. `source`
 * (may be NULL) gets the source address. */
gboolean ferry_probe(const char *address, const json_t *subnets, char **source, GError **error);
/** Whether `address` is inside `cidr` ("10.1.0.0/24"). Pure. */
gboolean ferry_probe_in_subnet(const char *address, const char *cidr);

G_END_DECLS
