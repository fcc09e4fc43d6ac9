// SPDX-License-Identifier: Apache-2.0
#include "model/migration/rollout.h"

static void test_phases_of_hosts(void) {
  g_autoptr(GHashTable) under_way = g_hash_table_new(g_str_hash, g_str_equal);
  static const char *const busy[] = {"Emptying", "Blocked", "Empty", "Verifying", "Paused"};
  for (gsize i = 0; i < G_N_ELEMENTS(busy); i++)
    g_hash_table_add(under_way, (gpointer)busy[i]);
  guint n = 0;
  for (const char *const *word = ferry_rollout_host_phases; *word; word++, n++)
    g_assert_cmpint(ferry_rollout_is_under_way(ferry_phase_parse(*word)), ==,
                    g_hash_table_contains(under_way, *word));
  g_assert_cmpuint(n, ==, G_N_ELEMENTS(busy) + 3); /* Queued, Succeeded, Failed */
  g_assert_false(ferry_rollout_is_under_way(FERRY_PHASE_NONE));
}

static void test_hosts(void) {
  g_autoptr(json_t) r = json_pack("{s{ss,s[{ss},{ss}]}}", "status", "phase", "Running", "hosts",
                                  "nodeName", "h1", "nodeName", "h2");
  json_t *h2 = ferry_rollout_host(r, "h2");
  g_assert_cmpstr(ferry_json_str(h2, "nodeName"), ==, "h2");
  g_assert_null(ferry_rollout_host(r, "h3"));
  g_assert_false(ferry_rollout_is_final(r));
  ferry_rollout_say_done(h2, "2026-01-01T00:00:00Z", "nina");
  g_assert_cmpstr(ferry_json_str(h2, "doneBy"), ==, "nina");
  ferry_json_set_str(r, "metadata.name", "r");
  g_assert_true(ferry_rollout_of_host(&r, 1, "q", "h2") == r);
  g_assert_null(ferry_rollout_of_host(&r, 1, "r", "h2"));
  g_assert_null(ferry_rollout_of_host(&r, 1, "q", "h3"));
  ferry_json_set_str(r, "status.phase", "Failed");
  g_assert_null(ferry_rollout_of_host(&r, 1, "q", "h2"));
  g_assert_true(ferry_rollout_is_final(r));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rollout/phases-of-hosts", test_phases_of_hosts);
  g_test_add_func("/rollout/hosts", test_hosts);
  return g_test_run();
}
