// SPDX-License-Identifier: Apache-2.0
// The store's front: opening, handing batches to the writer thread, reading.
//
// Everything that needs no order is done in the caller's thread before it queues (checking
// arguments, turning objects into JSON text), because the writer is the one place where work adds
// up. The text carries whatever resourceVersion the caller's object had; the row's revision column
// is the one that counts and is put back on load.
#include "store/keys.h"
#include "store/open_backend.h"
#include "store/state.h"
#include "store/writer.h"
#include "store/store.h"

#include <string.h>

/* Opening */

static gboolean row_is_damaged(const FerryBackendRow *row, const char *why, int at,
                               GError **error) {
  g_autofree char *resource = ferry_store_resource_name(row->group, row->plural);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
              "the stored %s \"%s\" of namespace \"%s\" is not a JSON object (%s at byte %d): the "
              "database is damaged; restore it from a backup",
              resource, row->name, row->ns, why, at);
  return FALSE;
}

static gboolean load_row(const FerryBackendRow *row, gpointer user, GError **error) {
  FerryStore *store = user;
  json_error_t problem;
  g_autoptr(json_t) object = json_loadb(row->data, row->len, JSON_ALLOW_NUL, &problem);
  if (!json_is_object(object))
    return row_is_damaged(row, object == NULL ? problem.text : "another type",
                          object == NULL ? problem.position : 0, error);
  g_auto(FerryText) text;
  if (!ferry_text_init(&text, object))
    return row_is_damaged(row, "it is nested too deeply", 0, error);
  g_autoptr(FerryStored) stored = ferry_stored_new(store->views, &text, row->revision, NULL);
  ferry_index_put(store->index, row->group, row->plural, row->ns, row->name, stored, object);
  store->bytes += text.bytes->len;
  store->revision = MAX(store->revision, row->revision);
  return TRUE;
}

static void store_destroy(FerryStore *store) {
  g_hash_table_unref(store->dirty);
  ferry_log_ring_clear(&store->log);
  ferry_index_free(store->index);
  ferry_views_unref(store->views);
  store->backend->close(store->backend);
  g_ptr_array_unref(store->watches);
  pthread_rwlock_destroy(&store->state_lock);
  pthread_mutex_destroy(&store->watch_lock);
  pthread_cond_destroy(&store->queue_filled);
  pthread_mutex_destroy(&store->queue_lock);
  g_free(store->trouble);
  g_free(store);
}

FerryStore *ferry_store_open_backend(FerryBackend *backend, const FerryStoreOptions *options,
                                     GError **error) {
  FerryStore *store = g_new0(FerryStore, 1);
  gsize log_entries =
      options != NULL && options->log_entries > 0 ? options->log_entries : FERRY_STORE_LOG_ENTRIES;
  gsize log_bytes =
      options != NULL && options->log_bytes > 0 ? options->log_bytes : FERRY_STORE_LOG_BYTES;
  guint telemetry_ms = options != NULL && options->telemetry_ms > 0 ? options->telemetry_ms
                                                                    : FERRY_STORE_TELEMETRY_MS;
  store->backend = backend;
  store->max_objects =
      options != NULL && options->max_objects > 0 ? options->max_objects : FERRY_STORE_MAX_OBJECTS;
  store->max_bytes =
      options != NULL && options->max_bytes > 0 ? options->max_bytes : FERRY_STORE_MAX_BYTES;
  store->telemetry_us = (gint64)telemetry_ms * 1000;
  pthread_mutex_init(&store->queue_lock, NULL);
  pthread_mutex_init(&store->watch_lock, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&store->queue_filled, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_rwlockattr_t writer_first;
  pthread_rwlockattr_init(&writer_first);
  pthread_rwlockattr_setkind_np(&writer_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init(&store->state_lock, &writer_first);
  pthread_rwlockattr_destroy(&writer_first);
  store->queue_end = &store->queue_first;
  store->watches = g_ptr_array_new();
  store->views = ferry_views_new(
      options != NULL && options->view_bytes > 0 ? options->view_bytes : FERRY_STORE_VIEW_BYTES);
  store->index = ferry_index_new();
  store->dirty = g_hash_table_new(NULL, NULL);

  /* An empty store is at revision 1: 0 means "any" to those who watch. */
  store->revision = 1;
  gint64 mark = 0;
  gboolean loaded = backend->load(backend, load_row, store, &mark, error);
  /* Up to the mark anything may have been shown before a crash: go on after it. */
  store->revision = MAX(store->revision, mark);
  store->assigned = store->reserved = store->revision;
  ferry_log_ring_init(&store->log, log_entries, log_bytes, store->revision);
  if (!loaded) {
    store_destroy(store);
    return NULL;
  }
  int problem = pthread_create(&store->writer, NULL, ferry_store_writer, store);
  if (problem != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "cannot start the store's writer thread: %s; raise the limit on threads",
                g_strerror(problem));
    store_destroy(store);
    return NULL;
  }
  return store;
}

FerryStore *ferry_store_open(const char *path, const FerryStoreOptions *options, GError **error) {
  FerryBackend *backend =
      path == NULL ? ferry_backend_memory_new() : ferry_backend_sqlite_new(path, error);
  return backend == NULL ? NULL : ferry_store_open_backend(backend, options, error);
}

void ferry_store_free(FerryStore *store) {
  if (store == NULL)
    return;
  pthread_mutex_lock(&store->queue_lock);
  store->stopping = TRUE;
  pthread_cond_signal(&store->queue_filled);
  pthread_mutex_unlock(&store->queue_lock);
  pthread_join(store->writer, NULL);
  if (store->watches->len > 0)
    g_critical("the store is closed while %u watches are open", store->watches->len);
  store_destroy(store);
}

/* Committing */

const guint64 ferry_store_latency_bounds_us[FERRY_STORE_LATENCY_BOUNDS] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000};

static void count_latency(FerryStoreStats *stats, guint64 took) {
  gsize i = 0;
  while (i < FERRY_STORE_LATENCY_BOUNDS && took > ferry_store_latency_bounds_us[i])
    i++;
  stats->commits++;
  stats->commit_us_counts[i]++;
  stats->commit_us_sum += took;
  stats->commit_us_max = MAX(stats->commit_us_max, took);
}

static gboolean check_write(const FerryWrite *write, GError **error) {
  const char *problem = NULL;
  if (write->kind == NULL || write->ns == NULL || write->name == NULL || *write->name == '\0')
    problem = "a write needs a kind, a namespace (\"\" for none) and a name";
  else if (write->op > FERRY_WRITE_DELETE)
    problem = "the operation is not create, update or delete";
  else if (write->op == FERRY_WRITE_DELETE ? write->object != NULL && !json_is_object(write->object)
                                           : !json_is_object(write->object))
    problem = "the object is not a JSON object";
  if (problem == NULL)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot store %s \"%s\": %s",
              write->kind != NULL ? write->kind->plural : "an object",
              write->name != NULL ? write->name : "", problem);
  return FALSE;
}

/* A create or delete as telemetry would come undone by a crash: only updates may be. */
static gboolean is_durable(const FerryWrite *write) {
  return !write->telemetry || write->op != FERRY_WRITE_UPDATE;
}

static gboolean commit_queued(FerryStore *store, FerryStoreRequest *request) {
  gint64 start = g_get_monotonic_time();
  pthread_cond_init(&request->ready, NULL);
  pthread_mutex_lock(&store->queue_lock);
  *store->queue_end = request;
  store->queue_end = &request->next;
  pthread_cond_signal(&store->queue_filled);
  while (!request->done)
    pthread_cond_wait(&request->ready, &store->queue_lock);
  guint64 took = (guint64)(g_get_monotonic_time() - start);
  count_latency(&store->stats, took);
  if (request->ok)
    store->stats.writes += request->n;
  else if (request->error->code == FERRY_ERROR_CONFLICT)
    store->stats.conflicts++;
  pthread_mutex_unlock(&store->queue_lock);
  pthread_cond_destroy(&request->ready);
  return request->ok;
}

static gboolean make_texts(FerryStoreRequest *request, GError **error) {
  for (gsize i = 0; i < request->n; i++) {
    const FerryWrite *write = &request->writes[i];
    if (write->object == NULL || ferry_text_init(&request->texts[i], write->object))
      continue;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "cannot store %s \"%s\": the object cannot be written as JSON text (a string that "
                "is not UTF-8, or an object within itself)",
                write->kind->plural, write->name);
    return FALSE;
  }
  return TRUE;
}

gboolean ferry_store_commit(FerryStore *store, const FerryWrite *writes, gsize n, json_t **results,
                            GError **error) {
  FerryStoreRequest request = {.writes = writes, .n = n, .results = results};
  if (results != NULL)
    memset(results, 0, n * sizeof *results);
  if (n == 0)
    return TRUE;
  if (pthread_equal(pthread_self(), store->writer)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "a wake function may not write to the store: hand the work to another thread");
    return FALSE;
  }
  for (gsize i = 0; i < n; i++) {
    if (!check_write(&writes[i], error))
      return FALSE;
    request.durable |= is_durable(&writes[i]);
  }
  request.texts = g_new0(FerryText, n);
  gboolean ok = make_texts(&request, error);
  if (ok && !commit_queued(store, &request)) {
    g_propagate_error(error, request.error);
    ok = FALSE;
  }
  for (gsize i = 0; i < n; i++)
    ferry_text_clear(&request.texts[i]);
  g_free(request.texts);
  return ok;
}

gboolean ferry_store_is_healthy(FerryStore *store, char **why) {
  pthread_mutex_lock(&store->queue_lock);
  gboolean healthy = store->trouble == NULL;
  if (why != NULL)
    *why = g_strdup(store->trouble);
  pthread_mutex_unlock(&store->queue_lock);
  return healthy;
}
