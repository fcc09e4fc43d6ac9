// SPDX-License-Identifier: Apache-2.0
// Where production code asks GLib and pthread for threads, locks, clocks and random numbers, the
// linker gives it these instead (--wrap, see meson.build): threads become fibers, clocks the
// world's, and chance the seed's. GLib's own insides are not touched.
//
// A lock's memory says whether it is held (first word) and whether somebody waits (second), so that
// zeroed memory is a free lock, as it is for GLib.
#include "sim/world/shim.h"
#include "sim/world/fiber.h"
#include <pthread.h>
#include <string.h>

/* 2026-01-01T00:00:00Z */
#define BEGAN_US (G_GINT64_CONSTANT(1767225600) * G_USEC_PER_SEC)
#define MONOTONIC_US (G_GINT64_CONSTANT(1000) * G_USEC_PER_SEC)

typedef struct {
  int held, wanted;
} Lock;
typedef struct {
  int readers, writer;
} ReadWriteLock;
G_STATIC_ASSERT(sizeof(Lock) <= sizeof(GMutex) && sizeof(Lock) <= sizeof(pthread_mutex_t));
G_STATIC_ASSERT(sizeof(ReadWriteLock) <= sizeof(pthread_rwlock_t));

/* ---- locks ---- */

static void lock_take(Lock *lock) {
  while (lock->held) {
    lock->wanted = 1;
    ferry_fiber_wait(lock, -1);
  }
  lock->held = 1;
}

static void lock_give(Lock *lock) {
  lock->held = 0;
  if (!lock->wanted)
    return;
  lock->wanted = 0;
  ferry_fiber_wake(lock, TRUE);
}

static gboolean condition_wait(gconstpointer condition, Lock *lock, gint64 until_us) {
  lock_give(lock);
  gboolean woken = ferry_fiber_wait(condition, until_us);
  lock_take(lock);
  return woken;
}

void __wrap_g_mutex_init(GMutex *mutex) {
  memset(mutex, 0, sizeof *mutex);
}
void __wrap_g_mutex_clear(GMutex *mutex) {
}
void __wrap_g_mutex_lock(GMutex *mutex) {
  lock_take((Lock *)mutex);
}
void __wrap_g_mutex_unlock(GMutex *mutex) {
  lock_give((Lock *)mutex);
}
void __wrap_g_cond_init(GCond *cond) {
}
void __wrap_g_cond_clear(GCond *cond) {
}
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex) {
  condition_wait(cond, (Lock *)mutex, -1);
}
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 until) {
  return condition_wait(cond, (Lock *)mutex, MAX(0, until - MONOTONIC_US));
}
void __wrap_g_cond_signal(GCond *cond) {
  ferry_fiber_wake(cond, FALSE);
}
void __wrap_g_cond_broadcast(GCond *cond) {
  ferry_fiber_wake(cond, TRUE);
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *how) {
  memset(mutex, 0, sizeof *mutex);
  return 0;
}
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex) {
  return 0;
}
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  lock_take((Lock *)mutex);
  return 0;
}
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  lock_give((Lock *)mutex);
  return 0;
}
int __wrap_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *how) {
  memset(cond, 0, sizeof *cond);
  return 0;
}
int __wrap_pthread_cond_destroy(pthread_cond_t *cond) {
  return 0;
}
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  condition_wait(cond, (Lock *)mutex, -1);
  return 0;
}
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until) {
  gint64 us = until->tv_sec * G_USEC_PER_SEC + until->tv_nsec / 1000;
  return condition_wait(cond, (Lock *)mutex, MAX(0, us - MONOTONIC_US)) ? 0 : ETIMEDOUT;
}
int __wrap_pthread_cond_signal(pthread_cond_t *cond) {
  ferry_fiber_wake(cond, FALSE);
  return 0;
}
int __wrap_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *how) {
  memset(lock, 0, sizeof *lock);
  return 0;
}
int __wrap_pthread_rwlock_destroy(pthread_rwlock_t *lock) {
  return 0;
}
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
  ReadWriteLock *l = (ReadWriteLock *)lock;
  while (l->writer)
    ferry_fiber_wait(lock, -1);
  l->readers++;
  return 0;
}
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
  ReadWriteLock *l = (ReadWriteLock *)lock;
  while (l->writer || l->readers)
    ferry_fiber_wait(lock, -1);
  l->writer = 1;
  return 0;
}
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *lock) {
  ReadWriteLock *l = (ReadWriteLock *)lock;
  if (l->writer)
    l->writer = 0;
  else
    l->readers--;
  ferry_fiber_wake(lock, TRUE);
  return 0;
}

/* ---- threads ---- */

GThread *__wrap_g_thread_new(const char *name, GThreadFunc func, gpointer data) {
  return (GThread *)ferry_fiber_new(ferry_fiber_process(), func, data, TRUE);
}
gpointer __wrap_g_thread_join(GThread *thread) {
  return ferry_fiber_join((FerryFiber *)thread);
}
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*func)(void *),
                          void *data) {
  *thread = (pthread_t)ferry_fiber_new(ferry_fiber_process(), func, data, TRUE);
  return 0;
}
int __wrap_pthread_join(pthread_t thread, void **result) {
  gpointer value = ferry_fiber_join((FerryFiber *)thread);
  if (result)
    *result = value;
  return 0;
}
gpointer __wrap_g_private_get(GPrivate *key) {
  return ferry_fiber_local(key);
}
void __wrap_g_private_set(GPrivate *key, gpointer value) {
  ferry_fiber_set_local(key, value, FALSE);
}
void __wrap_g_private_replace(GPrivate *key, gpointer value) {
  ferry_fiber_set_local(key, value, TRUE);
}

/* ---- clocks ---- */

gint64 __wrap_g_get_monotonic_time(void) {
  return MONOTONIC_US + ferry_fiber_now();
}
gint64 __wrap_g_get_real_time(void) {
  const FerryWorldProcess *process = ferry_fiber_process();
  return BEGAN_US + ferry_fiber_now() + (process ? process->skew_us : 0);
}
void __wrap_g_usleep(gulong us) {
  ferry_fiber_sleep((gint64)us);
}

/* ---- chance ---- */

gint32 __wrap_g_random_int_range(gint32 begin, gint32 end) {
  return begin + (gint32)ferry_world_draw((guint)(end - begin));
}
int __wrap_gnutls_rnd(int level, void *out, size_t n) {
  guint8 *bytes = out;
  for (size_t i = 0; i < n; i++)
    bytes[i] = (guint8)ferry_world_random();
  return 0;
}
