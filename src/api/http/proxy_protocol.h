// SPDX-License-Identifier: Apache-2.0
// The PROXY protocol, version 2: what a load balancer says of its client before the client's bytes.
// Pure.
#pragma once
#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

#define FERRY_PROXY_FIXED 16  /* bytes of the part whose length is fixed */
#define FERRY_PROXY_MOST 1024 /* of the whole header, TLVs included; longer is refused */

typedef enum {
  FERRY_PROXY_NONE,  /* the bytes are no PROXY header */
  FERRY_PROXY_SHORT, /* its beginning: `size` bytes are needed to say more */
  FERRY_PROXY_BAD,   /* one that is not good */
  FERRY_PROXY_LOCAL, /* `size` bytes; the proxy speaks for itself */
  FERRY_PROXY_PEER,  /* `size` bytes; `peer` is the client's address */
} FerryProxyResult;

typedef struct {
  gsize size;
  struct sockaddr_storage peer;
  socklen_t peer_len;
} FerryProxyHeader;

/** Takes a header of version 1 or 2 from the beginning of `data`. `header` is set where it is
 * whole. Pure. */
FerryProxyResult ferry_proxy_parse(const guint8 *data, gsize len, FerryProxyHeader *header);

/** ADDR or ADDR/PREFIX, of a proxy that is believed. */
typedef struct {
  int family;
  guint8 address[16];
  guint prefix;
} FerryProxyNet;

/** Reads ADDR or ADDR/PREFIX; IPv4 that is mapped into IPv6 (::ffff:10.0.0.0/104) becomes IPv4.
 * BAD_REQUEST names what is wrong. */
gboolean ferry_proxy_net_parse(const char *text, FerryProxyNet *net, GError **error);
/** IPv4 addresses mapped into IPv6 count as IPv4. */
gboolean ferry_proxy_net_contains(const FerryProxyNet *net, const struct sockaddr *address);

G_END_DECLS
