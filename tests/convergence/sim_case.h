// SPDX-License-Identifier: Apache-2.0
// One simulated guest on one link with one wish, for tests that ask one question each.
#pragma once
#include "sim/cells.h"
#include <math.h>
#include <string.h>

#define MIB (1024.0 * 1024)

typedef struct {
  FerrySimGuestSpec guest;
  FerrySimLink link;
  FerrySimSettings settings;
  FerryConvergenceIntent intent;
  json_t *history;
} Case;

/** The guest of the measurements: 253 MiB, 1 Gbit/s. */
static inline Case plain(double rate, double set, FerrySimPattern pattern, gint64 max_ms) {
  return (Case){.guest = {.memory = 253 * MIB,
                          .working_set = set * MIB,
                          .write_rate = rate * MIB,
                          .pattern = pattern,
                          .vcpus = 1,
                          .busy_s = 8,
                          .quiet_s = 4},
                .link = {.rate = 119 * MIB, .efficiency = 1, .eps = 0.027},
                .settings = {.seed = 7, .give_up_s = 120},
                .intent = {.max_downtime_ms = max_ms,
                           .switchover_cost_ms = 27,
                           .infeasible_patience_ms = 30000}};
}

/** Runs it; `history` is the controller's record of the last run, json_decref it. */
static inline FerrySimResult run(Case *c) {
  if (c->history)
    json_decref(c->history);
  FerrySimResult r = ferry_sim_migrate(&c->guest, &c->link, &c->settings, &c->intent, &c->history);
  g_test_message("outcome %d after %.2f s, gap %.0f ms, lost %.2f s, throttle %d %%", r.outcome,
                 r.seconds, r.gap * 1000, r.lost, r.top_throttle);
  return r;
}

/** The first entry of the record with that action and code; NULL: none. */
static inline const json_t *entry(const Case *c, const char *action, const char *code) {
  size_t i;
  json_t *e;
  json_array_foreach(c->history, i, e) if (!strcmp(ferry_json_str(e, "action"), action) &&
                                           !strcmp(ferry_json_str(e, "code"), code)) return e;
  return NULL;
}

/** The migration's bandwidth limit, in MiB/s; the link's rate is known. */
static inline void cap(Case *c, double mib) {
  c->link.cap = mib * MIB;
  c->intent.bandwidth_cap = (gint64)c->link.cap;
  c->intent.link_rate = (gint64)c->link.rate;
}

/** Runs it with a fixed limit in place of the intent. */
static inline FerrySimResult run_fixed(Case *c, gint64 limit_ms) {
  FerrySchedule schedule = {.init_downtime_ms = limit_ms};
  FerryConvergenceIntent own = c->intent;
  c->intent.schedule = &schedule;
  FerrySimResult r = run(c);
  c->intent = own;
  return r;
}
