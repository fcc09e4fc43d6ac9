// SPDX-License-Identifier: Apache-2.0
// The change log: a ring of the newest changes, each with a position that never repeats. No locks
// of its own (see index.h). Internal to src/store.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

typedef struct {
  FerryChange **ring;
  gsize capacity;
  guint64 first, next; /* positions of the oldest change and of the one to come */
  gint64 base;         /* every change after this revision is in the ring */
} FerryLog;

/** `base` is the store's revision: what was before it cannot be watched. */
void ferry_log_ring_init(FerryLog *log, gsize capacity, gint64 base);
void ferry_log_ring_clear(FerryLog *log);
/** Appends, taking the reference. Returns the change that fell out, for the caller to release after
 * its lock, or NULL. */
FerryChange *ferry_log_ring_append(FerryLog *log, FerryChange *change);
/** The position of the first change after `revision`, which must be at least `base`. */
guint64 ferry_log_ring_seek(const FerryLog *log, gint64 revision);
/** The change at a position from `first` to before `next`, borrowed. */
FerryChange *ferry_log_ring_at(const FerryLog *log, guint64 position);

/** A change with one reference; takes its own references to the objects, copies the strings. */
FerryChange *ferry_change_new(gint64 revision, FerryChangeType type, const FerryKind *kind,
                              const char *ns, const char *name, json_t *object, json_t *previous);
/** Whether a change is of the kind (NULL: any) and namespace (NULL: any). */
gboolean ferry_change_matches(const FerryChange *change, const FerryKind *kind, const char *ns);

G_END_DECLS
