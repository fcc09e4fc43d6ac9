// SPDX-License-Identifier: Apache-2.0
// Each preset behaves as its original does: tests/convergence/test-presets.c plays a course against
// each. Downtimes in ms; limits in passes (oVirt) or seconds per GiB (Nova). Where a rule was read
// stands with it (source).
#include "convergence/presets.h"

#define DOWN(at, ms)                                                                               \
  { at, FERRY_STEP_SET_DOWNTIME, ms }
#define ABORT(at)                                                                                  \
  { at, FERRY_STEP_ABORT, 0 }
#define STEPS(n) .n_steps = n, .steps

/* oVirt: the engine sends the limits, VDSM acts on them as migration.py of the same version does,
 * every migration_monitor_interval of 10 s. */
#define OVIRT_ENGINE                                                                               \
  {                                                                                                \
    "oVirt/ovirt-engine", "packaging/dbscripts/upgrade/pre_upgrade/0000_config.sql",               \
        "3eec250211d3 (VDSM: v4.50.7-31-gfd4b0df20)"                                               \
  }
#define OVIRT_VDSM                                                                                 \
  { "oVirt/vdsm", "lib/vdsm/virt/migration.py", "v4.50.7-31-gfd4b0df20" }
#define OVIRT .since_first = TRUE, .tick_ms = 10000
#define OVIRT_STEPS DOWN(1, 150), DOWN(2, 200), DOWN(3, 300), DOWN(4, 400), DOWN(6, 500)

#define KUBEVIRT_READ "d923fdb815cd"
#define KUBEVIRT_SOURCE                                                                            \
  { "kubevirt/kubevirt", "pkg/virt-launcher/virtwrap/live-migration-source.go", KUBEVIRT_READ }
#define KUBEVIRT_VEP(file, version)                                                                \
  { "kubevirt/enhancements", "veps/sig-compute/" file, version }
/* What all of KubeVirt's today have in common. */
#define KUBEVIRT                                                                                   \
  .tick_ms = 400, .completion_s_per_gib = 150, .progress_s = 150,                                  \
  .progress = FERRY_PROGRESS_PREVIOUS

/* Nova: D = 500 ms in S = 10 steps: base D/S, then base + i (D - base)/S, one each 75 s per GiB. */
#define NOVA_STEP(i) DOWN(75 * (i), 50 + 45 * (i))
#define NOVA_SOURCE                                                                                \
  { "openstack/nova", "nova/virt/libvirt/migration.py", "060445aa2f65" }
#define NOVA                                                                                       \
  .init_downtime_ms = 50, .unit = FERRY_LIMIT_SECONDS_PER_GIB, .tick_ms = 500,                     \
  STEPS(10) = {NOVA_STEP(1), NOVA_STEP(2), NOVA_STEP(3), NOVA_STEP(4), NOVA_STEP(5),               \
               NOVA_STEP(6), NOVA_STEP(7), NOVA_STEP(8), NOVA_STEP(9), NOVA_STEP(10)},             \
  .completion_s_per_gib = 800, .least_gib = 2

const FerryPreset ferry_presets_of_others[] = {
    {.name = "intent",
     .doc = "Ferry's own: the cheapest way to meet the stated pause, duration and slow-down.",
     .intent = TRUE,
     .max_downtime_ms = 900,
     .max_slowdown_percent = 50,
     .infeasible_patience_ms = 30000},
    {.name = "kubevirt-classic",
     .doc = "KubeVirt as Harvester shipped it: 64 MiB/s, 800 s per GiB, 150 s without progress.",
     .source = {"OpenShift Virtualization", "virt/live_migration/virt-live-migration-limits.html",
                "4.5"},
     .max_cluster = 5,
     .max_outbound = 2,
     .schedule = {.bandwidth = 64 * 1024 * 1024,
                  .tick_ms = 400,
                  .completion_s_per_gib = 800,
                  .progress_s = 150,
                  .progress = FERRY_PROGRESS_PREVIOUS}},
    {.name = "kubevirt",
     .doc = "KubeVirt today: QEMU's own 300 ms, 150 s per GiB, 150 s without progress.",
     .source = KUBEVIRT_SOURCE,
     .schedule = {KUBEVIRT}},
    {.name = "kubevirt-vep246",
     .doc = "KubeVirt with compression (VEP 246): eight connections, zstd on each.",
     .source = KUBEVIRT_VEP("246-migration-compression/vep.md", "7ee388aa7cf4"),
     .schedule = {KUBEVIRT, .compression = "zstd", .connections = 8}},
    {.name = "kubevirt-vep248",
     .doc = "KubeVirt's alpha stall detector: acts at a local minimum after 40 s of stalling.",
     .source = {"kubevirt/kubevirt", "pkg/virt-launcher/virtwrap/stall-detector.go", KUBEVIRT_READ},
     .max_downtime_ms = 900,
     .schedule = {.init_downtime_ms = 300,
                  .tick_ms = 400,
                  .completion_s_per_gib = 150,
                  .stall_window_ms = 40000,
                  .stall_margin_percent = 4,
                  .switchover_s = 60}},
    {.name = "kubevirt-vep291",
     .doc = "KubeVirt's ramp (VEP 291): from pass 3 on up from 150 ms, a seventh each 10 s.",
     .source = KUBEVIRT_SOURCE,
     .max_downtime_ms = 1050,
     .schedule = {KUBEVIRT, .init_downtime_ms = 150, .ramp_steps = 7, .ramp_after_pass = 3,
                  .ramp_every_s = 10}},
    {.name = "ovirt-legacy",
     .doc = "oVirt's Legacy: up to 500 ms in four passes, given up after 43.",
     .source = OVIRT_VDSM,
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 101,
                  OVIRT,
                  STEPS(6) = {DOWN(1, 104), DOWN(2, 120), DOWN(3, 189), DOWN(4, 500), DOWN(42, 500),
                              ABORT(-1)}}},
    {.name = "ovirt-minimal-downtime",
     .doc = "oVirt's Minimal downtime: auto-converge, up to 500 ms, then given up.",
     .source = OVIRT_ENGINE,
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  OVIRT,
                  STEPS(6) = {OVIRT_STEPS, ABORT(-1)}}},
    {.name = "ovirt-suspend-workload",
     .doc = "oVirt's Suspend workload if needed: as minimal downtime, then 5 s of pause.",
     .source = OVIRT_ENGINE,
     .max_outbound = 1,
     .max_inbound = 1,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  .compression = "xbzrle",
                  OVIRT,
                  STEPS(7) = {OVIRT_STEPS, DOWN(-1, 5000), ABORT(-1)}}},
    {.name = "ovirt-post-copy",
     .doc = "oVirt's Post-copy migration: two pre-copy passes more, then post-copy.",
     .source = OVIRT_ENGINE,
     .max_outbound = 2,
     .max_inbound = 2,
     .schedule = {.init_downtime_ms = 100,
                  .auto_converge = TRUE,
                  OVIRT,
                  STEPS(
                      4) = {DOWN(1, 150), DOWN(2, 200), {-1, FERRY_STEP_POSTCOPY, 0}, ABORT(-1)}}},
    {.name = "ovirt-very-large",
     .doc = "oVirt's Very large VMs: 300 to 1500 ms, then 5 s of pause; zero-copy sending.",
     .source = {"oVirt/ovirt-engine", "its migration policies", "not read again"},
     .max_outbound = 1,
     .max_inbound = 1,
     .schedule = {.init_downtime_ms = 300,
                  .auto_converge = TRUE,
                  .zero_copy = TRUE,
                  OVIRT,
                  STEPS(7) = {DOWN(1, 400), DOWN(2, 500), DOWN(3, 700), DOWN(4, 1000),
                              DOWN(6, 1500), DOWN(-1, 5000), ABORT(-1)}}},
    {.name = "nova",
     .doc = "OpenStack Nova: 50 to 500 ms in ten steps of 75 s per GiB, 800 s per GiB in all.",
     .source = NOVA_SOURCE,
     .max_outbound = 1,
     .schedule = {NOVA}},
    {.name = "nova-parallel",
     .doc = "OpenStack Nova where it sends over several connections, which is off by default.",
     .source = NOVA_SOURCE,
     .max_outbound = 1,
     .schedule = {NOVA, .connections = 4}},
    {.name = "proxmox",
     .doc = "Proxmox VE: 100 ms, doubled after every sixth rise of what remains, up to 2000 s.",
     .source = {"proxmox/qemu-server", "src/PVE/QemuMigrate.pm", "9.2.6 (e6352be67f70)"},
     .schedule = {.init_downtime_ms = 100,
                  .tick_ms = 1000,
                  .near_tick_ms = 100,
                  .double_after_rises = 5,
                  .double_max_ms = FERRY_DOWNTIME_MAX_MS}},
    {.name = NULL},
};
