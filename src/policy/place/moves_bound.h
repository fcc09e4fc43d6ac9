// SPDX-License-Identifier: Apache-2.0
// How long a number of moves takes at least, by what links carry, and how long it is expected to.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** One VM from one host to another. Rates are bytes a second; 0: not known, or no limit. Borrowed
 * texts. */
typedef struct {
  const char *source, *target;
  const char *network; /* NULL: none is named */
  gint64 bytes;        /* memory, and disks that are copied */
  gint64 cap;          /* most that this migration may send */
  gint64 out, in;      /* what the source's and the target's link of that network carry */
  gint64 writes;       /* rate at which the guest is known to write memory anew */
  gint64 at_once_out, at_once_in; /* migrations that may leave the source, enter the target */
  gint64 ends_ms; /* set by ferry_moves_forecast: when it has moved, from the beginning; -1 */
} FerryMove;

/** Milliseconds below which `n` moves are impossible, whatever their order: the longest of each
 * move by itself, of what leaves each host by a network and of what enters one. Neither writes of
 * the guests nor time to begin and end are in it. `by` (free with g_free) says what it is bound by;
 * 0 and NULL where no rate is known. Pure. */
gint64 ferry_moves_bound(const FerryMove *moves, gsize n, char **by);

/** Plays the moves in their order: as many at a time as the hosts and the cluster (`at_once`, 0: no
 * limit) allow, who go by one link share it alike, and what a guest writes meanwhile is sent too.
 * Sets `ends_ms` of each and returns the last one's; -1 where a rate is not known. Pure. */
gint64 ferry_moves_forecast(FerryMove *moves, gsize n, gint64 at_once);

G_END_DECLS
