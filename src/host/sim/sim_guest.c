// SPDX-License-Identifier: Apache-2.0
// The memory of a simulated guest as a few numbers instead of a bitmap.
//
// Theory of operation: pages that are written alike form a class; of a class only two numbers
// matter, how much of it is known dirty (pending) and how much was dirtied since QEMU last looked
// (unsynced). A uniform class of W bytes fills by u' = w (1 - u/W), a cyclic one linearly. Looking
// merges the two; which pages overlap is independent of each other for random writers. A skewed
// guest is two uniform classes, several vCPUs are several sets of classes.
#include "host/sim/sim_guest.h"
#include <math.h>

const char *ferry_sim_pattern_name(FerrySimPattern pattern) {
  static const char *const names[FERRY_SIM_PATTERNS] = {"idle",   "uniform", "cyclic",  "skewed",
                                                        "phased", "bursty",  "calming", "starting"};
  return names[pattern];
}

static void add_class(FerrySimGuest *g, double set, double rate, gboolean cyclic) {
  g_assert(g->n_classes < FERRY_SIM_MAX_CLASSES);
  g->classes[g->n_classes++] =
      (FerrySimClass){.set = set, .rate = rate, .cyclic = cyclic, .pending = set};
}

void ferry_sim_guest_init(FerrySimGuest *g, const FerrySimGuestSpec *spec) {
  *g = (FerrySimGuest){.spec = *spec, .zeroes = spec->zero};
  int vcpus = CLAMP(spec->vcpus, 1, FERRY_SIM_MAX_CLASSES / 2);
  double set = MIN(spec->working_set, spec->memory) / vcpus, rate = spec->write_rate / vcpus;
  if (spec->pattern != FERRY_SIM_IDLE && set > 0 && rate > 0)
    for (int i = 0; i < vcpus; i++) {
      if (spec->pattern == FERRY_SIM_SKEWED) {
        add_class(g, set * 0.2, rate * 0.8, FALSE);
        add_class(g, set * 0.8, rate * 0.2, FALSE);
      } else {
        add_class(g, set, rate, spec->pattern == FERRY_SIM_CYCLIC);
      }
    }
  g->rest = spec->memory;
  for (guint i = 0; i < g->n_classes; i++)
    g->rest -= g->classes[i].set;
  g->rest = MAX(0, g->rest);
}

#define QUIET 0.05 /* of its full speed */

/* The stretch of both times that `now` lies in: where it begins, and where in it the guest is busy
 * from and to. A burst lies anywhere in its stretch, by its number. */
static void sim_guest_stretch(const FerrySimGuest *g, double now, double *from, double *to,
                              double *end) {
  double whole = g->spec.busy_s + g->spec.quiet_s, n = floor(now / whole);
  double shift = 0;
  if (g->spec.pattern == FERRY_SIM_BURSTY) {
    double x = sin(n * 12.9898 + 78.233) * 43758.5453;
    shift = g->spec.quiet_s * (x - floor(x));
  }
  *from = n * whole + shift;
  *to = *from + g->spec.busy_s;
  *end = (n + 1) * whole;
}

double ferry_sim_guest_activity(const FerrySimGuest *g, double now) {
  double from, to, end;
  switch (g->spec.pattern) {
  case FERRY_SIM_PHASED:
  case FERRY_SIM_BURSTY:
    sim_guest_stretch(g, now, &from, &to, &end);
    return now >= from && now < to ? 1 : QUIET;
  case FERRY_SIM_CALMING:
    return now < g->spec.busy_s ? 1 : QUIET;
  case FERRY_SIM_STARTING:
    return now >= 0;
  default:
    return 1;
  }
}

double ferry_sim_guest_next_change(const FerrySimGuest *g, double now) {
  double from, to, end;
  switch (g->spec.pattern) {
  case FERRY_SIM_PHASED:
  case FERRY_SIM_BURSTY:
    sim_guest_stretch(g, now, &from, &to, &end);
    return (now < from ? from : now < to ? to : end) + 1e-9;
  case FERRY_SIM_CALMING:
    return now < g->spec.busy_s ? g->spec.busy_s : INFINITY;
  default:
    return INFINITY;
  }
}

void ferry_sim_guest_run(FerrySimGuest *g, double seconds, double speed) {
  if (speed <= 0)
    return;
  for (guint i = 0; i < g->n_classes; i++) {
    FerrySimClass *c = &g->classes[i];
    double t = seconds * speed;
    if (c->cyclic)
      c->unsynced = MIN(c->set, c->unsynced + c->rate * t);
    else
      c->unsynced -= (c->set - c->unsynced) * expm1(-c->rate * t / c->set);
  }
}

double ferry_sim_guest_remaining(const FerrySimGuest *g) {
  double sum = g->rest + g->zeroes;
  for (guint i = 0; i < g->n_classes; i++)
    sum += g->classes[i].pending;
  return sum;
}

void ferry_sim_guest_send(FerrySimGuest *g, double bytes) {
  double left = ferry_sim_guest_remaining(g) - g->zeroes;
  double share = left > 0 ? MIN(1, bytes / left) : 0;
  g->rest *= 1 - share;
  for (guint i = 0; i < g->n_classes; i++)
    g->classes[i].pending *= 1 - share;
}

double ferry_sim_guest_sync(FerrySimGuest *g) {
  double found = 0;
  for (guint i = 0; i < g->n_classes; i++) {
    FerrySimClass *c = &g->classes[i];
    double overlap =
        c->cyclic ? MAX(0, c->pending + c->unsynced - c->set) : c->pending * c->unsynced / c->set;
    found += c->unsynced;
    c->pending += c->unsynced - overlap;
    c->unsynced = 0;
  }
  return found;
}
