// SPDX-License-Identifier: Apache-2.0
// How a host joins.
#pragma once
#include "agent/core/options.h"
#include "client/client.h"

G_BEGIN_DECLS

/** The certificate of this agent: read from state_dir, or got from ferryd with the one-time token
 * (and stored). Blocks; network errors are UNAVAILABLE and worth repeating. */
FerryClientConfig *ferry_agent_join(const FerryAgentOptions *options, GError **error);

/** The node that a join token names; NULL: it is not a token. Free with g_free. Pure. */
char *ferry_agent_token_node(const char *token);

G_END_DECLS
