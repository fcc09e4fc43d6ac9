// SPDX-License-Identifier: Apache-2.0
// Calls that may never come back, kept apart. A call to a hypervisor cannot be taken back, so each
// is made in a thread of its own, and whoever needs its answer waits only so long. What is late
// goes on by itself; about the same key nothing more is begun until it has come back, so that
// whoever does not answer holds one thread, and not one more each time somebody asks.
//
// Order of locks: its own is taken last; nothing is called while it is held.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct _FerryPatience FerryPatience;

/** Nothing is asked yet. `back` (may be NULL) is called, in the call's thread and before its `data`
 * is released, when one that was late has come back; `key` may be NULL. One reference. */
FerryPatience *ferry_patience_new(void (*back)(const char *key, gpointer data));
/** Calls that go on keep references of their own. NULL is fine. */
void ferry_patience_unref(FerryPatience *patience);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPatience, ferry_patience_unref)

/** Calls work(data) in another thread and waits for it, `ms` at most. TRUE: it is done, and what it
 * wrote into `data` may be read. FALSE: not in time, `*since_us` (monotonic) is when it began:
 * either it goes on by itself, and `data` is its own; or an earlier one about `key` does, and this
 * one was not begun. While another one about `key` is not late yet, it is waited for. `key` NULL:
 * it is about nothing that others are about. `data` is a box of g_atomic_rc_box_alloc: the call
 * holds a reference, released with `clear`. Any thread. */
gboolean ferry_patience_call(FerryPatience *patience, const char *key, gint64 ms,
                             void (*work)(gpointer data), gpointer data, GDestroyNotify clear,
                             gint64 *since_us);

/** Since when (monotonic) something about `key` runs that is late; 0: nothing. Any thread. */
gint64 ferry_patience_late_us(FerryPatience *patience, const char *key);
/** How many are late whose key begins with `prefix`. Any thread. */
guint ferry_patience_late_of(FerryPatience *patience, const char *prefix);
/** How many are late. Any thread. */
guint ferry_patience_late(FerryPatience *patience);
/** Whoever waits now does so no longer: all that runs is late. Any thread. */
void ferry_patience_give_up(FerryPatience *patience);
/** From now on nobody waits longer than `ms`, those who wait already included. Any thread. */
void ferry_patience_hurry(FerryPatience *patience, gint64 ms);

G_END_DECLS
