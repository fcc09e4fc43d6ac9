// SPDX-License-Identifier: Apache-2.0
// This machine's TCP connections as its kernel sees them (sock_diag(7)): what no program can tell,
// such as for how long the other side has acknowledged nothing.
#pragma once
#include <gio/gio.h>

G_BEGIN_DECLS

#define FERRY_TCP_CONNECTIONS_MAX 4096

/** One connection. `cookie` is the kernel's own number for it, unique until the next boot. */
typedef struct {
  guint64 cookie;
  guint16 local_port, port; /* `port`: of the other side */
  gboolean connecting;      /* SYN sent, no answer yet; else established */
  guint32 inode;            /* of the socket, as in /proc/PID/fd; 0: no program has it any more */
  gint64 pending;           /* bytes that were written and not acknowledged yet */
  gint64 since_ack_ms; /* since an acknowledgement came, of something new or not; -1: not known */
  gint64 acked;        /* bytes that were acknowledged so far; -1: not known */
  guint32 interface;   /* of a link-local address; else 0 */
  guint32 local_address[4]; /* as the kernel has it */
} FerryTcpConnection;

/** All to `address` (an IP address) that are connecting or established, of this process' network
 * namespace: a new array of FerryTcpConnection, at most FERRY_TCP_CONNECTIONS_MAX. NULL: INVALID
 * for no address, or what the kernel said. Any thread; it does not block. */
GArray *ferry_tcp_connections(const char *address, GError **error);

/** Ends `connection` to `address` at once, for both the program that has it (ECONNABORTED) and, if
 * it can be reached, the other side. Needs CAP_NET_ADMIN and a kernel with INET_DIAG_DESTROY
 * (Debian's has it). One that is not there any more is no error. Any thread. */
gboolean ferry_tcp_connection_close(const char *address, const FerryTcpConnection *connection,
                                    GError **error);

/** Ends all established connections to this machine's `port` whose socket's inode is in `sockets`
 * (of ferry_process_sockets), from whatever address: `n` gets their number. As above. */
gboolean ferry_tcp_close_at(guint16 port, GHashTable *sockets, guint *n, GError **error);

/** A new set of the inodes of sockets (GUINT_TO_POINTER) that process `pid` holds. NULL: there is
 * no such process, or it may not be looked at. */
GHashTable *ferry_process_sockets(gint64 pid);

/** The process whose command line has the word `-uuid` and then `uuid`, as libvirt starts QEMU. 0:
 * none. */
gint64 ferry_process_of_domain(const char *uuid);

G_END_DECLS
