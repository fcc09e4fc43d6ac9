// SPDX-License-Identifier: Apache-2.0
#include "control/expiry.h"
#include "base/rfc3339.h"
#include "control/inventory.h"
#include "control/migration.h"
#include "model/migration/doubt.h"

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

static void expire_migrations(FerryStore *store, FerryPlan *plan, guint *removed) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  g_autoptr(GHashTable) kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_sort(all, newest_first);
  for (guint i = 0; i < all->len && *removed < MAX_REMOVALS; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (!ferry_migration_is_final(m) || ferry_doubt_is_open(m)) /* a copy waits for a word in it */
      continue;
    char *key = g_strdup_printf("%s/%s", ferry_json_str(m, "metadata.namespace"),
                                ferry_json_str(m, "spec.vmiName"));
    int n = GPOINTER_TO_INT(g_hash_table_lookup(kept, key)) + 1;
    g_hash_table_replace(kept, key, GINT_TO_POINTER(n));
    if (n > FERRY_FINISHED_PER_VMI)
      remove_object(plan, &ferry_kind_vmim, m, removed);
  }
}

static void expire_vmis(FerryStore *store, FerryPlan *plan, guint *removed) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  for (guint i = 0; i < all->len && *removed < MAX_REMOVALS; i++) {
    json_t *v = g_ptr_array_index(all, i);
    if (json_array_size(ferry_json_get(v, "status.domains")) == 0 &&
        !ferry_inventory_is_migrating(store, ferry_json_str(v, "metadata.uid")))
      remove_object(plan, &ferry_kind_vmi, v, removed);
  }
}

void ferry_expiry_step(FerryStore *store, gint64 now_ms, FerryPlan *plan) {
  guint removed = 0;
  expire_events(store, now_ms, plan, &removed);
  expire_migrations(store, plan, &removed);
  expire_vmis(store, plan, &removed);
  if (removed >= MAX_REMOVALS)
    ferry_plan_wake(plan, now_ms);
}
