// SPDX-License-Identifier: Apache-2.0
// Many worlds: as many as fit into a time, from where the last run left off; a failure made small;
// and how many it takes to miss a safeguard.
#pragma once
#include "sim/world/safeguards.h"
#include "sim/world/world.h"

G_BEGIN_DECLS

typedef struct {
  guint64 first;        /* the number of the first world */
  guint64 worlds;       /* most of them; 0: no limit */
  double seconds;       /* most of the machine's time; 0: no limit */
  const char *resume;   /* file that says where to go on, and is written at the end; NULL: none */
  gboolean keep_going;  /* after a failure */
  const char *left_out; /* of the acts of each world, in hexadecimal; NULL: none */
  gboolean tell;
} FerryRunnerOptions;

/** Runs worlds and prints what they came to. Returns how many failed, -1 where `resume` cannot be
 * read or written. */
gint64 ferry_runner_run(const FerryRunnerOptions *options);
/** Takes each safeguard away in turn and prints after how many worlds from `first` on (0: from one
 * that is near) that was missed. FALSE: one was not, within `most` worlds. */
gboolean ferry_runner_safeguards(guint64 first, guint64 most);
/** Seconds of the machine's own clock, not the world's. */
double ferry_runner_clock(void);

G_END_DECLS
