// SPDX-License-Identifier: Apache-2.0
// The writer thread on a backend that the test holds up, makes fail and looks into. So what is
// committed together, and what is told when it fails, does not depend on time.
#include "helper.h"
#include "store/open_backend.h"

#define DEADLINE_US (20 * G_USEC_PER_SEC)

typedef struct {
  FerryBackend backend;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean held, failing;
  guint inside, applied; /* transactions begun, transactions done */
  gint64 mark;
  GHashTable *values; /* "ns/name" -> value + 1 */
} Probe;

static void wait_until(Probe *probe, guint *counter, guint at_least) {
  pthread_mutex_lock(&probe->lock);
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 20;
  while (*counter < at_least)
    g_assert_cmpint(pthread_cond_timedwait(&probe->changed, &probe->lock, &end), ==, 0);
  pthread_mutex_unlock(&probe->lock);
}

static gboolean probe_load(FerryBackend *backend, FerryBackendLoadFunc row, gpointer user,
                           gint64 *high_water, GError **error) {
  *high_water = 0;
  return TRUE;
}

static gboolean probe_apply(FerryBackend *backend, const FerryBackendRow *rows, gsize n,
                            gint64 high_water, GError **error) {
  Probe *probe = (Probe *)backend;
  pthread_mutex_lock(&probe->lock);
  probe->inside++;
  pthread_cond_broadcast(&probe->changed);
  while (probe->held)
    pthread_cond_wait(&probe->changed, &probe->lock);
  gboolean ok = !probe->failing;
  for (gsize i = 0; ok && i < n; i++) {
    char *key = g_strdup_printf("%s/%s", rows[i].ns, rows[i].name);
    if (rows[i].data == NULL) {
      g_hash_table_remove(probe->values, key);
      g_free(key);
      continue;
    }
    json_auto_t *object = json_loadb(rows[i].data, rows[i].len, 0, NULL);
    g_hash_table_replace(probe->values, key, GINT_TO_POINTER(thing_value(object) + 1));
  }
  if (ok) {
    probe->mark = high_water;
    probe->applied++;
  } else {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the disk is full");
  }
  pthread_cond_broadcast(&probe->changed);
  pthread_mutex_unlock(&probe->lock);
  return ok;
}

static void probe_close(FerryBackend *backend) {
}

static FerryStore *probe_open(Probe *probe, guint telemetry_ms) {
  *probe = (Probe){.backend = {TRUE, probe_load, probe_apply, probe_close}};
  pthread_mutex_init(&probe->lock, NULL);
  pthread_cond_init(&probe->changed, NULL);
  probe->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  FerryStoreOptions options = {.telemetry_ms = telemetry_ms};
  FerryStore *store = ferry_store_open_backend(&probe->backend, &options, NULL);
  g_assert_nonnull(store);
  return store;
}

static void probe_clear(Probe *probe) {
  g_hash_table_unref(probe->values);
  pthread_cond_destroy(&probe->changed);
  pthread_mutex_destroy(&probe->lock);
}

static void probe_set(Probe *probe, gboolean *flag, gboolean value) {
  pthread_mutex_lock(&probe->lock);
  *flag = value;
  pthread_cond_broadcast(&probe->changed);
  pthread_mutex_unlock(&probe->lock);
}

/* What is on "disk": -1 for nothing. */
static gint64 kept_value(Probe *probe, const char *key) {
  pthread_mutex_lock(&probe->lock);
  gint64 value = GPOINTER_TO_INT(g_hash_table_lookup(probe->values, key)) - 1;
  pthread_mutex_unlock(&probe->lock);
  return value;
}

static void wait_queued(FerryStore *store, guint wanted) {
  gint64 end = g_get_monotonic_time() + DEADLINE_US;
  for (guint n = 0; n < wanted;) {
    g_assert_cmpint(g_get_monotonic_time(), <, end);
    n = 0;
    pthread_mutex_lock(&store->queue_lock);
    for (FerryStoreRequest *request = store->queue_first; request != NULL; request = request->next)
      n++;
    pthread_mutex_unlock(&store->queue_lock);
    g_thread_yield();
  }
}

typedef struct {
  FerryStore *store;
  FerryWriteOp op;
  char name[16];
  gboolean telemetry;
  gint64 revision;
  GError *error;
  pthread_t thread;
} Caller;

static void *caller_run(void *data) {
  Caller *caller = data;
  caller->revision = try_write(caller->store, caller->op, &kind_vm, "ns", caller->name, 5, 0,
                               caller->telemetry, &caller->error);
  return NULL;
}

static void caller_start(Caller *caller, FerryStore *store, FerryWriteOp op, const char *name,
                         gboolean telemetry) {
  *caller = (Caller){.store = store, .op = op, .telemetry = telemetry};
  g_strlcpy(caller->name, name, sizeof caller->name);
  g_assert_cmpint(pthread_create(&caller->thread, NULL, caller_run, caller), ==, 0);
}

static void test_group_commit(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 0);
  probe_set(&probe, &probe.held, TRUE);
  Caller first, others[8];
  caller_start(&first, store, FERRY_WRITE_CREATE, "first", FALSE);
  wait_until(&probe, &probe.inside, 1);
  for (int i = 0; i < 8; i++) {
    g_autofree char *name = g_strdup_printf("o%d", i);
    /* the last two want what is taken or missing: they must not disturb the others */
    caller_start(&others[i], store, i == 7 ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                 i == 6 ? "first" : name, FALSE);
  }
  wait_queued(store, 8);
  /* Nothing is shown before it is kept. */
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "first"), ==, -1);
  g_assert_cmpint(ferry_store_revision(store), ==, 1);
  probe_set(&probe, &probe.held, FALSE);
  pthread_join(first.thread, NULL);
  for (int i = 0; i < 8; i++)
    pthread_join(others[i].thread, NULL);
  g_assert_cmpint(first.revision, ==, 2);
  for (int i = 0; i < 6; i++)
    g_assert_no_error(others[i].error);
  g_assert_error(others[6].error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS);
  g_assert_error(others[7].error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_clear_error(&others[6].error);
  g_clear_error(&others[7].error);
  g_assert_cmpuint(probe.applied, ==, 2);
  g_assert_cmpint(ferry_store_revision(store), ==, 8);
  ferry_store_free(store);
  g_assert_cmpint(probe.mark, ==, 8);
  g_assert_cmpint(kept_value(&probe, "ns/o5"), ==, 5);
  probe_clear(&probe);
}

static void test_failed_transaction(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 0);
  g_autoptr(GError) error = NULL;
  gint64 before = must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  FerryWatch *watch = ferry_store_watch(store, NULL, NULL, before, NULL, NULL, &error);
  probe_set(&probe, &probe.failing, TRUE);
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2, 0, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_clear_error(&error);
  try_write(store, FERRY_WRITE_DELETE, &kind_vm, "ns", "a", 0, 0, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_clear_error(&error);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "a"), ==, 1);
  g_assert_cmpint(ferry_store_revision(store), ==, before);
  g_assert_null(ferry_watch_next(watch, &error));
  g_assert_no_error(error);
  /* Progress goes on in memory. */
  gint64 progress =
      try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 3, before, TRUE, &error);
  g_assert_no_error(error);
  probe_set(&probe, &probe.failing, FALSE);
  gint64 after =
      try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 4, progress, FALSE, &error);
  g_assert_no_error(error);
  g_assert_cmpint(after, >, before + 2); /* the refused ones' numbers are never used again */
  g_autoptr(FerryChange) one = ferry_watch_next(watch, &error);
  g_autoptr(FerryChange) two = ferry_watch_next(watch, &error);
  g_assert_cmpint(one->revision, ==, progress);
  g_assert_cmpint(two->revision, ==, after);
  g_auto(FerrySeen) seen = ferry_change_see(two);
  g_assert_cmpint(thing_value(seen.previous), ==, 3);
  ferry_watch_free(watch);
  ferry_store_free(store);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 4);
  probe_clear(&probe);
}

static void test_telemetry_waits_in_memory(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 3600 * 1000);
  g_autoptr(GError) error = NULL;
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "b", 1);
  for (gint64 value = 10; value < 20; value++)
    try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", value, 0, TRUE, &error);
  g_assert_no_error(error);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "a"), ==, 19);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 1);
  g_assert_cmpuint(probe.applied, ==, 2);
  /* goes along with the next transaction */
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "b", 2);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 19);
  g_assert_cmpuint(probe.applied, ==, 3);
  /* a durable write that changes nothing is durable all the same */
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 30, 0, TRUE, &error);
  gint64 revision = ferry_store_revision(store);
  g_assert_cmpint(must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 30), ==, revision);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 30);
  /* and one that changes nothing of what is kept needs no transaction */
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 30);
  g_assert_cmpuint(probe.applied, ==, 4);
  /* a deleted object's progress does not come back */
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 31, 0, TRUE, &error);
  must_write(store, FERRY_WRITE_DELETE, &kind_vm, "ns", "a", 0);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, -1);
  /* create and delete are durable whatever they say */
  try_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "c", 1, 0, TRUE, &error);
  g_assert_cmpint(kept_value(&probe, "ns/c"), ==, 1);
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "c", 2, 0, TRUE, &error);
  ferry_store_free(store); /* a clean end keeps all */
  g_assert_cmpint(kept_value(&probe, "ns/c"), ==, 2);
  g_assert_no_error(error);
  probe_clear(&probe);
}

static void test_telemetry_is_kept_in_time(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 20);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2, 0, TRUE, NULL);
  wait_until(&probe, &probe.applied, 2);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 2);
  /* again, and after a failure once more */
  probe_set(&probe, &probe.failing, TRUE);
  try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 3, 0, TRUE, NULL);
  wait_until(&probe, &probe.inside, 4);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 2);
  probe_set(&probe, &probe.failing, FALSE);
  wait_until(&probe, &probe.applied, 3);
  g_assert_cmpint(kept_value(&probe, "ns/a"), ==, 3);
  ferry_store_free(store);
  probe_clear(&probe);
}

/* Numbers of telemetry stay below the durable mark, at whatever pace. */
static void test_telemetry_reserves(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 3600 * 1000);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0);
  for (gint64 value = 1; value <= FERRY_STORE_RESERVE * 2 + 10; value++) {
    gint64 revision =
        try_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", value, 0, TRUE, NULL);
    if (value % 500 < 2 || value > FERRY_STORE_RESERVE * 2)
      g_assert_cmpint(revision, <=, probe.mark);
  }
  g_assert_cmpuint(probe.applied, >=, 3);
  g_assert_cmpuint(probe.applied, <=, 5);
  ferry_store_free(store);
  probe_clear(&probe);
}

/* Progress that waits with a slow durable write is shown before that one's transaction ends. */
static void test_telemetry_goes_first(void) {
  Probe probe;
  FerryStore *store = probe_open(&probe, 3600 * 1000);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0);
  probe_set(&probe, &probe.held, TRUE);
  Caller first, durable, progress;
  caller_start(&first, store, FERRY_WRITE_CREATE, "first", FALSE);
  wait_until(&probe, &probe.inside, 2);
  caller_start(&durable, store, FERRY_WRITE_CREATE, "second", FALSE);
  wait_queued(store, 1);
  caller_start(&progress, store, FERRY_WRITE_UPDATE, "a", TRUE);
  wait_queued(store, 2);
  probe_set(&probe, &probe.held, FALSE);
  pthread_join(first.thread, NULL);
  pthread_join(progress.thread, NULL);
  pthread_join(durable.thread, NULL);
  g_assert_no_error(progress.error);
  g_assert_cmpint(progress.revision, <, durable.revision);
  ferry_store_free(store);
  probe_clear(&probe);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  /* a warning about progress that cannot be written is part of these tests */
  g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func("/writer/group-commit", test_group_commit);
  g_test_add_func("/writer/failed-transaction", test_failed_transaction);
  g_test_add_func("/writer/telemetry-waits-in-memory", test_telemetry_waits_in_memory);
  g_test_add_func("/writer/telemetry-is-kept-in-time", test_telemetry_is_kept_in_time);
  g_test_add_func("/writer/telemetry-reserves", test_telemetry_reserves);
  g_test_add_func("/writer/telemetry-goes-first", test_telemetry_goes_first);
  return g_test_run();
}
