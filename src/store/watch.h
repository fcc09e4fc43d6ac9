// SPDX-License-Identifier: Apache-2.0
// Cursors on the change log, and who is told of changes.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

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

/** Wakes the watches that any of the changes concerns. The writer's thread alone. */
void ferry_watch_wake_all(FerryStore *store, GPtrArray *changes);

G_END_DECLS
