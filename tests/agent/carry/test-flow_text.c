// SPDX-License-Identifier: Apache-2.0
// Connections as text: what one agent writes the other reads, and nothing else.
#include "agent/carry/flow_text.h"
#include "base/error.h"
#include <netinet/in.h>
#include <string.h>

static const char *const good[] = {
    "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 3 3 3 7 9",
    "tcp 192.0.2.1 1 192.0.2.9 65535 0 0 8 255 0 0 14",
    "udp 192.0.2.9 5000 192.0.2.1 53 29 0",
    "udp 2001:db8::1 5000 2001:db8::9 53 180 1",
};

static void test_round_trip(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autoptr(GError) error = NULL;
    FerryConntrackFlow f;
    g_assert_true(ferry_flow_parse(good[i], &f, &error));
    g_assert_no_error(error);
    g_autofree char *text = ferry_flow_format(&f);
    g_assert_cmpstr(text, ==, good[i]);
  }
}

static void test_numbers(void) {
  FerryConntrackFlow f;
  g_assert_true(ferry_flow_parse(good[0], &f, NULL));
  g_assert_cmpuint(f.protocol, ==, IPPROTO_TCP);
  g_assert_cmpuint(f.from[3], ==, 1);
  g_assert_cmpuint(f.to[3], ==, 9);
  g_assert_cmpuint(f.from_port, ==, 4000);
  g_assert_cmpuint(f.to_port, ==, 7);
  g_assert_cmpuint(f.timeout_s, ==, 431999);
  g_assert_true(f.assured);
  g_assert_cmpuint(f.state, ==, 3);
  g_assert_cmpuint(f.scale[1], ==, 9);
}

static void test_long_timeout(void) {
  FerryConntrackFlow f;
  g_assert_true(ferry_flow_parse(good[2], &f, NULL));
  f.timeout_s = G_MAXUINT32;
  g_autofree char *text = ferry_flow_format(&f);
  g_assert_true(ferry_flow_parse(text, &f, NULL));
  g_assert_cmpuint(f.timeout_s, ==, FERRY_FLOW_TIMEOUT_MAX_S);
}

static void test_refused(void) {
  static const char *const bad[] = {
      "",
      "udp",
      "icmp 192.0.2.9 5000 192.0.2.1 53 29 0",
      "udp 192.0.2.9 5000 192.0.2.1 53 29",
      "udp 192.0.2.9 5000 192.0.2.1 53 29 0 0",
      "udp 192.0.2.9  5000 192.0.2.1 53 29 0",
      "udp 192.0.2.9 0 192.0.2.1 53 29 0",
      "udp 192.0.2.9 65536 192.0.2.1 53 29 0",
      "udp 192.0.2.9 -1 192.0.2.1 53 29 0",
      "udp 192.0.2.9 5000 192.0.2.1 53 29 2",
      "udp 192.0.2.9 5000 192.0.2.1 53 432001 0",
      "udp 192.0.2 5000 192.0.2.1 53 29 0",
      "udp 192.0.2.9 5000 2001:db8::1 53 29 0",
      "udp 0.0.0.0 5000 192.0.2.1 53 29 0",
      "udp 127.0.0.1 5000 192.0.2.1 53 29 0",
      "udp 192.0.2.9 5000 224.0.0.1 53 29 0",
      "udp 192.0.2.9 5000 255.255.255.255 53 29 0",
      "udp ::1 5000 2001:db8::1 53 29 0",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 0 3 3 7 9",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 9 3 3 7 9",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 3 256 3 7 9",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 3 3 3 15 9",
      "tcp 192.0.2.1 4000 192.0.2.9 7 431999 1 3 3 3 7 9 1",
  };
  FerryConntrackFlow f;
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_test_message("%s", bad[i]);
    g_assert_false(ferry_flow_parse(bad[i], &f, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  }
  g_autofree char *flood = g_strnfill(1 << 20, ' ');
  g_assert_false(ferry_flow_parse(flood, &f, NULL));
}

static void test_same(void) {
  FerryConntrackFlow a, b;
  g_assert_true(ferry_flow_parse(good[0], &a, NULL));
  b = a;
  b.timeout_s = 5;
  b.state = 4;
  g_assert_true(ferry_flow_is_same(&a, &b));
  b.to_port++;
  g_assert_false(ferry_flow_is_same(&a, &b));
  b = a;
  b.protocol = IPPROTO_UDP;
  g_assert_false(ferry_flow_is_same(&a, &b));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flow-text/round-trip", test_round_trip);
  g_test_add_func("/flow-text/numbers", test_numbers);
  g_test_add_func("/flow-text/long-timeout", test_long_timeout);
  g_test_add_func("/flow-text/refused", test_refused);
  g_test_add_func("/flow-text/same", test_same);
  return g_test_run();
}
