// SPDX-License-Identifier: Apache-2.0
// Numbers of a job into what people read. Pure.
#pragma once
#include "base/json.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  int percent; /* never falls */
  int iteration;
  gint64 memory; /* bytes that follow the disks; 0: none are copied, or not known */
} FerryJobProgress;

/** Memory in bytes that libvirt does not count yet, as disks are copied first; 0: none. */
gint64 ferry_progress_follows(const FerryJobProgress *progress, const FerryJobStats *stats);
/** Status.progress of `stats`; keeps percent monotonic and at most 99. */
json_t *ferry_progress_update(FerryJobProgress *progress, const FerryJobStats *stats,
                              gboolean post_copy, gint64 elapsed_ms);
/** How far a forecast was from what happened, in percent of what happened, to a tenth. */
double ferry_progress_forecast_error(gint64 forecast_ms, gint64 total_ms);
/** Status.summary of a job's last numbers. */
json_t *ferry_progress_summary(const FerryJobStats *stats, gint64 total_ms, gboolean moved);

G_END_DECLS
