// SPDX-License-Identifier: Apache-2.0
// Evacuations on a store in memory, stepped by hand on a clock of the test's own: each VM is moved
// once, failures are tried again later, and what comes in meanwhile is seen.
#include "control/evacuation/evacuation.h"
#include "base/trace.h"
#include "world.h"
#include <string.h>

#define SECOND 1000

static void evacuate(FerryStore *store, const char *node) {
  world_add(store, &ferry_kind_evacuation,
            json_pack("{ss,ss,s{ss,ss,ss,s[s]},s{ss}}", "apiVersion", "ferry.migration/v1", "kind",
                      "Evacuation", "metadata", "name", "e", "uid", "e", "creationTimestamp",
                      "2026-01-01T00:00:00Z", "finalizers", FERRY_EVACUATION_FINALIZER, "spec",
                      "nodeName", node));
}

static const char *trace_of(const json_t *m) {
  return json_string_value(
      json_object_get(ferry_json_get(m, "metadata.annotations"), FERRY_TRACE_ANNOTATION));
}

static json_t *step(FerryStore *store, gint64 now) {
  g_autoptr(json_t) before = ferry_store_get(store, &ferry_kind_evacuation, "", "e");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_evacuation_step(store, before, now, plan);
  world_commit(store, plan);
  return ferry_store_get(store, &ferry_kind_evacuation, "", "e");
}

/* The only migration that is not final, or NULL. */
static json_t *active(FerryStore *store) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  json_t *found = NULL;
  for (guint i = 0; i < all->len; i++)
    if (!ferry_migration_is_final(g_ptr_array_index(all, i))) {
      g_assert_null(found);
      found = g_ptr_array_index(all, i);
    }
  return found ? json_incref(found) : NULL;
}

static void fail(FerryStore *store, const char *reason, gint64 now) {
  g_autoptr(json_t) m = active(store);
  g_assert_nonnull(m);
  g_autoptr(json_t) copy = json_deep_copy(m);
  g_autofree char *end = ferry_rfc3339_format_ms(now);
  ferry_json_set_str(copy, "status.phase", "Failed");
  ferry_json_set_str(copy, "status.reason", reason);
  ferry_json_set_str(copy, "status.message", "the cable was cut");
  ferry_json_set_str(copy, "status.migrationState.endTimestamp", end);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmim, json_incref(copy), FALSE);
  world_commit(store, plan);
}

static const char *vm_phase(const json_t *e) {
  return ferry_json_str(json_array_get(ferry_json_get(e, "status.vms"), 0), "phase");
}

/* The evacuation's trace goes on in its migrations, the second try's too; else there is a new one.
 */
static void test_trace(void) {
  for (int given = 0; given < 2; given++) {
    g_autoptr(FerryStore) store = world_new();
    evacuate(store, "h1");
    if (given) {
      g_autoptr(json_t) e = ferry_store_get(store, &ferry_kind_evacuation, "", "e");
      json_t *copy = json_deep_copy(e);
      ferry_json_set(copy, "metadata.annotations",
                     json_pack("{ss}", FERRY_TRACE_ANNOTATION, "4bf92f3577b34da6a3ce929d0e0e4736"));
      g_autoptr(FerryPlan) plan = ferry_plan_new();
      ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, copy, FALSE);
      world_commit(store, plan);
    }
    json_decref(step(store, WORLD_NOW));
    g_autoptr(json_t) first = active(store);
    g_assert_true(ferry_trace_is_valid(trace_of(first)));
    fail(store, "MigrationFailed", WORLD_NOW);
    json_decref(step(store, WORLD_NOW + 3600 * SECOND));
    g_autoptr(json_t) second = active(store);
    g_assert_true(ferry_trace_is_valid(trace_of(second)));
    if (given) {
      g_assert_cmpstr(trace_of(first), ==, "4bf92f3577b34da6a3ce929d0e0e4736");
      g_assert_cmpstr(trace_of(second), ==, "4bf92f3577b34da6a3ce929d0e0e4736");
    }
  }
}

static void test_moves_all(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Running");
  g_assert_cmpint(ferry_json_int(e, "status.remaining", -1), ==, 1);
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_assert_true(ferry_json_bool(node, "spec.unschedulable", FALSE));
  g_autoptr(json_t) m = active(store);
  g_assert_cmpstr(ferry_json_str(m, "spec.vmiName"), ==, "db");
  g_assert_cmpstr(ferry_json_str(m, "spec.priority"), ==, "system-critical");
  /* a step more makes nothing more */
  g_autoptr(json_t) same = step(store, WORLD_NOW + 1);
  g_autoptr(json_t) only = active(store);
  g_assert_true(json_equal(m, only));
  g_autoptr(json_t) placed = world_step(store, ferry_json_str(m, "metadata.name"), WORLD_NOW + 2);
  g_assert_cmpstr(ferry_json_str(placed, "status.migrationState.targetNode"), ==, "h2");
  g_autoptr(json_t) going = step(store, WORLD_NOW + 3);
  g_assert_cmpstr(vm_phase(going), ==, "Scheduled");
  world_report(store, "h1", NULL, NULL, WORLD_NOW + 4);
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 4);
  world_set(store, ferry_json_str(m, "metadata.name"), "status.phase", json_string("Succeeded"));
  g_autoptr(json_t) done = step(store, WORLD_NOW + 5);
  g_assert_cmpstr(ferry_json_str(done, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(done, "status.moved", -1), ==, 1);
  g_assert_cmpint(ferry_json_int(done, "status.total", -1), ==, 1);
  g_assert_cmpstr(vm_phase(done), ==, "Moved");
}

/* A migration has ended and its source's last word of the VM is older: it isn't moved again, until
 * so much time has passed that it must have come back. */
static void test_moved_once(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW));
  g_autoptr(json_t) m = active(store);
  const char *name = ferry_json_str(m, "metadata.name");
  g_autofree char *end = ferry_rfc3339_format_ms(WORLD_NOW + SECOND);
  world_set(store, name, "status.migrationState.endTimestamp", json_string(end));
  world_set(store, name, "status.phase", json_string("Succeeded"));
  g_autoptr(json_t) behind = step(store, WORLD_NOW + SECOND);
  g_assert_cmpstr(ferry_json_str(behind, "status.phase"), ==, "Running");
  g_assert_cmpstr(vm_phase(behind), ==, "Running");
  g_assert_null(active(store));
  for (gint64 ms = SECOND; ms < SECOND + FERRY_EVACUATION_ARRIVAL_MS; ms += 500) {
    json_decref(step(store, WORLD_NOW + ms));
    g_assert_null(active(store));
  }
  json_decref(step(store, WORLD_NOW + SECOND + FERRY_EVACUATION_ARRIVAL_MS));
  g_autoptr(json_t) again = active(store);
  g_assert_nonnull(again);
}

/* The same, and the reports come: it has moved. */
static void test_moved_once_told_late(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW));
  g_autoptr(json_t) m = active(store);
  g_autofree char *end = ferry_rfc3339_format_ms(WORLD_NOW + SECOND);
  world_set(store, ferry_json_str(m, "metadata.name"), "status.migrationState.endTimestamp",
            json_string(end));
  world_set(store, ferry_json_str(m, "metadata.name"), "status.phase", json_string("Succeeded"));
  json_decref(step(store, WORLD_NOW + SECOND));
  world_report(store, "h1", NULL, NULL, WORLD_NOW + SECOND);
  world_report(store, "h2", "running", "migrated", WORLD_NOW + SECOND);
  g_autoptr(json_t) done = step(store, WORLD_NOW + SECOND + 1);
  g_assert_cmpstr(ferry_json_str(done, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(done, "status.moved", -1), ==, 1);
  g_assert_cmpstr(vm_phase(done), ==, "Moved");
}

/* 20 s after the first failure, 40 s after the second, ...; after the fifth no more. */
static void test_backoff(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW));
  gint64 now = WORLD_NOW;
  for (int n = 1; n < FERRY_EVACUATION_TRIES; n++) {
    fail(store, "Broken", now);
    gint64 wait = (gint64)FERRY_EVACUATION_BACKOFF_MS << (n - 1);
    g_autoptr(json_t) waits = step(store, now + wait - SECOND);
    g_assert_cmpstr(vm_phase(waits), ==, "Retrying");
    g_assert_nonnull(
        strstr(ferry_json_str(json_array_get(ferry_json_get(waits, "status.vms"), 0), "message"),
               "the cable was cut"));
    g_assert_null(active(store));
    now += wait;
    g_autoptr(json_t) again = step(store, now);
    g_assert_cmpstr(vm_phase(again), ==, "Pending");
  }
  fail(store, "Broken", now);
  g_autoptr(json_t) end = step(store, now + 3600 * SECOND);
  g_assert_cmpstr(ferry_json_str(end, "status.phase"), ==, "Failed");
  g_assert_cmpint(ferry_json_int(end, "status.failed", -1), ==, 1);
  g_assert_null(active(store));
}

static void test_a_cancel_is_meant(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW));
  fail(store, "Cancelled", WORLD_NOW);
  g_autoptr(json_t) end = step(store, WORLD_NOW + 3600 * SECOND);
  g_assert_cmpstr(ferry_json_str(end, "status.phase"), ==, "Failed");
}

static void test_delete_cancels_what_waits(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_autoptr(json_t) copy = json_deep_copy(e);
  ferry_json_set_str(copy, "metadata.deletionTimestamp", "2026-01-01T00:00:01Z");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, json_incref(copy), FALSE);
  world_commit(store, plan);
  g_assert_null(step(store, WORLD_NOW + 1));
  g_autoptr(json_t) m = active(store);
  g_assert_true(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
}

static void test_empty_or_missing_node(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h2");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Succeeded");
  g_autoptr(FerryStore) other = world_new();
  evacuate(other, "h9");
  g_autoptr(json_t) none = step(other, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(none, "status.phase"), ==, "Failed");
}

/* The VM's devices of one kind. Takes `list`. */
static void set_devices(FerryStore *store, const char *kind, json_t *list) {
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  json_t *copy = json_deep_copy(vmi);
  g_autofree char *path = g_strconcat("spec.domain.devices.", kind, NULL);
  ferry_json_set(copy, path, list);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, copy, FALSE);
  world_commit(store, plan);
}

static void test_unmovable(void) {
  g_autoptr(FerryStore) store = world_new();
  set_devices(store, "hostDevices", json_pack("[{ss,ss}]", "name", "gpu", "type", "pci"));
  evacuate(store, "h1");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Failed");
  g_assert_nonnull(
      strstr(ferry_json_str(json_array_get(ferry_json_get(e, "status.vms"), 0), "message"), "gpu"));
  g_assert_null(active(store));
}

static void put(FerryStore *store, const FerryKind *kind, const char *ns, const char *name,
                const char *path, json_t *value) {
  g_autoptr(json_t) object = ferry_store_get(store, kind, ns, name);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  json_t *copy = json_deep_copy(object);
  ferry_json_set(copy, path, value);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, kind, copy, FALSE);
  world_commit(store, plan);
}

/* One that can't leave is there, and is not waited for. */
static void test_expected_end(void) {
  g_autoptr(FerryStore) store = world_new();
  world_vm(store, "a", 2, WORLD_NOW);
  world_vm(store, "b", 3, WORLD_NOW);
  set_devices(store, "hostDevices", json_pack("[{ss,ss}]", "name", "gpu", "type", "pci"));
  put(store, &ferry_kind_vmi, "default", "db", "status.guestMemoryBytes", json_integer(300));
  put(store, &ferry_kind_vmi, "default", "a", "status.guestMemoryBytes", json_integer(100));
  put(store, &ferry_kind_vmi, "default", "b", "status.guestMemoryBytes", json_integer(100));
  evacuate(store, "h1");
  put(store, &ferry_kind_evacuation, "", "e", "status.plan", json_pack("{si}", "bytes", 200));
  g_autoptr(json_t) begun = step(store, WORLD_NOW);
  g_assert_cmpint(ferry_json_int(begun, "status.plan.memoryBytes", 0), ==, 500);
  put(store, &ferry_kind_vmi, "default", "a", "status.nodeName", json_string("h2"));
  put(store, &ferry_kind_vmi, "default", "a", "status.domains",
      json_pack("[{ss,ss,sb}]", "nodeName", "h2", "state", "running", "active", 1));
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    if (g_strcmp0(ferry_json_str(all->pdata[i], "spec.vmiName"), "a") == 0)
      put(store, &ferry_kind_vmim, "default", ferry_json_str(all->pdata[i], "metadata.name"),
          "status.phase", json_string("Succeeded"));
  g_autoptr(json_t) half = step(store, WORLD_NOW + 40 * SECOND);
  g_assert_cmpint(ferry_json_int(half, "status.moved", 0), ==, 1);
  gint64 began = ferry_rfc3339_parse("2026-01-01T00:00:00Z"), now = WORLD_NOW + 40 * SECOND;
  g_autofree char *end = ferry_rfc3339_format(now + (now - began));
  g_assert_cmpstr(ferry_json_str(half, "status.expectedEnd"), ==, end);
}

/* What the API would refuse is not tried; a policy that says otherwise is heeded. */
static void test_refused(void) {
  g_autoptr(FerryStore) store = world_new();
  set_devices(store, "disks",
              json_pack("[{ss,ss,ss,sb}]", "name", "vda", "type", "file", "source", "/var/a.raw",
                        "shared", 0));
  evacuate(store, "h1");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Failed");
  g_assert_cmpstr(vm_phase(e), ==, "Failed");
  g_assert_nonnull(strstr(
      ferry_json_str(json_array_get(ferry_json_get(e, "status.vms"), 0), "message"), "/var/a.raw"));
  g_assert_null(active(store));

  g_autoptr(FerryPlan) again = ferry_plan_new();
  ferry_plan_write(again, FERRY_WRITE_DELETE, &ferry_kind_evacuation, json_incref(e), FALSE);
  ferry_plan_write(again, FERRY_WRITE_CREATE, &ferry_kind_migration_policy,
                   json_pack("{ss,ss,s{ss},s{s{s{}},sb}}", "apiVersion",
                             "migrations.kubevirt.io/v1alpha1", "kind", "MigrationPolicy",
                             "metadata", "name", "trust", "spec", "selectors",
                             "virtualMachineInstanceSelector", "unsafeMigrationOverride", 1),
                   FALSE);
  world_commit(store, again);
  evacuate(store, "h1");
  g_autoptr(json_t) taken = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(taken, "status.phase"), ==, "Running");
}

/* "in" moves the VM from h1 to h2 when h2 is to be emptied. */
static FerryStore *with_incoming(const char *phase, gboolean post_copy) {
  FerryStore *store = world_new();
  world_migrate(store, "in", NULL);
  json_decref(world_step(store, "in", WORLD_NOW));
  world_set(store, "in", "status.phase", json_string(phase));
  if (post_copy)
    world_set(store, "in", "status.migrationState.mode", json_string("PostCopy"));
  evacuate(store, "h2");
  return store;
}

static gboolean is_asked_to_stop(FerryStore *store, const char *name) {
  g_autoptr(json_t) m = world_get(store, name);
  return ferry_json_bool(m, "status.migrationState.abortRequested", FALSE);
}

/* The node is not empty while a VM is on its way there: that is stopped first. */
static void test_incoming(void) {
  g_autoptr(FerryStore) store = with_incoming("Running", FALSE);
  g_autoptr(json_t) e = step(store, WORLD_NOW + 1);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Running");
  g_assert_cmpint(ferry_json_int(e, "status.total", -1), ==, 0);
  g_assert_cmpint(ferry_json_int(e, "status.remaining", -1), ==, 1);
  g_assert_cmpstr(vm_phase(e), ==, "Cancelling");
  g_autoptr(json_t) asked = world_get(store, "in");
  g_assert_true(ferry_json_bool(asked, "status.migrationState.abortRequested", FALSE));
  g_autoptr(json_t) same = step(store, WORLD_NOW + 2); /* asks once, and keeps one entry */
  g_autoptr(json_t) once = world_get(store, "in");
  g_assert_true(json_equal(asked, once));
  g_assert_true(json_equal(e, same));
  world_set(store, "in", "status.migrationState.agentResult",
            json_pack("{sb,ss,ss}", "returned", 1, "error", "aborted", "sourceState", "running"));
  g_autoptr(json_t) m = world_step(store, "in", WORLD_NOW + 3);
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "Cancelled");
  g_assert_cmpstr(ferry_json_str(m, "status.message"), ==,
                  "cancelled by system:ferry (evacuation e, which empties h2); the VM is running "
                  "on h1 as before");
  g_autoptr(json_t) done = step(store, WORLD_NOW + 4);
  g_assert_cmpstr(ferry_json_str(done, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(done, "status.cancelled", -1), ==, 1);
  g_assert_cmpint(ferry_json_int(done, "status.remaining", -1), ==, 0);
  const json_t *complete =
      ferry_json_find(ferry_json_get(done, "status.conditions"), "type", "Complete");
  g_assert_cmpstr(ferry_json_str(complete, "message"), ==,
                  "0 of 0 VMs have moved off h2, 0 could not; cancelled 1 migration to it");
}

/* One that cannot go back is let through, and its VM moved off. */
static void test_incoming_in_post_copy(void) {
  g_autoptr(FerryStore) store = with_incoming("Running", TRUE);
  g_autoptr(json_t) e = step(store, WORLD_NOW + 1);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Running");
  g_assert_cmpint(ferry_json_int(e, "status.remaining", -1), ==, 1);
  g_assert_cmpstr(vm_phase(e), ==, "Arriving");
  g_assert_false(is_asked_to_stop(store, "in"));
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 2);
  world_report(store, "h1", NULL, NULL, WORLD_NOW + 2);
  g_autoptr(json_t) there = step(store, WORLD_NOW + 3); /* but its outcome is not decided yet */
  g_assert_cmpint(ferry_json_int(there, "status.total", -1), ==, 1);
  g_assert_cmpint(ferry_json_int(there, "status.remaining", -1), ==, 1);
  g_assert_cmpuint(json_array_size(ferry_json_get(there, "status.vms")), ==, 1);
  g_assert_false(is_asked_to_stop(store, "in"));
  world_set(store, "in", "status.phase", json_string("Succeeded"));
  json_decref(step(store, WORLD_NOW + 4));
  g_autoptr(json_t) off = active(store);
  g_assert_nonnull(off);
  world_report(store, "h1", "running", "migrated", WORLD_NOW + 5);
  world_report(store, "h2", NULL, NULL, WORLD_NOW + 5);
  world_set(store, ferry_json_str(off, "metadata.name"), "status.phase", json_string("Succeeded"));
  g_autoptr(json_t) done = step(store, WORLD_NOW + 6);
  g_assert_cmpstr(ferry_json_str(done, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(done, "status.moved", -1), ==, 1);
}

/* One that waits and names the node would come, cordoned or not; a forecast brings nothing. */
static void test_incoming_that_waits(void) {
  g_autoptr(FerryStore) store = world_new();
  world_vm(store, "other", 2, WORLD_NOW);
  world_migrate(store, "named", "h2");
  world_migrate_vm(store, "guess", "other", "h2");
  world_set(store, "guess", "spec.forecastOnly", json_true());
  evacuate(store, "h2");
  g_autoptr(json_t) e = step(store, WORLD_NOW);
  g_assert_cmpint(ferry_json_int(e, "status.remaining", -1), ==, 1);
  g_assert_true(is_asked_to_stop(store, "named"));
  g_assert_false(is_asked_to_stop(store, "guess"));
  g_autoptr(json_t) m = world_step(store, "named", WORLD_NOW + 1);
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "Cancelled");
  g_autoptr(json_t) done = step(store, WORLD_NOW + 2);
  g_assert_cmpstr(ferry_json_str(done, "status.phase"), ==, "Succeeded");
}

/* One for tonight is left for tonight, and keeps nobody. */
static void test_incoming_put_off(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "tonight", "h2");
  world_set(store, "tonight", "spec.notBefore", json_string("2100-01-01T00:00:00Z"));
  g_autoptr(json_t) m = world_step(store, "tonight", WORLD_NOW);
  g_assert_true(ferry_migration_is_put_off(m));
  evacuate(store, "h2");
  g_autoptr(json_t) e = step(store, WORLD_NOW + 1);
  g_assert_cmpint(ferry_json_int(e, "status.remaining", -1), ==, 0);
  g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, "Succeeded");
  g_assert_false(is_asked_to_stop(store, "tonight"));
}

/* What another evacuation sent there goes elsewhere: no person has cancelled it. */
static void test_incoming_of_another(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW));
  g_autoptr(json_t) m = active(store);
  world_set(store, ferry_json_str(m, "metadata.name"), "status.migrationState.abortRequestedBy",
            json_string("system:ferry (evacuation x, which empties h2)"));
  fail(store, "Cancelled", WORLD_NOW);
  g_autoptr(json_t) waits = step(store, WORLD_NOW + SECOND);
  g_assert_cmpstr(vm_phase(waits), ==, "Retrying");
  g_autoptr(json_t) again = step(store, WORLD_NOW + FERRY_EVACUATION_BACKOFF_MS);
  g_assert_cmpstr(vm_phase(again), ==, "Pending");
}

static void evictions(FerryStore *store, gint64 now) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_eviction_step(store, now, plan);
  world_commit(store, plan);
}

/* What kubectl drain asked for is tried again while the node stays cordoned. */
static void test_eviction_retries(void) {
  g_autoptr(FerryStore) store = world_new();
  evacuate(store, "h1");
  json_decref(step(store, WORLD_NOW)); /* makes the migration and cordons */
  fail(store, "Broken", WORLD_NOW);
  evictions(store, WORLD_NOW + 60 * SECOND);
  g_assert_null(active(store)); /* the evacuation's business */
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_DELETE, &ferry_kind_evacuation,
                   ferry_store_get(store, &ferry_kind_evacuation, "", "e"), FALSE);
  world_commit(store, plan);
  evictions(store, WORLD_NOW + 19 * SECOND);
  g_assert_null(active(store));
  evictions(store, WORLD_NOW + 20 * SECOND);
  g_autoptr(json_t) second = active(store);
  g_assert_nonnull(second);
  fail(store, "Broken", WORLD_NOW + 20 * SECOND);
  /* however often: who evicted it waits until it has left */
  for (int i = 1; i <= FERRY_EVACUATION_TRIES + 2; i++) {
    evictions(store, WORLD_NOW + i * 400 * SECOND);
    g_autoptr(json_t) next = active(store);
    g_assert_nonnull(next);
    fail(store, "Broken", WORLD_NOW + i * 400 * SECOND);
  }
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_autoptr(json_t) open = json_deep_copy(node);
  ferry_json_set(open, "spec.unschedulable", NULL);
  g_autoptr(FerryPlan) uncordon = ferry_plan_new();
  ferry_plan_write(uncordon, FERRY_WRITE_UPDATE, &ferry_kind_node, json_incref(open), FALSE);
  world_commit(store, uncordon);
  evictions(store, WORLD_NOW + 36000 * SECOND);
  g_assert_null(active(store));
}

/* An evacuation's and a person's migration of one VM: only one goes. */
static void test_never_two(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "mine", NULL);
  world_migrate(store, "other", NULL);
  g_autoptr(json_t) second = world_step(store, "other", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(second, "status.phase"), ==, "Pending");
  g_assert_cmpstr(ferry_json_str(second, "status.queue.reason"), ==, "AlreadyMigrating");
  g_autoptr(json_t) first = world_step(store, "mine", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(first, "status.phase"), ==, "Scheduled");
}

/* A UUID that is active on two hosts: the one that is no VM's is not moved, and does not let its
 * host be called empty. */
static void test_strays(void) {
  g_autoptr(FerryStore) store = world_new();
  world_report(store, "h2", "running", "booted", WORLD_NOW);
  evacuate(store, "h2");
  g_autoptr(json_t) first = step(store, WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(first, "status.phase"), ==, "Running");
  g_assert_cmpstr(vm_phase(first), ==, "OnTwoHosts");
  const char *why =
      ferry_json_str(json_array_get(ferry_json_get(first, "status.vms"), 0), "message");
  g_assert_nonnull(strstr(why, "domain db is active on h2"));
  g_assert_nonnull(strstr(why, "h1's"));
  g_assert_null(active(store));
  g_autoptr(json_t) later = step(store, WORLD_NOW + FERRY_EVACUATION_STRAYS_MS);
  g_assert_cmpstr(ferry_json_str(later, "status.phase"), ==, "Failed");
  g_assert_cmpint(ferry_json_int(later, "status.failed", 0), ==, 1);
}

/* It was only told of late: the host is empty when it is gone. */
static void test_strays_that_go(void) {
  g_autoptr(FerryStore) store = world_new();
  world_report(store, "h2", "paused", "user", WORLD_NOW);
  evacuate(store, "h2");
  g_autoptr(json_t) first = step(store, WORLD_NOW);
  g_assert_cmpstr(vm_phase(first), ==, "OnTwoHosts");
  world_report(store, "h2", NULL, NULL, WORLD_NOW + SECOND);
  g_autoptr(json_t) later = step(store, WORLD_NOW + SECOND);
  g_assert_cmpstr(ferry_json_str(later, "status.phase"), ==, "Succeeded");
  g_assert_cmpint(ferry_json_int(later, "status.total", -1), ==, 0);
}

/* What is reported of a domain is invalid: nobody knows what it is, but that it is active. */
static void test_invalid_domains(void) {
  for (int is_active = 0; is_active < 2; is_active++) {
    g_autoptr(FerryStore) store = world_new();
    g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h2");
    json_t *copy = json_deep_copy(node);
    ferry_json_set(copy, "status.invalidDomains",
                   json_pack("[{ss,sb,ss}]", "name", "odd", "active", is_active, "message",
                             "memoryBytes: -1"));
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
    world_commit(store, plan);
    evacuate(store, "h2");
    json_decref(step(store, WORLD_NOW));
    g_autoptr(json_t) e = step(store, WORLD_NOW + FERRY_EVACUATION_STRAYS_MS);
    g_assert_cmpstr(ferry_json_str(e, "status.phase"), ==, is_active ? "Failed" : "Succeeded");
    if (is_active)
      g_assert_cmpstr(vm_phase(e), ==, "InvalidDomain");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/evacuation/moves-all", test_moves_all);
  g_test_add_func("/evacuation/moved-once", test_moved_once);
  g_test_add_func("/evacuation/moved-once-told-late", test_moved_once_told_late);
  g_test_add_func("/evacuation/backoff", test_backoff);
  g_test_add_func("/evacuation/cancel", test_a_cancel_is_meant);
  g_test_add_func("/evacuation/delete", test_delete_cancels_what_waits);
  g_test_add_func("/evacuation/empty", test_empty_or_missing_node);
  g_test_add_func("/evacuation/unmovable", test_unmovable);
  g_test_add_func("/evacuation/refused", test_refused);
  g_test_add_func("/evacuation/incoming", test_incoming);
  g_test_add_func("/evacuation/incoming-in-post-copy", test_incoming_in_post_copy);
  g_test_add_func("/evacuation/incoming-that-waits", test_incoming_that_waits);
  g_test_add_func("/evacuation/incoming-put-off", test_incoming_put_off);
  g_test_add_func("/evacuation/incoming-of-another", test_incoming_of_another);
  g_test_add_func("/evacuation/eviction", test_eviction_retries);
  g_test_add_func("/evacuation/never-two", test_never_two);
  g_test_add_func("/evacuation/trace", test_trace);
  g_test_add_func("/evacuation/strays", test_strays);
  g_test_add_func("/evacuation/strays-that-go", test_strays_that_go);
  g_test_add_func("/evacuation/invalid-domains", test_invalid_domains);
  g_test_add_func("/evacuation/expected-end", test_expected_end);
  return g_test_run();
}
