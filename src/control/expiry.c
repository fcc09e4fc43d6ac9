// SPDX-License-Identifier: Apache-2.0
#include "control/expiry.h"
#include "base/rfc3339.h"
#include "control/inventory.h"
#include "control/migration.h"
#include "control/doubt/open_doubt.h"

#define MAX_REMOVALS 200

static void remove_object(FerryPlan *plan, const FerryKind *kind, json_t *object, guint *removed) {
  ferry_plan_write(plan, FERRY_WRITE_DELETE, kind, json_incref(object), FALSE);
  ++*removed;
}

static void expire_events(FerryStore *store, gint64 now_ms, FerryPlan *plan, guint *removed) {
  g_autoptr(GPtrArray) events = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  for (guint i = 0; i < events->len && *removed < MAX_REMOVALS; i++) {
    json_t *e = g_ptr_array_index(events, i);
    gint64 last = ferry_rfc3339_parse(ferry_json_str(e, "lastTimestamp"));
    if (last < 0)
      last = ferry_rfc3339_parse(ferry_json_str(e, "metadata.creationTimestamp"));
    gint64 ttl = events->len > FERRY_EVENTS_MAX ? FERRY_EVENT_TTL_MS / 12 : FERRY_EVENT_TTL_MS;
    if (now_ms - last > ttl)
      remove_object(plan, &ferry_kind_event, e, removed);
  }
}

static gint newest_first(gconstpointer a, gconstpointer b) {
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  return -g_strcmp0(ferry_json_str(x, "status.migrationState.endTimestamp"),
                    ferry_json_str(y, "status.migrationState.endTimestamp"));
}

static void expire_of_vm(FerryStore *store, const char *vm, gint64 now_ms, FerryPlan *plan,
                         guint *removed) {
  g_autoptr(GPtrArray) all = ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_VM, vm);
  guint kept = 0;
  g_ptr_array_sort(all, newest_first);
  for (guint i = 0; i < all->len && *removed < MAX_REMOVALS; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (!ferry_migration_is_final(m) || ferry_open_doubt(store, m, now_ms, NULL))
      continue;
    if (++kept > FERRY_FINISHED_PER_VMI)
      remove_object(plan, &ferry_kind_vmim, m, removed);
  }
}

static void expire_migrations(FerryStore *store, gint64 now_ms, FerryPlan *plan, guint *removed) {
  g_auto(GStrv) vms =
      ferry_store_crowded(store, &ferry_kind_vmim, FERRY_BY_VM, FERRY_FINISHED_PER_VMI);
  for (guint i = 0; vms[i] && *removed < MAX_REMOVALS; i++)
    expire_of_vm(store, vms[i], now_ms, plan, removed);
}

static void expire_vmis(FerryStore *store, FerryPlan *plan, guint *removed) {
  g_autoptr(GPtrArray) nowhere = ferry_store_select(store, &ferry_kind_vmi, FERRY_BY_NODE, "");
  for (guint i = 0; i < nowhere->len && *removed < MAX_REMOVALS; i++) {
    json_t *v = g_ptr_array_index(nowhere, i);
    if (!ferry_inventory_is_migrating(store, ferry_json_str(v, "metadata.uid")))
      remove_object(plan, &ferry_kind_vmi, v, removed);
  }
}

void ferry_expiry_step(FerryStore *store, gint64 now_ms, FerryPlan *plan) {
  guint removed = 0;
  expire_events(store, now_ms, plan, &removed);
  expire_migrations(store, now_ms, plan, &removed);
  expire_vmis(store, plan, &removed);
  if (removed >= MAX_REMOVALS)
    ferry_plan_wake(plan, now_ms);
}
