// SPDX-License-Identifier: Apache-2.0
// Rollouts from their beginning to their end: whose turn it is, how often a VM moves, that ferryd
// may die between any two steps, and what is left where one is deleted.
#include "rollout_world.h"

#include <glib/gstdio.h>

static gboolean is_cordoned(FerryStore *store, const char *host) {
  g_autoptr(json_t) node = rollout_world_node(store, host);
  return ferry_json_bool(node, "spec.unschedulable", FALSE);
}

static guint taints(FerryStore *store) {
  guint n = 0;
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    n += json_array_size(ferry_json_get(all->pdata[i], "spec.taints"));
  return n;
}

/* Steps until `host` is in `phase`, moving what is to move; the time after it. */
static gint64 until(FerryStore *store, const char *host, FerryPhase phase, gint64 now) {
  for (int i = 0; i < 100; i++, now += SECOND) {
    rollout_world_move(store, now);
    g_autoptr(json_t) r = rollout_world_step(store, now);
    if (rollout_world_phase(r, host) == phase)
      return now;
  }
  g_error("%s is never %s", host, ferry_phase_name(phase));
}

/* Says that it is done, and has its agent tell of it late enough. */
static gint64 work_on(FerryStore *store, const char *host, gint64 now) {
  rollout_world_done(store, host, now);
  now += FERRY_ROLLOUT_SETTLE_MS + SECOND;
  world_heartbeat(store, host, now);
  return until(store, host, FERRY_PHASE_SUCCEEDED, now + SECOND);
}

/* h2 has nothing and is first; then h3, whose VM goes to h2; then h1. Nothing moves twice. */
static void test_each_vm_moves_once(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  for (int i = 1; i <= 3; i++)
    rollout_world_vm(store, "h1", i, "running", WORLD_NOW);
  rollout_world_vm(store, "h3", 4, "running", WORLD_NOW);
  rollout_world_make(store, NULL, 1);
  gint64 now = until(store, "h2", FERRY_PHASE_EMPTY, WORLD_NOW);
  g_assert_true(is_cordoned(store, "h2"));
  g_assert_cmpuint(taints(store), ==, 2);
  g_autoptr(json_t) waits = rollout_world_get(store);
  g_assert_cmpstr(ferry_json_str(waits, "status.phase"), ==, "Running");
  g_assert_cmpstr(ferry_json_str(waits, "status.current"), ==, "h2: Empty");
  g_assert_cmpint(rollout_world_phase(waits, "h1"), ==, FERRY_PHASE_QUEUED);
  g_assert_cmpint(rollout_world_phase(waits, "h3"), ==, FERRY_PHASE_QUEUED);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 0);
  now = work_on(store, "h2", now);
  g_assert_false(is_cordoned(store, "h2"));
  now = until(store, "h3", FERRY_PHASE_EMPTY, now);
  now = work_on(store, "h3", now);
  now = until(store, "h1", FERRY_PHASE_EMPTY, now);
  now = work_on(store, "h1", now);
  g_autoptr(json_t) r = rollout_world_get(store);
  g_assert_cmpstr(ferry_json_str(r, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(r, "status.done", -1), ==, 3);
  g_assert_true(ferry_condition_holds(r, FERRY_CONDITION_COMPLETE));
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 4);
  g_assert_cmpuint(taints(store), ==, 0);
  for (int i = 1; i <= 3; i++) {
    g_autofree char *host = g_strdup_printf("h%d", i);
    g_assert_false(is_cordoned(store, host));
  }
}

/* Without a host to spare only the VMs of the first one move twice. */
static void test_bound_without_a_spare(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  int vm = 1;
  for (int host = 1; host <= 3; host++)
    for (int i = 0; i < 2; i++) {
      g_autofree char *name = g_strdup_printf("h%d", host);
      rollout_world_vm(store, name, vm++, "running", WORLD_NOW);
    }
  rollout_world_make(store, NULL, 1);
  gint64 now = until(store, "h1", FERRY_PHASE_EMPTY, WORLD_NOW);
  now = work_on(store, "h1", now);
  for (int n = 0; n < 2; n++) { /* h2 and h3, the one with fewer first */
    g_autoptr(json_t) r = rollout_world_step(store, now);
    const char *next = ferry_rollout_is_under_way(rollout_world_phase(r, "h2")) ? "h2" : "h3";
    now = until(store, next, FERRY_PHASE_EMPTY, now);
    now = work_on(store, next, now);
  }
  g_autoptr(json_t) r = rollout_world_get(store);
  g_assert_cmpstr(ferry_json_str(r, "status.phase"), ==, "Succeeded");
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 6 + 2);
}

static void remove_store(const char *folder, const char *path) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock", ".reserve", NULL};
  for (gsize i = 0; ends[i]; i++) {
    g_autofree char *file = g_strconcat(path, ends[i], NULL);
    g_unlink(file);
  }
  g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Nothing is remembered but what is stored: a new process goes on after each step. */
static void test_ferryd_dies_at_each_step(void) {
  g_autofree char *folder = g_dir_make_tmp("ferry-rollout-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "store.db", NULL);
  g_autoptr(GError) error = NULL;
  FerryStore *store = ferry_store_open(path, NULL, &error);
  g_assert_no_error(error);
  rollout_world_fill(store);
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  rollout_world_vm(store, "h3", 2, "running", WORLD_NOW);
  rollout_world_make(store, NULL, 1);
  gint64 now = WORLD_NOW;
  gboolean over = FALSE;
  for (int i = 0; i < 200 && !over; i++, now += 5 * SECOND) {
    ferry_store_free(store);
    store = ferry_store_open(path, NULL, &error);
    g_assert_no_error(error);
    rollout_world_move(store, now);
    g_autoptr(json_t) r = rollout_world_step(store, now);
    guint under_way = 0;
    for (int k = 1; k <= 3; k++) {
      g_autofree char *host = g_strdup_printf("h%d", k);
      FerryPhase phase = rollout_world_phase(r, host);
      under_way += ferry_rollout_is_under_way(phase);
      world_heartbeat(store, host, now);
      if (phase == FERRY_PHASE_EMPTY)
        g_assert_cmpuint(ferry_rollout_host_vms(store, host), ==, 0);
      if (phase == FERRY_PHASE_EMPTY && !ferry_json_str(ferry_rollout_host(r, host), "doneAt"))
        rollout_world_done(store, host, now);
    }
    g_assert_cmpuint(under_way, <=, 1);
    over = ferry_rollout_is_final(r);
  }
  g_assert_true(over);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_vmim), ==, 2);
  ferry_store_free(store);
  remove_store(folder, path);
}

static void test_chosen_by_labels(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  g_autoptr(json_t) node = rollout_world_node(store, "h2");
  json_t *copy = json_deep_copy(node);
  ferry_json_set(copy, "metadata.labels", json_pack("{ss}", "rack", "a"));
  rollout_world_update(store, &ferry_kind_node, copy);
  rollout_world_make(store, "rack=a", 1);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW);
  g_assert_cmpuint(json_array_size(ferry_json_get(r, "status.hosts")), ==, 1);
  g_assert_cmpint(rollout_world_phase(r, "h2"), ==, FERRY_PHASE_EMPTYING);
}

/* As many at a time as is allowed, and no more. */
static void test_several_at_once(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  rollout_world_make(store, NULL, 2);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW);
  g_assert_cmpint(rollout_world_phase(r, "h1"), ==, FERRY_PHASE_EMPTYING);
  g_assert_cmpint(rollout_world_phase(r, "h2"), ==, FERRY_PHASE_EMPTYING);
  g_assert_cmpint(rollout_world_phase(r, "h3"), ==, FERRY_PHASE_QUEUED);
}

/* Rollout `name`, with `hosts` (taken; NULL: it has not chosen them yet). */
static void add_another(FerryStore *store, const char *name, json_t *hosts) {
  world_add(store, &ferry_kind_rollout,
            json_pack("{ss,ss,s{ss,ss},s{si},s{ss,so*}}", "apiVersion", "ferry.migration/v1",
                      "kind", "Rollout", "metadata", "name", name, "uid", name, "spec",
                      "maxUnavailable", 1, "status", "phase", "Running", "hosts", hosts));
}

/* Hosts of another one are left out while that one is under way, and one without any host fails. */
static void test_hosts_of_another(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  rollout_world_make(store, NULL, 1);
  add_another(store, "q", json_pack("[{ss,ss}]", "nodeName", "h2", "phase", "Succeeded"));
  add_another(store, "p", NULL);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW);
  g_assert_cmpuint(json_array_size(ferry_json_get(r, "status.hosts")), ==, 2);
  g_assert_null(ferry_rollout_host(r, "h2"));
  g_autoptr(json_t) p = ferry_store_get(store, &ferry_kind_rollout, "", "p");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_rollout_step(store, p, WORLD_NOW, plan);
  world_commit(store, plan);
  g_autoptr(json_t) after = ferry_store_get(store, &ferry_kind_rollout, "", "p");
  g_assert_cmpuint(json_array_size(ferry_json_get(after, "status.hosts")), ==, 0);
  g_assert_cmpstr(ferry_json_str(after, "status.phase"), ==, "Failed");
}

/* However many may be empty at a time, one step writes of a few; the next one goes on. */
static void test_many_begin_in_parts(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  for (int i = 4; i <= FERRY_ROLLOUT_BEGINS + 5; i++) {
    g_autofree char *host = g_strdup_printf("h%d", i), *ip = g_strdup_printf("10.0.0.%d", i);
    world_add(store, &ferry_kind_node, world_node(host, ip));
  }
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  rollout_world_make(store, NULL, 10000);
  json_decref(rollout_world_step(store, WORLD_NOW));
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), ==, FERRY_ROLLOUT_BEGINS);
  g_autoptr(json_t) r = rollout_world_step(store, WORLD_NOW + SECOND);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), <=,
                   FERRY_ROLLOUT_BEGINS + 5);
  g_assert_cmpint(rollout_world_phase(r, "h1"), ==, FERRY_PHASE_EMPTYING); /* the last one */
}

/* Nothing begins while it is stopped, and what is empty may still be done. */
static void test_stopped(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  rollout_world_vm(store, "h1", 1, "running", WORLD_NOW);
  rollout_world_make(store, NULL, 1);
  gint64 now = until(store, "h2", FERRY_PHASE_EMPTY, WORLD_NOW);
  rollout_world_pause(store, TRUE);
  now = work_on(store, "h2", now);
  for (int i = 0; i < 5; i++)
    json_decref(rollout_world_step(store, now += 60 * SECOND));
  g_autoptr(json_t) stopped = rollout_world_get(store);
  g_assert_cmpstr(ferry_json_str(stopped, "status.phase"), ==, "Paused");
  g_assert_cmpint(rollout_world_phase(stopped, "h1"), ==, FERRY_PHASE_QUEUED);
  g_assert_cmpint(rollout_world_phase(stopped, "h3"), ==, FERRY_PHASE_QUEUED);
  rollout_world_pause(store, FALSE);
  g_autoptr(json_t) on = rollout_world_step(store, now);
  g_assert_cmpstr(ferry_json_str(on, "status.phase"), ==, "Running");
  g_assert_cmpint(rollout_world_phase(on, "h3"), ==, FERRY_PHASE_EMPTYING);
}

/* Taints and evacuations go, and a host that is being emptied stays cordoned. */
static void test_deleted(void) {
  g_autoptr(FerryStore) store = rollout_world_new();
  for (int i = 1; i <= 3; i++) {
    g_autofree char *host = g_strdup_printf("h%d", i);
    rollout_world_vm(store, host, i, "running", WORLD_NOW);
  }
  rollout_world_make(store, NULL, 1);
  json_decref(rollout_world_step(store, WORLD_NOW));
  json_decref(rollout_world_step(store, WORLD_NOW + SECOND));
  g_assert_cmpuint(taints(store), ==, 2);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), ==, 1);
  g_autoptr(json_t) r = rollout_world_get(store);
  json_t *copy = json_deep_copy(r);
  ferry_json_set_str(copy, "metadata.deletionTimestamp", "2026-01-01T00:00:02Z");
  rollout_world_update(store, &ferry_kind_rollout, copy);
  g_assert_null(rollout_world_step(store, WORLD_NOW + 2 * SECOND));
  g_assert_null(rollout_world_step(store, WORLD_NOW + 3 * SECOND));
  g_assert_cmpuint(taints(store), ==, 0);
  g_assert_cmpuint(rollout_world_count(store, &ferry_kind_evacuation), ==, 0);
  g_assert_true(is_cordoned(store, "h1"));
  g_assert_false(is_cordoned(store, "h2"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/rollout/each-vm-moves-once", test_each_vm_moves_once);
  g_test_add_func("/control/rollout/bound-without-a-spare", test_bound_without_a_spare);
  g_test_add_func("/control/rollout/ferryd-dies-at-each-step", test_ferryd_dies_at_each_step);
  g_test_add_func("/control/rollout/chosen-by-labels", test_chosen_by_labels);
  g_test_add_func("/control/rollout/several-at-once", test_several_at_once);
  g_test_add_func("/control/rollout/hosts-of-another", test_hosts_of_another);
  g_test_add_func("/control/rollout/many-begin-in-parts", test_many_begin_in_parts);
  g_test_add_func("/control/rollout/stopped", test_stopped);
  g_test_add_func("/control/rollout/deleted", test_deleted);
  return g_test_run();
}
