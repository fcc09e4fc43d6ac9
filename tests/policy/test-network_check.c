// SPDX-License-Identifier: Apache-2.0
// The answers as the API gives them are in tests/api/test-networks.c.
#include "policy/network_check.h"
#include <string.h>

static json_t *network(const char *name, const char *role) {
  return json_pack("{s{ss},s{s[s*],s[s]}}", "metadata", "name", name, "spec", "roles", role,
                   "subnets", "10.1.0.0/24");
}

/* A network without the role is guarded by what runs over it, too; other networks are not. */
static void test_named_by_a_policy(void) {
  g_autoptr(json_t) slow = network("slow", NULL);
  g_autoptr(json_t) fast = network("fast", "migration");
  json_t *ms[7];
  for (int i = 0; i < 7; i++)
    ms[i] = json_pack("{s{ss,so},s{ss},s{ss,s{ss}}}", "metadata", "namespace", "default", "name",
                      json_sprintf("m%d", i), "spec", "vmiName", "db", "status", "phase", "Running",
                      "migrationState", "network", "slow");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) other = network("other", NULL);
  g_assert_true(ferry_network_check(other, NULL, NULL, 0, ms, 7, &error));
  g_assert_false(ferry_network_check(fast, NULL, NULL, 0, ms, 7, &error)); /* VMs move */
  g_assert_nonnull(strstr(error->message, "taken from it while VMs migrate"));
  g_clear_error(&error);
  g_assert_false(ferry_network_check(slow, NULL, NULL, 0, ms, 7, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(error->message, "default/m3, default/m4, ...)"));
  g_clear_error(&error);
  g_autoptr(json_t) given = network("slow", "migration");
  g_assert_false(ferry_network_check(slow, given, &slow, 1, ms, 7, &error)); /* VMs move */
  g_assert_nonnull(strstr(error->message, "granted while VMs migrate: db (default/m0)"));
  g_clear_error(&error);
  for (int i = 0; i < 7; i++)
    ferry_json_set_str(ms[i], "status.phase", i ? "Pending" : "Failed");
  g_assert_true(ferry_network_check(slow, given, &slow, 1, ms, 7, &error)); /* none does now */
  g_assert_false(ferry_network_check(slow, given, &fast, 1, ms, 7, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  for (int i = 0; i < 7; i++)
    json_decref(ms[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/network_check/named-by-a-policy", test_named_by_a_policy);
  return g_test_run();
}
