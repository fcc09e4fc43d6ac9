// SPDX-License-Identifier: Apache-2.0
// Theory of operation: an entry stands for a call under way, shared by its thread and its asker; it
// is in `running` until the work is done, and found by its key in `keys`. Threads come from GLib's
// shared pool, so that a call that is answered at once costs two wake-ups and no new thread.
#include "base/patience.h"

typedef struct {
  FerryPatience *patience; /* a reference */
  char *key;
  void (*work)(gpointer data);
  gpointer data; /* a reference */
  GDestroyNotify clear;
  gint64 since_us;
  /* guarded by the patience's lock */
  guint refs;
  gboolean done, late;
} Call;

struct _FerryPatience {
  gatomicrefcount refs;
  void (*back)(const char *key, gpointer data);
  GMutex lock; /* guards what follows */
  GCond cond;
  GHashTable *running; /* set of Call* */
  GHashTable *keys;    /* key -> Call* of `running` */
  guint late;
  gint64 longest_ms;
};

FerryPatience *ferry_patience_new(void (*back)(const char *key, gpointer data)) {
  FerryPatience *p = g_new0(FerryPatience, 1);
  g_atomic_ref_count_init(&p->refs);
  p->back = back;
  g_mutex_init(&p->lock);
  g_cond_init(&p->cond);
  p->running = g_hash_table_new(NULL, NULL);
  p->keys = g_hash_table_new(g_str_hash, g_str_equal);
  p->longest_ms = G_MAXINT64 / 1000;
  return p;
}

void ferry_patience_unref(FerryPatience *p) {
  if (!p || !g_atomic_ref_count_dec(&p->refs))
    return;
  g_hash_table_unref(p->running);
  g_hash_table_unref(p->keys);
  g_mutex_clear(&p->lock);
  g_cond_clear(&p->cond);
  g_free(p);
}

/* With the lock held. */
static void call_unref(Call *c) {
  if (--c->refs)
    return;
  g_free(c->key);
  g_free(c);
}

static void be_late(FerryPatience *p, Call *c) {
  if (c->late)
    return;
  c->late = TRUE;
  p->late++;
}

static void patience_work(gpointer item, gpointer unused) {
  Call *c = item;
  FerryPatience *p = c->patience;
  c->work(c->data);
  g_mutex_lock(&p->lock);
  gboolean late = c->late;
  c->done = TRUE;
  p->late -= late;
  g_hash_table_remove(p->running, c);
  if (c->key)
    g_hash_table_remove(p->keys, c->key);
  g_cond_broadcast(&p->cond);
  g_mutex_unlock(&p->lock);
  if (late && p->back)
    p->back(c->key, c->data);
  g_atomic_rc_box_release_full(c->data, c->clear);
  g_mutex_lock(&p->lock);
  call_unref(c);
  g_mutex_unlock(&p->lock);
  ferry_patience_unref(p);
}

static GThreadPool *patience_threads(void) {
  static gsize once;
  static GThreadPool *pool;
  if (g_once_init_enter(&once)) {
    pool = g_thread_pool_new(patience_work, NULL, -1, FALSE, NULL);
    g_once_init_leave(&once, 1);
  }
  return pool;
}

/* Waits for news, until `began_us` + `ms` at most; FALSE: it is over. The lock is held. */
static gboolean wait_for_news(FerryPatience *p, gint64 began_us, gint64 ms) {
  gint64 most = MIN(ms, p->longest_ms);
  gint64 until = most > (G_MAXINT64 - began_us) / 1000 ? G_MAXINT64 : began_us + most * 1000;
  return g_get_monotonic_time() < until && g_cond_wait_until(&p->cond, &p->lock, until);
}

/* FALSE: another one about the key is late. The lock is held. */
static gboolean have_turn(FerryPatience *p, const char *key, gint64 began_us, gint64 ms,
                          gint64 *since_us) {
  Call *other;
  while (key && (other = g_hash_table_lookup(p->keys, key))) {
    *since_us = other->since_us;
    if (other->late || !wait_for_news(p, began_us, ms))
      return g_hash_table_lookup(p->keys, key) == NULL;
  }
  return TRUE;
}

gboolean ferry_patience_call(FerryPatience *p, const char *key, gint64 ms,
                             void (*work)(gpointer data), gpointer data, GDestroyNotify clear,
                             gint64 *since_us) {
  gint64 began_us = g_get_monotonic_time();
  g_mutex_lock(&p->lock);
  if (!have_turn(p, key, began_us, ms, since_us)) {
    g_mutex_unlock(&p->lock);
    return FALSE;
  }
  Call *c = g_new0(Call, 1);
  g_atomic_ref_count_inc(&p->refs);
  *c = (Call){.patience = p,
              .key = g_strdup(key),
              .work = work,
              .data = g_atomic_rc_box_acquire(data),
              .clear = clear,
              .since_us = g_get_monotonic_time(),
              .refs = 2};
  g_hash_table_add(p->running, c);
  if (c->key)
    g_hash_table_insert(p->keys, c->key, c);
  g_thread_pool_push(patience_threads(), c, NULL);
  while (!c->done && !c->late && wait_for_news(p, began_us, ms))
    ;
  gboolean done = c->done;
  if (!done)
    be_late(p, c);
  *since_us = c->since_us;
  call_unref(c);
  g_mutex_unlock(&p->lock);
  return done;
}

gint64 ferry_patience_late_us(FerryPatience *p, const char *key) {
  g_mutex_lock(&p->lock);
  const Call *c = g_hash_table_lookup(p->keys, key);
  gint64 since = c && c->late ? c->since_us : 0;
  g_mutex_unlock(&p->lock);
  return since;
}

guint ferry_patience_late_of(FerryPatience *p, const char *prefix) {
  GHashTableIter iter;
  gpointer key, call;
  guint n = 0;
  g_mutex_lock(&p->lock);
  g_hash_table_iter_init(&iter, p->keys);
  while (g_hash_table_iter_next(&iter, &key, &call))
    n += ((const Call *)call)->late && g_str_has_prefix(key, prefix);
  g_mutex_unlock(&p->lock);
  return n;
}

guint ferry_patience_late(FerryPatience *p) {
  g_mutex_lock(&p->lock);
  guint late = p->late;
  g_mutex_unlock(&p->lock);
  return late;
}

void ferry_patience_give_up(FerryPatience *p) {
  GHashTableIter iter;
  gpointer call;
  g_mutex_lock(&p->lock);
  g_hash_table_iter_init(&iter, p->running);
  while (g_hash_table_iter_next(&iter, &call, NULL))
    be_late(p, call);
  g_cond_broadcast(&p->cond);
  g_mutex_unlock(&p->lock);
}

void ferry_patience_hurry(FerryPatience *p, gint64 ms) {
  g_mutex_lock(&p->lock);
  p->longest_ms = ms;
  g_cond_broadcast(&p->cond);
  g_mutex_unlock(&p->lock);
}
