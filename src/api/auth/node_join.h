// SPDX-License-Identifier: Apache-2.0
// How an agent comes to be trusted, and which of its processes speaks.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** A one-time join token for an agent of `node`, as ferry_api_token_new says; `trust`: who
 * joins with it is to have libvirt's TLS set up as well. */
char *ferry_join_token_new(FerryApi *api, const char *node, gboolean trust, GError **error);
/** POST .../join and .../nodes/NAME/(token|session|report|trust): what the route's detail says. */
gboolean ferry_serve_node_route(FerryRequest *req, GError **error);
/** The epoch that node's agent has now, -1: none. */
gint64 ferry_node_epoch(FerryApi *api, const char *node);

G_END_DECLS
