// SPDX-License-Identifier: Apache-2.0
// How fast the store is: durable commits by 1 to 64 threads, telemetry, reads, and lists of many
// objects. Prints one line a figure: name, value, unit. Usage: store-bench [FOLDER [OBJECTS]]; the
// database is made in FOLDER (default: the current one) and removed.
#include "store/store.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <stdlib.h>

static const FerryKind kind = {
    .group = "bench", .version = "v1", .kind = "Thing", .plural = "things", .namespaced = TRUE};

typedef struct {
  FerryStore *store;
  guint first, n;
  FerryWriteOp op;
  gboolean telemetry;
  pthread_t thread;
} Job;

static json_t *thing(guint i, guint value) {
  json_t *object = json_object();
  g_autofree char *name = g_strdup_printf("thing-%07u", i);
  json_object_set_new(object, "metadata", json_pack("{s:s, s:s}", "name", name, "uid", name));
  json_t *spec = json_object();
  for (int field = 0; field < 30; field++) {
    g_autofree char *key = g_strdup_printf("field%d", field);
    json_object_set_new(spec, key, json_string("about thirty characters of text"));
  }
  json_object_set_new(object, "spec", spec);
  json_object_set_new(object, "value", json_integer(value));
  return object;
}

static void write_one(FerryStore *store, FerryWriteOp op, guint i, guint value,
                      gboolean telemetry) {
  g_autoptr(GError) error = NULL;
  json_auto_t *object = thing(i, value);
  const char *name =
      json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
  FerryWrite write = {op, &kind, "default", name, object, 0, telemetry};
  if (!ferry_store_commit(store, &write, 1, NULL, &error)) {
    g_printerr("store-bench: %s\n", error->message);
    exit(1);
  }
}

static void *job_run(void *data) {
  Job *job = data;
  for (guint i = 0; i < job->n; i++) {
    guint which = job->op == FERRY_WRITE_CREATE ? job->first + i : job->first;
    write_one(job->store, job->op, which, i, job->telemetry);
  }
  return NULL;
}

static double run_jobs(FerryStore *store, guint threads, guint each, guint first, FerryWriteOp op,
                       gboolean telemetry) {
  g_autofree Job *jobs = g_new0(Job, threads);
  gint64 start = g_get_monotonic_time();
  for (guint i = 0; i < threads; i++) {
    guint from = first + i * (op == FERRY_WRITE_CREATE ? each : 1);
    jobs[i] = (Job){.store = store, .first = from, .n = each, .op = op, .telemetry = telemetry};
    pthread_create(&jobs[i].thread, NULL, job_run, &jobs[i]);
  }
  for (guint i = 0; i < threads; i++)
    pthread_join(jobs[i].thread, NULL);
  return threads * each / ((double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}

static FerryStore *open_or_exit(const char *path) {
  g_autoptr(GError) error = NULL;
  FerryStore *store = ferry_store_open(path, NULL, &error);
  if (store == NULL) {
    g_printerr("store-bench: %s\n", error->message);
    exit(1);
  }
  return store;
}

/* Adds objects to the `made` that are there until there are `objects`. */
static gboolean fill(FerryStore *store, guint made, guint objects) {
  while (made < objects) {
    g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    FerryWrite writes[500] = {0};
    guint n = 0;
    for (; n < G_N_ELEMENTS(writes) && made < objects; n++, made++) {
      json_t *object = thing(made, 0);
      g_ptr_array_add(batch, object);
      writes[n] = (FerryWrite){
          .op = FERRY_WRITE_CREATE,
          .kind = &kind,
          .ns = "default",
          .name = json_string_value(json_object_get(json_object_get(object, "metadata"), "name")),
          .object = object};
    }
    if (!ferry_store_commit(store, writes, n, NULL, NULL))
      return FALSE;
  }
  return TRUE;
}

int main(int argc, char **argv) {
  g_autofree char *path = g_build_filename(argc > 1 ? argv[1] : ".", "store-bench.db", NULL);
  guint objects = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 100000;
  g_autofree char *lock = g_strconcat(path, ".lock", NULL);
  if (g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_printerr("store-bench: \"%s\" exists; remove it or name another folder\n", path);
    return 2;
  }
  FerryStore *store = open_or_exit(path);
  guint made = 0;
  for (guint threads = 1; threads <= 64; threads *= 4) {
    guint each = MAX(2000 / threads, 100);
    double rate = run_jobs(store, threads, each, made, FERRY_WRITE_CREATE, FALSE);
    made += threads * each;
    g_print("durable creates, %2u threads: %10.0f /s\n", threads, rate);
  }
  g_print("telemetry updates, 4 threads: %10.0f /s\n",
          run_jobs(store, 4, 10000, 0, FERRY_WRITE_UPDATE, TRUE));

  gint64 start = g_get_monotonic_time();
  if (!fill(store, made, objects))
    return 1;
  made = MAX(made, objects);
  g_print("filling up to %u objects: %10.1f s\n", made,
          (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);

  start = g_get_monotonic_time();
  for (int i = 0; i < 10; i++)
    g_ptr_array_unref(ferry_store_list(store, &kind, NULL, NULL));
  g_print("list of all objects:         %10.1f ms\n",
          (double)(g_get_monotonic_time() - start) / 10000);
  start = g_get_monotonic_time();
  for (guint i = 0; i < 1000000; i++) {
    char name[32];
    g_snprintf(name, sizeof name, "thing-%07u", i * 7919 % made);
    json_decref(ferry_store_get(store, &kind, "default", name));
  }
  g_print("get by name:                 %10.0f /s\n",
          1e6 / ((double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC));
  g_print("one durable update among them: %8.0f /s\n",
          run_jobs(store, 1, 500, 5, FERRY_WRITE_UPDATE, FALSE));
  FerryStoreStats stats;
  ferry_store_stats(store, &stats);
  g_print("longest commit:              %10.1f ms\n", (double)stats.commit_us_max / 1000);

  ferry_store_free(store);
  start = g_get_monotonic_time();
  store = open_or_exit(path);
  g_print("opening with all objects:    %10.1f s\n",
          (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
  ferry_store_free(store);
  g_unlink(path);
  g_unlink(lock);
  return 0;
}
