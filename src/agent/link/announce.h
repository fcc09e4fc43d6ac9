// SPDX-License-Identifier: Apache-2.0
// --announce: tells the local network by DNS-SD of this host, and finds ferryd where no --server
// says where it is.
#pragma once
#include "agent/core/options.h"
#include "discovery/discovery.h"

G_BEGIN_DECLS

/** Announces this host and the ferryd it belongs to. */
FerryDiscovery *ferry_agent_announce(const FerryAgentOptions *options, GError **error);
/** The URL of the ferryd whose CA the join token names, or for a host that has joined: whose CA it
 * keeps. Waits for its announcement. Each that claims to be it is asked to prove it, with a
 * certificate of that CA, before anything else is said to it; one that cannot is passed over.
 * INVALID where there is no token and no CA. Free with g_free. */
char *ferry_agent_find_server(const FerryAgentOptions *options, GError **error);

G_END_DECLS
