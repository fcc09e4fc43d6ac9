// SPDX-License-Identifier: Apache-2.0
// Objects with revisions, compare-and-swap, and a change log to watch.
//
// Reads come from memory. One writer thread owns the state: it takes the batches that callers hand
// in, checks them, writes all that wait in one transaction of the backend (group commit), and only
// then shows them to readers and watchers and lets the callers go on. Objects are kept as their
// text (stored.h); as json_t they are immutable: never change one that came from the store.
#pragma once
#include "store/read.h"
#include "store/types.h"
#include "store/watch.h"

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

G_END_DECLS
