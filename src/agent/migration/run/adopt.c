// SPDX-License-Identifier: Apache-2.0
// What an agent that adopts a running migration takes from the status that the one before it left,
// so that its deadlines go on instead of beginning anew.
#include "agent/migration/run/adopt.h"
#include "base/rfc3339.h"
#include "model/migration/phase.h"
#include "model/migration/condition.h"

gboolean ferry_adopt_stalling(const json_t *object) {
  return ferry_condition_holds(object, FERRY_CONDITION_STALLING);
}

int ferry_adopt_throttle(const json_t *object) {
  int percent = 0;
  gsize i;
  json_t *entry;
  json_array_foreach(ferry_json_get(object, "status.decisions"), i, entry) {
    /* each decision says what held after it, one that was refused, too */
    percent = (int)CLAMP(ferry_json_int(entry, "throttlePercent", percent), 0, 99);
  }
  return percent;
}

gint64 ferry_adopt_elapsed_ms(const json_t *object, gint64 job_ms, gint64 now_ms) {
  if (job_ms > 0)
    return job_ms;
  gint64 since = -1;
  gsize i;
  json_t *stamp;
  json_array_foreach(ferry_json_get(object, "status.phaseTransitionTimestamps"), i, stamp) {
    if (ferry_phase_parse(ferry_json_str(stamp, "phase")) == FERRY_PHASE_RUNNING)
      since = ferry_rfc3339_parse(ferry_json_str(stamp, "phaseTransitionTimestamp"));
  }
  return since > 0 ? MAX(0, now_ms - since) : 0;
}

gboolean ferry_adopt_best(const json_t *object, gint64 *remaining, gint64 *stalled_ms) {
  gint64 best = -1, best_ms = 0, last_ms = 0;
  gsize i;
  json_t *row;
  json_array_foreach(ferry_json_get(object, "status.course"), i, row) {
    gint64 at = ferry_json_int(row, "elapsedMs", 0),
           rest = ferry_json_int(row, "remainingBytes", 0);
    last_ms = MAX(last_ms, at);
    if (rest <= 0 || (best > 0 && rest >= best)) /* nothing remains while the job is set up */
      continue;
    best = rest;
    best_ms = at;
  }
  const json_t *progress = ferry_json_get(object, "status.progress"); /* newer than the course */
  gint64 at = ferry_json_int(progress, "elapsedMs", 0);
  gint64 rest = ferry_json_int(progress, "dataRemainingBytes", 0);
  if (ferry_json_int(progress, "diskTotalBytes", 0) > 0 &&
      ferry_json_int(progress, "memoryTotalBytes", 0) <= 0)
    rest = 0; /* disks alone: the memory that follows is not in it */
  last_ms = MAX(last_ms, at);
  if (rest > 0 && (best <= 0 || rest < best)) {
    best = rest;
    best_ms = at;
  }
  if (best <= 0)
    return FALSE;
  *remaining = best;
  *stalled_ms = last_ms - best_ms;
  return TRUE;
}
