// SPDX-License-Identifier: Apache-2.0
// Objects with revisions, compare-and-swap, and a change log to watch.
//
// Reads come from memory. One writer thread owns the state: it takes the batches that callers hand
// in, checks them, writes all that wait in one transaction of the backend (group commit), and only
// then shows them to readers and watchers and lets the callers go on. Objects are kept as their
// text (stored.h); as json_t they are immutable: never change one that came from the store.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

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
/** Those of them that have a word (FerryIndexBy), in the same order. What it costs grows with what
 * it finds. */
GPtrArray *ferry_store_select(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                              const char *word);
/** The words, in order, that more than `n` objects of a kind have. Looks at each word and at no
 * object. Free with g_strfreev. */
char **ferry_store_crowded(FerryStore *store, const FerryKind *kind, FerryIndexBy by, gsize n);
/** How many objects of a kind have the word. */
gsize ferry_store_select_count(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                               const char *word);
/** Number of objects of a kind (of a namespace where `ns` is not NULL). */
gsize ferry_store_count(FerryStore *store, const FerryKind *kind, const char *ns);
/** At most `max` of them, those that follow (`after_ns`, `after_name`; NULL: from the first), as
 * they are at `*revision`. A list that is read page by page changes meanwhile: the changes of what
 * was read are in the log. */
GPtrArray *ferry_store_page(FerryStore *store, const FerryKind *kind, const char *ns,
                            const char *after_ns, const char *after_name, guint max,
                            gint64 *revision);
/** The same as they are kept: an array of FerryStored references. For who needs their text. */
GPtrArray *ferry_store_texts(FerryStore *store, const FerryKind *kind, const char *ns,
                             const char *after_ns, const char *after_name, guint max,
                             gint64 *revision);
/** The newest revision shown to readers; 1 for a new store. After a crash it jumps ahead, so that
 * no number that anyone may have seen is used again. */
gint64 ferry_store_revision(FerryStore *store);

/** A cursor on the change log after `revision`. `kind` NULL: all kinds; `ns` NULL: all namespaces.
 * EXPIRED where `revision` is older than the log or newer than the store. */
FerryWatch *ferry_store_watch(FerryStore *store, const FerryKind *kind, const char *ns,
                              gint64 revision, FerryWakeFunc wake, gpointer data, GError **error);
/** The same after what is newest at this moment, which cannot fail: between asking for the newest
 * revision and watching from it a short log may move past it. */
FerryWatch *ferry_store_watch_now(FerryStore *store, const FerryKind *kind, const char *ns,
                                  FerryWakeFunc wake, gpointer data);
/** The next change, or NULL with no error where there is none yet, or NULL with EXPIRED where the
 * log has moved past the cursor. Not from two threads at once. */
FerryChange *ferry_watch_next(FerryWatch *watch, GError **error);
/** The revision up to which this watch has seen everything (for bookmarks). */
gint64 ferry_watch_revision(FerryWatch *watch);
/** After it returns the wake function is not called any more. Not from the wake function. */
void ferry_watch_free(FerryWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryWatch, ferry_watch_free)

/** Figures of the store now. Any thread. */
void ferry_store_stats(FerryStore *store, FerryStoreStats *stats);

G_END_DECLS
