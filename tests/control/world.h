// SPDX-License-Identifier: Apache-2.0
// A store with nodes and a VM, for tests of the controllers.
#pragma once
#include "base/rfc3339.h"
#include "store/views.h"
#include "control/conditions.h"
#include "control/inventory.h"
#include "control/migration.h"

#define WORLD_UUID "11111111-2222-3333-4444-555555555555"
#define WORLD_NOW 1767225600000LL /* 2026-01-01T00:00:00Z */

static inline void world_commit(FerryStore *store, FerryPlan *plan) {
  g_autoptr(GError) error = NULL;
  ferry_plan_commit(plan, store, &error);
  g_assert_no_error(error);
}

static inline void world_add(FerryStore *store, const FerryKind *kind, json_t *object) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_CREATE, kind, object, FALSE);
  world_commit(store, plan);
}

static inline void world_report(FerryStore *store, const char *node, const char *state,
                                const char *reason, gint64 now) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      state ? json_pack("{s[{ss,ss,ss,ss?,sb,sI,si,s{ss}}]}", "domains", "uuid", WORLD_UUID, "name",
                        "db", "state", state, "reason", reason, "active",
                        !g_str_equal(state, "shutoff"), "memoryBytes", (json_int_t)(256 << 20),
                        "vcpus", 1, "labels", "app", "web")
            : json_pack("{s[s]}", "removed", WORLD_UUID);
  ferry_inventory_report(store, node, body, now, &error);
  g_assert_no_error(error);
}

/* Nothing is new on `node`. */
static inline void world_heartbeat(FerryStore *store, const char *node, gint64 now) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) nothing = json_object();
  ferry_inventory_report(store, node, nothing, now, &error);
  g_assert_no_error(error);
}

static inline json_t *world_node(const char *name, const char *address) {
  json_t *n = json_pack("{ss,ss,s{ss,ss},s{},s{}}", "apiVersion", "v1", "kind", "Node", "metadata",
                        "name", name, "uid", name, "spec", "status");
  ferry_json_set(n, "status.hypervisor.peer", json_pack("{ss,ss}", "scheme", "tls", "host", name));
  ferry_json_set(n, "status.addresses",
                 json_pack("[{ss,ss}]", "type", "InternalIP", "address", address));
  ferry_condition_set(n, FERRY_CONDITION_READY, "True", "AgentReports", "", WORLD_NOW);
  return n;
}

static inline void world_fill(FerryStore *store) {
  world_add(store, &ferry_kind_namespace, json_pack("{s{ss}}", "metadata", "name", "kubevirt"));
  world_add(store, &ferry_kind_node, world_node("h1", "10.0.0.1"));
  world_add(store, &ferry_kind_node, world_node("h2", "10.0.0.2"));
  world_report(store, "h1", "running", "booted", WORLD_NOW);
}

static inline FerryStore *world_new(void) {
  ferry_views_verify_every(1); /* nobody may change in place what the store gave out */
  g_autoptr(GError) error = NULL;
  FerryStore *store = ferry_store_open(NULL, NULL, &error);
  g_assert_no_error(error);
  world_fill(store);
  return store;
}

/* Another VM that runs on h1; `digit` makes its UUID. */
static inline void world_vm(FerryStore *store, const char *name, int digit, gint64 now) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = g_strdup_printf("1111111%d-2222-3333-4444-555555555555", digit);
  g_autoptr(json_t) body = json_pack("{s[{ss,ss,ss,ss,sb}]}", "domains", "uuid", uuid, "name", name,
                                     "state", "running", "reason", "booted", "active", 1);
  ferry_inventory_report(store, "h1", body, now, &error);
  g_assert_no_error(error);
}

static inline void world_migrate_vm(FerryStore *store, const char *name, const char *vm,
                                    const char *target) {
  json_t *m = json_pack("{ss,ss,s{ss,ss,ss,ss,s[s]},s{ss}}", "apiVersion", "kubevirt.io/v1", "kind",
                        "VirtualMachineInstanceMigration", "metadata", "name", name, "namespace",
                        "default", "uid", name, "creationTimestamp", "2026-01-01T00:00:00Z",
                        "finalizers", FERRY_MIGRATION_FINALIZER, "spec", "vmiName", vm);
  if (target)
    ferry_json_set_str(m, "spec.targetNode", target);
  world_add(store, &ferry_kind_vmim, m);
}

static inline void world_migrate(FerryStore *store, const char *name, const char *target) {
  world_migrate_vm(store, name, "db", target);
}

static inline json_t *world_get(FerryStore *store, const char *name) {
  return ferry_store_get(store, &ferry_kind_vmim, "default", name);
}

/* One step of the controller, committed; returns the migration after it. */
static inline json_t *world_step(FerryStore *store, const char *name, gint64 now) {
  g_autoptr(json_t) m = world_get(store, name);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_migration_step(store, m, now, plan);
  world_commit(store, plan);
  return world_get(store, name);
}

/* What an agent would write. Takes `value`. */
static inline void world_set(FerryStore *store, const char *name, const char *path, json_t *value) {
  g_autoptr(json_t) m = world_get(store, name);
  json_t *copy = json_deep_copy(m);
  ferry_json_set(copy, path, value);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmim, copy, FALSE);
  world_commit(store, plan);
}
