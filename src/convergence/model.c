// SPDX-License-Identifier: Apache-2.0
// What each way to end a migration costs.
//
// Theory of operation: a guest that writes w bytes/s at random over W bytes dirties
// U(t) = W (1 - e^(-w t / W)) different bytes in t; the passes of pre-copy feed on that: a pass of
// V bytes takes V/B and leaves U(V/B). QEMU looks at the dirty bitmap only when what remains fits
// into limit x rate, and switches over when it still fits after the look. Close to that threshold
// it looks all the time, and what is pending obeys x' = -B + w (1 - x/W): it falls below B D only
// if w (1 - B D / W) < B, hence D* = W/B - W/w. ferry_model_precopy plays those rules for any
// pattern instead of using the closed form, so that it also holds with a cap (threshold and rate
// differ) and for cyclic and skewed writers.
#include "convergence/model.h"
#include <math.h>

/* QEMU looks at most this often: one call to send lasts up to 50 ms. */
#define CHUNK_SECONDS 0.05
#define MAX_ROUNDS 400
#define HOT_WRITES 0.8
#define HOT_PAGES 0.2
/* measured: of the time that the touched pages need on the wire, a busy guest loses this share, and
 * stands still in one piece for that share of it. libvirt uses preempt from 10.0 on, and with the
 * QEMU of that time (10.0) the longest gap was 38 to 56 ms of 0.5 to 1.1 s (make
 * bench-convergence); QEMU 7.2, driven by hand, had 264 ms. */
#define POSTCOPY_LOST 1.02
#define POSTCOPY_GAP 0.8
#define POSTCOPY_GAP_PREEMPT 0.05

/* A pause is felt by the guest's users, a few hundred milliseconds of total time by nobody; so by
 * default time is bounded, and costs just enough that nothing is waited for in vain. */
static const struct {
  double lambda; /* what a second of total time costs, in seconds of the guest's work */
  double slack;  /* a quarter is the bound, of which a call, a window and a chunk take their part */
} model_prefers[FERRY_PREFERS] = {
    [FERRY_PREFER_PAUSE] = {0.02, 0.2},
    [FERRY_PREFER_BALANCED] = {0.2, 0.2},
    [FERRY_PREFER_TIME] = {5, 0.03}, /* what the model doesn't foresee of it is 2 % mostly */
};

double ferry_prefer_cost(FerryPrefer prefer, double lost, double seconds) {
  return lost + model_prefers[prefer].lambda * seconds;
}

double ferry_prefer_slack(FerryPrefer prefer) {
  return model_prefers[prefer].slack;
}

const char *ferry_writer_pattern_name(FerryWriterPattern pattern) {
  static const char *const names[] = {"idle", "uniform", "cyclic", "skewed"};
  return names[pattern];
}

static double model_saturating(double set, double rate, double seconds) {
  return set > 0 ? -set * expm1(-rate * seconds / set) : 0;
}

double ferry_writer_unique(const FerryWriter *writer, double seconds) {
  double set = writer->working_set, rate = writer->write_rate;
  if (seconds <= 0 || set <= 0 || rate <= 0)
    return 0;
  switch (writer->pattern) {
  case FERRY_WRITER_IDLE:
    return 0;
  case FERRY_WRITER_CYCLIC:
    return MIN(set, rate * seconds);
  case FERRY_WRITER_SKEWED:
    return model_saturating(set * HOT_PAGES, rate * HOT_WRITES, seconds) +
           model_saturating(set * (1 - HOT_PAGES), rate * (1 - HOT_WRITES), seconds);
  case FERRY_WRITER_UNIFORM:
  default:
    return model_saturating(set, rate, seconds);
  }
}

/* Rate at which pages become dirty that are not, with a share `dirty` of the set dirty already. */
static double model_growth(const FerryWriter *writer, double pending) {
  double set = writer->working_set, rate = writer->write_rate;
  if (set <= 0 || rate <= 0 || writer->pattern == FERRY_WRITER_IDLE)
    return 0;
  if (writer->pattern == FERRY_WRITER_CYCLIC)
    return pending < set ? rate : 0;
  if (writer->pattern == FERRY_WRITER_UNIFORM)
    return rate * MAX(0, 1 - pending / set);
  /* skewed: sending is fair, so the hot pages settle where their writes balance their sending;
   * find the time t since cleaning at which U(t) = pending and take U'(t) */
  double lo = 0, hi = 1e-3;
  if (pending >= set)
    return 0;
  while (ferry_writer_unique(writer, hi) < pending && hi < 1e6)
    hi *= 2;
  for (int i = 0; i < 40; i++) {
    double mid = (lo + hi) / 2;
    if (ferry_writer_unique(writer, mid) < pending)
      lo = mid;
    else
      hi = mid;
  }
  return rate * (HOT_WRITES * exp(-HOT_WRITES * rate * lo / (HOT_PAGES * set)) +
                 (1 - HOT_WRITES) * exp(-(1 - HOT_WRITES) * rate * lo / ((1 - HOT_PAGES) * set)));
}

double ferry_model_min_downtime(const FerryWriter *writer, const FerryPath *path) {
  double b = path->rate, l = MAX(path->switch_rate, path->rate), set = writer->working_set;
  if (b <= 0)
    return INFINITY;
  if (model_growth(writer, 0) <= b)
    return 0;
  if (writer->pattern == FERRY_WRITER_CYCLIC)
    return set / l;
  if (writer->pattern == FERRY_WRITER_UNIFORM)
    return MAX(0, set * (1 - b / writer->write_rate)) / l;
  double lo = 0, hi = set;
  for (int i = 0; i < 50; i++) {
    double mid = (lo + hi) / 2;
    if (model_growth(writer, mid) > b)
      lo = mid;
    else
      hi = mid;
  }
  return hi / l;
}

double ferry_model_plateau(const FerryWriter *writer, double rate) {
  double v = writer->working_set;
  if (rate <= 0)
    return v;
  for (int i = 0; i < 200; i++) {
    double next = ferry_writer_unique(writer, v / rate);
    if (fabs(next - v) <= 1e-4 * v)
      break;
    v = next;
  }
  return v > 0.01 * writer->working_set ? v : 0;
}

double ferry_model_min_rate(const FerryWriter *writer, double limit) {
  double lo = 1, hi = MAX(writer->write_rate, 2) * 1.01;
  if (model_growth(writer, 0) <= 0)
    return 0;
  for (int i = 0; i < 60; i++) {
    double mid = (lo + hi) / 2;
    FerryPath path = {mid, mid, 0};
    if (ferry_model_min_downtime(writer, &path) > limit)
      lo = mid;
    else
      hi = mid;
  }
  return hi;
}

static FerryWriter model_throttled(const FerryWriter *writer, double p) {
  FerryWriter slow = *writer;
  slow.write_rate *= 1 - p;
  return slow;
}

double ferry_model_min_throttle(const FerryWriter *writer, const FerryPath *path, double limit) {
  if (ferry_model_min_downtime(writer, path) <= limit)
    return 0;
  double lo = 0, hi = 1;
  for (int i = 0; i < 40; i++) {
    double mid = (lo + hi) / 2;
    FerryWriter slow = model_throttled(writer, mid);
    if (ferry_model_min_downtime(&slow, path) > limit)
      lo = mid;
    else
      hi = mid;
  }
  return hi;
}

double ferry_model_precopy_seconds(const FerryWriter *writer, const FerryPath *path, double v1,
                                   double limit) {
  double set = writer->working_set, w = writer->write_rate, b = path->rate;
  double end = limit * MAX(path->switch_rate, b);
  if (v1 <= end || w <= 0)
    return 0;
  double fixed = set * (1 - b / w);
  if (end <= fixed)
    return INFINITY;
  return set / w * log((v1 - fixed) / (end - fixed));
}

double ferry_model_lower_bound(const FerryPath *path, double bytes) {
  return path->rate > 0 ? bytes / path->rate + path->eps : INFINITY;
}

double ferry_model_felt(double before, double under, double p) {
  if (before <= 0 || p <= 0)
    return 1;
  return CLAMP((1 - under * (1 - p) / before) / p, 0, 1);
}

double ferry_model_throttle_stall(double p) {
  return p < 1 ? 0.01 * p / (1 - p) : INFINITY;
}

FerryOption ferry_model_precopy(const FerryWriter *writer, const FerryPath *path, double pending,
                                double limit, double throttle, double horizon) {
  FerryOption o = {.kind = throttle > 0 ? FERRY_OPTION_THROTTLE : FERRY_OPTION_PRECOPY,
                   .limit = limit,
                   .throttle = throttle,
                   .seconds = INFINITY,
                   .pause = INFINITY,
                   .lost = INFINITY,
                   .bytes = INFINITY};
  double b = path->rate, l = MAX(path->switch_rate, b), threshold = limit * l;
  double time = 0, bytes = 0, before = INFINITY;
  if (b <= 0)
    return o;
  for (int i = 0; i < MAX_ROUNDS && time <= horizon; i++) {
    if (pending <= threshold) {
      o.pause = MAX(pending / l + path->eps, ferry_model_throttle_stall(throttle));
      o.seconds = time + pending / l + path->eps;
      o.lost = throttle * time + pending / l + path->eps;
      o.bytes = bytes + pending;
      return o;
    }
    double seconds = MAX((pending - threshold) / b, MIN(CHUNK_SECONDS, pending / b));
    double rest = MAX(0, pending - b * seconds);
    double fresh = ferry_writer_unique(writer, seconds * (1 - throttle));
    if (writer->pattern == FERRY_WRITER_CYCLIC)
      fresh = MIN(fresh, MAX(0, writer->working_set - rest));
    else if (writer->working_set > 0)
      fresh *= MAX(0, 1 - rest / writer->working_set);
    time += seconds;
    bytes += pending - rest;
    pending = rest + fresh;
    if (i > 20 && pending >= before * 0.9999) /* it stands still above the threshold */
      return o;
    before = pending;
  }
  return o;
}

FerryOption ferry_model_suspend(const FerryPath *path, double pending) {
  double seconds = pending / MAX(path->switch_rate, path->rate) + path->eps;
  return (FerryOption){.kind = FERRY_OPTION_SUSPEND,
                       .limit = seconds - path->eps,
                       .seconds = seconds,
                       .pause = seconds,
                       .lost = seconds,
                       .bytes = pending};
}

FerryOption ferry_model_postcopy(const FerryPath *path, double pending, double touched,
                                 gboolean preempt) {
  double rate = MAX(path->switch_rate, path->rate);
  double wire = MIN(touched, pending) / rate;
  double gap = preempt ? POSTCOPY_GAP_PREEMPT : POSTCOPY_GAP;
  return (FerryOption){.kind = FERRY_OPTION_POSTCOPY,
                       .seconds = pending / rate + path->eps,
                       .pause = path->eps + gap * wire,
                       .lost = path->eps + POSTCOPY_LOST * wire,
                       .bytes = pending};
}
