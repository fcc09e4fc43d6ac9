// SPDX-License-Identifier: Apache-2.0
// Who measures a path, and whether it can be measured; the same for both ends.
#pragma once
#include "agent/path/bandwidth_link.h"
#include "base/json.h"
#include "client/client.h"

G_BEGIN_DECLS

/** Why the path of `migration` cannot be measured by an agent of this certificate (`config` may be
 * NULL) that runs on the host itself where it is `local`; static. NULL: it can be. Pure. */
const char *ferry_party_obstacle(const FerryClientConfig *config, gboolean local,
                                 const json_t *migration);
/** This agent, as it measures with node `peer` for `migration`; all borrowed. Who is asked whether
 * to stop, and for a turn, is left to the caller. */
void ferry_party_fill(const FerryClientConfig *config, const json_t *migration, const char *peer,
                      FerryBandwidthParty *party);

G_END_DECLS
