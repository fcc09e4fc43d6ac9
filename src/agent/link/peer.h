// SPDX-License-Identifier: Apache-2.0
// Where other hosts' libvirtd reach this one's, as this agent reports it.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** The peer {scheme, host, port, user}: of `option` (--peer-uri) where that is given; else of
 * `libvirt_uri`, where that names another host over tls or ssh; else, on the host itself, tls
 * under a name of libvirtd's own certificate, where its TLS port is open. A new reference.
 * NULL with `error`: the option is not understood. NULL without one: nothing can be said, which is
 * logged with what to type. Reads files of this host. */
json_t *ferry_agent_peer(const char *option, const char *libvirt_uri, GError **error);

/** Whether a socket listens at `port`, in a table as of /proc/net/tcp. Pure. */
gboolean ferry_agent_peer_listens(const char *table, guint16 port);
/** Whether anybody listens at libvirt's TLS port of this host. */
gboolean ferry_agent_peer_tls_is_open(void);
/** The name in the certificate (PEM) under which other hosts connect: `hostname` where it is one of
 * its names, else the first DNS name or address that other hosts can reach. Free with g_free; NULL:
 * none. Pure. */
char *ferry_agent_peer_name(const char *pem, const char *hostname);

G_END_DECLS
