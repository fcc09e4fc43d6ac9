// SPDX-License-Identifier: Apache-2.0
#include "agent/core/workers.h"

struct _FerryWorkers {
  const FerryWorkerOps *ops;
  GMutex lock;       /* guards the table; a worker's own may be taken inside it */
  GHashTable *table; /* UID -> worker */
};

gint64 ferry_worker_attempt(const json_t *object) {
  return ferry_json_int(object, "status.migrationState.attempt", 0);
}

FerryWorkers *ferry_workers_new(const FerryWorkerOps *ops) {
  FerryWorkers *w = g_new0(FerryWorkers, 1);
  w->ops = ops;
  g_mutex_init(&w->lock);
  w->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ops->free);
  return w;
}

void ferry_workers_stop(FerryWorkers *w) {
  g_mutex_lock(&w->lock);
  GHashTable *table = w->table;
  w->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, w->ops->free);
  g_mutex_unlock(&w->lock);
  g_hash_table_unref(table); /* joins, outside of the lock */
}

void ferry_workers_free(FerryWorkers *w) {
  g_hash_table_unref(w->table);
  g_mutex_clear(&w->lock);
  g_free(w);
}

void ferry_workers_add(FerryWorkers *w, const char *uid, gpointer worker) {
  gpointer key = NULL, old = NULL;
  g_mutex_lock(&w->lock);
  g_hash_table_steal_extended(w->table, uid, &key, &old);
  g_hash_table_insert(w->table, g_strdup(uid), worker);
  g_mutex_unlock(&w->lock);
  g_free(key);
  if (old) /* joining takes its time */
    w->ops->free(old);
}

/* Workers that have ended are joined outside the lock: they may just be leaving. */
void ferry_workers_sweep(FerryWorkers *w) {
  g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(w->ops->free);
  GHashTableIter iter;
  gpointer uid, worker;
  g_mutex_lock(&w->lock);
  g_hash_table_iter_init(&iter, w->table);
  while (g_hash_table_iter_next(&iter, &uid, &worker))
    if (w->ops->is_done(worker)) {
      g_ptr_array_add(done, worker);
      g_hash_table_iter_steal(&iter);
      g_free(uid);
    }
  g_mutex_unlock(&w->lock);
}

FerryWorkerFound ferry_workers_find(FerryWorkers *w, const char *uid, const json_t *object) {
  g_mutex_lock(&w->lock);
  gpointer worker = g_hash_table_lookup(w->table, uid);
  FerryWorkerFound found = !worker                             ? FERRY_WORKER_NONE
                           : w->ops->is_before(worker, object) ? FERRY_WORKER_EARLIER
                                                               : FERRY_WORKER_THERE;
  g_mutex_unlock(&w->lock);
  return found;
}

gboolean ferry_workers_update(FerryWorkers *w, const char *uid, const json_t *object) {
  g_mutex_lock(&w->lock);
  gpointer worker = g_hash_table_lookup(w->table, uid);
  if (worker)
    w->ops->update(worker, object);
  g_mutex_unlock(&w->lock);
  return worker != NULL;
}

static gboolean is_at_work_on(const FerryWorkers *w, gpointer worker, const char *uuid) {
  return g_strcmp0(w->ops->domain(worker), uuid) == 0 && !w->ops->is_done(worker);
}

gboolean ferry_workers_event(FerryWorkers *w, const FerryHostEvent *event) {
  gboolean own = FALSE;
  GHashTableIter iter;
  gpointer worker;
  g_mutex_lock(&w->lock);
  g_hash_table_iter_init(&iter, w->table);
  while (g_hash_table_iter_next(&iter, NULL, &worker))
    if (event->uuid ? is_at_work_on(w, worker, event->uuid) : !w->ops->is_done(worker)) {
      w->ops->event(worker, event);
      own = TRUE;
    }
  g_mutex_unlock(&w->lock);
  return own;
}

guint ferry_workers_running(FerryWorkers *w) {
  guint n = 0;
  GHashTableIter iter;
  gpointer worker;
  g_mutex_lock(&w->lock);
  g_hash_table_iter_init(&iter, w->table);
  while (g_hash_table_iter_next(&iter, NULL, &worker))
    n += !w->ops->is_done(worker);
  g_mutex_unlock(&w->lock);
  return n;
}

static gboolean workers_have(FerryWorkers *w, const char *uuid, gboolean called) {
  gboolean has = FALSE;
  GHashTableIter iter;
  gpointer worker;
  g_mutex_lock(&w->lock);
  g_hash_table_iter_init(&iter, w->table);
  while (!has && g_hash_table_iter_next(&iter, NULL, &worker))
    has = is_at_work_on(w, worker, uuid) &&
          (!called || !w->ops->has_called || w->ops->has_called(worker));
  g_mutex_unlock(&w->lock);
  return has;
}

gboolean ferry_workers_has_domain(FerryWorkers *w, const char *uuid) {
  return workers_have(w, uuid, FALSE);
}

gboolean ferry_workers_has_called(FerryWorkers *w, const char *uuid) {
  return workers_have(w, uuid, TRUE);
}

gboolean ferry_workers_is_done(FerryWorkers *w, const char *uid) {
  g_mutex_lock(&w->lock);
  gpointer worker = g_hash_table_lookup(w->table, uid);
  gboolean done = !worker || w->ops->is_done(worker);
  g_mutex_unlock(&w->lock);
  return done;
}
