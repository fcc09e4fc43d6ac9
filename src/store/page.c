// SPDX-License-Identifier: Apache-2.0
// Theory of operation: nothing is kept for a client that reads page by page. The state at an older
// revision is the present one, but for what has changed since; of each of those objects the first
// change after that revision has the state before, or says that there was none. So a page is the
// walk of the present without these, merged with their older states in the same order.
#include "store/page.h"
#include "store/state.h"

#include <string.h>

static guint past_hash(gconstpointer key) {
  const FerryChange *change = key;
  return g_str_hash(change->ns) * 31 + g_str_hash(change->name);
}

static gint past_compare(const FerryChange *x, const char *ns, const char *name) {
  int order = strcmp(x->ns, ns);
  return order != 0 ? order : strcmp(x->name, name);
}

static gboolean past_equal(gconstpointer a, gconstpointer b) {
  const FerryChange *y = b;
  return past_compare(a, y->ns, y->name) == 0;
}

static gint past_by_name(gconstpointer a, gconstpointer b) {
  const FerryChange *y = *(FerryChange *const *)b;
  return past_compare(*(FerryChange *const *)a, y->ns, y->name);
}

/* The first change of each object after the revision, borrowed from the log. */
static GHashTable *page_past(const FerryStore *store, const FerryPageWish *wish, gint64 at) {
  GHashTable *past = g_hash_table_new(past_hash, past_equal);
  for (guint64 p = ferry_log_ring_seek(&store->log, at); p < store->log.next; p++) {
    FerryChange *change = ferry_log_ring_at(&store->log, p);
    if (ferry_change_matches(change, wish->kind, wish->ns) && !g_hash_table_contains(past, change))
      g_hash_table_add(past, change);
  }
  return past;
}

/* Those of them that were there and come after where the page begins, in order; counts all. */
static GPtrArray *past_states(const FerryStore *store, const FerryPageWish *wish, GHashTable *past,
                              gsize *total) {
  GPtrArray *states = g_ptr_array_new();
  const FerryKind *kind = wish->kind;
  GHashTableIter iter;
  gpointer key;
  *total = ferry_index_count(store->index, kind->group, kind->plural, wish->ns);
  g_hash_table_iter_init(&iter, past);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    const FerryChange *change = key;
    *total += change->previous != NULL;
    *total -=
        ferry_index_find(store->index, kind->group, kind->plural, change->ns, change->name) != NULL;
    if (change->previous != NULL &&
        (wish->after_name == NULL || past_compare(change, wish->after_ns, wish->after_name) > 0))
      g_ptr_array_add(states, key);
  }
  g_ptr_array_sort(states, past_by_name);
  return states;
}

/* The next entry of the present that has not changed since. */
static FerryEntry *present_at(GTreeNode **node, const char *ns, GHashTable *past) {
  for (; *node != NULL; *node = g_tree_node_next(*node)) {
    FerryEntry *entry = g_tree_node_value(*node);
    FerryChange probe = {.ns = entry->ns, .name = entry->name};
    if (ns != NULL && strcmp(entry->ns, ns) != 0)
      return NULL;
    if (!g_hash_table_contains(past, &probe))
      return entry;
  }
  return NULL;
}

static void page_add(FerryPage *page, FerryStored *stored, const char **ns, const char **name,
                     const char *its_ns, const char *its_name) {
  g_ptr_array_add(page->objects, ferry_stored_ref(stored));
  *ns = its_ns;
  *name = its_name;
}

static void page_read(const FerryStore *store, const FerryPageWish *wish, gint64 at,
                      FerryPage *page) {
  g_autoptr(GHashTable) past = page_past(store, wish, at);
  g_autoptr(GPtrArray) states = past_states(store, wish, past, &page->total);
  GTreeNode *node = ferry_index_walk(store->index, wish->kind->group, wish->kind->plural, wish->ns,
                                     wish->after_ns, wish->after_name);
  const char *ns = NULL, *name = NULL;
  page->objects =
      g_ptr_array_new_full((guint)MIN(wish->max, page->total), (GDestroyNotify)ferry_stored_unref);
  for (guint i = 0;;) {
    FerryEntry *entry = present_at(&node, wish->ns, past);
    const FerryChange *change = i < states->len ? g_ptr_array_index(states, i) : NULL;
    page->more = entry != NULL || change != NULL;
    if (!page->more || page->objects->len == wish->max)
      break;
    if (entry == NULL || (change != NULL && past_compare(change, entry->ns, entry->name) < 0)) {
      page_add(page, change->previous, &ns, &name, change->ns, change->name);
      i++;
    } else {
      page_add(page, entry->stored, &ns, &name, entry->ns, entry->name);
      node = g_tree_node_next(node);
    }
  }
  page->ns = g_strdup(ns);
  page->name = g_strdup(name);
}

gboolean ferry_store_page_at(FerryStore *store, const FerryPageWish *wish, FerryPage *page,
                             GError **error) {
  *page = (FerryPage){0};
  pthread_rwlock_rdlock(&store->state_lock);
  gint64 base = store->log.base, newest = store->revision;
  page->revision = wish->at == 0 ? newest : wish->at;
  gboolean ok = page->revision >= base && page->revision <= newest;
  if (ok)
    page_read(store, wish, page->revision, page);
  pthread_rwlock_unlock(&store->state_lock);
  if (!ok) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
                "revision %" G_GINT64_FORMAT " is not kept: only those from %" G_GINT64_FORMAT
                " to %" G_GINT64_FORMAT " are; list again",
                page->revision, base, newest);
    return FALSE;
  }
  __atomic_fetch_add(&store->visited, page->objects->len, __ATOMIC_RELAXED);
  return TRUE;
}

void ferry_page_clear(FerryPage *page) {
  g_clear_pointer(&page->objects, g_ptr_array_unref);
  g_free(page->ns);
  g_free(page->name);
}
