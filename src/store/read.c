// SPDX-License-Identifier: Apache-2.0
// Reading: what is asked for is referenced under the state lock and looked at after it, so that
// nobody parses while others wait. Whatever a list or a query gives out is counted, so that a test
// can hold a controller's step to what concerns it.
#include "store/read.h"
#include "store/state.h"

static json_t *view_and_unref(FerryStored *stored) {
  json_t *view = ferry_stored_view(stored);
  ferry_stored_unref(stored);
  return view;
}

json_t *ferry_store_get(FerryStore *store, const FerryKind *kind, const char *ns,
                        const char *name) {
  pthread_rwlock_rdlock(&store->state_lock);
  FerryEntry *entry = ferry_index_find(store->index, kind->group, kind->plural, ns, name);
  FerryStored *stored = entry == NULL ? NULL : ferry_stored_ref(entry->stored);
  pthread_rwlock_unlock(&store->state_lock);
  return view_and_unref(stored);
}

json_t *ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid) {
  pthread_rwlock_rdlock(&store->state_lock);
  FerryStored *stored =
      ferry_stored_ref(ferry_index_find_uid(store->index, kind->group, kind->plural, uid));
  pthread_rwlock_unlock(&store->state_lock);
  return view_and_unref(stored);
}

json_t *ferry_store_get_by_domain(FerryStore *store, const FerryKind *kind, const char *ns,
                                  const char *domain) {
  pthread_rwlock_rdlock(&store->state_lock);
  FerryStored *stored = ferry_stored_ref(
      ferry_index_find_domain(store->index, kind->group, kind->plural, ns, domain));
  pthread_rwlock_unlock(&store->state_lock);
  return view_and_unref(stored);
}

static void count_visited(FerryStore *store, const GPtrArray *found) {
  __atomic_fetch_add(&store->visited, found->len, __ATOMIC_RELAXED);
}

/* Takes the array, and makes one of views of it. */
static GPtrArray *views_of(GPtrArray *texts) {
  GPtrArray *views = g_ptr_array_new_full(texts->len, (GDestroyNotify)json_decref);
  for (guint i = 0; i < texts->len; i++)
    g_ptr_array_add(views, ferry_stored_view(g_ptr_array_index(texts, i)));
  g_ptr_array_unref(texts);
  return views;
}

GPtrArray *ferry_store_texts(FerryStore *store, const FerryKind *kind, const char *ns,
                             const char *after_ns, const char *after_name, guint max,
                             gint64 *revision) {
  pthread_rwlock_rdlock(&store->state_lock);
  GPtrArray *page =
      ferry_index_page(store->index, kind->group, kind->plural, ns, after_ns, after_name, max);
  if (revision != NULL)
    *revision = store->revision;
  pthread_rwlock_unlock(&store->state_lock);
  count_visited(store, page);
  return page;
}

GPtrArray *ferry_store_list(FerryStore *store, const FerryKind *kind, const char *ns,
                            gint64 *revision) {
  return views_of(ferry_store_texts(store, kind, ns, NULL, NULL, G_MAXUINT, revision));
}

GPtrArray *ferry_store_page(FerryStore *store, const FerryKind *kind, const char *ns,
                            const char *after_ns, const char *after_name, guint max,
                            gint64 *revision) {
  return views_of(ferry_store_texts(store, kind, ns, after_ns, after_name, max, revision));
}

GPtrArray *ferry_store_select(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                              const char *word) {
  pthread_rwlock_rdlock(&store->state_lock);
  GPtrArray *found = ferry_index_select(store->index, kind->group, kind->plural, by, word);
  pthread_rwlock_unlock(&store->state_lock);
  count_visited(store, found);
  return views_of(found);
}

char **ferry_store_crowded(FerryStore *store, const FerryKind *kind, FerryIndexBy by, gsize n) {
  pthread_rwlock_rdlock(&store->state_lock);
  char **words = ferry_index_crowded(store->index, kind->group, kind->plural, by, n);
  pthread_rwlock_unlock(&store->state_lock);
  return words;
}

gsize ferry_store_select_count(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                               const char *word) {
  pthread_rwlock_rdlock(&store->state_lock);
  gsize n = ferry_index_select_count(store->index, kind->group, kind->plural, by, word);
  pthread_rwlock_unlock(&store->state_lock);
  return n;
}

gsize ferry_store_count(FerryStore *store, const FerryKind *kind, const char *ns) {
  pthread_rwlock_rdlock(&store->state_lock);
  gsize n = ferry_index_count(store->index, kind->group, kind->plural, ns);
  pthread_rwlock_unlock(&store->state_lock);
  return n;
}

gint64 ferry_store_revision(FerryStore *store) {
  pthread_rwlock_rdlock(&store->state_lock);
  gint64 revision = store->revision;
  pthread_rwlock_unlock(&store->state_lock);
  return revision;
}

void ferry_store_stats(FerryStore *store, FerryStoreStats *stats) {
  pthread_mutex_lock(&store->queue_lock);
  *stats = store->stats;
  pthread_mutex_unlock(&store->queue_lock);
  pthread_mutex_lock(&store->watch_lock);
  stats->watches = store->watches->len;
  pthread_mutex_unlock(&store->watch_lock);
  pthread_rwlock_rdlock(&store->state_lock);
  stats->objects = ferry_index_size(store->index);
  stats->log_changes = store->log.next - store->log.first;
  stats->log_bytes = store->log.bytes;
  stats->bytes = store->bytes;
  pthread_rwlock_unlock(&store->state_lock);
  gsize view_bytes;
  ferry_views_stats(store->views, &view_bytes, &stats->parsed);
  stats->view_bytes = view_bytes;
  stats->visited = __atomic_load_n(&store->visited, __ATOMIC_RELAXED);
}
