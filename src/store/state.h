// SPDX-License-Identifier: Apache-2.0
// The store's state, and who may touch which of it.
//
// Locks, in the order in which they may nest (none needs to nest today):
//   queue_lock  the requests that wait, their `done`, the figures
//   watch_lock  the list of watches; held while wake functions run
//   state_lock  index, log, revision: written by the writer thread only, so that thread reads
//               them without a lock; everybody else takes it for reading, briefly
// They are pthread's and not GLib's: the read-write lock must let a waiting writer go first (a
// steady stream of readers would starve it otherwise), and ThreadSanitizer knows them.
#pragma once
#include "store/backend.h"
#include "store/index.h"
#include "store/log.h"
#include "store/types.h"
#include "store/views.h"

#include <pthread.h>

G_BEGIN_DECLS

#if !JSON_HAVE_ATOMIC_BUILTINS
#error "the store shares json_t between threads: jansson must be built with atomic reference counts"
#endif

/** Revisions reserved in one go, so that telemetry need not write the high-water mark. */
#define FERRY_STORE_RESERVE 10000
/** Writes that share one transaction at most: bounds its size and the others' wait. */
#define FERRY_STORE_GROUP_MAX 4096
#define FERRY_STORE_LOG_ENTRIES 20000
#define FERRY_STORE_LOG_BYTES (64 * 1024 * 1024)
#define FERRY_STORE_VIEW_BYTES (64 * 1024 * 1024)
#define FERRY_STORE_TELEMETRY_MS 3000
#define FERRY_STORE_MAX_OBJECTS 200000
#define FERRY_STORE_MAX_BYTES ((gsize)2 * 1024 * 1024 * 1024)
/** How often a disk that failed is tried again. */
#define FERRY_STORE_RETRY_US (3 * G_USEC_PER_SEC)

/** One waiting ferry_store_commit, on its caller's stack. */
typedef struct FerryStoreRequest FerryStoreRequest;
struct FerryStoreRequest {
  const FerryWrite *writes;
  gsize n;
  FerryText *texts; /* of each written object; zeroed: none */
  json_t **results; /* may be NULL */
  gboolean durable; /* FALSE: all its writes are telemetry */
  gboolean ok, done;
  GError *error;
  pthread_cond_t ready;
  FerryStoreRequest *next;
};

struct FerryStore {
  FerryBackend *backend;
  gint64 telemetry_us;
  pthread_t writer;

  pthread_mutex_t queue_lock;
  pthread_cond_t queue_filled;
  FerryStoreRequest *queue_first, **queue_end;
  gboolean stopping;
  FerryStoreStats stats;
  char *trouble; /* why the disk cannot be written to, NULL: it can */

  pthread_mutex_t watch_lock;
  GPtrArray *watches; /* FerryWatch, borrowed */

  pthread_rwlock_t state_lock;
  FerryViews *views; /* has a lock of its own, within this one */
  FerryIndex *index;
  FerryLog log;
  gint64 revision;
  gsize bytes;                  /* of all objects' text */
  gsize max_objects, max_bytes; /* never change */
  guint64 visited;              /* atomic: see FerryStoreStats */

  /* The writer thread's own (and the opener's before it runs). */
  gint64 assigned;   /* newest revision given to a change, shown or burnt */
  gint64 reserved;   /* revisions up to here are covered by the durable mark */
  GHashTable *dirty; /* FerryEntry: its newest state is in memory only */
  gint64 dirty_due;  /* monotonic us at which the dirty entries are to be written */
  gint64 retry_due;  /* the same at which a disk that failed is tried, 0: it did not */
};

G_END_DECLS
