// SPDX-License-Identifier: Apache-2.0
#include "control/relevant.h"
#include "policy/place/affinity.h"

#include <string.h>

GPtrArray *ferry_relevant_migrations(FerryStore *store) {
  return ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_LIVE, "");
}

static gint relevant_by_name(gconstpointer a, gconstpointer b) {
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int order =
      g_strcmp0(ferry_json_str(x, "metadata.namespace"), ferry_json_str(y, "metadata.namespace"));
  return order ? order
               : g_strcmp0(ferry_json_str(x, "metadata.name"), ferry_json_str(y, "metadata.name"));
}

/* The VMs so far, and their UUIDs. */
typedef struct {
  FerryStore *store;
  GPtrArray *vmis;
  GHashTable *uids;
} Gathered;

static void relevant_gather_init(Gathered *g, FerryStore *store) {
  *g = (Gathered){.store = store,
                  .vmis = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref),
                  .uids = g_hash_table_new(g_str_hash, g_str_equal)};
}

/* Takes a reference, or nothing. */
static void relevant_add(Gathered *g, json_t *vmi) {
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  if (!vmi || (uid && !g_hash_table_add(g->uids, (gpointer)uid)))
    json_decref(vmi);
  else
    g_ptr_array_add(g->vmis, vmi);
}

static void add_of_domain(Gathered *g, const char *domain) {
  if (!domain)
    return;
  g_autoptr(GPtrArray) named =
      ferry_store_select(g->store, &ferry_kind_vmi, FERRY_BY_DOMAIN, domain);
  for (guint i = 0; i < named->len; i++)
    relevant_add(g, json_incref(g_ptr_array_index(named, i)));
}

static void add_moved(Gathered *g, const GPtrArray *migrations) {
  for (guint i = 0; migrations && i < migrations->len; i++) {
    const char *uid =
        ferry_json_str(g_ptr_array_index(migrations, i), "status.migrationState.vmiUID");
    if (uid && !g_hash_table_contains(g->uids, uid))
      relevant_add(g, ferry_store_get_by_uid(g->store, &ferry_kind_vmi, uid));
  }
}

static GPtrArray *relevant_end(Gathered *g) {
  g_hash_table_unref(g->uids);
  g_ptr_array_sort(g->vmis, relevant_by_name);
  return g->vmis;
}

GPtrArray *ferry_relevant_vmis(FerryStore *store, const json_t *vmi, const char *renamed,
                               const GPtrArray *migrations) {
  Gathered g;
  relevant_gather_init(&g, store);
  relevant_add(&g, json_incref((json_t *)vmi));
  add_of_domain(&g, ferry_json_str(vmi, "spec.domainName"));
  add_of_domain(&g, renamed);
  add_moved(&g, migrations);
  return relevant_end(&g);
}

GPtrArray *ferry_relevant_vmis_of_word(FerryStore *store, const char *ns, const char *word,
                                       const char *renamed, const GPtrArray *migrations) {
  Gathered g;
  relevant_gather_init(&g, store);
  relevant_add(&g, ferry_store_get(store, &ferry_kind_vmi, ns, word));
  relevant_add(&g, ferry_store_get_by_uid(store, &ferry_kind_vmi, word));
  add_of_domain(&g, word);
  guint meant = g.vmis->len, there = 0;
  for (guint i = 0; i < meant; i++) {
    const json_t *vmi = g_ptr_array_index(g.vmis, i);
    there += g_strcmp0(ferry_json_str(vmi, "metadata.namespace"), ns) == 0;
    add_of_domain(&g, ferry_json_str(vmi, "spec.domainName"));
  }
  if (there == 0) {
    g_ptr_array_unref(relevant_end(&g));
    return ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  }
  add_of_domain(&g, renamed);
  add_moved(&g, migrations);
  return relevant_end(&g);
}

GPtrArray *ferry_relevant_others(FerryStore *store, const json_t *config, const json_t *vmi) {
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  return ns && ferry_affinity_is_of_vms(config) ? ferry_store_list(store, &ferry_kind_vmi, ns, NULL)
                                                : NULL;
}
