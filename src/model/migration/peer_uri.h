// SPDX-License-Identifier: Apache-2.0
// Where another host connects to. libvirt's URIs can do far more than name a host: qemu+ext and
// `command` run a program, `socket`, `netcat`, `keyfile` and `pkipath` choose one or its files,
// `no_verify` trusts anybody. So none is passed on: a host's peer is three or four plain fields,
// and the URI is built of them here, in this one place. Pure; any thread.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** How many names and addresses a host may ask to have in a certificate for libvirt. */
#define FERRY_TRUST_NAMES_MAX 64

/** Whether `text` is a host that a peer may name: an IPv4 address of four decimal numbers, an IPv6
 * address as inet_ntop prints it, without brackets and zone, or a DNS name of lower case letters,
 * digits, '-' and '.', at most 253 characters, whose last part is no number. Nobody's own
 * (loopback, unspecified, multicast, link-local, mapped) addresses and "localhost" are refused. */
gboolean ferry_peer_host_is_valid(const char *text);
/** Whether `text` is a user that a peer may name: [a-z_][a-z0-9_-]{0,31}. */
gboolean ferry_peer_user_is_valid(const char *text);

/** Reads what people write: qemu+tls://HOST[:PORT]/system, qemu+ssh://[USER@]HOST[:PORT]/system or
 * qemu+tcp://HOST[:PORT]/system, upper case in names allowed. The peer as {scheme, host, port?,
 * user?}, a new reference; NULL with INVALID that says what is not understood. */
json_t *ferry_peer_parse(const char *uri, GError **error);

/** The URI of a peer {scheme, host, port, user}. Free with g_free. NULL with INVALID where a field
 * is missing, unknown or not strictly what it may be. */
char *ferry_peer_uri(const json_t *peer, GError **error);

/** The peer of a Node: what an administrator bound in spec.peer, else what its agent reports.
 * Borrowed; NULL: neither. */
const json_t *ferry_peer_of_node(const json_t *node);

/** Splits HOST[:PORT] ([HOST] where that is IPv6). FALSE where it is anything else. `port` gets 0
 * where there is none; `host` is to be freed with g_free. Names may have upper case letters, which
 * come out as lower case. */
gboolean ferry_peer_split_authority(const char *text, gsize len, char **host, int *port);

G_END_DECLS
