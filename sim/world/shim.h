// SPDX-License-Identifier: Apache-2.0
// What the linker puts in the place of GLib's and pthread's functions, and of some of production's
// own at its edges. Nobody calls these by name.
#pragma once
#include "agent/core/records.h"
#include "client/client.h"
#include <pthread.h>

G_BEGIN_DECLS

/* shim.c */
void __wrap_g_mutex_init(GMutex *mutex);
void __wrap_g_mutex_clear(GMutex *mutex);
void __wrap_g_mutex_lock(GMutex *mutex);
void __wrap_g_mutex_unlock(GMutex *mutex);
void __wrap_g_cond_init(GCond *cond);
void __wrap_g_cond_clear(GCond *cond);
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex);
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 until);
void __wrap_g_cond_signal(GCond *cond);
void __wrap_g_cond_broadcast(GCond *cond);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *how);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *how);
int __wrap_pthread_cond_destroy(pthread_cond_t *cond);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *how);
int __wrap_pthread_rwlock_destroy(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *lock);
GThread *__wrap_g_thread_new(const char *name, GThreadFunc func, gpointer data);
gpointer __wrap_g_thread_join(GThread *thread);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*func)(void *),
                          void *data);
int __wrap_pthread_join(pthread_t thread, void **result);
gpointer __wrap_g_private_get(GPrivate *key);
void __wrap_g_private_set(GPrivate *key, gpointer value);
void __wrap_g_private_replace(GPrivate *key, gpointer value);
gint64 __wrap_g_get_monotonic_time(void);
gint64 __wrap_g_get_real_time(void);
void __wrap_g_usleep(gulong us);
gint32 __wrap_g_random_int_range(gint32 begin, gint32 end);
int __wrap_gnutls_rnd(int level, void *out, size_t n);

/* wire.c */
FerryClient *__wrap_ferry_client_new(const FerryClientConfig *config, GError **error);
void __wrap_ferry_client_free(FerryClient *client);
const FerryClientConfig *__wrap_ferry_client_config(const FerryClient *client);
json_t *__wrap_ferry_client_request(FerryClient *client, const char *method, const char *path,
                                    const json_t *body, const char *content_type,
                                    const char *const *headers, unsigned *status, GError **error);
json_t *__wrap_ferry_client_request_full(FerryClient *client, const char *method, const char *path,
                                         const json_t *body, const char *content_type,
                                         const char *const *headers, GCancellable *cancellable,
                                         unsigned *status, GError **error);
gboolean __wrap_ferry_client_watch(FerryClient *client, const char *path,
                                   const char *const *headers, guint idle_timeout_s,
                                   FerryWatchFunc event, FerryTickFunc tick, gpointer data,
                                   GCancellable *cancellable, GError **error);
/* records.c */
void __wrap_ferry_record_write(const char *state_dir, const FerryRecords *of, const char *name,
                               const json_t *record);
void __wrap_ferry_record_remove(const char *state_dir, const FerryRecords *of, const char *name);
void __wrap_ferry_records_each(const char *state_dir, const FerryRecords *of,
                               gboolean (*take)(const char *name, json_t *record, gpointer data),
                               gpointer data);

G_END_DECLS
