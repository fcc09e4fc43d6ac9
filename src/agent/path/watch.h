// SPDX-License-Identifier: Apache-2.0
// Watches a running migration's connections in a thread of its own, as the worker's thread hangs in
// the hypervisor just when it matters; what guard.h calls dead, it closes.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct _FerryPathWatch FerryPathWatch;

/** Whose migration it is; called by the watch's thread. */
typedef struct {
  gpointer data;
  /* How far the migration is: when the guest was paused for the switch-over (monotonic, 0: it
   * runs), and whether post-copy was asked for or has begun. */
  void (*stage)(gpointer data, gint64 *switchover_us, gboolean *post_copy);
  /* What was found, a reason (static) and its words, before anything is closed. */
  void (*found)(gpointer data, const char *reason, const char *text);
  /* The target's hypervisor acknowledges nothing of what this host's sends (its words), or does
   * again (NULL). Once each time. */
  void (*silent)(gpointer data, const char *text);
} FerryPathWatchOwner;

/** Begins to watch the connections of `job`, which outlives the watch. `target` (the host) and
 * `address` are for the words; both are copied, and may be NULL. Where connections cannot be seen
 * it does nothing. Free with ferry_path_watch_free, which joins the thread. */
FerryPathWatch *ferry_path_watch_new(FerryHostJob *job, const FerryPathWatchOwner *owner,
                                     const char *target, const char *address);
/** NULL is fine. */
void ferry_path_watch_free(FerryPathWatch *watch);
/** The pause that the hypervisor was told to allow. NULL is fine. */
void ferry_path_watch_allow(FerryPathWatch *watch, gint64 pause_ms);

G_END_DECLS
