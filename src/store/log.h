// SPDX-License-Identifier: Apache-2.0
// The change log: a ring of the newest changes, each with a position that never repeats, bounded by
// their number and by the memory that their objects take. No locks of its own (see index.h).
// Internal to src/store.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

typedef struct {
  FerryChange **ring;
  gsize capacity;
  gsize bytes, max_bytes; /* ferry_change_bytes of all that are in the ring */
  guint64 first, next;    /* positions of the oldest change and of the one to come */
  gint64 base;            /* every change after this revision is in the ring */
} FerryLog;

/** `base` is the store's revision: what was before it cannot be watched. */
void ferry_log_ring_init(FerryLog *log, gsize capacity, gsize max_bytes, gint64 base);
void ferry_log_ring_clear(FerryLog *log);
/** Appends, taking the reference. The changes that fell out for it go into `fallen`, for the caller
 * to release after its lock. The newest stays whatever its size. */
void ferry_log_ring_append(FerryLog *log, FerryChange *change, GPtrArray *fallen);
/** The position of the first change after `revision`, which must be at least `base`. */
guint64 ferry_log_ring_seek(const FerryLog *log, gint64 revision);
/** The change at a position from `first` to before `next`, borrowed. */
FerryChange *ferry_log_ring_at(const FerryLog *log, guint64 position);

/** A change with one reference; takes its own references to the objects, copies the strings. */
FerryChange *ferry_change_new(gint64 revision, FerryChangeType type, const FerryKind *kind,
                              const char *ns, const char *name, FerryStored *object,
                              FerryStored *previous);
/** About the bytes of memory that a change keeps: itself and its object's text. The state before is
 * the object of an older change. */
gsize ferry_change_bytes(const FerryChange *change);
/** Whether a change is of the kind (NULL: any) and namespace (NULL: any). */
gboolean ferry_change_matches(const FerryChange *change, const FerryKind *kind, const char *ns);

G_END_DECLS
