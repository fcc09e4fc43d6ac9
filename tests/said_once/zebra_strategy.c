// SPDX-License-Identifier: Apache-2.0
// Waits for three samples and then pauses the guest.
#include "convergence/decide.h"
#include "convergence/state.h"

static void start(FerryConvergence *c, gint64 now_us) {
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, 11, FERRY_REASON_START,
               "zebras start with 11 ms");
}

static void tick(FerryConvergence *c, gint64 now_us) {
  int *seen = ferry_convergence_state(c);
  if (++*seen == 3)
    ferry_decide(c, now_us, FERRY_ACTION_SUSPEND, 0, FERRY_REASON_PLAN, "three were seen");
}

static const FerryPreset preset = {
    .name = "zebra", .doc = "Counts to three.", .max_downtime_ms = 123};

const FerryStrategy ferry_strategy_zebra = {
    .name = "zebra", .preset = &preset, .state_size = sizeof(int), .start = start, .tick = tick};
