// SPDX-License-Identifier: Apache-2.0
// A host says what its domains use, and does so only once libvirt there has made the domain; until
// then the migration is all that is known of it.
#include "policy/promises.h"
#include "base/limits.h"
#include "model/migration/migration.h"

typedef struct {
  gint64 bytes;
  guint n;
  GString *names;
} Promise;

struct FerryPromises {
  GHashTable *nodes; /* name -> Promise */
};

static void promise_free(gpointer data) {
  Promise *p = data;
  g_string_free(p->names, TRUE);
  g_free(p);
}

static gboolean takes_memory(const json_t *m, const char *except) {
  return !ferry_migration_is_final(m) && !ferry_migration_is_forecast(m) &&
         !ferry_json_bool(m, "spec.offline", FALSE) &&
         ferry_json_str(m, "status.migrationState.targetNode") &&
         !(except && g_strcmp0(ferry_json_str(m, "metadata.uid"), except) == 0);
}

static void promises_one(FerryPromises *all, const char *node, const json_t *m, gint64 bytes) {
  Promise *p = g_hash_table_lookup(all->nodes, node);
  if (!p) {
    p = g_new0(Promise, 1);
    p->names = g_string_new(NULL);
    g_hash_table_insert(all->nodes, (gpointer)node, p);
  }
  p->bytes += bytes;
  if (p->n++ < FERRY_NAMED_MAX)
    g_string_append_printf(p->names, "%s%s", p->n > 1 ? ", " : "",
                           ferry_json_str(m, "metadata.name"));
  else if (p->n == FERRY_NAMED_MAX + 1)
    g_string_append(p->names, ", ...");
}

FerryPromises *ferry_promises_new(json_t *const *migrations, gsize n, json_t *const *vmis,
                                  gsize n_vmis, const char *except) {
  FerryPromises *all = g_new0(FerryPromises, 1);
  all->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, promise_free);
  g_autoptr(GHashTable) moving = g_hash_table_new(g_str_hash, g_str_equal); /* VM's uid -> it */
  for (gsize i = 0; i < n; i++) {
    const char *vm = ferry_json_str(migrations[i], "status.migrationState.vmiUID");
    if (vm && takes_memory(migrations[i], except))
      g_hash_table_insert(moving, (gpointer)vm, migrations[i]);
  }
  for (gsize i = 0; i < n_vmis && g_hash_table_size(moving) > 0; i++) {
    const char *uid = ferry_json_str(vmis[i], "metadata.uid");
    const json_t *m = uid ? g_hash_table_lookup(moving, uid) : NULL;
    const char *node = m ? ferry_json_str(m, "status.migrationState.targetNode") : NULL;
    if (m && !ferry_vmi_is_active_on(vmis[i], node))
      promises_one(all, node, m, ferry_json_int(vmis[i], "status.guestMemoryBytes", 0));
  }
  return all;
}

void ferry_promises_free(FerryPromises *promises) {
  if (!promises)
    return;
  g_hash_table_unref(promises->nodes);
  g_free(promises);
}

static const Promise *promises_find(const FerryPromises *promises, const char *node) {
  return promises && node ? g_hash_table_lookup(promises->nodes, node) : NULL;
}

gint64 ferry_promises_bytes(const FerryPromises *promises, const char *node) {
  const Promise *p = promises_find(promises, node);
  return p ? p->bytes : 0;
}

const char *ferry_promises_names(const FerryPromises *promises, const char *node) {
  const Promise *p = promises_find(promises, node);
  return p ? p->names->str : NULL;
}
