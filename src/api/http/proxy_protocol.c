// SPDX-License-Identifier: Apache-2.0
// Theory of operation: 12 bytes that no TLS client sends, version and command, family, and the
// length of what follows: two addresses and TLVs, which are passed over. Of families TCP over IPv4
// and IPv6 are taken; for others (a Unix socket, UDP) the sender is the proxy itself, as the
// protocol says.
#include "api/http/proxy_protocol.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const guint8 proxy_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };

static FerryProxyResult read_peer(const guint8 *data, gsize size, FerryProxyHeader *header) {
  const guint8 *body = data + FERRY_PROXY_FIXED;
  gsize len = size - FERRY_PROXY_FIXED;
  if (data[13] == TCP4) {
    struct sockaddr_in *in = (struct sockaddr_in *)&header->peer;
    if (len < 12)
      return FERRY_PROXY_BAD;
    in->sin_family = AF_INET;
    memcpy(&in->sin_addr, body, 4);
    memcpy(&in->sin_port, body + 8, 2);
    header->peer_len = sizeof *in;
    return FERRY_PROXY_PEER;
  }
  if (data[13] == TCP6) {
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&header->peer;
    if (len < 36)
      return FERRY_PROXY_BAD;
    in->sin6_family = AF_INET6;
    memcpy(&in->sin6_addr, body, 16);
    memcpy(&in->sin6_port, body + 32, 2);
    header->peer_len = sizeof *in;
    return FERRY_PROXY_PEER;
  }
  return FERRY_PROXY_LOCAL;
}

FerryProxyResult ferry_proxy_parse(const guint8 *data, gsize len, FerryProxyHeader *header) {
  *header = (FerryProxyHeader){.size = FERRY_PROXY_FIXED};
  if (memcmp(data, proxy_signature, MIN(len, sizeof proxy_signature)) != 0)
    return FERRY_PROXY_NONE;
  if (len < FERRY_PROXY_FIXED)
    return FERRY_PROXY_SHORT;
  header->size = FERRY_PROXY_FIXED + ((gsize)data[14] << 8 | data[15]);
  if ((data[12] != COMMAND_LOCAL && data[12] != COMMAND_PROXY) || header->size > FERRY_PROXY_MOST)
    return FERRY_PROXY_BAD;
  if (len < header->size)
    return FERRY_PROXY_SHORT;
  return data[12] == COMMAND_LOCAL ? FERRY_PROXY_LOCAL : read_peer(data, header->size, header);
}

/* ADDR or ADDR/PREFIX by its digits alone. */
static gboolean parse_net(const char *text, FerryProxyNet *net) {
  const char *slash = strchr(text, '/');
  g_autofree char *address = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
  *net = (FerryProxyNet){.family = strchr(address, ':') ? AF_INET6 : AF_INET};
  guint64 most = net->family == AF_INET6 ? 128 : 32, prefix = most;
  if (inet_pton(net->family, address, net->address) != 1 ||
      (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, most, &prefix, NULL)))
    return FALSE;
  net->prefix = (guint)prefix;
  return TRUE;
}

/* The bytes of an IPv6 address ahead of the IPv4 address that is mapped into it. */
#define MAPPED_AT 12

gboolean ferry_proxy_net_parse(const char *text, FerryProxyNet *net, GError **error) {
  static const struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
  gboolean good = parse_net(text, net);
  gboolean is_mapped =
      good && net->family == AF_INET6 && memcmp(net->address, &mapped, MAPPED_AT) == 0;
  if (!good || (is_mapped && net->prefix < MAPPED_AT * 8)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "proxy \"%s\": expected ADDR or ADDR/PREFIX, as in 10.0.0.7 or fd00:1::/64", text);
    return FALSE;
  }
  /* As in ferry_proxy_net_contains: what is IPv4 in either form is one address. */
  if (is_mapped) {
    memmove(net->address, net->address + MAPPED_AT, 4);
    net->family = AF_INET;
    net->prefix -= MAPPED_AT * 8;
  }
  return TRUE;
}

gboolean ferry_proxy_net_contains(const FerryProxyNet *net, const struct sockaddr *address) {
  const guint8 *bytes;
  int family = address->sa_family;
  if (family == AF_INET6) {
    const struct in6_addr *in = &((const struct sockaddr_in6 *)address)->sin6_addr;
    gboolean mapped = IN6_IS_ADDR_V4MAPPED(in);
    bytes = in->s6_addr + (mapped ? MAPPED_AT : 0);
    family = mapped ? AF_INET : AF_INET6;
  } else {
    bytes = (const guint8 *)&((const struct sockaddr_in *)address)->sin_addr;
  }
  if (family != net->family || memcmp(bytes, net->address, net->prefix / 8) != 0)
    return FALSE;
  guint rest = net->prefix % 8;
  guint8 mask = (guint8)(0xff << (8 - rest));
  return rest == 0 || ((bytes[net->prefix / 8] ^ net->address[net->prefix / 8]) & mask) == 0;
}
