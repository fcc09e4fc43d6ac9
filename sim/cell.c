// SPDX-License-Identifier: Apache-2.0
// ferry-sim-cell: one cell a line of JSON on stdin, {memoryBytes, zeroBytes, zeroAfter,
// workingSetBytes, writeRate, pattern, rate, cap, switchoverSeconds, maxDowntimeMs, maxDurationMs,
// maxSlowdownPercent, allowPostCopy, preset, giveUpSeconds}; what the preset does to it on stdout.
// bench/calibration sets that beside the same cell on real hosts.
#include "sim/cells.h"
#include "base/error.h"
#include "base/limits.h"
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define SAMPLE_S 0.05 /* the agent's */

static gboolean find_pattern(const char *name, FerrySimPattern *out) {
  for (int i = 0; i < FERRY_SIM_PATTERNS; i++)
    if (name && strcmp(name, ferry_sim_pattern_name((FerrySimPattern)i)) == 0) {
      *out = (FerrySimPattern)i;
      return TRUE;
    }
  return FALSE;
}

static gboolean read_cell(const json_t *o, FerrySimCell *cell, const FerryPreset **preset) {
  *cell = (FerrySimCell){
      .guest = {.memory = ferry_json_real(o, "memoryBytes", 0),
                .zero = ferry_json_real(o, "zeroBytes", 0),
                .zero_after = ferry_json_real(o, "zeroAfter", 0),
                .working_set = ferry_json_real(o, "workingSetBytes", 0),
                .write_rate = ferry_json_real(o, "writeRate", 0),
                .vcpus = 1},
      .link = {.rate = ferry_json_real(o, "rate", 0),
               .cap = ferry_json_real(o, "cap", 0),
               .efficiency = 1,
               .eps = ferry_json_real(o, "switchoverSeconds", FERRY_SWITCHOVER_COST_MS / 1000.0)},
      .spare = -1,
      .settings = {.seed = 1,
                   .preempt = TRUE,
                   .sample_s = SAMPLE_S,
                   .give_up_s = ferry_json_real(o, "giveUpSeconds", 0)},
      .intent = {.max_downtime_ms = ferry_json_int(o, "maxDowntimeMs", 900),
                 .max_duration_ms = ferry_json_int(o, "maxDurationMs", 0),
                 .max_slowdown_percent = (int)ferry_json_int(o, "maxSlowdownPercent", 0),
                 .allow_post_copy = ferry_json_bool(o, "allowPostCopy", FALSE),
                 .allow_workload_disruption = ferry_json_bool(o, "allowPostCopy", FALSE),
                 .post_copy_preempt = TRUE}};
  const char *name = ferry_json_str(o, "preset");
  *preset = name ? ferry_preset_find(name) : NULL;
  FerryConvergenceIntent *want = &cell->intent;
  /* as with Ferry's defaults: no cost of the switch-over is known, and nothing can throttle */
  want->bandwidth_cap = (gint64)cell->link.cap;
  want->link_rate = (gint64)cell->link.rate;
  want->memory_bytes = (gint64)(cell->guest.memory + cell->guest.zero);
  return *preset && cell->guest.memory > 0 && cell->link.rate > 0 &&
         find_pattern(ferry_json_str(o, "pattern"), &cell->guest.pattern);
}

int main(void) {
  char line[LINE_MAX_BYTES];
  while (fgets(line, sizeof line, stdin)) {
    g_autoptr(json_t) o = json_loads(line, 0, NULL);
    FerrySimCell cell;
    const FerryPreset *preset;
    if (!o || !read_cell(o, &cell, &preset)) {
      fprintf(stderr,
              "ferry-sim-cell: expected a cell with memoryBytes, rate, pattern and preset, "
              "got: %s",
              line);
      return 2;
    }
    FerrySimResult r = ferry_sim_run_preset(&cell, preset, FERRY_SIM_KNOWS_NOTHING, NULL);
    static const char *const outcomes[] = {"moved", "gave up", "cut off"};
    g_autoptr(json_t) out =
        json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:b}", "outcome", outcomes[r.outcome],
                  "seconds", r.seconds, "pause", r.pause, "gap", r.gap, "lost", r.lost, "bytes",
                  r.bytes, "throttle", r.top_throttle, "postCopy", r.post_copy);
    g_autofree char *text = ferry_json_dump(out);
    puts(text);
  }
  return 0;
}
