// SPDX-License-Identifier: Apache-2.0
// Watchers see each change once, in order, with nothing between a snapshot and what follows it.
// Writers go on meanwhile, and the log is made short enough to lose entries.
#include "helper.h"
#include <malloc.h>

#define DEADLINE_US (60 * G_USEC_PER_SEC)

static void test_filters_and_types(void) {
  g_autoptr(FerryStore) store = must_open(NULL, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryWatch) all = ferry_store_watch(store, NULL, NULL, 1, NULL, NULL, &error);
  g_autoptr(FerryWatch) vms = ferry_store_watch(store, &kind_vm, "ns", 1, NULL, NULL, &error);
  gint64 made = must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  must_write(store, FERRY_WRITE_CREATE, &kind_host, "", "h", 1);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "other", "a", 1);
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2);
  gint64 gone = must_write(store, FERRY_WRITE_DELETE, &kind_vm, "ns", "a", 0);
  static const FerryChangeType types[] = {FERRY_ADDED, FERRY_MODIFIED, FERRY_DELETED};
  static const gint64 values[] = {1, 2, 2}, before[] = {-1, 1, 2};
  for (int i = 0; i < 3; i++) {
    g_autoptr(FerryChange) change = ferry_watch_next(vms, &error);
    g_assert_no_error(error);
    g_assert_cmpint(change->type, ==, types[i]);
    g_assert_cmpstr(change->name, ==, "a");
    g_auto(FerrySeen) seen = ferry_change_see(change);
    g_assert_cmpint(thing_value(seen.object), ==, values[i]);
    g_assert_cmpint(thing_revision(seen.object), ==, change->revision);
    g_assert_cmpint(seen.previous == NULL ? -1 : thing_value(seen.previous), ==, before[i]);
    if (i == 0)
      g_assert_cmpint(ferry_watch_revision(vms), ==, made);
  }
  g_assert_null(ferry_watch_next(vms, &error));
  g_assert_cmpint(ferry_watch_revision(vms), ==, gone);
  for (int i = 0; i < 5; i++)
    ferry_change_unref(ferry_watch_next(all, &error));
  g_assert_cmpint(ferry_watch_revision(all), ==, gone);
  /* A bookmark passes over what is not the watch's. */
  gint64 host = must_write(store, FERRY_WRITE_UPDATE, &kind_host, "", "h", 2);
  g_assert_null(ferry_watch_next(vms, &error));
  g_assert_cmpint(ferry_watch_revision(vms), ==, host);
  g_assert_no_error(error);
  FerryStoreStats stats;
  ferry_store_stats(store, &stats);
  g_assert_cmpuint(stats.watches, ==, 2);
}

static void test_expiry(void) {
  FerryStoreOptions options = {.log_entries = 8};
  g_autoptr(FerryStore) store = must_open(NULL, &options);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryWatch) slow = ferry_store_watch(store, NULL, NULL, 1, NULL, NULL, &error);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0);
  for (gint64 value = 1; value < 8; value++)
    must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", value);
  ferry_change_unref(ferry_watch_next(slow, &error)); /* the log is full, not yet past it */
  g_assert_no_error(error);
  g_assert_cmpint(ferry_watch_revision(slow), ==, 2);
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 8);
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 9);
  g_assert_null(ferry_watch_next(slow, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_clear_error(&error);
  g_assert_null(ferry_watch_next(slow, &error)); /* and stays so */
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_clear_error(&error);

  /* from now on cannot be too late, however short the log is */
  g_autoptr(FerryWatch) now = ferry_store_watch_now(store, NULL, NULL, NULL, NULL);
  g_assert_null(ferry_watch_next(now, &error));
  g_assert_no_error(error);
  g_assert_cmpint(ferry_watch_revision(now), ==, ferry_store_revision(store));

  gint64 newest = ferry_store_revision(store);
  static const gint64 bad[] = {-1, 0, 1, 2, 100};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_assert_null(ferry_store_watch(store, NULL, NULL, bad[i], NULL, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
    g_clear_error(&error);
  }
  for (gint64 from = newest - 8; from <= newest; from++) {
    g_autoptr(FerryWatch) watch = ferry_store_watch(store, NULL, NULL, from, NULL, NULL, &error);
    g_assert_no_error(error);
    for (gint64 wanted = from + 1; wanted <= newest; wanted++) {
      g_autoptr(FerryChange) change = ferry_watch_next(watch, &error);
      g_assert_cmpint(change->revision, ==, wanted);
    }
    g_assert_null(ferry_watch_next(watch, &error));
    g_assert_no_error(error);
  }
}

/* Changes of large objects, of which fewer are kept: a store that is busy with them stays small,
 * and who comes too late is told so as where there were too many. */
static void test_expiry_by_bytes(void) {
  enum { LIMIT = 1024 * 1024, LARGE = 64 * 1024, N = 200 };
  FerryStoreOptions options = {.log_bytes = LIMIT, .view_bytes = 1};
  g_autoptr(FerryStore) store = must_open(NULL, &options);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryWatch) slow = ferry_store_watch(store, NULL, NULL, 1, NULL, NULL, &error);
  g_autofree char *text = g_strnfill(LARGE, 'x');
  FerryStoreStats stats;
  gint64 first = must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0);
  gsize heap = mallinfo2().uordblks;
  for (int i = 0; i < N; i++) {
    json_auto_t *object = thing("a", NULL, i);
    json_object_set_new(object, "text", json_string(text));
    FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                        .kind = &kind_vm,
                        .ns = "ns",
                        .name = "a",
                        .object = object,
                        .telemetry = i % 2 == 0};
    g_assert_true(ferry_store_commit(store, &write, 1, NULL, &error));
    ferry_store_stats(store, &stats);
    g_assert_cmpuint(stats.log_bytes, <=, LIMIT);
  }
  g_assert_cmpuint(stats.log_changes, >=, LIMIT / LARGE - 2);
  g_assert_cmpuint(stats.log_changes, <=, LIMIT / LARGE);
  g_assert_cmpuint(mallinfo2().uordblks, <, heap + LIMIT + 4 * LARGE);
  g_assert_null(ferry_watch_next(slow, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_clear_error(&error);
  g_assert_null(ferry_store_watch(store, NULL, NULL, first, NULL, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_clear_error(&error);
  gint64 kept = ferry_store_revision(store) - (gint64)stats.log_changes;
  g_autoptr(FerryWatch) late = ferry_store_watch(store, NULL, NULL, kept, NULL, NULL, &error);
  g_assert_no_error(error);
  for (guint64 i = 0; i < stats.log_changes; i++) {
    g_autoptr(FerryChange) change = ferry_watch_next(late, &error);
    g_assert_cmpint(change->revision, ==, ++kept);
  }
  g_assert_null(ferry_watch_next(late, &error));
  g_assert_no_error(error);
}

/* Writers and watchers at once */

#define WRITERS 4
#define WATCHERS 4
#define OBJECTS 5
#define ROUNDS 400

typedef struct {
  FerryStore *store;
  guint seed;
} Worker;

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t cond;
  gboolean woken;
} Bell;

static void bell_ring(gpointer data) {
  Bell *bell = data;
  pthread_mutex_lock(&bell->lock);
  bell->woken = TRUE;
  pthread_cond_signal(&bell->cond);
  pthread_mutex_unlock(&bell->lock);
}

static void bell_wait(Bell *bell) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 30;
  pthread_mutex_lock(&bell->lock);
  while (!bell->woken) /* a wake that does not come fails the test */
    g_assert_cmpint(pthread_cond_timedwait(&bell->cond, &bell->lock, &end), ==, 0);
  bell->woken = FALSE;
  pthread_mutex_unlock(&bell->lock);
}

/* Counts up shared objects by compare-and-swap, making and deleting one of its own now and then. */
static void *writer_run(void *data) {
  Worker *worker = data;
  g_autofree char *own = g_strdup_printf("own%u", worker->seed);
  for (guint i = 0; i < ROUNDS; i++) {
    g_autofree char *name = g_strdup_printf("o%u", (i + worker->seed) % OBJECTS);
    g_autoptr(GError) error = NULL;
    do {
      g_clear_error(&error);
      json_auto_t *now = ferry_store_get(worker->store, &kind_vm, "ns", name);
      try_write(worker->store, FERRY_WRITE_UPDATE, &kind_vm, "ns", name, thing_value(now) + 1,
                thing_revision(now), i % 3 == 0, &error);
    } while (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT));
    g_assert_no_error(error);
    if (i % 10 == 4)
      must_write(worker->store, FERRY_WRITE_CREATE, &kind_vm, "ns", own, i);
    if (i % 10 == 7)
      must_write(worker->store, FERRY_WRITE_DELETE, &kind_vm, "ns", own, 0);
  }
  /* one last change, so that no watcher sleeps on */
  g_autofree char *last = g_strdup_printf("last%u", worker->seed);
  must_write(worker->store, FERRY_WRITE_CREATE, &kind_vm, "ns", last, 0);
  return NULL;
}

static gint64 shown(json_t *object) {
  return object == NULL ? -1 : thing_revision(object);
}

/* Keeps a copy from a snapshot and the changes after it, checking that each change fits on it. */
static void *watcher_run(void *data) {
  Worker *worker = data;
  Bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, FALSE};
  for (gboolean last = FALSE; !last;) {
    gint64 at = 0;
    g_autoptr(GPtrArray) list = ferry_store_list(worker->store, &kind_vm, NULL, &at);
    g_autoptr(FerryWatch) watch =
        ferry_store_watch(worker->store, &kind_vm, NULL, at, bell_ring, &bell, NULL);
    g_assert_nonnull(watch);
    g_autoptr(GHashTable) copy =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
    for (guint i = 0; i < list->len; i++) {
      g_assert_cmpint(thing_revision(list->pdata[i]), <=, at);
      g_hash_table_replace(copy, g_strdup(thing_name(list->pdata[i])), json_incref(list->pdata[i]));
    }
    for (guint n = 0; n < 300 && !last;) {
      g_autoptr(GError) error = NULL;
      g_autoptr(FerryChange) change = ferry_watch_next(watch, &error);
      g_assert_no_error(error);
      if (change == NULL) {
        last = g_hash_table_contains(copy, "last0") && g_hash_table_contains(copy, "last1") &&
               g_hash_table_contains(copy, "last2") && g_hash_table_contains(copy, "last3");
        if (!last)
          bell_wait(&bell);
        continue;
      }
      n++;
      g_auto(FerrySeen) seen = ferry_change_see(change);
      /* all changes are of this kind, so their revisions have no gaps */
      g_assert_cmpint(change->revision, ==, ++at);
      json_t *before = g_hash_table_lookup(copy, change->name);
      g_assert_cmpint(shown(before), ==, shown(seen.previous));
      g_assert_cmpint(change->type == FERRY_ADDED, ==, before == NULL);
      if (change->type == FERRY_DELETED)
        g_hash_table_remove(copy, change->name);
      else
        g_hash_table_replace(copy, g_strdup(change->name), json_incref(seen.object));
    }
    if (last) {
      g_autoptr(GPtrArray) end = ferry_store_list(worker->store, &kind_vm, NULL, NULL);
      g_assert_cmpuint(end->len, ==, g_hash_table_size(copy));
      for (guint i = 0; i < end->len; i++)
        g_assert_true(
            json_equal(g_hash_table_lookup(copy, thing_name(end->pdata[i])), end->pdata[i]));
    }
  }
  return NULL;
}

static void test_concurrency(gconstpointer on_disk) {
  char *path = on_disk != NULL ? folder_new() : NULL;
  FerryStore *store = must_open(path, NULL);
  for (guint i = 0; i < OBJECTS; i++) {
    g_autofree char *name = g_strdup_printf("o%u", i);
    must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", name, 0);
  }
  Worker workers[WRITERS + WATCHERS];
  pthread_t threads[WRITERS + WATCHERS];
  for (guint i = 0; i < WRITERS + WATCHERS; i++) {
    workers[i] = (Worker){store, i};
    g_assert_cmpint(
        pthread_create(&threads[i], NULL, i < WRITERS ? writer_run : watcher_run, &workers[i]), ==,
        0);
  }
  for (guint i = 0; i < WRITERS + WATCHERS; i++)
    pthread_join(threads[i], NULL);
  gint64 sum = 0;
  for (guint i = 0; i < OBJECTS; i++) {
    g_autofree char *name = g_strdup_printf("o%u", i);
    sum += stored_value(store, &kind_vm, "ns", name);
  }
  g_assert_cmpint(sum, ==, WRITERS * ROUNDS);
  ferry_store_free(store);
  if (path != NULL)
    folder_remove(path);
}

/* A wake function may not write; and is not called once its watch is gone. */
typedef struct {
  FerryStore *store;
  gint calls;
  gint refused;
} Meddler;

static void meddle(gpointer data) {
  Meddler *meddler = data;
  g_autoptr(GError) error = NULL;
  g_atomic_int_inc(&meddler->calls);
  try_write(meddler->store, FERRY_WRITE_CREATE, &kind_vm, "ns", "meddler", 1, 0, FALSE, &error);
  if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INTERNAL))
    g_atomic_int_inc(&meddler->refused);
}

static void test_wake(void) {
  g_autoptr(FerryStore) store = must_open(NULL, NULL);
  Meddler meddler = {store, 0, 0};
  FerryWatch *watch = ferry_store_watch(store, &kind_vm, NULL, 1, meddle, &meddler, NULL);
  must_write(store, FERRY_WRITE_CREATE, &kind_host, "", "h", 1); /* does not concern it */
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  gint64 end = g_get_monotonic_time() + DEADLINE_US;
  while (g_atomic_int_get(&meddler.refused) == 0 && g_get_monotonic_time() < end)
    g_thread_yield();
  ferry_watch_free(watch);
  g_assert_cmpint(meddler.calls, ==, 1);
  g_assert_cmpint(meddler.refused, ==, 1);
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2);
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 3);
  g_assert_cmpint(meddler.calls, ==, 1);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "meddler"), ==, -1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/watch/filters-and-types", test_filters_and_types);
  g_test_add_func("/watch/expiry", test_expiry);
  g_test_add_func("/watch/expiry-by-bytes", test_expiry_by_bytes);
  g_test_add_func("/watch/wake", test_wake);
  g_test_add_data_func("/watch/concurrency/memory", NULL, test_concurrency);
  g_test_add_data_func("/watch/concurrency/sqlite", "disk", test_concurrency);
  return g_test_run();
}
