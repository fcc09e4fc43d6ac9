// SPDX-License-Identifier: Apache-2.0
// Watches: cursors on the change log. A watch holds no changes of its own, so one that is slow or
// forgotten costs nothing but its place; when the log has moved past it, it is told EXPIRED.
//
// A new watch is first put on the list of those to wake and only then given its place in the log: a
// change that comes between is before the place and in the snapshot, one that comes after wakes it.
#include "store/watch.h"
#include "store/state.h"

struct FerryWatch {
  FerryStore *store;
  const FerryKind *kind; /* NULL: all */
  char *ns;              /* NULL: all */
  FerryWakeFunc wake;    /* may be NULL */
  gpointer data;
  guint64 position; /* of the next change to look at; the watch's own thread */
  gint64 seen;      /* everything up to this revision was looked at */
};

static FerryWatch *watch_new(FerryStore *store, const FerryKind *kind, const char *ns,
                             FerryWakeFunc wake, gpointer data) {
  FerryWatch *watch = g_new0(FerryWatch, 1);
  watch->store = store;
  watch->kind = kind;
  watch->ns = g_strdup(ns);
  watch->wake = wake;
  watch->data = data;
  pthread_mutex_lock(&store->watch_lock);
  g_ptr_array_add(store->watches, watch);
  pthread_mutex_unlock(&store->watch_lock);
  return watch;
}

void ferry_watch_free(FerryWatch *watch) {
  if (watch == NULL)
    return;
  pthread_mutex_lock(&watch->store->watch_lock);
  g_ptr_array_remove_fast(watch->store->watches, watch);
  pthread_mutex_unlock(&watch->store->watch_lock);
  g_free(watch->ns);
  g_free(watch);
}

static void set_expired(GError **error, gint64 revision, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
              "too old resource version: %" G_GINT64_FORMAT " %s; list again and watch from there",
              revision, why);
}

FerryWatch *ferry_store_watch(FerryStore *store, const FerryKind *kind, const char *ns,
                              gint64 revision, FerryWakeFunc wake, gpointer data, GError **error) {
  FerryWatch *watch = watch_new(store, kind, ns, wake, data);
  pthread_rwlock_rdlock(&store->state_lock);
  gint64 base = store->log.base, newest = store->revision;
  gboolean ok = revision >= base && revision <= newest;
  if (ok) {
    watch->position = ferry_log_ring_seek(&store->log, revision);
    watch->seen = revision;
  }
  pthread_rwlock_unlock(&store->state_lock);
  if (ok)
    return watch;
  ferry_watch_free(watch);
  g_autofree char *why =
      revision < base
          ? g_strdup_printf("is before %" G_GINT64_FORMAT ", the oldest that is kept", base)
          : g_strdup_printf("is after %" G_GINT64_FORMAT ", the newest", newest);
  set_expired(error, revision, why);
  return NULL;
}

FerryWatch *ferry_store_watch_now(FerryStore *store, const FerryKind *kind, const char *ns,
                                  FerryWakeFunc wake, gpointer data) {
  FerryWatch *watch = watch_new(store, kind, ns, wake, data);
  pthread_rwlock_rdlock(&store->state_lock);
  watch->position = store->log.next;
  watch->seen = store->revision;
  pthread_rwlock_unlock(&store->state_lock);
  return watch;
}

FerryChange *ferry_watch_next(FerryWatch *watch, GError **error) {
  FerryStore *store = watch->store;
  FerryChange *found = NULL;
  pthread_rwlock_rdlock(&store->state_lock);
  gboolean expired = watch->position < store->log.first;
  while (!expired && found == NULL && watch->position < store->log.next) {
    FerryChange *change = ferry_log_ring_at(&store->log, watch->position++);
    if (ferry_change_matches(change, watch->kind, watch->ns))
      found = ferry_change_ref(change);
  }
  if (found != NULL)
    watch->seen = found->revision;
  else if (!expired)
    watch->seen = store->revision;
  pthread_rwlock_unlock(&store->state_lock);
  if (expired)
    set_expired(error, watch->seen, "was the last seen and changes after it are no longer kept");
  return found;
}

gint64 ferry_watch_revision(FerryWatch *watch) {
  return watch->seen;
}

void ferry_watch_wake_all(FerryStore *store, GPtrArray *changes) {
  pthread_mutex_lock(&store->watch_lock);
  for (guint w = 0; w < store->watches->len; w++) {
    FerryWatch *watch = g_ptr_array_index(store->watches, w);
    for (guint i = 0; watch->wake != NULL && i < changes->len; i++) {
      if (ferry_change_matches(g_ptr_array_index(changes, i), watch->kind, watch->ns)) {
        watch->wake(watch->data);
        break;
      }
    }
  }
  pthread_mutex_unlock(&store->watch_lock);
}
