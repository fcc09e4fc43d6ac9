// SPDX-License-Identifier: Apache-2.0
// The database under SIGKILL, a full disk, a second process and files that are not what they
// should be. Children of the test write until they are killed; what they had said was stored must
// be there.
#include "helper.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void refused(const char *path, const char *word) {
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_store_open(path, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  if (strstr(error->message, word) == NULL || strstr(error->message, path) == NULL)
    g_error("\"%s\" does not say \"%s\" and the path", error->message, word);
}

static gint synced;

/* In place of the C library's, which SQLite calls: a disk's own promise is counted. */
int fdatasync(int fd) {
  g_atomic_int_inc(&synced);
  return fsync(fd);
}

/* What was acknowledged is on the disk, not on its way there: a machine may lose its power. */
static void test_synchronous(void) {
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  for (int i = 2; i < 6; i++) {
    gint before = g_atomic_int_get(&synced);
    must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", i);
    g_assert_cmpint(g_atomic_int_get(&synced), >, before);
  }
  ferry_store_free(store);
  folder_remove(path);
}

static void test_reopen(void) {
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  gint64 a = must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "b", 3);
  gint64 gone = must_write(store, FERRY_WRITE_DELETE, &kind_vm, "ns", "b", 0);
  ferry_store_free(store);
  struct stat info;
  g_assert_cmpint(stat(path, &info), ==, 0);
  g_assert_cmpuint(info.st_mode & 0777, ==, 0600);

  store = must_open(path, NULL);
  g_assert_cmpint(ferry_store_revision(store), ==, gone);
  json_auto_t *object = ferry_store_get(store, &kind_vm, "ns", "a");
  g_assert_cmpint(thing_revision(object), ==, a);
  g_assert_cmpint(thing_value(object), ==, 2);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "b"), ==, -1);
  /* what was before cannot be watched: the log begins here */
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_store_watch(store, NULL, NULL, a, NULL, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_assert_cmpint(must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 4), ==, gone + 1);
  ferry_store_free(store);
  folder_remove(path);
}

/* Strings that JSON and SQL could stumble over come back as they went in. */
static void test_odd_text(void) {
  static const char odd[] = "it's \"quoted\" \\ \n \xe2\x86\x92 \xf0\x9f\x9a\xa2";
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  json_auto_t *object = thing("a", NULL, G_MAXINT64);
  json_object_set_new(object, odd, json_stringn("nul\0inside", 10));
  json_object_set_new(object, "real", json_real(0.1));
  FerryWrite write = {FERRY_WRITE_CREATE, &kind_vm, odd, odd, object, 0, FALSE};
  g_assert_true(ferry_store_commit(store, &write, 1, NULL, NULL));
  json_auto_t *before = ferry_store_get(store, &kind_vm, odd, odd);
  ferry_store_free(store);
  store = must_open(path, NULL);
  json_auto_t *after = ferry_store_get(store, &kind_vm, odd, odd);
  g_assert_true(json_equal(before, after));
  ferry_store_free(store);
  folder_remove(path);
}

static void test_second_opener(void) {
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  g_autofree char *pid = g_strdup_printf("pid %d;", (int)getpid());
  refused(path, pid);
  /* nor may another program write to it */
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, "DELETE FROM objects", NULL, NULL, NULL), ==, SQLITE_BUSY);
  sqlite3_close(db);
  ferry_store_free(store);
  store = must_open(path, NULL);
  ferry_store_free(store);
  folder_remove(path);
}

static void run_sql(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  char *problem = NULL;
  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  sqlite3_exec(db, sql, NULL, NULL, &problem);
  g_assert_cmpstr(problem, ==, NULL);
  sqlite3_close(db);
}

static void test_wrong_files(void) {
  char *path = folder_new();
  g_assert_true(g_file_set_contents(path,
                                    "this is not a database, but it is long enough to be "
                                    "read as the header of one, which it is not at all.....",
                                    -1, NULL));
  refused(path, "restore it from a backup");
  g_unlink(path);

  run_sql(path, "CREATE TABLE bookmarks (url TEXT)");
  refused(path, "another program");
  g_unlink(path);

  ferry_store_free(must_open(path, NULL));
  run_sql(path, "UPDATE ferry_store SET value = 99 WHERE key = 'schema_version'");
  refused(path, "version 99");
  run_sql(path, "UPDATE ferry_store SET value = 1 WHERE key = 'schema_version';"
                "INSERT INTO objects VALUES ('kubevirt.io', 'vms', 'ns', 'broken', 5, '{\"a\":')");
  refused(path, "\"broken\"");
  run_sql(path, "DELETE FROM objects; DELETE FROM ferry_store WHERE key = 'high_water_revision'");
  refused(path, "newest revision is missing");

  g_autofree char *nowhere = g_strconcat(path, ".d/missing/store.db", NULL);
  refused(nowhere, "check that the folder exists");
  folder_remove(path);
}

/* A page in the middle is overwritten. */
static void test_damage(void) {
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  for (int i = 0; i < 500; i++) {
    g_autofree char *name = g_strdup_printf("o%d", i);
    must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", name, i);
  }
  ferry_store_free(store);
  g_autofree char *junk = g_strnfill(4096, 'x');
  int fd = open(path, O_RDWR);
  g_assert_cmpint(pwrite(fd, junk, 4096, 4096L * 5), ==, 4096);
  close(fd);
  refused(path, "damaged");
  folder_remove(path);
}

/* Killed at any moment: a child writes and tells what was acknowledged; what it told must be there.
 *
 * Each of its threads has one object. Its n-th write leaves it with value n, but each tenth deletes
 * it. One thread adds progress, whose revisions must never be given out again. */

#define CRASH_ROUNDS 20
#define CRASH_THREADS 3

typedef struct {
  gint64 revision;
  gint32 thread;
  gint32 step;
} Told;

typedef struct {
  FerryStore *store;
  gint32 thread, step;
  int pipe;
} Crasher;

static void tell(Crasher *crasher, gint64 revision) {
  Told told = {revision, crasher->thread, crasher->step};
  if (revision == 0 || write(crasher->pipe, &told, sizeof told) != sizeof told)
    _exit(3);
}

static void *crasher_run(void *data) {
  Crasher *crasher = data;
  g_autofree char *name = g_strdup_printf("o%d", crasher->thread);
  for (;;) {
    gint32 now = ++crasher->step;
    FerryWriteOp op = now % 10 == 0   ? FERRY_WRITE_DELETE
                      : now % 10 == 1 ? FERRY_WRITE_CREATE
                                      : FERRY_WRITE_UPDATE;
    tell(crasher, must_write(crasher->store, op, &kind_vm, "ns", name, now));
    if (now % 10 != 0 && crasher->thread == 0) {
      json_auto_t *object = ferry_store_get(crasher->store, &kind_vm, "ns", name);
      json_auto_t *progress = json_deep_copy(object);
      json_object_set_new(progress, "progress", json_integer(now));
      FerryWrite write = {FERRY_WRITE_UPDATE, &kind_vm, "ns", name, progress, 0, TRUE};
      if (!ferry_store_commit(crasher->store, &write, 1, NULL, NULL))
        _exit(4);
      tell(crasher, ferry_store_revision(crasher->store));
    }
  }
  return NULL;
}

static void crash_child(const char *path, int pipe, const gint32 *steps) {
  FerryStoreOptions options = {.telemetry_ms = 3};
  FerryStore *store = must_open(path, &options);
  Crasher crashers[CRASH_THREADS];
  pthread_t threads[CRASH_THREADS];
  for (gint32 i = 0; i < CRASH_THREADS; i++) {
    crashers[i] = (Crasher){store, i, steps[i], pipe};
    pthread_create(&threads[i], NULL, crasher_run, &crashers[i]);
  }
  for (int i = 0; i < CRASH_THREADS; i++)
    pthread_join(threads[i], NULL);
}

static gint64 value_after(gint32 step) {
  return step % 10 == 0 ? -1 : step;
}

static void test_kill(void) {
  char *path = folder_new();
  gint32 steps[CRASH_THREADS] = {0};
  gint64 newest = 0;
  guint acknowledged = 0;
  for (int round = 0; round < CRASH_ROUNDS; round++) {
    int ends[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      crash_child(path, ends[1], steps);
      _exit(0);
    }
    close(ends[1]);
    /* killed after a random number of answers, so at a random point of some transaction */
    guint until = (guint)g_test_rand_int_range(1, 150), heard = 0;
    Told told;
    while (read(ends[0], &told, sizeof told) == sizeof told) {
      if (++heard == until)
        kill(child, SIGKILL);
      steps[told.thread] = MAX(steps[told.thread], told.step);
      newest = MAX(newest, told.revision);
    }
    int status = 0;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
    close(ends[0]);
    acknowledged += heard;

    FerryStore *store = must_open(path, NULL);
    g_assert_cmpint(ferry_store_revision(store), >=, newest);
    for (gint32 i = 0; i < CRASH_THREADS; i++) {
      g_autofree char *name = g_strdup_printf("o%d", i);
      gint64 value = stored_value(store, &kind_vm, "ns", name);
      /* the last one told, or the one that was under way */
      if (value == value_after(steps[i] + 1))
        steps[i]++;
      else
        g_assert_cmpint(value, ==, value_after(steps[i]));
    }
    if (round % 4 != 0) /* a clean end between some of the kills, so that both starts are tried */
      ferry_store_free(store);
    else {
      gint64 revision = must_write(store, FERRY_WRITE_CREATE, &kind_host, "", "h", round);
      g_assert_cmpint(revision, >, newest);
      must_write(store, FERRY_WRITE_DELETE, &kind_host, "", "h", round);
      newest = ferry_store_revision(store);
      ferry_store_free(store);
    }
  }
  g_test_message("%u acknowledged writes over %d kills", acknowledged, CRASH_ROUNDS);
  folder_remove(path);
}

/* Disks that end */

static gboolean write_big(FerryStore *store, const char *name, GError **error) {
  g_autofree char *filling = g_strnfill(20000, 'f');
  json_auto_t *object = thing(name, NULL, 1);
  json_object_set_new(object, "filling", json_string(filling));
  FerryWrite write = {FERRY_WRITE_CREATE, &kind_vm, "ns", name, object, 0, FALSE};
  return ferry_store_commit(store, &write, 1, NULL, error);
}

/* Fills the disk; returns how many objects went in. The next one was refused. */
static guint fill(FerryStore *store) {
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *name = g_strdup_printf("o%04u", i);
    g_autoptr(GError) error = NULL;
    gint64 before = ferry_store_revision(store);
    if (write_big(store, name, &error))
      continue;
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "free space"));
    g_assert_cmpint(ferry_store_revision(store), ==, before);
    g_assert_cmpint(stored_value(store, &kind_vm, "ns", name), ==, -1);
    return i;
  }
  g_assert_not_reached();
}

/* A small object of kind_vm. */
static gboolean write_small(FerryStore *store, FerryWriteOp op, const char *name, gboolean frees,
                            GError **error) {
  json_auto_t *object = thing(name, NULL, 7);
  FerryWrite write = {.op = op,
                      .kind = &kind_vm,
                      .ns = "ns",
                      .name = name,
                      .object = op == FERRY_WRITE_DELETE ? NULL : object,
                      .frees = frees};
  return ferry_store_commit(store, &write, 1, NULL, error);
}

static void check_filled(FerryStore *store, guint wanted) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &kind_vm, NULL, NULL);
  g_assert_cmpuint(all->len, ==, wanted);
}

/* Writes fail beyond a size of file (as with a quota); then it is lifted. */
static void test_file_limit(void) {
  char *path = folder_new();
  FerryStore *store = must_open(path, NULL);
  struct rlimit old, small;
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  small = (struct rlimit){300 * 1024, old.rlim_max};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  guint n = fill(store);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
  signal(SIGXFSZ, handler);
  g_assert_cmpuint(n, >, 2);
  check_filled(store, n);
  g_autoptr(GError) error = NULL;
  g_assert_true(write_big(store, "after", &error));
  g_assert_no_error(error);
  ferry_store_free(store);
  store = must_open(path, NULL);
  check_filled(store, n + 1);
  ferry_store_free(store);
  folder_remove(path);
}

/* A file system of 2 MiB of this test's own; in a child, so that its mount goes with it. */
static void test_full_disk(void) {
  g_autofree char *folder = g_dir_make_tmp("ferry-full-XXXXXX", NULL);
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("ferry-test", folder, "tmpfs", 0, "size=2m") != 0)
      _exit(77);
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autofree char *ballast = g_build_filename(folder, "ballast", NULL);
    g_autofree char *weight = g_strnfill(300 * 1024, 'b');
    if (!g_file_set_contents(ballast, weight, -1, NULL))
      _exit(1);
    FerryStore *store = must_open(path, NULL);
    guint n = fill(store);
    check_filled(store, n);
    g_unlink(ballast);
    g_autoptr(GError) error = NULL;
    g_assert_true(write_big(store, "after", &error));
    ferry_store_free(store);
    store = must_open(path, NULL);
    check_filled(store, n + 1);
    ferry_store_free(store);
    _exit(n > 2 ? 0 : 2);
  }
  int status = 0;
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_rmdir(folder);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    g_test_skip("mounting needs root");
    return;
  }
  g_assert_cmpint(status, ==, 0);
}

/* What room there is left for small objects, too. */
static void fill_rest(FerryStore *store) {
  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf("s%05u", i);
    g_autoptr(GError) error = NULL;
    if (write_small(store, FERRY_WRITE_CREATE, name, FALSE, &error))
      continue;
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
    return;
  }
}

static void frees_on_a_full_disk(const char *path) {
  FerryStore *store = must_open(path, NULL);
  guint n = fill(store);
  fill_rest(store);
  g_autofree char *why = NULL;
  g_assert_false(ferry_store_is_healthy(store, &why));
  g_assert_nonnull(strstr(why, "free space"));
  g_autoptr(GError) error = NULL;
  g_assert_false(write_small(store, FERRY_WRITE_UPDATE, "o0000", FALSE, &error));
  g_clear_error(&error);
  g_assert_true(write_small(store, FERRY_WRITE_UPDATE, "o0000", TRUE, &error)); /* a cancel */
  g_assert_no_error(error);
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("o%04u", i);
    write_small(store, FERRY_WRITE_DELETE, name, FALSE, &error);
    g_assert_no_error(error);
  }
  /* the store looks itself whether it can write again */
  gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  while (!ferry_store_is_healthy(store, NULL) && g_get_monotonic_time() < deadline)
    g_usleep(50000);
  g_assert_true(ferry_store_is_healthy(store, NULL));
  g_assert_true(write_big(store, "after", &error));
  FerryStoreStats stats;
  ferry_store_stats(store, &stats);
  g_assert_cmpuint(stats.failed_transactions, >, 0);
  guint64 objects = stats.objects;
  ferry_store_free(store);
  store = must_open(path, NULL);
  ferry_store_stats(store, &stats);
  g_assert_cmpuint(stats.objects, ==, objects);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "o0000"), ==, -1);
  g_assert_cmpint(stored_value(store, &kind_vm, "ns", "after"), ==, 1);
  ferry_store_free(store);
}

/* Deletes and cancels go through where nothing else does, and make room again. */
static void test_full_disk_frees(void) {
  g_autofree char *folder = g_dir_make_tmp("ferry-full-XXXXXX", NULL);
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("ferry-test", folder, "tmpfs", 0, "size=12m") != 0)
      _exit(77);
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    frees_on_a_full_disk(path);
    _exit(0);
  }
  int status = 0;
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_rmdir(folder);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    g_test_skip("mounting needs root");
    return;
  }
  g_assert_cmpint(status, ==, 0);
}

static void test_quota(void) {
  FerryStoreOptions options = {.max_objects = 5, .max_bytes = 30000};
  char *path = folder_new();
  FerryStore *store = must_open(path, &options);
  g_autoptr(GError) error = NULL;
  g_assert_true(write_big(store, "a", &error));
  g_assert_false(write_big(store, "b", &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS);
  g_assert_nonnull(strstr(error->message, "at most 30000"));
  g_clear_error(&error);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *name = g_strdup_printf("s%u", i);
    must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", name, 1);
  }
  g_assert_false(write_small(store, FERRY_WRITE_CREATE, "t", FALSE, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS);
  g_assert_nonnull(strstr(error->message, "at most 5"));
  must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "s1", 2);
  must_write(store, FERRY_WRITE_DELETE, &kind_vm, "ns", "a", 0);
  must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "t", 1);
  ferry_store_free(store);
  folder_remove(path);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  /* a disk that fails is logged as a warning */
  g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func("/sqlite/synchronous", test_synchronous);
  g_test_add_func("/sqlite/reopen", test_reopen);
  g_test_add_func("/sqlite/odd-text", test_odd_text);
  g_test_add_func("/sqlite/second-opener", test_second_opener);
  g_test_add_func("/sqlite/wrong-files", test_wrong_files);
  g_test_add_func("/sqlite/damage", test_damage);
  g_test_add_func("/sqlite/kill", test_kill);
  g_test_add_func("/sqlite/file-limit", test_file_limit);
  g_test_add_func("/sqlite/full-disk", test_full_disk);
  g_test_add_func("/sqlite/full-disk-frees", test_full_disk_frees);
  g_test_add_func("/sqlite/quota", test_quota);
  return g_test_run();
}
