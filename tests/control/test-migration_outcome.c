// SPDX-License-Identifier: Apache-2.0
// What the end of a migration says of both hosts.
#include "world.h"
#include <string.h>

#define STATE "status.migrationState."

static void set_ready(FerryStore *store, const char *node, const char *status) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(n);
  ferry_condition_set(copy, "Ready", status, "AgentSilent", "", WORLD_NOW);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

/* A migration to h2 that ended in an error, with this state on the source before and after. */
static json_t *failed(FerryStore *store, const char *before, const char *after) {
  world_report(store, "h1", before, "booted", WORLD_NOW);
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) scheduled = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(scheduled, STATE "sourceDomainStateBefore"), ==, before);
  world_set(store, "m", "status.phase", json_string("Running"));
  world_set(store, "m", STATE "agentResult",
            json_pack("{sb,ss,ss}", "returned", 1, "error", "out of luck", "sourceState", after));
  json_t *m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  return m;
}

static void test_kept(void) {
  static const struct {
    const char *before, *after, *says;
  } cases[] = {
      {"running", "running", "out of luck; the VM is running on h1 as before"},
      {"running", "blocked", "the VM is blocked on h1 as before"},
      {"paused", "paused", "the VM is paused on h1 as before"},
      {"running", "paused", "the VM is paused on h1 and was running before; look at"},
      {"paused", "running", "the VM is running on h1 and was paused before; look at"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = world_new();
    g_autoptr(json_t) m = failed(store, cases[i].before, cases[i].after);
    if (!strstr(ferry_json_str(m, "status.message"), cases[i].says))
      g_error("\"%s\" is not in \"%s\"", cases[i].says, ferry_json_str(m, "status.message"));
    g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "gone");
  }
}

/* Of a host whose agent is silent nobody knows what it has. */
static void test_silent_target(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  set_ready(store, "h2", "Unknown");
  world_set(store, "m", STATE "agentResult",
            json_pack("{sb,ss,ss}", "returned", 1, "error", "cut", "sourceState", "running"));
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "unknown");
}

static void test_silent_hosts(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  set_ready(store, "h1", "Unknown");
  set_ready(store, "h2", "Unknown");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + FERRY_LOST_AGENT_TIMEOUT_MS + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "SourceHostLost");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h2 does not answer either"));
  g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "unknown");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration-outcome/kept", test_kept);
  g_test_add_func("/migration-outcome/silent-target", test_silent_target);
  g_test_add_func("/migration-outcome/silent-hosts", test_silent_hosts);
  return g_test_run();
}
