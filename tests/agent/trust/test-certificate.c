// SPDX-License-Identifier: Apache-2.0
// The names that a certificate is asked for, and what is taken for an answer.
#include "agent/trust/certificate.h"
#include "base/json.h"
#include "made.h"

static void names(void) {
  g_autoptr(json_t) interfaces = json_pack(
      "[{s:s, s:[s]}, {s:s, s:[s, s, s]}, {s:s, s:[s]}, {s:s}]", "name", "lo", "addresses",
      "127.0.0.1/8", "name", "eth0", "addresses", "10.0.0.1/24", "fe80::1/64", "fd00::1/64", "name",
      "virbr0", "addresses", "192.168.122.1/24", "name", "eth1");
  g_autoptr(json_t) got = ferry_trust_names("KVM1.example", interfaces);
  g_autofree char *text = ferry_json_dump(got);
  g_assert_cmpstr(text, ==, "[\"kvm1.example\",\"10.0.0.1\",\"fd00::1\"]");
  g_autoptr(json_t) many = json_pack("[{s:s, s:[]}]", "name", "eth0", "addresses");
  for (guint i = 0; i < 100; i++) {
    g_autofree char *address = g_strdup_printf("10.0.1.%u/24", i);
    json_array_append_new(json_object_get(json_array_get(many, 0), "addresses"),
                          json_string(address));
  }
  g_autoptr(json_t) first = ferry_trust_names("kvm1", many);
  g_assert_cmpuint(json_array_size(first), ==, 64);
  g_autoptr(json_t) bare = ferry_trust_names("localhost", NULL);
  g_assert_cmpuint(json_array_size(bare), ==, 0);
}

/* What is installed is what was asked for, whoever answers. */
static void checks(void) {
  Made ca = made(FERRY_TRUST_CA, NULL), other = made(FERRY_TRUST_CA, NULL),
       named = made("Example CA", NULL), host = made("h1", &ca), foreign = made("h1", &named);
  g_assert_true(ferry_trust_check(host.pem, host.key_pem, ca.pem, FERRY_TRUST_CA, NULL));
  const struct {
    const char *cert, *key, *ca, *says;
  } bad[] = {
      {host.pem, host.key_pem, other.pem, "has not signed"},
      {host.pem, foreign.key_pem, ca.pem, "another key"},
      {foreign.pem, foreign.key_pem, named.pem, "another name"},
      {"x", host.key_pem, ca.pem, "no certificate"},
      {host.pem, host.key_pem, NULL, "no certificate"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_trust_check(bad[i].cert, bad[i].key, bad[i].ca, FERRY_TRUST_CA, &error));
    g_assert_nonnull(strstr(error->message, bad[i].says));
  }
  Made *all[] = {&ca, &other, &named, &host, &foreign};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    made_clear(all[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/names", names);
  g_test_add_func("/trust/check", checks);
  return g_test_run();
}
