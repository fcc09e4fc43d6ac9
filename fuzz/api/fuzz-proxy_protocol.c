// SPDX-License-Identifier: Apache-2.0
// The PROXY header of a connection, judged the same at once and byte by byte, and what follows it
// as the text of a proxy that is believed.
#include "api/http/proxy_protocol.h"
#include "fuzz.h"
#include <netinet/in.h>
#include <string.h>

/* Until it is known what it is, no byte that comes may take back what was asked for. */
static void check_pieces(const uint8_t *data, size_t size, FerryProxyResult result,
                         const FerryProxyHeader *whole) {
  for (size_t n = 0; n < size; n++) {
    FerryProxyHeader part;
    FerryProxyResult early = ferry_proxy_parse(data, n, &part);
    if (early == FERRY_PROXY_SHORT) {
      g_assert_cmpuint(part.size, >, n);
      g_assert_cmpuint(part.size, <=, FERRY_PROXY_MOST);
      continue;
    }
    g_assert_cmpint(early, ==, result);
    g_assert_cmpmem(&part.peer, part.peer_len, &whole->peer, whole->peer_len);
    return;
  }
}

static void check_net(const char *text, const struct sockaddr *peer) {
  FerryProxyNet net;
  if (!ferry_proxy_net_parse(text, &net, NULL))
    return;
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  struct sockaddr_in four = {.sin_family = AF_INET};
  memcpy(&six.sin6_addr, net.address, 16);
  memcpy(&four.sin_addr, net.address, 4);
  g_assert_true(ferry_proxy_net_contains(&net, net.family == AF_INET6 ? (struct sockaddr *)&six
                                                                      : (struct sockaddr *)&four));
  if (peer)
    ferry_proxy_net_contains(&net, peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  FerryProxyHeader header;
  FerryProxyResult result = ferry_proxy_parse(data, size, &header);
  gboolean has_peer = result == FERRY_PROXY_PEER;
  g_assert_cmpint(has_peer, ==, header.peer_len > 0);
  if (has_peer || result == FERRY_PROXY_LOCAL)
    g_assert_cmpuint(header.size, <=, size);
  check_pieces(data, size, result, &header);
  size_t skip = has_peer ? header.size : 0;
  g_autofree char *rest = g_strndup((const char *)data + skip, size - skip);
  check_net(rest, has_peer ? (struct sockaddr *)&header.peer : NULL);
  return 0;
}
