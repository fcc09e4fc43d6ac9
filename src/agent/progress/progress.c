// SPDX-License-Identifier: Apache-2.0
// Numbers of a job into what people read. Percent never falls: a guest that writes makes
// `remaining` grow, and that is said by the rates, not by running backwards.
#include "agent/progress/progress.h"
#include "model/migration/phase.h"
#include "model/migration/progress_words.h"
#include <math.h>

static void put_known(json_t *object, const char *key, gint64 value) {
  if (value >= 0)
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

void ferry_progress_set_percent(FerryJobProgress *p, int percent) {
  p->percent = percent;
}

void ferry_progress_set_memory(FerryJobProgress *p, gint64 bytes) {
  p->memory = bytes;
}

gint64 ferry_progress_follows(const FerryJobProgress *p, const FerryJobStats *s) {
  return s->data_total > 0 && s->disk_total > 0 && s->memory_total <= 0 ? p->memory : 0;
}

/* When it ends: as the controller plans it, or what the rates allow at the best. */
static void put_end(json_t *out, const FerryEta *eta, gint64 left, gint64 rate) {
  FerryEta end = {.kind = FERRY_ETA_UNKNOWN};
  if (eta)
    end = *eta;
  if (end.kind == FERRY_ETA_UNKNOWN && rate > 0 && left >= 0)
    end = (FerryEta){.kind = FERRY_ETA_NOT_BEFORE,
                     .ms = left < G_MAXINT64 / 1000 ? left * 1000 / rate : left / rate * 1000};
  if (end.kind == FERRY_ETA_UNKNOWN)
    return;
  ferry_json_set_str(out, "estimate", ferry_eta_name(end.kind));
  if (end.kind == FERRY_ETA_NEVER && end.needed_ms > 0)
    put_known(out, "neededDowntimeMs", end.needed_ms);
  else if (end.kind != FERRY_ETA_NEVER)
    put_known(out, "remainingSeconds", MAX(0, end.ms + 999) / 1000);
}

json_t *ferry_progress_update(FerryJobProgress *p, const FerryJobStats *s, gboolean post_copy,
                              const FerryEta *eta, gint64 elapsed_ms) {
  gint64 follows = ferry_progress_follows(p, s);
  /* libvirt gives sizes before it has counted what remains: nothing is known yet then */
  p->counted |= s->data_total > 0 && (s->data_remaining > 0 || s->data_processed > 0);
  gboolean counted = p->counted && s->data_total > 0;
  if (counted && s->data_remaining >= 0) {
    double part = 1 - ((double)s->data_remaining + (double)follows) /
                          ((double)s->data_total + (double)follows);
    int percent = (int)(100 * CLAMP(part, 0, 1));
    p->percent = MAX(p->percent, MIN(percent, 99));
  }
  p->iteration = (int)MAX(p->iteration, MIN(s->iteration, G_MAXINT));
  json_t *out = json_object();
  gint64 rate = MAX(s->memory_bps, 0) + MAX(s->disk_bps, 0);
  gboolean disks = s->disk_total > 0 && s->disk_remaining > 0;
  put_known(out, "percent", p->percent);
  ferry_json_set_str(out, "phase",
                     post_copy  ? ferry_mode_name(FERRY_MODE_POST_COPY)
                     : !counted ? ferry_copying_name(FERRY_COPYING_PREPARING)
                     : disks    ? ferry_copying_name(FERRY_COPYING_DISKS)
                                : ferry_copying_name(FERRY_COPYING_MEMORY));
  put_known(out, "iteration", p->iteration);
  if (counted) { /* before that libvirt says 0 of everything, and means that it starts */
    put_known(out, "dataTotalBytes", s->data_total);
    put_known(out, "dataProcessedBytes", s->data_processed);
    put_known(out, "dataRemainingBytes", s->data_remaining);
  }
  if (s->memory_total > 0) {
    put_known(out, "memoryTotalBytes", s->memory_total);
    put_known(out, "memoryProcessedBytes", s->memory_processed);
    put_known(out, "memoryRemainingBytes", s->memory_remaining);
  }
  put_known(out, "memoryTransferRateBytesPerSecond", s->memory_bps);
  if (s->dirty_pages_per_s >= 0) {
    gint64 page = s->page_size > 0 ? s->page_size : 4096;
    put_known(out, "dirtyRateBytesPerSecond",
              s->dirty_pages_per_s < G_MAXINT64 / page ? s->dirty_pages_per_s * page : -1);
  }
  if (s->disk_total > 0) {
    put_known(out, "diskTotalBytes", s->disk_total);
    put_known(out, "diskProcessedBytes", s->disk_processed);
    put_known(out, "diskRemainingBytes", s->disk_remaining);
  }
  put_known(out, "elapsedMs", elapsed_ms);
  if (!post_copy)
    put_known(out, "expectedDowntimeMs",
              s->expected_downtime_ms >= 0 ? s->expected_downtime_ms : s->downtime_ms);
  if (counted)
    put_end(out, eta, s->data_remaining >= 0 ? s->data_remaining + follows : -1, rate);
  return out;
}

double ferry_progress_forecast_error(gint64 forecast_ms, gint64 total_ms) {
  double error = fabs((double)(forecast_ms - total_ms)) / (double)MAX(1, total_ms);
  return round(error * 1000) / 10;
}

json_t *ferry_progress_summary(const FerryJobStats *s, gint64 total_ms, gboolean moved) {
  json_t *out = json_object();
  put_known(out, "totalMs", total_ms);
  if (moved)
    put_known(out, "downtimeMs", s->downtime_ms);
  put_known(out, "dataTransferredBytes", s->data_processed);
  gint64 elapsed = s->elapsed_ms > 0 ? s->elapsed_ms : total_ms;
  if (s->data_processed > 0 && elapsed > 0)
    put_known(out, "averageRateBytesPerSecond",
              (gint64)((double)s->data_processed * 1000 / (double)elapsed));
  put_known(out, "iterations", s->iteration);
  put_known(out, "setupMs", s->setup_ms);
  return out;
}
