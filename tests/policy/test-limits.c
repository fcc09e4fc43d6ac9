// SPDX-License-Identifier: Apache-2.0
#include "policy/limits.h"

static json_t *vmim(const char *uid, const char *phase, const char *from, const char *to,
                    const char *priority) {
  json_t *m = json_object();
  ferry_json_set_str(m, "metadata.uid", uid);
  ferry_json_set_str(m, "metadata.name", uid);
  ferry_json_set_str(m, "metadata.creationTimestamp", "2026-01-01T00:00:00Z");
  ferry_json_set_str(m, "status.phase", phase);
  ferry_json_set_str(m, "status.migrationState.sourceNode", from);
  if (to)
    ferry_json_set_str(m, "status.migrationState.targetNode", to);
  if (priority)
    ferry_json_set_str(m, "spec.priority", priority);
  return m;
}

static gboolean admits(const FerryLimits *l, const char *uid, const char *from) {
  g_autofree char *reason = NULL;
  gboolean ok = ferry_limits_admit(l, uid, from, &reason);
  g_assert_true(ok == (reason == NULL));
  return ok;
}

static void test_limits(void) {
  json_t *m[] = {
      vmim("a1", "Running", "h1", "h2", NULL),
      vmim("a2", "Scheduled", "h1", "h3", NULL),
      vmim("done", "Succeeded", "h1", "h2", NULL),
      vmim("w1", "Pending", "h1", NULL, NULL),
      vmim("w2", "Pending", "h2", NULL, NULL),
      vmim("w3", "Pending", "h3", NULL, NULL),
      vmim("crit", "Pending", "h3", NULL, "system-critical"),
      vmim("user", "Pending", "h2", NULL, "user-triggered"),
  };
  g_autoptr(json_t) config =
      json_pack("{si,si,si}", "parallelMigrationsPerCluster", 4,
                "parallelOutboundMigrationsPerNode", 2, "parallelInboundMigrationsPerNode", 1);
  g_autoptr(FerryLimits) l = ferry_limits_new(m, G_N_ELEMENTS(m), config);
  g_assert_cmpuint(ferry_limits_position(l, "crit"), ==, 1);
  g_assert_cmpuint(ferry_limits_position(l, "user"), ==, 2);
  g_assert_cmpuint(ferry_limits_position(l, "w1"), ==, 3);
  g_assert_cmpuint(ferry_limits_position(l, "a1"), ==, 0);
  g_assert_true(admits(l, "crit", "h3"));
  g_assert_true(admits(l, "user", "h2"));
  g_assert_false(admits(l, "w1", "h1")); /* outbound limit of h1 */
  g_assert_false(admits(l, "w2", "h2")); /* two places were left, two better ones wait */
  g_autofree char *reason = NULL;
  g_assert_false(ferry_limits_inbound_ok(l, "h2", &reason));
  g_assert_nonnull(reason);
  g_autofree char *none = NULL;
  g_assert_true(ferry_limits_inbound_ok(l, "h1", &none));
  for (gsize i = 0; i < G_N_ELEMENTS(m); i++)
    json_decref(m[i]);
}

/* one that its own source holds back does not keep a place from those behind it */
static void test_no_head_of_line_blocking(void) {
  json_t *m[] = {vmim("a1", "Running", "h1", "h2", NULL), vmim("w1", "Pending", "h1", NULL, NULL),
                 vmim("w2", "Pending", "h2", NULL, NULL)};
  g_autoptr(json_t) config = json_pack("{si,si}", "parallelMigrationsPerCluster", 2,
                                       "parallelOutboundMigrationsPerNode", 1);
  g_autoptr(FerryLimits) l = ferry_limits_new(m, G_N_ELEMENTS(m), config);
  g_assert_false(admits(l, "w1", "h1"));
  g_assert_true(admits(l, "w2", "h2"));
  for (gsize i = 0; i < G_N_ELEMENTS(m); i++)
    json_decref(m[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/limits/order-and-limits", test_limits);
  g_test_add_func("/limits/no-head-of-line-blocking", test_no_head_of_line_blocking);
  return g_test_run();
}
