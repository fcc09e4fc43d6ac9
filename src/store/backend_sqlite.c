// SPDX-License-Identifier: Apache-2.0
// Rows in one SQLite file. Write-ahead log with synchronous=FULL: a transaction is on the disk when
// it returns, power loss included. The process holds the database for itself in two ways: a flock
// on PATH.lock, which carries the owner's pid so that a second ferryd can name it, and SQLite's
// exclusive locking mode, which keeps other programs from changing rows behind the copy in memory
// (and needs no shared memory file). Both end with the process, however it ends.
//
// A failed statement rolls the whole transaction back. Failures are turned into UNAVAILABLE: the
// caller's request was in order, the disk was not.
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define APPLICATION_ID 0x46727279 /* tells file(1) and us whose database it is */
#define SCHEMA_VERSION 1
/* Twice what the write-ahead log grows to before it is written back (1,000 pages). */
#define RESERVE_BYTES (8 * 1024 * 1024)
#define RESERVE_LEAST (64 * 1024)
#define RESERVE_RETRY_US (10 * G_USEC_PER_SEC)

enum {
  STATEMENT_PUT,
  STATEMENT_DELETE,
  STATEMENT_MARK,
  STATEMENT_BEGIN,
  STATEMENT_COMMIT,
  N_STATEMENTS
};

static const char *const statement_sql[N_STATEMENTS] = {
    "INSERT INTO objects (api_group, resource, namespace, name, revision, data)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (resource, api_group, namespace, name)"
    " DO UPDATE SET revision = excluded.revision, data = excluded.data",
    "DELETE FROM objects WHERE api_group = ?1 AND resource = ?2 AND namespace = ?3 AND name = ?4",
    "UPDATE ferry_store SET value = ?1 WHERE key = 'high_water_revision' AND value IS NOT ?1",
    "BEGIN IMMEDIATE",
    "COMMIT",
};

static const char create_sql[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE ferry_store (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT;"
    "INSERT INTO ferry_store VALUES ('schema_version', 1), ('high_water_revision', 0);"
    "CREATE TABLE objects (api_group TEXT NOT NULL, resource TEXT NOT NULL,"
    " namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, data TEXT NOT NULL,"
    " PRIMARY KEY (resource, api_group, namespace, name)) STRICT;"
    "PRAGMA application_id = 1181905529;"
    "COMMIT;";
G_STATIC_ASSERT(APPLICATION_ID == 1181905529);

typedef struct {
  FerryBackend backend;
  char *path;
  int lock_fd;
  gint64
      reserve_us; /* monotonic: when to look again whether the reserve can be made; -1: it is there
                   */
  sqlite3 *db;
  sqlite3_stmt *statements[N_STATEMENTS];
} SqliteBackend;

/* Errors */

static gboolean fail_db(SqliteBackend *self, const char *doing, GError **error) {
  int code = self->db != NULL ? sqlite3_errcode(self->db) : SQLITE_NOMEM;
  int system_error = 0; /* SQLite keeps the last one even where it is not the cause */
  const char *advice = "see the system's log, then try again";
  struct statvfs space;
  g_autofree char *room = NULL;
  switch (code & 0xff) {
  case SQLITE_FULL:
  case SQLITE_IOERR:
    system_error = sqlite3_system_errno(self->db);
    if (statvfs(self->path, &space) == 0)
      room = g_strdup_printf(" (its file system has %" G_GUINT64_FORMAT " KiB free)",
                             (guint64)space.f_bavail * space.f_frsize / 1024);
    advice = "nothing of this request was changed; free space or repair the disk, then try again";
    break;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    advice =
        "another program has this database open; close it (copies are made of a stopped store)";
    break;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    advice = "the file is damaged or not a database; restore it from a backup";
    break;
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_AUTH:
  case SQLITE_READONLY:
    advice = "check that the folder exists and that this user may write the file and the folder";
    break;
  default:
    break;
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "store \"%s\": cannot %s: %s%s%s%s; %s",
              self->path, doing, self->db != NULL ? sqlite3_errmsg(self->db) : "no memory",
              system_error != 0 ? ": " : "", system_error != 0 ? g_strerror(system_error) : "",
              room != NULL ? room : "", advice);
  return FALSE;
}

static gboolean fail_text(SqliteBackend *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static gboolean fail_text(SqliteBackend *self, GError **error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "store \"%s\": %s", self->path, text);
  return FALSE;
}

/* Opening */

static gboolean lock_file(SqliteBackend *self, GError **error) {
  g_autofree char *path = g_strconcat(self->path, ".lock", NULL);
  self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->lock_fd < 0)
    return fail_text(self, error,
                     "cannot open its lock file \"%s\": %s; check that the folder exists and that "
                     "this user may write to it",
                     path, g_strerror(errno));
  int locked;
  do
    locked = flock(self->lock_fd, LOCK_EX | LOCK_NB);
  while (locked < 0 && errno == EINTR);
  if (locked < 0) {
    char pid[24] = "";
    if (errno != EWOULDBLOCK)
      return fail_text(self, error, "cannot lock \"%s\": %s", path, g_strerror(errno));
    ssize_t got = pread(self->lock_fd, pid, sizeof pid - 1, 0);
    pid[got > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    return fail_text(self, error,
                     "it is in use by the process with pid %s; stop that one first, or give this "
                     "one another state directory",
                     *pid != '\0' ? pid : "unknown");
  }
  g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());
  if (ftruncate(self->lock_fd, 0) < 0 ||
      pwrite(self->lock_fd, own, strlen(own), 0) != (ssize_t)strlen(own))
    return fail_text(self, error, "cannot write \"%s\": %s; free space on its file system", path,
                     g_strerror(errno));
  return TRUE;
}

/* Makes the file itself, so that it is never readable by others, and its name durable. */
static gboolean make_file(SqliteBackend *self, GError **error) {
  int fd = open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail_text(self, error, "cannot open: %s; check that this user may write it",
                     g_strerror(errno));
  close(fd);
  g_autofree char *folder = g_path_get_dirname(self->path);
  fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync(fd) == 0;
  int problem = errno;
  if (fd >= 0)
    close(fd);
  return synced || fail_text(self, error, "cannot make the folder \"%s\" durable: %s", folder,
                             g_strerror(problem));
}

static gboolean backend_sqlite_run(SqliteBackend *self, const char *sql, const char *doing,
                                   GError **error) {
  return sqlite3_exec(self->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_db(self, doing, error);
}

/* The first column of the first row as text (NULL: no row); free with g_free. */
static gboolean backend_sqlite_ask(SqliteBackend *self, const char *sql, const char *doing,
                                   char **answer, GError **error) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  *answer = code == SQLITE_ROW ? g_strdup((const char *)sqlite3_column_text(statement, 0)) : NULL;
  if (code == SQLITE_ROW)
    code = SQLITE_DONE;
  gboolean ok = code == SQLITE_DONE || fail_db(self, doing, error);
  sqlite3_finalize(statement);
  return ok;
}

static gboolean check_schema(SqliteBackend *self, GError **error) {
  g_autofree char *tables = NULL, *application = NULL, *version = NULL;
  if (!backend_sqlite_ask(self, "SELECT count(*) FROM sqlite_master", "read", &tables, error) ||
      !backend_sqlite_ask(self, "PRAGMA application_id", "read", &application, error))
    return FALSE;
  if (g_strcmp0(tables, "0") == 0)
    return backend_sqlite_run(self, create_sql, "make the tables", error);
  if (g_ascii_strtoll(application, NULL, 10) != APPLICATION_ID)
    return fail_text(self, error, "the database belongs to another program; name another file");
  if (!backend_sqlite_ask(self, "SELECT value FROM ferry_store WHERE key = 'schema_version'",
                          "read the schema's version", &version, error))
    return FALSE;
  if (g_ascii_strtoll(version != NULL ? version : "0", NULL, 10) != SCHEMA_VERSION)
    return fail_text(self, error,
                     "the database has schema version %s, this program knows version %d; start the "
                     "version of Ferry that wrote it, or a newer one",
                     version != NULL ? version : "(none)", SCHEMA_VERSION);
  return TRUE;
}

static gboolean check_integrity(SqliteBackend *self, GError **error) {
  g_autofree char *verdict = NULL;
  if (!backend_sqlite_ask(self, "PRAGMA quick_check(1)", "check the database", &verdict, error))
    return FALSE;
  return g_strcmp0(verdict, "ok") == 0 ||
         fail_text(self, error, "the database is damaged (%s); restore it from a backup",
                   verdict != NULL ? verdict : "no verdict");
}

static gboolean open_database(SqliteBackend *self, GError **error) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(self->path, &self->db, flags, NULL) != SQLITE_OK)
    return fail_db(self, "open", error);
  sqlite3_extended_result_codes(self->db, 1);
  g_autofree char *mode = NULL;
  /* Exclusive before the first look into the file: then the write-ahead log needs no -shm file. */
  if (!backend_sqlite_run(self, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;",
                          "open", error) ||
      !backend_sqlite_ask(self, "PRAGMA journal_mode = WAL", "turn on the write-ahead log", &mode,
                          error))
    return FALSE;
  if (g_strcmp0(mode, "wal") != 0)
    return fail_text(self, error,
                     "the file system does not carry a write-ahead log (journal mode is %s); use a "
                     "local one",
                     mode != NULL ? mode : "unknown");
  if (!backend_sqlite_run(self, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;",
                          "open", error))
    return FALSE;
  if (!check_schema(self, error) || !check_integrity(self, error))
    return FALSE;
  for (int i = 0; i < N_STATEMENTS; i++)
    if (sqlite3_prepare_v3(self->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                           &self->statements[i], NULL) != SQLITE_OK)
      return fail_db(self, "prepare its statements", error);
  return TRUE;
}

/* Reading and writing */

static gboolean load_objects(SqliteBackend *self, sqlite3_stmt *select, FerryBackendLoadFunc give,
                             gpointer user, GError **error) {
  int code;
  while ((code = sqlite3_step(select)) == SQLITE_ROW) {
    FerryBackendRow row = {.group = (const char *)sqlite3_column_text(select, 0),
                           .plural = (const char *)sqlite3_column_text(select, 1),
                           .ns = (const char *)sqlite3_column_text(select, 2),
                           .name = (const char *)sqlite3_column_text(select, 3),
                           .revision = sqlite3_column_int64(select, 4),
                           .data = (const char *)sqlite3_column_text(select, 5),
                           .len = (gsize)sqlite3_column_bytes(select, 5)};
    if (row.group == NULL || row.plural == NULL || row.ns == NULL || row.name == NULL ||
        row.data == NULL)
      return fail_db(self, "read an object", error);
    if (!give(&row, user, error)) {
      g_prefix_error(error, "store \"%s\": ", self->path);
      return FALSE;
    }
  }
  return code == SQLITE_DONE || fail_db(self, "read the objects", error);
}

static gboolean sqlite_load(FerryBackend *backend, FerryBackendLoadFunc give, gpointer user,
                            gint64 *high_water, GError **error) {
  SqliteBackend *self = (SqliteBackend *)backend;
  g_autofree char *mark = NULL;
  if (!backend_sqlite_ask(self, "SELECT value FROM ferry_store WHERE key = 'high_water_revision'",
                          "read the newest revision", &mark, error))
    return FALSE;
  if (mark == NULL)
    return fail_text(self, error, "the newest revision is missing; restore it from a backup");
  *high_water = g_ascii_strtoll(mark, NULL, 10);
  sqlite3_stmt *select = NULL;
  if (sqlite3_prepare_v2(self->db,
                         "SELECT api_group, resource, namespace, name, revision, data FROM objects",
                         -1, &select, NULL) != SQLITE_OK)
    return fail_db(self, "read the objects", error);
  gboolean ok = load_objects(self, select, give, user, error);
  sqlite3_finalize(select);
  return ok;
}

static gboolean backend_sqlite_step(SqliteBackend *self, int which) {
  sqlite3_stmt *statement = self->statements[which];
  return sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK;
}

static gboolean write_row(SqliteBackend *self, const FerryBackendRow *row) {
  int which = row->data == NULL ? STATEMENT_DELETE : STATEMENT_PUT;
  sqlite3_stmt *statement = self->statements[which];
  const char *const key[] = {row->group, row->plural, row->ns, row->name};
  for (int i = 0; i < 4; i++)
    if (sqlite3_bind_text(statement, i + 1, key[i], -1, SQLITE_STATIC) != SQLITE_OK)
      return FALSE;
  if (row->data != NULL && (sqlite3_bind_int64(statement, 5, row->revision) != SQLITE_OK ||
                            sqlite3_bind_text64(statement, 6, row->data, row->len, SQLITE_STATIC,
                                                SQLITE_UTF8) != SQLITE_OK))
    return FALSE;
  return backend_sqlite_step(self, which);
}

static gboolean write_all(SqliteBackend *self, const FerryBackendRow *rows, gsize n,
                          gint64 high_water) {
  if (!backend_sqlite_step(self, STATEMENT_BEGIN))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!write_row(self, &rows[i]))
      return FALSE;
  return sqlite3_bind_int64(self->statements[STATEMENT_MARK], 1, high_water) == SQLITE_OK &&
         backend_sqlite_step(self, STATEMENT_MARK) && backend_sqlite_step(self, STATEMENT_COMMIT);
}

/* A file beside the database that is given up when the disk is full, so that what makes room
 * (deletes, cancels) can still be written. It is made again once there is room for several of it.
 */
static char *reserve_path(const SqliteBackend *self) {
  return g_strconcat(self->path, ".reserve", NULL);
}

static void make_reserve(SqliteBackend *self) {
  gint64 now = g_get_monotonic_time();
  struct statvfs space;
  if (self->reserve_us < 0 || now < self->reserve_us)
    return;
  self->reserve_us = now + RESERVE_RETRY_US;
  if (statvfs(self->path, &space) != 0)
    return;
  off_t size = (off_t)MIN(RESERVE_BYTES, (guint64)space.f_bavail * space.f_frsize / 8);
  if (size < RESERVE_LEAST)
    return;
  g_autofree char *path = reserve_path(self);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return;
  if (posix_fallocate(fd, 0, size) == 0)
    self->reserve_us = -1;
  else
    unlink(path);
  close(fd);
}

static void sqlite_release(FerryBackend *backend) {
  SqliteBackend *self = (SqliteBackend *)backend;
  g_autofree char *path = reserve_path(self);
  unlink(path);
  if (self->reserve_us < 0)
    self->reserve_us = g_get_monotonic_time() + RESERVE_RETRY_US;
}

static gboolean sqlite_apply(FerryBackend *backend, const FerryBackendRow *rows, gsize n,
                             gint64 high_water, GError **error) {
  SqliteBackend *self = (SqliteBackend *)backend;
  gboolean ok = write_all(self, rows, n, high_water);
  if (!ok)
    fail_db(self, "write", error);
  for (int i = 0; i < N_STATEMENTS; i++) {
    sqlite3_reset(self->statements[i]);
    sqlite3_clear_bindings(self->statements[i]); /* the rows' memory is the caller's */
  }
  if (!ok && !sqlite3_get_autocommit(self->db))
    sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
  if (ok)
    make_reserve(self);
  return ok;
}

static void sqlite_close(FerryBackend *backend) {
  SqliteBackend *self = (SqliteBackend *)backend;
  for (int i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize(self->statements[i]);
  sqlite3_close(self->db);
  /* The lock file stays: removing it would let two processes lock two files of that name. */
  if (self->lock_fd >= 0)
    close(self->lock_fd);
  g_free(self->path);
  g_free(self);
}

FerryBackend *ferry_backend_sqlite_new(const char *path, GError **error) {
  SqliteBackend *self = g_new0(SqliteBackend, 1);
  self->backend = (FerryBackend){.keeps_data = TRUE,
                                 .load = sqlite_load,
                                 .apply = sqlite_apply,
                                 .release = sqlite_release,
                                 .close = sqlite_close};
  self->path = g_strdup(path);
  self->lock_fd = -1;
  if (!lock_file(self, error) || !make_file(self, error) || !open_database(self, error)) {
    sqlite_close(&self->backend);
    return NULL;
  }
  make_reserve(self);
  return &self->backend;
}
