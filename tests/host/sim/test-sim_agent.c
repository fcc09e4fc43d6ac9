// SPDX-License-Identifier: Apache-2.0
// The agent of production on simulated hosts: its workers carry out migrations of hundreds of
// guests, and of some to which something happens on the way. The world is 10 times as fast as real
// ones; all times here are the agent's.
#include "agent/sim_bed.h"

static int compare(gconstpointer a, gconstpointer b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

/* 300 guests of all kinds, 16 at a time over one link, by the intent */
static void test_fleet(void) {
  enum { GUESTS = 300, AT_ONCE = 16, MAX_DOWNTIME_MS = 300 };
  Bed *b = bed_new(10 * LINK);
  double gaps[GUESTS];
  Move *moves[GUESTS];
  gint64 began = g_get_monotonic_time();
  for (int i = 0; i < GUESTS; i++) {
    g_autofree char *name = g_strdup_printf("vm%d", i);
    double set = 4 + i % 13;
    g_autofree char *uuid =
        add_guest(b, name, 64 << (i % 3), set, set / 2, (FerrySimPattern)(i % FERRY_SIM_PATTERNS));
    if (i >= AT_ONCE)
      wait_done(moves[i - AT_ONCE]);
    moves[i] = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", MAX_DOWNTIME_MS));
  }
  gint64 decisions = 0;
  for (int i = 0; i < GUESTS; i++) {
    FerrySimMoved moved;
    assert_moved(b, moves[i]);
    g_assert_true(ferry_sim_world_last(b->world, moves[i]->uuid, &moved));
    g_assert_cmpint(moved.phase, ==, FERRY_SIM_PHASE_COMPLETED);
    gaps[i] = moved.gap * 1000;
    decisions += (gint64)json_array_size(json_object_get(moves[i]->status, "decisions"));
    /* what the agent reports is what was */
    gint64 downtime = ferry_json_int(moves[i]->status, "summary.downtimeMs", -1);
    g_assert_cmpint(ABS(downtime - (gint64)(moved.pause * 1000)), <=, 1);
  }
  double seconds = (double)(g_get_monotonic_time() - began) / 1e6;
  qsort(gaps, GUESTS, sizeof gaps[0], compare);
  g_test_message("%d guests in %.1f s; gap: median %.0f ms, longest %.0f ms; %d decisions", GUESTS,
                 seconds, gaps[GUESTS / 2], gaps[GUESTS - 1], (int)decisions);
  g_assert_cmpfloat(gaps[GUESTS - 1], <=, MAX_DOWNTIME_MS);
  g_assert_cmpint(decisions, >=, GUESTS); /* each had a limit of its own */
  g_assert_cmpfloat(seconds, <, 45);
  bed_free(b);
}

static void test_cancel(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 4096, 64, 30, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  wait_sending(b, it);
  cancel(it);
  assert_stayed(b, it, "Cancelled");
  g_assert_cmpint(ferry_json_int(it->status, "migrationState.agentResult.errorCode", 0), ==,
                  FERRY_HOST_ERROR_ABORTED);
  g_assert_cmpstr(text(it, "migrationState.abortStatus"), ==, "Succeeded");
  bed_free(b);
}

/* While the target is prepared: the migration goes no further, and what was made there goes. */
static void test_cancel_while_preparing(void) {
  g_autoptr(GError) error = NULL;
  Bed *b = bed_new(LINK);
  g_autoptr(json_t) disks =
      json_pack("[{s:s, s:I}]", "name", "vda", "sizeBytes", (json_int_t)(10 * MIB));
  FerrySimDomainSpec spec = {
      .name = "vm", .guest = {.memory = 64 * MIB, .vcpus = 1}, .disks = disks};
  g_assert_true(ferry_sim_world_add_domain(b->world, "h1", &spec, &error));
  g_autofree char *uuid = ferry_sim_uuid("vm");
  Move *it = move_or_cancel(b, uuid, json_pack("{s:b}", "copyStorageAll", 1), TRUE);
  assert_stayed(b, it, "Cancelled");
  g_assert_false(it->went_on);
  g_assert_true(
      ferry_json_bool(json_array_get(ferry_json_get(it->status, "migrationState.targetDisks"), 0),
                      "create", FALSE)); /* one was made */
  FerryHost *host = ferry_host_sim_new(b->world, "h1", &error);
  FerryHostJob *job = ferry_host_job_open(host, uuid, &error);
  FerryMigrateRequest request = {.dest_uri = "sim://h2/system", .copy_disks = TRUE};
  g_autoptr(json_t) plan = ferry_host_job_disks_plan(job, &request, &error);
  g_assert_no_error(error);
  g_assert_true(ferry_json_bool(json_array_get(plan, 0), "create", FALSE)); /* and is gone */
  ferry_host_job_close(job);
  ferry_host_free(host);
  bed_free(b);
}

/* half of the questions are not answered */
static void test_lost_samples(void) {
  Bed *b = bed_new(LINK);
  ferry_sim_world_lose_samples(b->world, "h1", 0.5);
  for (int i = 0; i < 8; i++) {
    g_autofree char *name = g_strdup_printf("vm%d", i);
    g_autofree char *uuid = add_guest(b, name, 256, 40, 30, FERRY_SIM_UNIFORM);
    move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  }
  for (guint i = 0; i < b->moves->len; i++)
    assert_moved(b, b->moves->pdata[i]);
  bed_free(b);
}

/* a guest that nothing permitted can move is given up, and runs on */
static void test_infeasible(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 1024, 800, 400, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid,
                  json_pack("{s:i, s:i, s:i}", "maxDowntimeMs", 50, "infeasiblePatienceMs", 500,
                            "maxSlowdownPercent", 0));
  wait_done(it);
  g_autofree char *where = NULL;
  g_assert_cmpstr(text(it, "migrationState.agentResult.error"), !=, "");
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), !=, "MigrationFailed");
  g_assert_cmpint(ferry_sim_world_running(b->world, uuid, &where), ==, 1);
  g_assert_cmpstr(where, ==, "h1");
  bed_free(b);
}

/* the same guest where post-copy is allowed */
static void test_post_copy(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 1024, 800, 400, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid,
                  json_pack("{s:i, s:b, s:b}", "maxDowntimeMs", 50, "allowPostCopy", 1,
                            "allowWorkloadDisruption", 1));
  assert_moved(b, it);
  FerrySimMoved moved;
  g_assert_true(ferry_sim_world_last(b->world, uuid, &moved));
  g_assert_true(moved.post_copy);
  g_assert_cmpstr(text(it, "migrationState.mode"), ==, "PostCopy");
  bed_free(b);
}

/* auto-converge, by a preset that uses it */
static void test_schedule(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 120, 180, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid,
                  json_pack("{s:i, s:b, s:s}", "maxDowntimeMs", 20, "allowAutoConverge", 1,
                            "preset", "kubevirt-classic"));
  assert_moved(b, it);
  bed_free(b);
}

static void test_source_daemon(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 4096, 64, 30, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  wait_sending(b, it);
  ferry_sim_world_set_daemon(b->world, "h1", FALSE);
  g_usleep(300000);               /* the agent tries to get through to it */
  g_assert_false(has_result(it)); /* nothing can be said as yet */
  ferry_sim_world_set_daemon(b->world, "h1", TRUE);
  assert_stayed(b, it, "HypervisorLost");
  bed_free(b);
}

static void test_target_lost(void) {
  for (int power = 0; power < 2; power++) {
    Bed *b = bed_new(LINK);
    g_autofree char *uuid = add_guest(b, "vm", 4096, 64, 30, FERRY_SIM_UNIFORM);
    Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
    wait_sending(b, it);
    if (power)
      ferry_sim_world_set_power(b->world, "h2", FALSE);
    else
      ferry_sim_world_set_daemon(b->world, "h2", FALSE);
    assert_stayed(b, it, "MigrationFailed");
    bed_free(b);
  }
}

/* no host can run what each of them has half of: it is said, and nobody resumes either half */
static void test_target_lost_in_post_copy(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 2048, 1800, 2000, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid,
                  json_pack("{s:i, s:b, s:b}", "maxDowntimeMs", 50, "allowPostCopy", 1,
                            "allowWorkloadDisruption", 1));
  g_autofree char *where = NULL;
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (g_strcmp0(where, "h2") != 0) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    ferry_sim_world_running(b->world, uuid, &where);
    g_usleep(1000);
  }
  ferry_sim_world_set_power(b->world, "h2", FALSE);
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.error"), !=, "");
  g_assert_cmpstr(text(it, "migrationState.agentResult.sourceState"), ==, "paused");
  g_assert_cmpint(ferry_sim_world_running(b->world, uuid, NULL), ==, 0);
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/sim-agent/fleet", test_fleet);
  g_test_add_func("/sim-agent/cancel", test_cancel);
  g_test_add_func("/sim-agent/cancel-while-preparing", test_cancel_while_preparing);
  g_test_add_func("/sim-agent/lost-samples", test_lost_samples);
  g_test_add_func("/sim-agent/infeasible", test_infeasible);
  g_test_add_func("/sim-agent/post-copy", test_post_copy);
  g_test_add_func("/sim-agent/schedule", test_schedule);
  g_test_add_func("/sim-agent/source-daemon", test_source_daemon);
  g_test_add_func("/sim-agent/target-lost", test_target_lost);
  g_test_add_func("/sim-agent/target-lost-in-post-copy", test_target_lost_in_post_copy);
  return g_test_run();
}
