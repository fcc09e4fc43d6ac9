// SPDX-License-Identifier: Apache-2.0
// Only in builds with ThreadSanitizer: GLib's locks are futexes and its counts atomics of its own,
// which the sanitizer does not see, so every use of them would look like a race. These wrappers
// stand before GLib's functions, call them, and tell the sanitizer what they order. Nothing else
// is changed.
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define REAL(name)                                                                                 \
  ({                                                                                               \
    static gpointer found;                                                                         \
    gpointer f = __atomic_load_n(&found, __ATOMIC_RELAXED);                                        \
    if (!f) {                                                                                      \
      f = dlsym(RTLD_NEXT, #name);                                                                 \
      __atomic_store_n(&found, f, __ATOMIC_RELAXED);                                               \
    }                                                                                              \
    (__typeof__(&name))f;                                                                          \
  })

void g_mutex_lock(GMutex *m) {
  REAL(g_mutex_lock)(m);
  __tsan_acquire(m);
}

gboolean g_mutex_trylock(GMutex *m) {
  gboolean got = REAL(g_mutex_trylock)(m);
  if (got)
    __tsan_acquire(m);
  return got;
}

void g_mutex_unlock(GMutex *m) {
  __tsan_release(m);
  REAL(g_mutex_unlock)(m);
}

void g_cond_wait(GCond *c, GMutex *m) {
  __tsan_release(m);
  REAL(g_cond_wait)(c, m);
  __tsan_acquire(m);
}

gboolean g_cond_wait_until(GCond *c, GMutex *m, gint64 until) {
  __tsan_release(m);
  gboolean woken = REAL(g_cond_wait_until)(c, m, until);
  __tsan_acquire(m);
  return woken;
}

void g_rw_lock_writer_lock(GRWLock *l) {
  REAL(g_rw_lock_writer_lock)(l);
  __tsan_acquire(l);
}

void g_rw_lock_writer_unlock(GRWLock *l) {
  __tsan_release(l);
  REAL(g_rw_lock_writer_unlock)(l);
}

void g_rw_lock_reader_lock(GRWLock *l) {
  REAL(g_rw_lock_reader_lock)(l);
  __tsan_acquire(l);
}

void g_rw_lock_reader_unlock(GRWLock *l) {
  __tsan_release(l);
  REAL(g_rw_lock_reader_unlock)(l);
}

void g_async_queue_push(GAsyncQueue *q, gpointer data) {
  __tsan_release(q);
  REAL(g_async_queue_push)(q, data);
}

gpointer g_async_queue_pop(GAsyncQueue *q) {
  gpointer data = REAL(g_async_queue_pop)(q);
  __tsan_acquire(q);
  return data;
}

gpointer g_async_queue_try_pop(GAsyncQueue *q) {
  gpointer data = REAL(g_async_queue_try_pop)(q);
  __tsan_acquire(q);
  return data;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *q, guint64 timeout) {
  gpointer data = REAL(g_async_queue_timeout_pop)(q, timeout);
  __tsan_acquire(q);
  return data;
}

typedef struct {
  GFunc func;
  gpointer user_data;
} Job;

static void run_job(gpointer data, gpointer user_data) {
  Job *job = user_data;
  __tsan_acquire(job);
  job->func(data, job->user_data);
  __tsan_release(job);
}

static GMutex jobs_lock;
static GHashTable *jobs; /* GThreadPool -> Job, kept for the process' life */

GThreadPool *g_thread_pool_new(GFunc func, gpointer user_data, gint max, gboolean exclusive,
                               GError **error) {
  Job *job = g_new0(Job, 1);
  job->func = func;
  job->user_data = user_data;
  GThreadPool *pool = REAL(g_thread_pool_new)(run_job, job, max, exclusive, error);
  g_mutex_lock(&jobs_lock);
  if (!jobs)
    jobs = g_hash_table_new(NULL, NULL);
  g_hash_table_replace(jobs, pool, job);
  g_mutex_unlock(&jobs_lock);
  return pool;
}

static Job *job_of(GThreadPool *pool) {
  g_mutex_lock(&jobs_lock);
  Job *job = g_hash_table_lookup(jobs, pool);
  g_mutex_unlock(&jobs_lock);
  return job;
}

gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error) {
  __tsan_release(job_of(pool));
  return REAL(g_thread_pool_push)(pool, data, error);
}

void g_thread_pool_free(GThreadPool *pool, gboolean immediate, gboolean wait) {
  Job *job = job_of(pool);
  REAL(g_thread_pool_free)(pool, immediate, wait);
  __tsan_acquire(job);
}

/* Who lets go last sees what all before have done to the box. */
static __thread GDestroyNotify clear_box;

static void clear_after_all(gpointer box) {
  __tsan_acquire(box);
  if (clear_box)
    clear_box(box);
}

void g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear) {
  GDestroyNotify outer = clear_box;
  clear_box = clear;
  __tsan_release(box);
  REAL(g_atomic_rc_box_release_full)(box, clear_after_all);
  clear_box = outer;
}

void g_atomic_rc_box_release(gpointer box) {
  g_atomic_rc_box_release_full(box, NULL);
}

gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count) {
  __tsan_release(count);
  gboolean last = REAL(g_atomic_ref_count_dec)(count);
  if (last)
    __tsan_acquire(count);
  return last;
}
