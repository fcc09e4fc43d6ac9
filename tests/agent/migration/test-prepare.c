// SPDX-License-Identifier: Apache-2.0
// From "Scheduled" to libvirt's call, on simulated hosts: what is refused before anything is done,
// and what is written before it is done.
#include "agent/sim_bed.h"

static void test_written_in_order(void) {
  static const char *const wanted[] = {"PreparingTarget", "TargetReady", "Running"};
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  assert_moved(b, it);
  gsize at = 0, i;
  json_t *phase;
  json_array_foreach(it->phases, i, phase) {
    while (at < G_N_ELEMENTS(wanted) && !g_str_equal(wanted[at], json_string_value(phase)))
      at++;
    g_assert_cmpuint(at, <, G_N_ELEMENTS(wanted)); /* none out of turn */
  }
  g_assert_cmpuint(at, ==, G_N_ELEMENTS(wanted) - 1);
  bed_free(b);
}

static void test_unknown_vm(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = ferry_sim_uuid("nobody");
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "HypervisorError");
  g_assert_false(ferry_json_bool(it->status, "migrationState.agentResult.returned", TRUE));
  g_assert_cmpstr(text(it, "migrationState.agentResult.sourceState"), ==, "nostate");
  g_assert_false(it->went_on);
  bed_free(b);
}

/* libvirt refuses post-copy of a paused guest: it moves without, and stays paused. */
static void test_paused_vm(void) {
  Bed *b = bed_new(LINK);
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  BedJob job = job_open(b, uuid);
  g_assert_true(ferry_host_job_suspend(job.job, &error));
  job_close(&job);
  Move *it = move(b, uuid, json_pack("{s:i, s:b}", "maxDowntimeMs", 300, "allowPostCopy", 1));
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.error"), ==, "");
  FerrySimMoved moved;
  g_assert_true(ferry_sim_world_last(b->world, uuid, &moved));
  g_assert_false(moved.post_copy);
  bed_free(b);
}

/* The guest is measured before it moves, where that is asked for. */
static void test_measured(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 64, 20, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i, s:i}", "maxDowntimeMs", 300, "dirtyRateSeconds", 1));
  assert_moved(b, it);
  g_assert_cmpint(ferry_json_int(it->status, "forecast.totalMs", 0), >, 0);
  g_assert_cmpstr(text(it, "forecast.time"), !=, "");
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/agent/prepare/written-in-order", test_written_in_order);
  g_test_add_func("/agent/prepare/unknown-vm", test_unknown_vm);
  g_test_add_func("/agent/prepare/paused-vm", test_paused_vm);
  g_test_add_func("/agent/prepare/measured", test_measured);
  return g_test_run();
}
