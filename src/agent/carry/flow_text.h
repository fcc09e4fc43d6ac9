// SPDX-License-Identifier: Apache-2.0
// A connection as one agent writes it for another (status.migrationState.flows.entries): PROTOCOL
// FROM PORT TO PORT TIMEOUT ASSURED, and for TCP STATE FLAGS FLAGS SCALE SCALE, as numbers.
#pragma once
#include "host/machine/conntrack.h"

G_BEGIN_DECLS

#define FERRY_FLOW_TEXT_MAX 160
/** How long a connection that is carried may be remembered while nothing is sent. */
#define FERRY_FLOW_TIMEOUT_MAX_S (5 * 24 * 3600)

/** Free with g_free. */
char *ferry_flow_format(const FerryConntrackFlow *flow);
/** INVALID: it is not of that form, or a number is out of its range. Pure. */
gboolean ferry_flow_parse(const char *text, FerryConntrackFlow *out, GError **error);
/** Whether both are the same connection, whatever its state. */
gboolean ferry_flow_is_same(const FerryConntrackFlow *a, const FerryConntrackFlow *b);

/** "192.0.2.1" or "2001:db8::1" as bytes, the rest 0. FALSE: it is no address, or not that of a
 * single host.
 */
gboolean ferry_flow_address(const char *text, gboolean *ipv6, guint8 out[16]);

G_END_DECLS
