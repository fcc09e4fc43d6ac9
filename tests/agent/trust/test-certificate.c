// SPDX-License-Identifier: Apache-2.0
// The names that a certificate is asked for.
#include "agent/trust/certificate.h"
#include "base/json.h"

static void names(void) {
  g_autoptr(json_t) interfaces = json_pack(
      "[{s:s, s:[s]}, {s:s, s:[s, s, s]}, {s:s, s:[s]}, {s:s}]", "name", "lo", "addresses",
      "127.0.0.1/8", "name", "eth0", "addresses", "10.0.0.1/24", "fe80::1/64", "fd00::1/64", "name",
      "virbr0", "addresses", "192.168.122.1/24", "name", "eth1");
  g_autoptr(json_t) got = ferry_trust_names("KVM1.example", interfaces);
  g_autofree char *text = ferry_json_dump(got);
  g_assert_cmpstr(text, ==, "[\"kvm1.example\",\"10.0.0.1\",\"fd00::1\"]");
  g_autoptr(json_t) bare = ferry_trust_names("localhost", NULL);
  g_assert_cmpuint(json_array_size(bare), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/names", names);
  return g_test_run();
}
