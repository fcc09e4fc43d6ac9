// SPDX-License-Identifier: Apache-2.0
#include "agent/path/probe.h"
#include "base/error.h"
#include <string.h>

static void test_loopback_answers_by_refusing(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *source = NULL;
  g_assert_true(ferry_probe("127.0.0.1", NULL, &source, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(source, ==, "127.0.0.1");
}

static void test_wrong_network_names_both(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) migration =
      json_pack("{s{s{ss,ss,s{s[s]}}}}", "status", "migrationState", "network", "fast",
                "targetNode", "h2", "migrationConfiguration", "networkSubnets", "10.99.0.0/24");
  g_assert_false(ferry_probe("127.0.0.1", migration, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(error->message, "\"fast\""));
  g_assert_nonnull(strstr(error->message, "127.0.0.1"));
}

static void test_not_an_address(void) {
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_probe("h2.example", NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "h2.example"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/probe/loopback", test_loopback_answers_by_refusing);
  g_test_add_func("/probe/wrong-network", test_wrong_network_names_both);
  g_test_add_func("/probe/not-an-address", test_not_an_address);
  return g_test_run();
}
