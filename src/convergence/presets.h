// SPDX-License-Identifier: Apache-2.0
// The rules of other systems by name, and Ferry's own. Data only. The data are in presets.c, the
// list of all presets is made in strategies.c.
#pragma once
#include "convergence/schedule.h"

G_BEGIN_DECLS

/** Where a rule was read: the project, its file, and which version of it. */
typedef struct {
  const char *project, *file, *version;
} FerryPresetSource;

typedef struct {
  const char *name;
  const char *doc;
  FerryPresetSource source; /* of the original's rule; empty: Ferry's own */
  gboolean intent; /* Ferry's own controller; `schedule` then only holds its start settings */
  int max_cluster; /* migrations at once at all, likewise */
  int max_outbound, max_inbound; /* migrations of one host at once that the rule itself states; 0:
                                    the cluster's configuration does */
  gint64 max_downtime_ms;        /* its maxDowntimeMs; 0: the longest of its schedule */
  int max_slowdown_percent;
  gint64 infeasible_patience_ms;
  FerrySchedule schedule;
  const struct _FerryStrategy *strategy; /* what drives; NULL: the intent, or else `schedule` */
} FerryPreset;

/** Those that need no strategy of their own: the intent's, and schedules; ends with a NULL name. */
extern const FerryPreset ferry_presets_of_others[];
/** All of them, `n` in number, in the order in which they are shown; strategies' own come last. */
const FerryPreset *ferry_presets(gsize *n);
/** The preset `name`, or NULL. */
const FerryPreset *ferry_preset_find(const char *name);

G_END_DECLS
