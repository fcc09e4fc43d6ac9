// SPDX-License-Identifier: Apache-2.0
#include "convergence/estimate.h"
#include "convergence/options.h"
#include <math.h>

json_t *ferry_convergence_estimate(const FerryConvergence *c, gint64 now_us) {
  const FerryTracker *t = &c->t;
  json_t *o = json_object();
  ferry_json_set_int(o, "elapsedMs", (now_us - c->start_us) / 1000);
  ferry_json_set_int(o, "iteration", t->iteration);
  ferry_json_set_int(o, "remainingBytes", t->last.remaining);
  ferry_json_set_int(o, "rateBytesPerSecond", (gint64)t->rate);
  ferry_json_set_int(o, "dirtyRateBytesPerSecond", t->last.dirty_rate);
  ferry_json_set_int(o, "limitMs", c->limit_ms);
  ferry_json_set_int(o, "throttlePercent", c->throttle_percent);
  if (c->is.forecast > 0)
    ferry_json_set_int(o, "forecastMs", (gint64)(c->is.forecast * 1000));
  if (t->fitted) {
    FerryPath path = ferry_intent_path(c);
    double least = ferry_model_min_downtime(&t->writer, &path);
    ferry_json_set_int(o, "workingSetBytes", (gint64)t->writer.working_set);
    ferry_json_set_int(o, "writeRateBytesPerSecond", (gint64)t->writer.write_rate);
    ferry_json_set_str(o, "pattern", ferry_writer_pattern_name(t->writer.pattern));
    ferry_json_set(o, "residual", json_real(t->writer.residual));
    if (isfinite(least))
      ferry_json_set_int(o, "minDowntimeMs", (gint64)(least * 1000));
  }
  return o;
}
