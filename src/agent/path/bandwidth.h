// SPDX-License-Identifier: Apache-2.0
// How fast data come from one host's agent to another's, over the path that a migration would take.
//
// One connection is measured: a migration over several (parallelConnections) may reach more. It is
// encrypted where the migration would be, so that what one TLS stream costs is in the figure; where
// the migration would not be, only who is at the other end is settled under TLS, and the data go in
// the clear.
#pragma once
#include "agent/path/bandwidth_link.h"

G_BEGIN_DECLS

/** The ports that are tried, from the first downwards: the end of the range that a firewall lets
 * through for QEMU, but for its last port, which is for ferry_probe. */
#define FERRY_BANDWIDTH_PORT 49214
#define FERRY_BANDWIDTH_PORTS 16

typedef struct {
  gint64 bytes, us; /* bytes that came, without those of the warm-up, and in what time */
} FerryBandwidth;

/** Listens at `address` of this host; `port` gets where. */
GSocket *ferry_bandwidth_listen(const char *address, guint16 *port, GError **error);
/** Waits at most `wait_ms` for party->peer's agent and counts what it sends, for two seconds at
 * most. Whoever else connects is sent away. Blocks. `out` (may be NULL) gets what was counted. */
gboolean ferry_bandwidth_receive(GSocket *listener, const FerryBandwidthParty *party,
                                 gint64 wait_ms, FerryBandwidth *out, GError **error);
/** Sends there for about a second, never more than `limit` bytes/s (0: no limit), and gets what the
 * other end counted. Blocks, ten seconds at most. */
gboolean ferry_bandwidth_send(const char *address, guint16 port, const FerryBandwidthParty *party,
                              gint64 limit, FerryBandwidth *out, GError **error);
/** Bytes a second. */
gint64 ferry_bandwidth_rate(const FerryBandwidth *b);

/** A count as the text that one end tells the other. Free with g_free. Pure. */
char *ferry_bandwidth_format(const FerryBandwidth *b);
/** The count of such a text; FALSE where it is not a count, or cannot be: more than `sent` bytes
 * came, or it took more than the time there is. Pure. */
gboolean ferry_bandwidth_parse(const char *text, gint64 sent, FerryBandwidth *out);

G_END_DECLS
