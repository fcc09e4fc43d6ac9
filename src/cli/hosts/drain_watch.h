// SPDX-License-Identifier: Apache-2.0
// Watching a host's evacuation and saying what happens, for as long as it is waited for.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** An evacuation that is watched. Used by one thread. */
typedef struct {
  json_t *object;       /* what it is now */
  gboolean quiet;       /* nothing is printed */
  gboolean live, shown; /* a line is redrawn; it stands on the terminal */
  gboolean gone;        /* it was deleted */
  GHashTable *said;     /* "ns/name" -> what was printed last */
  gint64 began_us, lost_us;
  gint64 until_us; /* 0: for as long as it takes */
} FerryDrainWatch;

/** `object` is taken; `until_us` (monotonic): when the wait ends, 0 for never. */
FerryDrainWatch *ferry_drain_watch_new(json_t *object, gint64 began_us, gint64 until_us);
void ferry_drain_watch_free(FerryDrainWatch *d);
/** Takes the line away that is redrawn, so that another one may stand there. */
void ferry_drain_watch_erase(FerryDrainWatch *d);
/** Whether it is still waited for: nobody pressed Ctrl-C, and `until_us` has not come. */
gboolean ferry_drain_watch_waits(const FerryDrainWatch *d);
/** Watches one, and prints its changes, until it has ended, was deleted or is waited for no longer.
 * SIGINT is caught meanwhile (watching.h). FALSE with an error: the server was away for too long,
 * or refused. */
gboolean ferry_drain_watch_follow(FerryCli *cli, FerryDrainWatch *d, GError **error);
/** One look at each of `watches` (FerryDrainWatch*) that has not ended, and its changes are
 * printed;
 * `*open` gets how many have not. FALSE with an error, as ferry_drain_watch_follow. */
gboolean ferry_drain_watch_look(FerryCli *cli, GPtrArray *watches, guint *open, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDrainWatch, ferry_drain_watch_free)

G_END_DECLS
