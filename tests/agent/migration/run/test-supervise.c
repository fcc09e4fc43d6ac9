// SPDX-License-Identifier: Apache-2.0
// The turns of a worker on a job that it did not start itself, on simulated hosts: it goes on with
// it, carries out what people want, and sees how it ends. (Its own jobs:
// tests/host/sim/test-sim-agent.c.)
#include "agent/sim_bed.h"

/* The call of an agent that is gone. */
static void returned(const GError *error, gpointer data) {
  g_atomic_int_set((gint *)data, 1);
}

typedef struct {
  BedJob job;
  json_t *config;
  gint done;
} Orphan;

/* A job that nobody looks after, with all that its request needs. */
static void orphan_start(Orphan *o, Bed *b, const char *uuid, json_t *config) {
  g_autoptr(GError) error = NULL;
  o->config = config;
  ferry_json_set_bool(o->config, "peerToPeer", TRUE);
  o->job = job_open(b, uuid);
  FerryMigrateRequest request = {.dest_uri = "sim://h2/system",
                                 .active = TRUE,
                                 .config = o->config,
                                 .post_copy = ferry_json_bool(config, "allowPostCopy", FALSE)};
  g_assert_true(ferry_host_job_start(o->job.job, &request, returned, &o->done, &error));
  g_assert_no_error(error);
  FerryJobStats stats = {0};
  while (!ferry_host_job_stats(o->job.job, &stats, NULL) || stats.memory_processed < MIB)
    g_usleep(500);
}

static void orphan_end(Orphan *o) {
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (!g_atomic_int_get(&o->done)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(1000);
  }
  job_close(&o->job);
  json_decref(o->config);
}

/* What the agent before had written of it. */
static json_t *running_object(const char *uuid, const json_t *config) {
  json_t *object = migration_of(uuid, json_deep_copy(config));
  ferry_json_set_str(object, "status.phase", "Running");
  return object;
}

static void test_goes_on(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 1024, 64, 30, FERRY_SIM_UNIFORM);
  Orphan o = {0};
  orphan_start(&o, b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  Move *it = move_object(b, running_object(uuid, o.config), FALSE);
  assert_moved(b, it);
  orphan_end(&o);
  g_assert_cmpuint(json_array_size(it->phases), ==, 0); /* it was Running already */
  g_assert_cmpint(ferry_json_int(it->status, "progress.dataTotalBytes", 0), >, 0);
  bed_free(b);
}

static void test_cancelled(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 4096, 64, 30, FERRY_SIM_UNIFORM);
  Orphan o = {0};
  orphan_start(&o, b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  Move *it = move_object(b, running_object(uuid, o.config), FALSE);
  cancel(it);
  assert_stayed(b, it, "Cancelled");
  orphan_end(&o);
  bed_free(b);
}

/* The limits of the one before hold, and its controller goes on. */
static void test_limit(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 1024, 800, 400, FERRY_SIM_UNIFORM);
  Orphan o = {0};
  orphan_start(&o, b, uuid,
               json_pack("{s:i, s:i, s:s}", "maxDowntimeMs", 20, "migrationProgressTimeout", 1,
                         "preset", "proxmox"));
  Move *it = move_object(b, running_object(uuid, o.config), FALSE);
  wait_done(it);
  orphan_end(&o);
  g_autofree char *where = NULL;
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "ProgressTimeout");
  g_assert_cmpint(ferry_sim_world_running(b->world, uuid, &where), ==, 1);
  g_assert_cmpstr(where, ==, "h1");
  bed_free(b);
}

/* Its job was over before the agent began. */
static void test_over_already(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  g_autoptr(json_t) config = json_pack("{s:i}", "maxDowntimeMs", 300);
  Move *it = move_object(b, running_object(uuid, config), FALSE);
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.sourceState"), ==, "running");
  g_assert_cmpstr(text(it, "migrationState.agentResult.error"), !=, "");
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/agent/supervise/goes-on", test_goes_on);
  g_test_add_func("/agent/supervise/cancelled", test_cancelled);
  g_test_add_func("/agent/supervise/limit", test_limit);
  g_test_add_func("/agent/supervise/over-already", test_over_already);
  return g_test_run();
}
