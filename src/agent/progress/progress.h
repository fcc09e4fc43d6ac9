// SPDX-License-Identifier: Apache-2.0
// Numbers of a job into what people read. Pure.
#pragma once
#include "base/json.h"
#include "convergence/controller.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  int percent; /* never falls */
  int iteration;
  gboolean counted; /* something was to be sent, or was: its numbers mean something */
  gint64 memory;    /* bytes that follow the disks; 0: none are copied, or not known */
} FerryJobProgress;

/** Goes on from `percent`, which an agent before this one had shown. */
void ferry_progress_set_percent(FerryJobProgress *progress, int percent);
/** Memory of the VM that follows its disks. */
void ferry_progress_set_memory(FerryJobProgress *progress, gint64 bytes);
/** Memory in bytes that libvirt does not count yet, as disks are copied first; 0: none. */
gint64 ferry_progress_follows(const FerryJobProgress *progress, const FerryJobStats *stats);
/** Status.progress of `stats`; keeps percent monotonic and at most 99. `eta` (may be NULL): when it
 * ends by the controller's own plan; without one only what the rates allow is said. */
json_t *ferry_progress_update(FerryJobProgress *progress, const FerryJobStats *stats,
                              gboolean post_copy, const FerryEta *eta, gint64 elapsed_ms);
/** How far a forecast was from what happened, in percent of what happened, to a tenth. */
double ferry_progress_forecast_error(gint64 forecast_ms, gint64 total_ms);
/** Status.summary of a job's last numbers. */
json_t *ferry_progress_summary(const FerryJobStats *stats, gint64 total_ms, gboolean moved);

G_END_DECLS
