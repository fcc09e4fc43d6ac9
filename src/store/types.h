// SPDX-License-Identifier: Apache-2.0
// What goes into a store and comes out of it: writes, changes, options, figures. The functions are
// in store.h. Those of changes are in log.c.
#pragma once
#include "model/kinds/kind.h"
#include "store/stored.h"

G_BEGIN_DECLS

typedef struct FerryStore FerryStore;

/** What objects are found by, beside their names (src/store/keys.c has the fields). */
typedef enum {
  FERRY_BY_UID,     /* metadata.uid */
  FERRY_BY_DOMAIN,  /* spec.domainName, in any namespace */
  FERRY_BY_NODE,    /* of a VM: a host that has it, "" where none has; of a migration: where it
                       goes; of an evacuation: the host that it empties */
  FERRY_BY_VM,      /* "NAMESPACE/NAME" of a migration's VM */
  FERRY_BY_LIVE,    /* "": a migration that has not ended */
  FERRY_BY_EVICTED, /* "": a migration that was to empty a host, and has failed */
} FerryIndexBy;

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
  FerryStored *object;   /* the state after; for DELETED the last state with the new
                            resourceVersion */
  FerryStored *previous; /* the state before, NULL for ADDED */
} FerryChange;
FerryChange *ferry_change_ref(FerryChange *change);
void ferry_change_unref(FerryChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryChange, ferry_change_unref)

/** A change with its states as objects, for those who look into them. Strings are the change's,
 * which must live as long. */
typedef struct {
  gint64 revision;
  FerryChangeType type;
  const FerryKind *kind;
  const char *ns;
  const char *name;
  json_t *object, *previous; /* references; see FerryChange */
} FerrySeen;
/** Looks into a change; clear with ferry_seen_clear. Any thread. */
FerrySeen ferry_change_see(const FerryChange *change);
/** Releases the objects. */
void ferry_seen_clear(FerrySeen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerrySeen, ferry_seen_clear)

/** Options of ferry_store_open; zeroes choose the defaults. */
typedef struct {
  gsize log_entries;  /* changes kept for watchers, default 20,000 */
  gsize log_bytes;    /* memory that they may take, about, default 64 MiB */
  gsize max_objects;  /* of a kind, default 200,000: a CREATE beyond is TOO_MANY_REQUESTS */
  gsize max_bytes;    /* of all objects' text, default 2 GiB: the same */
  gsize view_bytes;   /* memory that parsed objects may take, about, default 64 MiB */
  guint telemetry_ms; /* how long a telemetry write may stay in memory only, default 3,000 ms */
} FerryStoreOptions;

typedef struct FerryWatch FerryWatch;
/** Called from the writer thread after changes that concern the watch became visible; must return
 * at once (signal something) and must not call the store or free a watch. May be called before the
 * function that makes the watch has returned, and when there is nothing new. */
typedef void (*FerryWakeFunc)(gpointer data);

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
  guint64 view_bytes, parsed;     /* of parsed objects, about; how often one was parsed */
  guint64 visited;                /* objects that were given to who asked, by lists and queries */
  guint64 log_changes, log_bytes; /* kept for watchers now, and about the memory they take */
  guint64 commit_us_counts[FERRY_STORE_LATENCY_BOUNDS + 1];
} FerryStoreStats;

G_END_DECLS
