// SPDX-License-Identifier: Apache-2.0
// What the store needs of the thing that keeps bytes: load everything once, apply a batch of rows
// in one transaction, remember the revision high-water mark. Internal to src/store and its tests.
//
// A backend is used by one thread at a time: first by the opener (load), then by the writer thread
// (apply), last by the closer. It knows nothing of JSON, of conflicts or of watchers.
// Each backend has a file: backend_memory.c, backend_sqlite.c.
#pragma once
#include "base/error.h"

G_BEGIN_DECLS

/** One row. All pointers are borrowed for the call. */
typedef struct {
  const char *group;  /* API group, "" for the core group */
  const char *plural; /* resource, e.g. "nodes" */
  const char *ns;     /* "" for cluster-scoped kinds */
  const char *name;
  gint64 revision;  /* that of the object's newest change */
  const char *data; /* JSON text; NULL in apply: the row goes */
  gsize len;        /* bytes of data */
} FerryBackendRow;

/** Receives each stored row; FALSE with `error` set ends the load. */
typedef gboolean (*FerryBackendLoadFunc)(const FerryBackendRow *row, gpointer user, GError **error);

typedef struct FerryBackend FerryBackend;
struct FerryBackend {
  /* FALSE: apply is called with the high-water mark and no rows (nothing outlives the process). */
  gboolean keeps_data;
  /** Gives every row (in any order) to `row`, then the high-water mark: the highest revision that
   * may have been given out so far, 0 for a new store. */
  gboolean (*load)(FerryBackend *backend, FerryBackendLoadFunc row, gpointer user,
                   gint64 *high_water, GError **error);
  /** Writes rows in order and the mark in one durable transaction. After FALSE nothing of it is
   * there; the error is UNAVAILABLE and says what to do. */
  gboolean (*apply)(FerryBackend *backend, const FerryBackendRow *rows, gsize n, gint64 high_water,
                    GError **error);
  /** Releases everything, the backend's own memory included. */
  void (*close)(FerryBackend *backend);
  /** Gives up what was set aside for a full disk, so that an apply that makes room fits. May be
   * NULL.
   */
  void (*release)(FerryBackend *backend);
};

/** Keeps nothing: for tests and tools. */
FerryBackend *ferry_backend_memory_new(void);

/** Opens (makes) the SQLite database at `path`, mode 0600, and locks it against other processes by
 * `path`.lock, which holds the owner's pid. UNAVAILABLE where it is locked, unreadable, damaged, of
 * a newer Ferry or not Ferry's. */
FerryBackend *ferry_backend_sqlite_new(const char *path, GError **error);

G_END_DECLS
