// SPDX-License-Identifier: Apache-2.0
// What is kept of each domain is what others ask for again and again: its name, its memory, and
// what it needs of a host. libvirt's events mark domains; whoever reports waits for marks, for a
// moment more where nothing is urgent, so that what changes together is told together.
#include "agent/core/inventory.h"
#include "model/domain/domain_needs.h"
#include <string.h>

#define COALESCE_MS 50

typedef struct {
  char *name, *ns;
  gboolean active;
  gint64 memory, processors;
  json_t *needs; /* NULL: none */
} Domain;

struct _FerryAgentInventory {
  FerryAgentContext *context;
  GMutex lock; /* guards what follows; the context's may be taken inside it */
  GCond cond;
  GHashTable *domains; /* UUID -> Domain* */
  gboolean ready;      /* `domains` is whole */
  GHashTable *marked;  /* set of UUIDs */
  gint64 marked_us;    /* when the first of them came */
  gboolean urgent, all, network;
};

static void seen_domain_free(gpointer data) {
  Domain *d = data;
  g_free(d->name);
  g_free(d->ns);
  json_decref(d->needs);
  g_free(d);
}

static GHashTable *domains_new(void) {
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seen_domain_free);
}

static void wake_inventory(gpointer data) {
  FerryAgentInventory *v = data;
  g_mutex_lock(&v->lock);
  g_cond_broadcast(&v->cond);
  g_mutex_unlock(&v->lock);
}

FerryAgentInventory *ferry_inventory_new(FerryAgentContext *context) {
  FerryAgentInventory *v = g_new0(FerryAgentInventory, 1);
  v->context = context;
  v->domains = domains_new();
  v->marked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init(&v->lock);
  g_cond_init(&v->cond);
  ferry_context_add_waker(context, wake_inventory, v);
  return v;
}

void ferry_inventory_free(FerryAgentInventory *v) {
  g_hash_table_unref(v->domains);
  g_hash_table_unref(v->marked);
  g_mutex_clear(&v->lock);
  g_cond_clear(&v->cond);
  g_free(v);
}

void ferry_inventory_mark(FerryAgentInventory *v, const char *uuid, gboolean urgent) {
  g_mutex_lock(&v->lock);
  if (g_hash_table_size(v->marked) == 0)
    v->marked_us = g_get_monotonic_time();
  g_hash_table_add(v->marked, g_strdup(uuid));
  v->urgent = v->urgent || urgent;
  g_cond_broadcast(&v->cond);
  g_mutex_unlock(&v->lock);
}

void ferry_inventory_mark_all(FerryAgentInventory *v) {
  g_mutex_lock(&v->lock);
  v->all = TRUE;
  g_cond_broadcast(&v->cond);
  g_mutex_unlock(&v->lock);
}

void ferry_inventory_mark_network(FerryAgentInventory *v) {
  g_mutex_lock(&v->lock);
  v->network = TRUE;
  g_cond_broadcast(&v->cond);
  g_mutex_unlock(&v->lock);
}

static void forget_marked(FerryAgentInventory *v) {
  g_hash_table_remove_all(v->marked);
  v->urgent = FALSE;
}

FerryNews ferry_inventory_wait(FerryAgentInventory *v, gint64 due_us, GPtrArray **marked) {
  FerryNews news = FERRY_NEWS_ENDED;
  *marked = NULL;
  g_mutex_lock(&v->lock);
  while (!ferry_context_has_ended(v->context)) {
    gint64 now = g_get_monotonic_time(), due = due_us;
    if (g_hash_table_size(v->marked))
      due = MIN(due, v->urgent ? now : v->marked_us + COALESCE_MS * 1000);
    if (v->all) {
      v->all = v->network = FALSE;
      news = FERRY_NEWS_ALL;
      break;
    }
    if (v->network) {
      v->network = FALSE;
      news = FERRY_NEWS_NETWORK;
      break;
    }
    if (now >= due) {
      GHashTableIter iter;
      gpointer uuid;
      *marked = g_ptr_array_new_with_free_func(g_free);
      g_hash_table_iter_init(&iter, v->marked);
      while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(*marked, g_strdup(uuid));
      news = FERRY_NEWS_SOME;
      break;
    }
    g_cond_wait_until(&v->cond, &v->lock, due);
  }
  if (news != FERRY_NEWS_NETWORK)
    forget_marked(v);
  g_mutex_unlock(&v->lock);
  return news;
}

static void insert_record(GHashTable *domains, const json_t *record) {
  Domain *d = g_new0(Domain, 1);
  d->name = g_strdup(ferry_json_str(record, "name"));
  d->ns = g_strdup(ferry_json_str(record, "namespace"));
  d->active = ferry_json_bool(record, "active", FALSE);
  d->memory = ferry_json_int(record, "memoryBytes", 0);
  d->needs = json_incref(json_object_get(record, "needs"));
  d->processors = ferry_json_int(record, "vcpus", 0);
  g_hash_table_replace(domains, g_strdup(ferry_json_str(record, "uuid")), d);
}

void ferry_inventory_replace(FerryAgentInventory *v, const json_t *records) {
  GHashTable *domains = domains_new();
  json_t *record;
  gsize i;
  json_array_foreach((json_t *)records, i, record) insert_record(domains, record);
  g_mutex_lock(&v->lock);
  GHashTable *old = v->domains;
  v->domains = domains;
  v->ready = TRUE;
  g_mutex_unlock(&v->lock);
  g_hash_table_unref(old);
}

void ferry_inventory_remember(FerryAgentInventory *v, const json_t *record) {
  g_mutex_lock(&v->lock);
  insert_record(v->domains, record);
  g_mutex_unlock(&v->lock);
}

void ferry_inventory_forget(FerryAgentInventory *v, const char *uuid) {
  g_mutex_lock(&v->lock);
  g_hash_table_remove(v->domains, uuid);
  g_mutex_unlock(&v->lock);
}

void ferry_inventory_totals(FerryAgentInventory *v, FerryInventoryTotals *out) {
  GHashTableIter iter;
  gpointer value;
  *out = (FerryInventoryTotals){0};
  g_mutex_lock(&v->lock);
  g_hash_table_iter_init(&iter, v->domains);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const Domain *d = value;
    if (!d->active)
      continue;
    out->running++;
    out->memory += d->memory;
    out->processors += d->processors;
  }
  g_mutex_unlock(&v->lock);
}

/* Those of a domain's needs that only a look at another host answers, by what stands for each. */
static void gather_looks(const json_t *needs, GTree *found) {
  gsize i;
  json_t *need;
  json_array_foreach((json_t *)needs, i, need) {
    const char *kind = ferry_json_str(need, "kind"), *name = ferry_json_str(need, "name");
    FerryNeed is = ferry_need_of_word(kind);
    if (name && is < FERRY_NEEDS && ferry_need_takes_look(is))
      g_tree_insert(found, g_strdup_printf("%s %s", kind, name), json_incref(need));
  }
}

json_t *ferry_inventory_looks(FerryAgentInventory *v) {
  GTree *found = ferry_looks_tree_new();
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&v->lock);
  g_hash_table_iter_init(&iter, v->domains);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    gather_looks(((const Domain *)value)->needs, found);
  g_mutex_unlock(&v->lock);
  json_t *list = ferry_looks_tree_list(found, FERRY_LOOKS_MAX);
  g_tree_unref(found);
  return list;
}

gboolean ferry_inventory_is_ready(FerryAgentInventory *v) {
  g_mutex_lock(&v->lock);
  gboolean ready = v->ready;
  g_mutex_unlock(&v->lock);
  return ready;
}

char *ferry_inventory_domain_name(FerryAgentInventory *v, const char *uuid) {
  g_mutex_lock(&v->lock);
  const Domain *d = g_hash_table_lookup(v->domains, uuid);
  char *name = d ? g_strdup(d->name) : NULL;
  g_mutex_unlock(&v->lock);
  return name;
}

gint64 ferry_inventory_domain_memory(FerryAgentInventory *v, const char *uuid) {
  g_mutex_lock(&v->lock);
  const Domain *d = g_hash_table_lookup(v->domains, uuid);
  gint64 memory = d ? d->memory : 0;
  g_mutex_unlock(&v->lock);
  return memory;
}

gboolean ferry_inventory_name_matches(const char *vmi_name, const char *domain_name,
                                      const char *uuid) {
  if (strcmp(vmi_name, domain_name) == 0)
    return TRUE;
  gsize len = strlen(vmi_name);
  return len > 9 && vmi_name[len - 9] == '-' &&
         g_ascii_strncasecmp(vmi_name + len - 8, uuid, 8) == 0;
}

char *ferry_inventory_resolve(FerryAgentInventory *v, const char *ns, const char *vmi_name) {
  GHashTableIter iter;
  gpointer uuid, value;
  char *by_name = NULL, *by_suffix = NULL;
  g_mutex_lock(&v->lock);
  g_hash_table_iter_init(&iter, v->domains);
  while (g_hash_table_iter_next(&iter, &uuid, &value)) {
    const Domain *d = value;
    if (g_strcmp0(d->ns ? d->ns : "default", ns) != 0 ||
        !ferry_inventory_name_matches(vmi_name, d->name, uuid))
      continue;
    char **slot = g_str_equal(vmi_name, d->name) ? &by_name : &by_suffix;
    if (!*slot)
      *slot = g_strdup(uuid);
  }
  g_mutex_unlock(&v->lock);
  if (by_name) {
    g_free(by_suffix);
    return by_name;
  }
  return by_suffix;
}
