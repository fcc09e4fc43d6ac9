// SPDX-License-Identifier: Apache-2.0
// The header that a proxy puts before a connection, and which proxies are believed.
#include "api/http/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void test_proxy_header(void) {
  static const guint8 v4[] =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x07\x7f\0\0\x01\x30\x39\x01\xbb\x04\0\0";
  static const guint8 v6[] =
      "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x30\x39\x01\xbb";
  FerryProxyHeader h;
  gsize whole = sizeof v4 - 1;
  for (gsize n = 1; n < whole; n++)
    g_assert_cmpint(ferry_proxy_parse(v4, n, &h), ==, FERRY_PROXY_SHORT);
  g_assert_cmpint(ferry_proxy_parse(v4, whole, &h), ==, FERRY_PROXY_PEER);
  g_assert_cmpuint(h.size, ==, whole);
  const struct sockaddr_in *in = (const struct sockaddr_in *)&h.peer;
  g_assert_cmpuint(ntohl(in->sin_addr.s_addr), ==, 0xc0000207);
  g_assert_cmpuint(ntohs(in->sin_port), ==, 12345);
  g_assert_cmpint(ferry_proxy_parse(v6, sizeof v6 - 1, &h), ==, FERRY_PROXY_PEER);
  g_assert_cmpint(((const struct sockaddr_in6 *)&h.peer)->sin6_addr.s6_addr[15], ==, 9);
  guint8 other[sizeof v4];
  memcpy(other, v4, sizeof v4);
  other[12] = 0x20;
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_LOCAL);
  other[12] = 0x11; /* version 1 */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_BAD);
  other[12] = 0x21;
  other[13] = 0x31; /* a Unix socket */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_LOCAL);
  other[13] = 0x21; /* IPv6, but too short for it */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_BAD);
  other[14] = 0xff; /* 65 KB of TLVs */
  g_assert_cmpint(ferry_proxy_parse(other, 16, &h), ==, FERRY_PROXY_BAD);
  g_assert_cmpint(ferry_proxy_parse((const guint8 *)"\x16\x03\x01", 3, &h), ==, FERRY_PROXY_NONE);
  g_assert_cmpint(ferry_proxy_parse((const guint8 *)"PROXY TCP4 ", 11, &h), ==, FERRY_PROXY_NONE);
}

static void test_proxy_nets(void) {
  static const char *const bad[] = {
      "", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "fd00::/129", "::ffff:10.0.0.7/95", "lb"};
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
  FerryProxyNet net;
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_proxy_net_parse(bad[i], &net, &error));
    g_assert_nonnull(strstr(error->message, "ADDR/PREFIX"));
  }
  g_assert_true(ferry_proxy_net_parse("10.1.16.0/20", &net, NULL));
  inet_pton(AF_INET, "10.1.31.255", &in.sin_addr);
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  inet_pton(AF_INET6, "::ffff:10.1.17.1", &mapped.sin6_addr);
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&mapped));
  inet_pton(AF_INET, "10.1.32.0", &in.sin_addr);
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  g_assert_true(ferry_proxy_net_parse("::ffff:10.1.16.0/116", &net, NULL)); /* found by fuzzing */
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&mapped));
  g_assert_true(ferry_proxy_net_parse("fd00:1::/64", &net, NULL));
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/proxy/header", test_proxy_header);
  g_test_add_func("/proxy/nets", test_proxy_nets);
  return g_test_run();
}
