// SPDX-License-Identifier: Apache-2.0
// How good hosts are for a VM beside each other, as numbers that can be shown.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What is known of a host as it would be with the VM; a negative number: not known. */
typedef struct {
  gint64 memory_after, memory;        /* bytes that would be free, of how many */
  gint64 processors_used, processors; /* virtual ones that VMs would have, of how many real ones */
  gint64 speed_mbps;                  /* of the path to it */
  gint64 inbound;                     /* migrations on their way there */
} FerryHostFacts;

/** Each from 0 to 1000, more is better; a part that isn't known counts as half. */
typedef struct {
  gint memory, processors, link, inbound;
  gint total; /* the weighted mean: memory 4, link 3, processors 2, inbound 1 */
} FerryHostScore;

/** Scores `n` hosts beside each other into `out`. `pack`: fuller ones are better, to keep others
 * free; else emptier ones. Integer arithmetic, so that it is the same everywhere. Pure. */
void ferry_score_hosts(const FerryHostFacts *hosts, gsize n, gboolean pack, FerryHostScore *out);

/** "820 of 1000 (memory 900, processors 750, link 1000, inbound 500)". Free with g_free. */
char *ferry_score_text(const FerryHostScore *score);

G_END_DECLS
