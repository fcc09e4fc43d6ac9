// SPDX-License-Identifier: Apache-2.0
// DNS-SD: announces this process on the local network and finds others (service type _ferry._tcp),
// through the machine's avahi-daemon. Discovery only tells where somebody says to be: it grants no
// trust, and nothing is sent to what was found. discovery_avahi.c speaks to Avahi;
// discovery_none.c stands in for it where Ferry is built without.
#pragma once
#include "discovery/peer.h"

G_BEGIN_DECLS

typedef struct FerryDiscovery FerryDiscovery;

/** Announces `own` (copied) and begins to look for others, in a thread of its own. An avahi-daemon
 * that is not there yet, or goes away, is waited for. UNAVAILABLE where Ferry was built without
 * Avahi. Its `id` may be NULL: one is made. */
FerryDiscovery *ferry_discovery_start(const FerryAnnouncement *own, GError **error);
/** The peers known at this moment without this process itself; elements are FerryPeer* that the
 * array owns. Any thread. */
GPtrArray *ferry_discovery_peers(FerryDiscovery *discovery);
/** Withdraws the announcement and ends the thread. NULL is allowed. */
void ferry_discovery_stop(FerryDiscovery *discovery);

G_END_DECLS
