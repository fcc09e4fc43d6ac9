// SPDX-License-Identifier: Apache-2.0
// Objects with revisions, compare-and-swap, and a change log to watch.
//
// Reads come from memory. One writer thread owns the state: it takes the batches that callers hand
// in, checks them, writes all that wait in one transaction of the backend (group commit), and only
// then shows them to readers and watchers and lets the callers go on. Objects are immutable json_t:
// never change one that came from the store.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

typedef struct FerryStore FerryStore;

typedef enum { FERRY_WRITE_CREATE, FERRY_WRITE_UPDATE, FERRY_WRITE_DELETE } FerryWriteOp;

/** One write of a batch. All strings and objects are borrowed for the call. */
typedef struct {
  FerryWriteOp op;
  const FerryKind *kind;
  const char *ns; /* "" for cluster-scoped kinds */
  const char *name;
  json_t *object;     /* CREATE, UPDATE: the whole new object. DELETE: NULL, or the last state to
                         show to watchers */
  gint64 revision;    /* UPDATE, DELETE: expected resourceVersion; 0: whatever is there */
  gboolean telemetry; /* visible at once, durable within a few seconds: for progress only. UPDATE
                         only: a create or delete is always durable, and so is a batch in which any
                         write is */
  gboolean frees; /* leads to more room or less work, such as a cancel: like a DELETE it is written
                     from the reserve where the disk is full. Small objects only */
  gboolean in_namespace; /* CREATE: CONFLICT unless its Namespace is there, or made by this batch,
                            and is not being deleted */
  gboolean leaves_empty; /* of a Namespace: CONFLICT where something is in it after this batch */
} FerryWrite;

typedef enum { FERRY_ADDED, FERRY_MODIFIED, FERRY_DELETED } FerryChangeType;

/** One entry of the change log; reference counted, immutable. */
typedef struct {
  gint64 revision;
  FerryChangeType type;
  const FerryKind *kind;
  const char *ns;
  const char *name;
  json_t *object;   /* the state after; for DELETED the last state with the new resourceVersion */
  json_t *previous; /* the state before, NULL for ADDED */
} FerryChange;
FerryChange *ferry_change_ref(FerryChange *change);
void ferry_change_unref(FerryChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryChange, ferry_change_unref)

/** Options of ferry_store_open; zeroes choose the defaults. */
typedef struct {
  gsize log_entries;  /* changes kept for watchers, default 20,000 */
  gsize log_bytes;    /* memory that they may take, about, default 64 MiB */
  gsize max_objects;  /* of a kind, default 200,000: a CREATE beyond is TOO_MANY_REQUESTS */
  gsize max_bytes;    /* of all objects' text, default 2 GiB: the same */
  guint telemetry_ms; /* how long a telemetry write may stay in memory only, default 3,000 ms */
} FerryStoreOptions;

/** Opens (makes) the store: `path` of the SQLite database, NULL for one in memory only (tests). The
 * database is locked against a second process. Starts the writer thread. */
FerryStore *ferry_store_open(const char *path, const FerryStoreOptions *options, GError **error);
/** Flushes and closes; no watch may be left. */
void ferry_store_free(FerryStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryStore, ferry_store_free)

/** Commits a batch, all or nothing, durable when it returns TRUE (but for telemetry). Sets
 * metadata.resourceVersion (one revision a changed object, one global counter). An UPDATE that
 * changes nothing keeps its revision and emits no change. `results` (may be NULL) has room for n
 * new references to the stored objects (DELETE: the last state). Errors: ALREADY_EXISTS, NOT_FOUND,
 * CONFLICT (revision), UNAVAILABLE (disk), each naming kind and name. Blocks; any thread but the
 * writer's (so not from a wake function). */
gboolean ferry_store_commit(FerryStore *store, const FerryWrite *writes, gsize n, json_t **results,
                            GError **error);

/** Whether the last attempt to write to the disk succeeded (what is asked for is tried again every
 * few seconds). Where it did not, `*why` (may be NULL) says what is wrong; free with g_free. Any
 * thread.
 */
gboolean ferry_store_is_healthy(FerryStore *store, char **why);

/** New reference or NULL. Any thread. */
json_t *ferry_store_get(FerryStore *store, const FerryKind *kind, const char *ns, const char *name);
json_t *ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid);
/** The same for the only object of a namespace with that spec.domainName. */
json_t *ferry_store_get_by_domain(FerryStore *store, const FerryKind *kind, const char *ns,
                                  const char *domain);
/** All objects of a kind (of a namespace where `ns` is not NULL) ordered by namespace and name: one
 * snapshot; `*revision` (may be NULL) is its revision. Elements are references that the array owns.
 */
GPtrArray *ferry_store_list(FerryStore *store, const FerryKind *kind, const char *ns,
                            gint64 *revision);
/** At most `max` of them, those that follow (`after_ns`, `after_name`; NULL: from the first), as
 * they are at `*revision`. A list that is read page by page changes meanwhile: the changes of what
 * was read are in the log. */
GPtrArray *ferry_store_page(FerryStore *store, const FerryKind *kind, const char *ns,
                            const char *after_ns, const char *after_name, guint max,
                            gint64 *revision);
/** The newest revision shown to readers; 1 for a new store. After a crash it jumps ahead, so that
 * no number that anyone may have seen is used again. */
gint64 ferry_store_revision(FerryStore *store);

typedef struct FerryWatch FerryWatch;
/** Called from the writer thread after changes that concern the watch became visible; must return
 * at once (signal something) and must not call the store or free a watch. May be called before the
 * function that makes the watch has returned, and when there is nothing new. */
typedef void (*FerryWakeFunc)(gpointer data);
/** A cursor on the change log after `revision`. `kind` NULL: all kinds; `ns` NULL: all namespaces.
 * EXPIRED where `revision` is older than the log or newer than the store. */
FerryWatch *ferry_store_watch(FerryStore *store, const FerryKind *kind, const char *ns,
                              gint64 revision, FerryWakeFunc wake, gpointer data, GError **error);
/** The next change, or NULL with no error where there is none yet, or NULL with EXPIRED where the
 * log has moved past the cursor. Not from two threads at once. */
FerryChange *ferry_watch_next(FerryWatch *watch, GError **error);
/** The revision up to which this watch has seen everything (for bookmarks). */
gint64 ferry_watch_revision(FerryWatch *watch);
/** After it returns the wake function is not called any more. Not from the wake function. */
void ferry_watch_free(FerryWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryWatch, ferry_watch_free)

/** Upper bounds of the latency counts, rising, in us. */
#define FERRY_STORE_LATENCY_BOUNDS 13
extern const guint64 ferry_store_latency_bounds_us[FERRY_STORE_LATENCY_BOUNDS];

/** Figures for /metrics: commits, transactions, latency sums in us, the change log.
 * commit_us_counts counts each commit once, at the first bound it is not above; the last is beyond
 * all bounds. */
typedef struct {
  guint64 commits, writes, transactions, conflicts;
  guint64 commit_us_sum, commit_us_max, objects, watches;
  guint64 failed_transactions;    /* of the disk */
  guint64 bytes;                  /* of all objects' text */
  guint64 log_changes, log_bytes; /* kept for watchers now, and about the memory they take */
  guint64 commit_us_counts[FERRY_STORE_LATENCY_BOUNDS + 1];
} FerryStoreStats;
/** Figures of the store now. Any thread. */
void ferry_store_stats(FerryStore *store, FerryStoreStats *stats);

G_END_DECLS
