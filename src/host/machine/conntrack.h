// SPDX-License-Identifier: Apache-2.0
// Connections that pass through this machine as its kernel tracks them (nf_conntrack), by which its
// firewall knows what is established.
#pragma once
#include <gio/gio.h>

G_BEGIN_DECLS

/** One connection, as it was begun: `from` is who began it. TCP or UDP, without translation of
 * addresses. Its mark is left out: what that means is each host's own matter. */
typedef struct {
  guint8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
  gboolean ipv6;
  guint8 from[16], to[16];    /* network order; IPv4 has the first four bytes */
  guint16 from_port, to_port; /* host order */
  guint32 timeout_s;
  gboolean assured;
  /* of TCP alone */
  guint8 state;    /* the kernel's number, 1 (SYN_SENT) to 8 (CLOSE) */
  guint8 flags[2]; /* the kernel's, of either direction */
  guint8 scale[2]; /* of the window, of either direction */
} FerryConntrackFlow;

/** The most that is read of one VM's. */
#define FERRY_CONNTRACK_FLOWS_MAX 1024
/** A table with more than this many connections is not read: that would take too long. */
#define FERRY_CONNTRACK_TABLE_MAX 500000

/** Which of the two ends is wanted: called for each end of each connection; quick. */
typedef gboolean (*FerryConntrackWanted)(const FerryConntrackFlow *flow, gboolean from,
                                         gpointer data);

/** Those of which `wanted` takes an end: a new array of FerryConntrackFlow, at most
 * FERRY_CONNTRACK_FLOWS_MAX. `left` (may be NULL) counts those wanted and left out: there are too
 * many, or their addresses are translated, or they are in a zone. NULL: what the kernel said. Needs
 * CAP_NET_ADMIN. Any thread; reads the network namespace of the calling thread. */
GArray *ferry_conntrack_flows(FerryConntrackWanted wanted, gpointer data, guint *left,
                              GError **error);
/** Makes it known to this kernel, as a connection that both sides have used, in place of what is
 * known of it: that may be from the last time the VM was here, and then the kernel would take what
 * both sides have sent elsewhere since for forged. The same rights. */
gboolean ferry_conntrack_add(const FerryConntrackFlow *flow, GError **error);
/** Forgets it; one that is not there is no error. */
gboolean ferry_conntrack_remove(const FerryConntrackFlow *flow, GError **error);
/** Why this process can neither read nor make connections known here, in words; NULL: it can. Free
 * with g_free. */
char *ferry_conntrack_obstacle(void);

G_END_DECLS
