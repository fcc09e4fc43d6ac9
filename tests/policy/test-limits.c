// SPDX-License-Identifier: Apache-2.0
#include "policy/limits.h"
#include <string.h>

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

/* whatever came first or is called how: who asked for it says when it is its turn */
static void test_order_of_priorities(void) {
  json_t *m[] = {vmim("a-unset", "Pending", "h1", NULL, NULL),
                 vmim("b-maintenance", "Pending", "h1", NULL, "system-maintenance"),
                 vmim("c-user", "Pending", "h1", NULL, "user-triggered"),
                 vmim("d-critical", "Pending", "h1", NULL, "system-critical")};
  g_autoptr(json_t) config = json_pack("{si}", "parallelMigrationsPerCluster", 1);
  ferry_json_set_str(m[3], "metadata.creationTimestamp", "2026-01-02T00:00:00Z");
  for (guint i = 0; i < G_N_ELEMENTS(m); i++) {
    const char *uid = ferry_json_str(m[G_N_ELEMENTS(m) - 1 - i], "metadata.uid");
    g_autoptr(FerryLimits) l = ferry_limits_new(m, G_N_ELEMENTS(m), config);
    g_assert_cmpuint(ferry_limits_position(l, uid), ==, i + 1);
    g_assert_true(admits(l, uid, "h1") == (i == 0));
  }
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

/* one whose policy allows no other beside it: it waits for the node to be empty, nobody passes it,
 * and while it runs nobody joins it */
static void test_alone(void) {
  json_t *running = vmim("a1", "Running", "h1", "h2", NULL);
  json_t *m[] = {running, vmim("w1", "Pending", "h1", NULL, NULL),
                 vmim("w2", "Pending", "h1", NULL, NULL), vmim("w3", "Pending", "h3", NULL, NULL)};
  g_autoptr(json_t) two =
      json_pack("{si,si,si}", "parallelMigrationsPerCluster", 5,
                "parallelOutboundMigrationsPerNode", 2, "parallelInboundMigrationsPerNode", 2);
  g_autoptr(json_t) one = json_deep_copy(two);
  ferry_json_set_int(one, "parallelOutboundMigrationsPerNode", 1);
  g_autoptr(FerryLimits) strict = ferry_limits_new(m, G_N_ELEMENTS(m), one);
  g_assert_false(admits(strict, "w1", "h1"));
  g_autoptr(FerryLimits) lax = ferry_limits_new(m, G_N_ELEMENTS(m), two);
  g_assert_true(admits(lax, "w1", "h1"));
  g_assert_false(admits(lax, "w2", "h1")); /* w1 is before it */
  g_assert_true(admits(lax, "w3", "h3"));
  /* the same limit, stated by the policy of the one that runs */
  ferry_json_set(running, "status.migrationState.migrationConfiguration", json_deep_copy(one));
  ferry_json_set_int(running,
                     "status.migrationState.migrationConfiguration."
                     "parallelInboundMigrationsPerNode",
                     1);
  g_autoptr(FerryLimits) cluster = ferry_limits_new(m, G_N_ELEMENTS(m), two);
  g_assert_true(admits(cluster, "w1", "h1")); /* origin unknown: the cluster's, then */
  ferry_json_set(running, "status.configurationOrigins",
                 json_pack("{ss,ss}", "parallelOutboundMigrationsPerNode", "preset/nova",
                           "parallelInboundMigrationsPerNode", "KubeVirt"));
  g_autoptr(FerryLimits) held = ferry_limits_new(m, G_N_ELEMENTS(m), two);
  g_autofree char *reason = NULL, *none = NULL, *full = NULL;
  g_assert_false(ferry_limits_admit(held, "w1", "h1", &reason));
  g_assert_nonnull(strstr(reason, "under way"));
  g_assert_true(admits(held, "w3", "h3"));
  g_assert_true(ferry_limits_inbound_ok(held, "h2", &none));
  ferry_json_set_str(running, "status.configurationOrigins.parallelInboundMigrationsPerNode",
                     "MigrationPolicy/p");
  g_autoptr(FerryLimits) both = ferry_limits_new(m, G_N_ELEMENTS(m), two);
  g_assert_false(ferry_limits_inbound_ok(both, "h2", &full));
  for (gsize i = 0; i < G_N_ELEMENTS(m); i++)
    json_decref(m[i]);
}

/* of several that leave one host under policies of their own, the least is everybody's, in whatever
 * order they began */
static void test_least_of_several(void) {
  static const int limits[][2] = {{2, 9}, {9, 2}};
  for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
    json_t *m[] = {vmim("a1", "Running", "h1", "h2", NULL), vmim("a2", "Running", "h1", "h3", NULL),
                   vmim("w1", "Pending", "h1", NULL, NULL)};
    for (gsize k = 0; k < 2; k++) {
      ferry_json_set_int(
          m[k], "status.migrationState.migrationConfiguration.parallelOutboundMigrationsPerNode",
          limits[i][k]);
      ferry_json_set_str(m[k], "status.configurationOrigins.parallelOutboundMigrationsPerNode",
                         "MigrationPolicy/p");
    }
    g_autoptr(json_t) config = json_pack("{si}", "parallelOutboundMigrationsPerNode", 20);
    g_autoptr(FerryLimits) l = ferry_limits_new(m, G_N_ELEMENTS(m), config);
    g_assert_false(admits(l, "w1", "h1"));
    for (gsize k = 0; k < G_N_ELEMENTS(m); k++)
      json_decref(m[k]);
  }
}

/* One that waits for its time takes no place and keeps none waiting. */
static void test_put_off(void) {
  json_t *m[] = {vmim("later", "Pending", "h1", NULL, "system-critical"),
                 vmim("now", "Pending", "h1", NULL, NULL)};
  g_autoptr(json_t) config = json_pack("{si,si}", "parallelMigrationsPerCluster", 1,
                                       "parallelOutboundMigrationsPerNode", 1);
  g_autoptr(FerryLimits) before = ferry_limits_new(m, 2, config);
  g_assert_false(admits(before, "now", "h1"));
  ferry_json_set_str(m[0], "status.queue.reason", "NotYet");
  g_autoptr(FerryLimits) after = ferry_limits_new(m, 2, config);
  g_assert_true(admits(after, "now", "h1"));
  g_assert_cmpuint(ferry_limits_position(after, "later"), ==, 0);
  g_assert_cmpuint(ferry_limits_position(after, "now"), ==, 1);
  json_decref(m[0]);
  json_decref(m[1]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/limits/order-and-limits", test_limits);
  g_test_add_func("/limits/order-of-priorities", test_order_of_priorities);
  g_test_add_func("/limits/no-head-of-line-blocking", test_no_head_of_line_blocking);
  g_test_add_func("/limits/alone", test_alone);
  g_test_add_func("/limits/least-of-several", test_least_of_several);
  g_test_add_func("/limits/put-off", test_put_off);
  return g_test_run();
}
