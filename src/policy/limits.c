// SPDX-License-Identifier: Apache-2.0
#include "policy/limits.h"

struct FerryLimits {
  GPtrArray *waiting; /* of json_t *, best first */
  GHashTable *outbound, *inbound;
  guint active;
  gint64 per_cluster, per_source, per_target;
};

static int rank(const json_t *migration) {
  static const char *const order[] = {"system-critical", "user-triggered", "system-maintenance"};
  const char *p = ferry_json_str(migration, "spec.priority");
  for (int i = 0; p && i < (int)G_N_ELEMENTS(order); i++)
    if (g_str_equal(order[i], p))
      return i;
  return G_N_ELEMENTS(order);
}

static gint compare(gconstpointer a, gconstpointer b) {
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int d = rank(x) - rank(y);
  if (!d)
    d = g_strcmp0(ferry_json_str(x, "metadata.creationTimestamp"),
                  ferry_json_str(y, "metadata.creationTimestamp"));
  return d ? d : g_strcmp0(ferry_json_str(x, "metadata.name"), ferry_json_str(y, "metadata.name"));
}

static void count(GHashTable *table, const char *node) {
  if (node)
    g_hash_table_insert(table, (gpointer)node,
                        GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(table, node)) + 1));
}

FerryLimits *ferry_limits_new(json_t *const *migrations, gsize n, const json_t *config) {
  FerryLimits *l = g_new0(FerryLimits, 1);
  l->waiting = g_ptr_array_new();
  l->outbound = g_hash_table_new(g_str_hash, g_str_equal);
  l->inbound = g_hash_table_new(g_str_hash, g_str_equal);
  l->per_cluster = ferry_json_int(config, "parallelMigrationsPerCluster", 0);
  l->per_source = ferry_json_int(config, "parallelOutboundMigrationsPerNode", 0);
  l->per_target = ferry_json_int(config, "parallelInboundMigrationsPerNode", 0);
  for (gsize i = 0; i < n; i++) {
    const char *phase = ferry_json_str(migrations[i], "status.phase");
    if (!phase || g_str_equal(phase, "Pending")) {
      g_ptr_array_add(l->waiting, migrations[i]);
    } else if (!g_str_equal(phase, "Succeeded") && !g_str_equal(phase, "Failed")) {
      l->active++;
      count(l->outbound, ferry_json_str(migrations[i], "status.migrationState.sourceNode"));
      count(l->inbound, ferry_json_str(migrations[i], "status.migrationState.targetNode"));
    }
  }
  g_ptr_array_sort(l->waiting, compare);
  return l;
}

void ferry_limits_free(FerryLimits *l) {
  if (!l)
    return;
  g_ptr_array_unref(l->waiting);
  g_hash_table_unref(l->outbound);
  g_hash_table_unref(l->inbound);
  g_free(l);
}

guint ferry_limits_position(const FerryLimits *l, const char *uid) {
  for (guint i = 0; i < l->waiting->len; i++)
    if (g_strcmp0(ferry_json_str(g_ptr_array_index(l->waiting, i), "metadata.uid"), uid) == 0)
      return i + 1;
  return 0;
}

gboolean ferry_limits_admit(const FerryLimits *l, const char *uid, const char *source,
                            char **reason) {
  gint64 out = GPOINTER_TO_INT(g_hash_table_lookup(l->outbound, source));
  if (l->per_source > 0 && out >= l->per_source) {
    *reason = g_strdup_printf("%" G_GINT64_FORMAT
                              " migrations leave node %s, the limit is %" G_GINT64_FORMAT
                              " (parallelOutboundMigrationsPerNode)",
                              out, source, l->per_source);
    return FALSE;
  }
  if (l->per_cluster <= 0)
    return TRUE;
  /* free slots go to those before it that its own source's limit does not hold back */
  gint64 slots = l->per_cluster - (gint64)l->active;
  for (guint i = 0; i < l->waiting->len && slots > 0; i++) {
    const json_t *m = g_ptr_array_index(l->waiting, i);
    if (g_strcmp0(ferry_json_str(m, "metadata.uid"), uid) == 0)
      return TRUE;
    const char *from = ferry_json_str(m, "status.migrationState.sourceNode");
    if (!from || l->per_source <= 0 ||
        GPOINTER_TO_INT(g_hash_table_lookup(l->outbound, from)) < l->per_source)
      slots--;
  }
  *reason =
      g_strdup_printf("%u migrations are active in the cluster, the limit is %" G_GINT64_FORMAT
                      " (parallelMigrationsPerCluster)",
                      l->active, l->per_cluster);
  return FALSE;
}

gboolean ferry_limits_inbound_ok(const FerryLimits *l, const char *target, char **reason) {
  gint64 in = GPOINTER_TO_INT(g_hash_table_lookup(l->inbound, target));
  if (l->per_target <= 0 || in < l->per_target)
    return TRUE;
  *reason =
      g_strdup_printf("%" G_GINT64_FORMAT " migrations arrive there, the limit is %" G_GINT64_FORMAT
                      " (parallelInboundMigrationsPerNode)",
                      in, l->per_target);
  return FALSE;
}
