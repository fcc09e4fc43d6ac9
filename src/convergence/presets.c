// SPDX-License-Identifier: Apache-2.0
// Each preset behaves as its original does: tests/convergence/test-presets.c checks each against
// the original's table. Downtimes in ms; limits in passes (oVirt) or seconds per GiB (Nova).
#include "convergence/presets.h"
#include <string.h>

#define DOWN(at, ms)                                                                               \
  { at, FERRY_STEP_SET_DOWNTIME, ms }
#define ABORT(at)                                                                                  \
  { at, FERRY_STEP_ABORT, 0 }
#define STEPS(n) .n_steps = n, .steps
#define OVIRT_TICK 500

/* Nova: D = 500 ms in S = 10 steps: base D/S, then base + i (D - base)/S, one each 75 s per GiB. */
#define NOVA(i) DOWN(75 * (i), 50 + 45 * (i))

static const FerryPreset presets[] = {
    {.name = "intent",
     .doc = "Ferry's own: the cheapest way to meet the stated pause, duration and slow-down.",
     .intent = TRUE,
     .max_downtime_ms = 900,
     .max_slowdown_percent = 50,
     .infeasible_patience_ms = 30000},
    {.name = "kubevirt-classic",
     .doc = "KubeVirt as Harvester shipped it: 64 MiB/s, 800 s per GiB, 150 s without progress.",
     .max_cluster = 5,
     .max_outbound = 2,
     .schedule = {.bandwidth = 64 * 1024 * 1024,
                  .tick_ms = 400,
                  .completion_s_per_gib = 800,
                  .progress_s = 150,
                  .progress = FERRY_PROGRESS_PREVIOUS}},
    {.name = "kubevirt",
     .doc = "KubeVirt today: pauses up to 900 ms, 150 s per GiB, 150 s without progress.",
     .max_downtime_ms = 900,
     .schedule = {.init_downtime_ms = 900,
                  .init_is_max = TRUE,
                  .tick_ms = 400,
                  .completion_s_per_gib = 150,
                  .progress_s = 150,
                  .progress = FERRY_PROGRESS_PREVIOUS}},
    {.name = "kubevirt-vep248",
     .doc = "KubeVirt's alpha stall detector: acts at a local minimum after 40 s of stalling.",
     .max_downtime_ms = 900,
     .schedule = {.init_downtime_ms = 300,
                  .tick_ms = 400,
                  .completion_s_per_gib = 150,
                  .stall_window_ms = 40000,
                  .stall_margin_percent = 4,
                  .switchover_s = 60}},
    {.name = "ovirt-legacy",
     .doc = "oVirt's Legacy: up to 500 ms in four passes, given up in pass 43.",
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 101,
                  .tick_ms = OVIRT_TICK,
                  STEPS(6) = {DOWN(1, 104), DOWN(2, 120), DOWN(3, 189), DOWN(4, 500), DOWN(42, 500),
                              ABORT(-1)}}},
    {.name = "ovirt-minimal-downtime",
     .doc = "oVirt's Minimal downtime: auto-converge, up to 500 ms, given up in pass 8.",
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  .tick_ms = OVIRT_TICK,
                  STEPS(6) = {DOWN(2, 150), DOWN(3, 200), DOWN(4, 300), DOWN(5, 400), DOWN(7, 500),
                              ABORT(8)}}},
    {.name = "ovirt-suspend-workload",
     .doc = "oVirt's Suspend workload if needed: as minimal downtime, then 5 s of pause.",
     .max_outbound = 1,
     .max_inbound = 1,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  .compressed = TRUE,
                  .tick_ms = OVIRT_TICK,
                  STEPS(7) = {DOWN(2, 150), DOWN(3, 200), DOWN(4, 300), DOWN(5, 400), DOWN(7, 500),
                              DOWN(8, 5000), ABORT(9)}}},
    {.name = "ovirt-post-copy",
     .doc = "oVirt's Post-copy migration: two pre-copy passes more, then post-copy.",
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  .tick_ms = OVIRT_TICK,
                  STEPS(4) = {DOWN(2, 150), DOWN(3, 200), {4, FERRY_STEP_POSTCOPY, 0}, ABORT(5)}}},
    {.name = "ovirt-very-large",
     .doc = "oVirt's Very large VMs: 300 to 1500 ms, then 5 s of pause; zero-copy sending.",
     .max_outbound = 1,
     .max_inbound = 1,
     .schedule = {.init_downtime_ms = 300,
                  .auto_converge = TRUE,
                  .zero_copy = TRUE,
                  .tick_ms = OVIRT_TICK,
                  STEPS(7) = {DOWN(2, 400), DOWN(3, 500), DOWN(4, 700), DOWN(5, 1000),
                              DOWN(7, 1500), DOWN(8, 5000), ABORT(9)}}},
    {.name = "nova",
     .doc = "OpenStack Nova: 50 to 500 ms in ten steps of 75 s per GiB, 800 s per GiB in all.",
     .max_outbound = 1,
     .schedule = {.init_downtime_ms = 50,
                  .unit = FERRY_LIMIT_SECONDS_PER_GIB,
                  .tick_ms = 500,
                  STEPS(10) = {NOVA(1), NOVA(2), NOVA(3), NOVA(4), NOVA(5), NOVA(6), NOVA(7),
                               NOVA(8), NOVA(9), NOVA(10)},
                  .completion_s_per_gib = 800,
                  .least_gib = 2}},
    {.name = "proxmox",
     .doc = "Proxmox VE: 100 ms, doubled after every sixth rise of what remains, up to 2000 s.",
     .schedule = {.init_downtime_ms = 100,
                  .tick_ms = 1000,
                  .double_after_rises = 5,
                  .double_max_ms = FERRY_SCHEDULE_MAX_DOWNTIME_MS}},
};

const FerryPreset *ferry_presets(gsize *n) {
  *n = G_N_ELEMENTS(presets);
  return presets;
}

const FerryPreset *ferry_preset_find(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(presets); i++)
    if (strcmp(presets[i].name, name) == 0)
      return &presets[i];
  return NULL;
}
