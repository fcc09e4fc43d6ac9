// SPDX-License-Identifier: Apache-2.0
// One host of a rollout, row by row: what keeps it from being empty is named, it is never taken for
// empty while a VM is there, and it is opened on fresh evidence only.
#include "rollout_world.h"

/* h1 alone, as the rollout's only host. */
static FerryStore *of_h1(void) {
  FerryStore *store = rollout_world_new();
  g_autoptr(json_t) node = rollout_world_node(store, "h1");
  json_t *copy = json_deep_copy(node);
  ferry_json_set(copy, "metadata.labels", json_pack("{ss}", "rack", "a"));
  rollout_world_update(store, &ferry_kind_node, copy);
  rollout_world_make(store, "rack=a", 1);
  return store;
}

/* Takes `r`. */
static FerryPhase phase_after(json_t *r) {
  FerryPhase phase = rollout_world_phase(r, "h1");
  json_decref(r);
  return phase;
}

/* Until it is Empty; there are no VMs. */
static void empty_it(FerryStore *store, gint64 now) {
  g_assert_cmpint(phase_after(rollout_world_step(store, now)), ==, FERRY_PHASE_EMPTYING);
  g_assert_cmpint(phase_after(rollout_world_step(store, now)), ==, FERRY_PHASE_EMPTY);
}

static void set_snapshots(FerryStore *store, json_t *list) {
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "vm1");
  json_t *copy = json_deep_copy(vmi);
  ferry_json_set(copy, "spec.domain.snapshots", list);
  rollout_world_update(store, &ferry_kind_vmi, copy);
}

/* A VM that can't move is named with its reasons at once; when it can, the host goes on. */
static void test_blocked(void) {
  g_autoptr(FerryStore) store = of_h1();
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  set_snapshots(store, json_pack("[s]", "before"));
  json_decref(rollout_world_step(store, WORLD_NOW));
  json_decref(rollout_world_step(store, WORLD_NOW + SECOND));
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW + 2 * SECOND);
  g_assert_cmpint(rollout_world_phase(r, "h1"), ==, FERRY_PHASE_BLOCKED);
  g_assert_nonnull(strstr(rollout_world_message(r, "h1"), "vm1 (Failed): "));
  g_assert_nonnull(strstr(rollout_world_message(r, "h1"), "(before)"));
  const json_t *c = ferry_condition_find(r, FERRY_CONDITION_HOST_BLOCKED);
  g_assert_cmpstr(ferry_json_str(c, "status"), ==, "True");
  g_assert_nonnull(strstr(ferry_json_str(c, "message"), "h1: vm1 (Failed): "));
  g_assert_cmpstr(ferry_json_str(r, "status.phase"), ==, "Running");
  /* not before its time */
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 30 * SECOND)), ==,
                  FERRY_PHASE_BLOCKED);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 0);
  set_snapshots(store, json_array());
  gint64 again = WORLD_NOW + 2 * SECOND + FERRY_ROLLOUT_AGAIN_MS;
  g_assert_cmpint(phase_after(rollout_world_step(store, again)), ==, FERRY_PHASE_EMPTYING);
  json_decref(rollout_world_step(store, again + SECOND));
  rollout_world_move(store, again + SECOND);
  json_decref(rollout_world_step(store, again + 2 * SECOND));
  g_autoptr(json_t) empty = rollout_world_step(store, again + 3 * SECOND);
  g_assert_cmpint(rollout_world_phase(empty, "h1"), ==, FERRY_PHASE_EMPTY);
  g_assert_null(ferry_condition_find(empty, FERRY_CONDITION_HOST_BLOCKED));
}

/* The VM that kept it is shut down: it is empty, and need not wait for the next try. */
static void test_blocker_is_shut_down(void) {
  g_autoptr(FerryStore) store = of_h1();
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  set_snapshots(store, json_pack("[s]", "before"));
  json_decref(rollout_world_step(store, WORLD_NOW));
  json_decref(rollout_world_step(store, WORLD_NOW + SECOND));
  rollout_world_vm(store, "h1", 1, "shutoff", WORLD_NOW + 2 * SECOND);
  FerryPhase phase = FERRY_PHASE_NONE;
  for (int i = 3; i < 8 && phase != FERRY_PHASE_EMPTY; i++)
    phase = phase_after(rollout_world_step(store, WORLD_NOW + i * SECOND));
  g_assert_cmpint(phase, ==, FERRY_PHASE_EMPTY);
}

/* One starts there before, or after, it was said to be done: that does not count any more. */
static void test_occupied_again(void) {
  for (int said = 0; said < 2; said++) {
    g_autoptr(FerryStore) store = of_h1();
    empty_it(store, WORLD_NOW);
    if (said) {
      rollout_world_done(store, "h1", WORLD_NOW);
      g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW)), ==, FERRY_PHASE_VERIFYING);
    }
    rollout_world_vm(store, "h1", 1, "running", WORLD_NOW + SECOND);
    g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW + 60 * SECOND);
    g_assert_cmpint(rollout_world_phase(r, "h1"), ==, FERRY_PHASE_EMPTYING);
    g_assert_null(ferry_json_str(ferry_rollout_host(r, "h1"), "doneAt"));
    json_decref(rollout_world_step(store, WORLD_NOW + 61 * SECOND));
    g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 1);
  }
}

/* A second copy of a VM that is another host's, or a domain that is left out, is there as well. */
static void test_strays(void) {
  for (int left_out = 0; left_out < 2; left_out++) {
    g_autoptr(FerryStore) store = of_h1();
    empty_it(store, WORLD_NOW);
    g_assert_cmpuint(ferry_rollout_host_vms(store, "h1"), ==, 0);
    if (left_out) {
      g_autoptr(json_t) node = rollout_world_node(store, "h1");
      json_t *copy = json_deep_copy(node);
      ferry_json_set(copy, "status.invalidDomains",
                     json_pack("[{ss,ss,sb}]", "name", "odd", "message", "no UUID", "active", 1));
      rollout_world_update(store, &ferry_kind_node, copy);
    } else {
      rollout_world_vm(store, "h2", 1, "running", WORLD_NOW);
      rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
      g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "vm1");
      g_assert_cmpstr(ferry_json_str(vmi, "status.nodeName"), ==, "h2");
    }
    g_assert_cmpuint(ferry_rollout_host_vms(store, "h1"), ==, 1);
    g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + SECOND)), ==,
                    FERRY_PHASE_EMPTYING);
  }
}

/* Somebody opens it while it is worked on: VMs could come, so it is closed and looked at again. */
static void test_opened_meanwhile(void) {
  g_autoptr(FerryStore) store = of_h1();
  empty_it(store, WORLD_NOW);
  g_autoptr(json_t) node = rollout_world_node(store, "h1");
  json_t *copy = json_deep_copy(node);
  json_object_del(json_object_get(copy, "spec"), "unschedulable");
  rollout_world_update(store, &ferry_kind_node, copy);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + SECOND)), ==,
                  FERRY_PHASE_EMPTYING);
  g_autoptr(json_t) closed = rollout_world_node(store, "h1");
  g_assert_true(ferry_json_bool(closed, "spec.unschedulable", FALSE));
}

/* What was reported before the work ended, or while libvirtd does not answer, opens nothing. */
static void test_fresh_evidence(void) {
  g_autoptr(FerryStore) store = of_h1();
  empty_it(store, WORLD_NOW);
  rollout_world_done(store, "h1", WORLD_NOW);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW)), ==, FERRY_PHASE_VERIFYING);
  gint64 settled = WORLD_NOW + FERRY_ROLLOUT_SETTLE_MS;
  world_heartbeat(store, "h1", settled - SECOND); /* libvirtd may hang since */
  g_assert_cmpint(phase_after(rollout_world_step(store, settled + 60 * SECOND)), ==,
                  FERRY_PHASE_VERIFYING);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) hangs = json_pack("{s{sb,ss}}", "node", "connected", 0, "connectionError",
                                      "libvirtd does not answer");
  ferry_inventory_report(store, "h1", hangs, settled + 61 * SECOND, &error);
  g_assert_no_error(error);
  g_autoptr(json_t) told = rollout_world_step(store, settled + 62 * SECOND);
  g_assert_cmpint(rollout_world_phase(told, "h1"), ==, FERRY_PHASE_VERIFYING);
  g_assert_nonnull(strstr(rollout_world_message(told, "h1"), "libvirtd does not answer"));
  g_autoptr(json_t) answers = json_pack("{s{sb}}", "node", "connected", 1);
  ferry_inventory_report(store, "h1", answers, settled + 63 * SECOND, &error);
  g_assert_no_error(error);
  g_autoptr(json_t) open = rollout_world_step(store, settled + 64 * SECOND);
  g_assert_cmpint(rollout_world_phase(open, "h1"), ==, FERRY_PHASE_SUCCEEDED);
  g_assert_cmpstr(ferry_json_str(open, "status.phase"), ==, "Succeeded");
}

/* Stopped while it is emptied: what waits does not go on, and nothing is opened. */
static void test_stopped_while_emptied(void) {
  g_autoptr(FerryStore) store = of_h1();
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  json_decref(rollout_world_step(store, WORLD_NOW));
  json_decref(rollout_world_step(store, WORLD_NOW + SECOND));
  rollout_world_pause(store, TRUE);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 2 * SECOND)), ==,
                  FERRY_PHASE_PAUSED);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 3 * SECOND)), ==,
                  FERRY_PHASE_PAUSED);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), ==, 0);
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  g_assert_cmpuint(all->len, ==, 1);
  g_assert_true(ferry_json_bool(all->pdata[0], "status.migrationState.abortRequested", FALSE));
  g_autoptr(json_t) node = rollout_world_node(store, "h1");
  g_assert_true(ferry_json_bool(node, "spec.unschedulable", FALSE));
  rollout_world_pause(store, FALSE);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 4 * SECOND)), ==,
                  FERRY_PHASE_EMPTYING);
}

/* A host that a person had closed, and drains, is left to him. */
static void test_others_drain_and_cordon(void) {
  g_autoptr(FerryStore) store = of_h1();
  world_add(store, &ferry_kind_evacuation,
            json_pack("{ss,ss,s{ss,ss,ss,s[s]},s{ss}}", "apiVersion", "ferry.migration/v1", "kind",
                      "Evacuation", "metadata", "name", "e", "uid", "e", "creationTimestamp",
                      "2026-01-01T00:00:00Z", "finalizers", FERRY_EVACUATION_FINALIZER, "spec",
                      "nodeName", "h1"));
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(ferry_rollout_host(r, "h1"), "evacuation"), ==, "e");
  rollout_world_move(store, WORLD_NOW + SECOND);
  json_decref(rollout_world_step(store, WORLD_NOW + SECOND));
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 2 * SECOND)), ==,
                  FERRY_PHASE_EMPTY);
  rollout_world_done(store, "h1", WORLD_NOW + 2 * SECOND);
  json_decref(rollout_world_step(store, WORLD_NOW + 3 * SECOND));
  world_heartbeat(store, "h1", WORLD_NOW + 30 * SECOND);
  g_assert_cmpint(phase_after(rollout_world_step(store, WORLD_NOW + 40 * SECOND)), ==,
                  FERRY_PHASE_SUCCEEDED);
  g_autoptr(json_t) node = rollout_world_node(store, "h1");
  g_assert_true(ferry_json_bool(node, "spec.unschedulable", FALSE));
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), ==, 1);
}

/* The node is deleted in the middle. */
static void test_gone(void) {
  g_autoptr(FerryStore) store = of_h1();
  empty_it(store, WORLD_NOW);
  g_autoptr(json_t) node = rollout_world_node(store, "h1");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_DELETE, &ferry_kind_node, json_incref(node), FALSE);
  world_commit(store, plan);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW + SECOND);
  g_assert_cmpint(rollout_world_phase(r, "h1"), ==, FERRY_PHASE_FAILED);
  g_assert_cmpstr(ferry_json_str(r, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(ferry_condition_find(r, FERRY_CONDITION_COMPLETE), "reason"), ==,
                  "HostsLost");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/rollout_host/blocked", test_blocked);
  g_test_add_func("/control/rollout_host/blocker-is-shut-down", test_blocker_is_shut_down);
  g_test_add_func("/control/rollout_host/occupied-again", test_occupied_again);
  g_test_add_func("/control/rollout_host/strays", test_strays);
  g_test_add_func("/control/rollout_host/opened-meanwhile", test_opened_meanwhile);
  g_test_add_func("/control/rollout_host/fresh-evidence", test_fresh_evidence);
  g_test_add_func("/control/rollout_host/stopped-while-emptied", test_stopped_while_emptied);
  g_test_add_func("/control/rollout_host/others-drain-and-cordon", test_others_drain_and_cordon);
  g_test_add_func("/control/rollout_host/gone", test_gone);
  return g_test_run();
}
