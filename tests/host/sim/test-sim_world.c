// SPDX-License-Identifier: Apache-2.0
// Simulated hosts: their description, shared links, hibernation, disks, and faults at any moment,
// after which every VM still runs on exactly one host or is known to be lost.
#include "base/error.h"
#include "host/sim/sim.h"
#include "../seen.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define MIB (1024.0 * 1024)
#define H2 "sim://h2/system"

typedef struct {
  FerryHost *host;
  Seen seen;
} Opened;

static FerrySimWorld *world_of(const char *text) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) o = json_loads(text, 0, NULL);
  g_assert_nonnull(o);
  FerrySimWorld *w = ferry_sim_world_new_json(o, &error);
  g_assert_no_error(error);
  return w;
}

static FerrySimWorld *two_hosts(void) {
  return world_of("{\"speed\": 20, \"hosts\": [{\"name\": \"h1\", \"linkMbps\": 1000},"
                  " {\"name\": \"h2\", \"linkMbps\": 1000}], \"domains\": ["
                  "{\"name\": \"a\", \"host\": \"h1\", \"memoryMiB\": 500, \"zeroMiB\": 100,"
                  " \"writeMiBps\": 20, \"workingSetMiB\": 16},"
                  "{\"name\": \"b\", \"host\": \"h1\", \"memoryMiB\": 500, \"persistent\": true,"
                  " \"pattern\": \"idle\", \"disks\": [{\"name\": \"vda\", \"sizeMiB\": 300,"
                  " \"shared\": false}, {\"name\": \"vdb\", \"sizeMiB\": 10}]}]}");
}

static Opened *open_host(FerrySimWorld *w, const char *name) {
  g_autoptr(GError) error = NULL;
  Opened *here = g_new0(Opened, 1);
  here->host = ferry_host_sim_new(w, name, &error);
  g_assert_no_error(error);
  ferry_host_start(here->host, seen_event, &here->seen);
  seen_wait(&here->seen, &here->seen.connected, 1);
  return here;
}

static void close_host(Opened *here) {
  ferry_host_free(here->host);
  g_clear_error(&here->seen.error);
  g_free(here);
}

static void begin(Opened *here, FerryHostJob *job, FerryMigrateRequest *request) {
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_host_job_start(job, request, seen_done, &here->seen, &error));
  g_assert_no_error(error);
}

static FerryHostJob *job_of(Opened *here, const char *name) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = ferry_sim_uuid(name);
  FerryHostJob *job = ferry_host_job_open(here->host, uuid, &error);
  g_assert_no_error(error);
  return job;
}

static void bad(const char *text, const char *word) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) o = json_loads(text, 0, NULL);
  g_assert_nonnull(o);
  g_assert_null(ferry_sim_world_new_json(o, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  if (!strstr(error->message, word))
    g_error("\"%s\" does not name \"%s\"", error->message, word);
}

static void test_description(void) {
  g_autoptr(GError) error = NULL;
  bad("{\"speed\": 0}", "speed");
  bad("{\"speed\": \"x\"}", "speed");
  bad("{\"hosts\": [{\"name\": \"H 1\"}]}", "H 1");
  bad("{\"hosts\": [{\"name\": \"h1\"}, {\"name\": \"h1\"}]}", "h1");
  bad("{\"hosts\": [{\"name\": \"h1\", \"address\": \"no\"}]}", "no IP address");
  bad("{\"hosts\": [{\"name\": \"h1\", \"linkMbps\": -3}]}", "linkMbps");
  bad("{\"hosts\": [{\"name\": \"h1\", \"sharedFileSystems\": {}}]}", "sharedFileSystems");
  bad("{\"hosts\": [{\"name\": \"h1\", \"sharedFileSystems\": [{\"path\": \"x\"}]}]}",
      "sharedFileSystems");
  bad("{\"domains\": [{\"name\": \"a\", \"host\": \"h9\"}]}", "h9");
  bad("{\"hosts\": [{\"name\": \"h1\"}], \"domains\": [{\"name\": \"a\", \"host\": \"h1\","
      " \"pattern\": \"odd\"}]}",
      "odd");
  bad("{\"hosts\": [{\"name\": \"h1\"}], \"domains\": [{\"name\": \"a\", \"host\": \"h1\","
      " \"memoryMiB\": 10, \"workingSetMiB\": 11}]}",
      "workingSetMiB");
  bad("{\"hosts\": [{\"name\": \"h1\"}], \"domains\": [{\"name\": \"a\", \"host\": \"h1\"},"
      " {\"name\": \"a\", \"host\": \"h1\"}]}",
      "UUID");
  g_assert_null(ferry_sim_world_load("/nonexistent/world.json", &error));
  g_assert_nonnull(error);
  g_clear_error(&error);
  FerrySimWorld *w = two_hosts();
  g_auto(GStrv) names = ferry_sim_world_hosts(w);
  g_assert_cmpstr(names[0], ==, "h1");
  g_assert_cmpuint(g_strv_length(names), ==, 2);
  g_assert_null(ferry_host_sim_new(w, "h3", &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_autofree char *uuid = ferry_sim_uuid("a");
  g_assert_true(g_uuid_string_is_valid(uuid));
  g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), ==, 1);
  ferry_sim_world_free(w);
}

/* a host says of its shared file systems what its description says, or nothing */
static void test_file_systems(void) {
  FerrySimWorld *w =
      world_of("{\"hosts\": [{\"name\": \"h1\"}, {\"name\": \"h2\", \"sharedFileSystems\":"
               " [{\"path\": \"/sim\", \"type\": \"nfs4\", \"readOnly\": true}]}],"
               " \"domains\": [{\"name\": \"a\", \"host\": \"h1\", \"disks\": ["
               "{\"name\": \"vda\"}, {\"name\": \"vdb\", \"shared\": false}]}]}");
  Opened *one = open_host(w, "h1"), *two = open_host(w, "h2");
  g_autoptr(json_t) silent = ferry_host_info(one->host, NULL);
  g_autoptr(json_t) info = ferry_host_info(two->host, NULL);
  g_autoptr(json_t) list = ferry_host_list(one->host, NULL);
  g_assert_nonnull(silent);
  g_assert_null(ferry_json_get(silent, "sharedFileSystems"));
  const json_t *there = ferry_json_find(ferry_json_get(info, "sharedFileSystems"), "path", "/sim");
  g_assert_cmpstr(ferry_json_str(there, "type"), ==, "nfs4");
  g_assert_true(ferry_json_bool(there, "readOnly", FALSE));
  const json_t *disks = ferry_json_get(json_array_get(list, 0), "disks");
  g_assert_true(ferry_json_bool(json_array_get(disks, 0), "shared", FALSE));
  g_assert_false(ferry_json_bool(json_array_get(disks, 1), "shared", FALSE));
  close_host(one);
  close_host(two);
  ferry_sim_world_free(w);
}

/* two migrations on one link take half of it each; a cap is a cap */
static void test_shared_link(void) {
  FerrySimWorld *w = two_hosts();
  Opened *one = open_host(w, "h1"), *two = open_host(w, H2), *again = open_host(w, "h1");
  FerryHostJob *a = job_of(one, "a"), *b = job_of(again, "b");
  g_autoptr(GError) error = NULL;
  FerryMigrateRequest request = {.dest_uri = H2, .active = TRUE, .unsafe = TRUE};
  ferry_sim_world_set_link(w, "h1", MIB); /* slow enough to be looked at */
  begin(one, a, &request);
  FerryJobStats stats;
  g_assert_true(ferry_host_job_stats(a, &stats, &error));
  g_assert_cmpint(stats.memory_bps, ==, (gint64)(20 * MIB)); /* 20 times as fast */
  begin(again, b, &request);
  g_assert_true(ferry_host_job_stats(a, &stats, &error));
  g_assert_cmpint(stats.memory_bps, ==, (gint64)(10 * MIB));
  g_assert_true(ferry_host_job_set_max_speed(a, (gint64)(4 * MIB), &error));
  g_assert_true(ferry_host_job_stats(a, &stats, &error));
  g_assert_cmpint(stats.memory_bps, ==, (gint64)(4 * MIB));
  /* a second call for the same domain finds it locked */
  Opened *other = open_host(w, "h1");
  FerryHostJob *same = job_of(other, "a");
  begin(other, same, &request);
  seen_wait(&other->seen, &other->seen.returned, 1);
  g_assert_error(other->seen.error, FERRY_HOST_ERROR, 68);
  ferry_host_job_close(same);
  g_assert_false(ferry_host_job_resume(a, &error));
  g_assert_error(error, FERRY_HOST_ERROR, 68);
  g_clear_error(&error);
  g_assert_true(ferry_host_job_abort(b, &error));
  seen_wait(&again->seen, &again->seen.returned, 1);
  g_assert_true(ferry_host_job_set_max_speed(a, 0, &error));
  g_assert_true(ferry_host_job_stats(a, &stats, &error));
  g_assert_cmpint(stats.memory_bps, ==, (gint64)(20 * MIB));
  ferry_sim_world_set_link(w, "h1", 1000 * MIB);
  seen_wait(&one->seen, &one->seen.returned, 1);
  g_assert_no_error(one->seen.error);
  ferry_host_job_close(a);
  ferry_host_job_close(b);
  Opened *all[] = {one, two, again, other};
  for (guint i = 0; i < 4; i++)
    close_host(all[i]);
  ferry_sim_world_free(w);
}

/* disks are looked up, made, copied before memory, and counted; unsafe is refused */
static void test_disks(void) {
  FerrySimWorld *w = two_hosts();
  Opened *here = open_host(w, "h1");
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = ferry_sim_uuid("b");
  FerryMigrateRequest request = {.dest_uri = H2, .active = TRUE, .persistent = TRUE};
  FerryHostJob *job = job_of(here, "b");
  begin(here, job, &request);
  seen_wait(&here->seen, &here->seen.returned, 1);
  g_assert_error(here->seen.error, FERRY_HOST_ERROR, 81);
  g_assert_nonnull(strstr(here->seen.error->message, "without shared storage is unsafe"));
  ferry_host_job_close(job);
  job = job_of(here, "b");
  request.copy_disks = TRUE;
  g_autoptr(json_t) plan = ferry_host_job_disks_plan(job, &request, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_size(plan), ==, 1); /* the shared one stays where it is */
  const json_t *disk = json_array_get(plan, 0);
  g_assert_cmpstr(ferry_json_str(disk, "name"), ==, "vda");
  g_assert_true(ferry_json_bool(disk, "create", FALSE));
  g_assert_cmpint(ferry_json_int(disk, "sizeBytes", 0), ==, (gint64)(300 * MIB));
  g_assert_true(ferry_host_job_disks_make(job, H2, plan, &error));
  g_assert_true(ferry_host_job_disks_remove(job, H2, plan, &error));
  g_assert_true(ferry_host_job_disks_make(job, H2, plan, &error));
  /* what appeared since a plan is somebody else's: it is not made, and an undo leaves it */
  g_autoptr(json_t) late = json_deep_copy(plan);
  g_assert_false(ferry_host_job_disks_make(job, H2, late, &error));
  g_assert_nonnull(strstr(error->message, "appeared"));
  g_clear_error(&error);
  g_assert_false(ferry_json_bool(json_array_get(late, 0), "create", TRUE));
  g_assert_true(ferry_host_job_disks_remove(job, H2, late, &error));
  g_autoptr(json_t) second = ferry_host_job_disks_plan(job, &request, &error);
  g_assert_false(ferry_json_bool(json_array_get(second, 0), "create", TRUE));
  begin(here, job, &request);
  FerryJobStats stats;
  g_assert_true(ferry_host_job_stats(job, &stats, &error));
  g_assert_cmpint(stats.disk_total, ==, (gint64)(300 * MIB));
  g_assert_cmpint(stats.disk_remaining, >, 0);
  g_assert_cmpint(stats.memory_total, ==, -1); /* nothing before the disks are there */
  g_assert_cmpint(stats.data_total, ==, (gint64)(300 * MIB));
  seen_wait(&here->seen, &here->seen.returned, 2);
  g_assert_no_error(here->seen.error);
  FerryDomainState state, peer;
  g_assert_true(ferry_host_job_state(job, &state, &error)); /* its definition went with it */
  g_assert_false(state.exists);
  g_assert_true(ferry_host_peer_state(here->host, H2, uuid, &peer, &error));
  g_assert_true(peer.active && peer.persistent);
  ferry_host_job_close(job);
  close_host(here);
  ferry_sim_world_free(w);
}

static void test_hibernate(void) {
  FerrySimWorld *w = two_hosts();
  Opened *here = open_host(w, "h1");
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp("ferry-sim-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "a.save", NULL), *uuid = ferry_sim_uuid("a");
  g_assert_false(ferry_host_save(here->host, "none", path, &error));
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
  g_clear_error(&error);
  g_assert_true(ferry_host_save(here->host, uuid, path, &error));
  g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), ==, 0);
  g_assert_null(ferry_host_record(here->host, uuid, &error));
  g_clear_error(&error);
  g_assert_true(ferry_host_restore(here->host, path, &error));
  g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), ==, 1);
  g_assert_false(ferry_host_restore(here->host, path, &error)); /* it is active */
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE);
  g_unlink(path);
  g_rmdir(dir);
  close_host(here);
  ferry_sim_world_free(w);
}

static void test_offline(void) {
  FerrySimWorld *w = two_hosts();
  Opened *here = open_host(w, "h1");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) config = json_pack("{s:b, s:s}", "offline", 1, "destinationName", "moved");
  g_autofree char *uuid = ferry_sim_uuid("b");
  FerryMigrateRequest request = {.dest_uri = H2, .config = config, .persistent = TRUE};
  FerryHostJob *job = job_of(here, "b");
  begin(here, job, &request);
  seen_wait(&here->seen, &here->seen.returned, 1);
  g_assert_no_error(here->seen.error);
  g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), ==, 1); /* it runs on where it ran */
  Opened *there = open_host(w, "h2");
  g_autoptr(json_t) record = ferry_host_record(there->host, uuid, &error);
  g_assert_cmpstr(ferry_json_str(record, "name"), ==, "moved");
  g_assert_cmpstr(ferry_json_str(record, "state"), ==, "shutoff");
  g_assert_true(ferry_json_bool(record, "persistent", FALSE));
  ferry_host_job_close(job);
  close_host(here);
  close_host(there);
  ferry_sim_world_free(w);
}

/* everything says so while a daemon is away; all is there when it is back */
static void test_daemon(void) {
  FerrySimWorld *w = two_hosts();
  Opened *here = open_host(w, "h1"), *there = open_host(w, "h2");
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = ferry_sim_uuid("a");
  FerryHostJob *job = job_of(here, "a");
  ferry_sim_world_set_daemon(w, "h1", FALSE);
  seen_wait(&here->seen, &here->seen.disconnected, 1);
  FerryJobStats stats;
  FerryDomainState state;
  gint64 bytes;
  GError **e = &error;
#define AWAY(call)                                                                                 \
  g_assert_false(call);                                                                            \
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);                         \
  g_clear_error(&error)
  AWAY(ferry_host_list(here->host, e));
  AWAY(ferry_host_info(here->host, e));
  AWAY(ferry_host_record(here->host, uuid, e));
  AWAY(ferry_host_job_open(here->host, uuid, e));
  AWAY(ferry_host_job_stats(job, &stats, e));
  AWAY(ferry_host_job_state(job, &state, e));
  AWAY(ferry_host_job_suspend(job, e));
  AWAY(ferry_host_job_abort(job, e));
  AWAY(ferry_host_job_dirty_rate(job, 1, &bytes, e));
  AWAY(ferry_host_peer_state(there->host, "sim://h1/system", uuid, &state, e));
  AWAY(ferry_host_peer_state(there->host, "sim://h7/system", uuid, &state, e));
  g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), ==, 1); /* QEMU does not care */
  ferry_sim_world_set_daemon(w, "h1", TRUE);
  seen_wait(&here->seen, &here->seen.connected, 2);
  g_autoptr(json_t) list = ferry_host_list(here->host, &error);
  g_assert_cmpuint(json_array_size(list), ==, 2);
  /* a target that is away is an error of the call, and nothing begins */
  ferry_sim_world_set_power(w, "h2", FALSE);
  FerryMigrateRequest request = {.dest_uri = H2, .active = TRUE};
  begin(here, job, &request);
  seen_wait(&here->seen, &here->seen.returned, 1);
  g_assert_error(here->seen.error, FERRY_HOST_ERROR, 9);
  ferry_host_job_close(job);
  close_host(here);
  close_host(there);
  ferry_sim_world_free(w);
}

/* whatever goes wrong and whenever: never two of one VM, and none lost unless a host lost power or
 * post-copy was cut */
static void test_faults_at_random(void) {
  guint kinds[4] = {0};
  for (guint32 seed = 1; seed <= 80; seed++) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    FerrySimWorld *w = two_hosts();
    Opened *here = open_host(w, "h1");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) config = json_pack("{s:b}", "allowPostCopy", 1);
    g_autofree char *uuid = ferry_sim_uuid("a"), *where = NULL;
    FerryHostJob *job = job_of(here, "a");
    FerryMigrateRequest request = {
        .dest_uri = H2, .active = TRUE, .config = config, .post_copy = TRUE};
    begin(here, job, &request);
    gboolean post_copy = g_rand_boolean(rand) && ferry_host_job_start_postcopy(job, NULL);
    g_usleep((gulong)g_rand_int_range(rand, 0, 250000)); /* a whole one takes 0.2 s */
    guint fault = (guint)g_rand_int_range(rand, 0, 4);
    if (g_rand_int_range(rand, 0, 3) == 0)
      fault = 2;
    const char *victim = g_rand_boolean(rand) ? "h1" : "h2";
    if (fault == 0)
      ferry_host_job_abort(job, NULL);
    else if (fault == 1)
      ferry_sim_world_set_daemon(w, victim, FALSE);
    else if (fault == 2)
      ferry_sim_world_set_power(w, victim, FALSE);
    g_assert_cmpint(ferry_sim_world_running(w, uuid, NULL), <=, 1);
    if (fault == 1)
      ferry_sim_world_set_daemon(w, victim, TRUE);
    seen_wait(&here->seen, &here->seen.returned, 1); /* the call always returns */
    int running = ferry_sim_world_running(w, uuid, &where);
    g_assert_cmpint(running, <=, 1);
    FerrySimMoved moved = {.phase = FERRY_SIM_PHASE_CANCELLED};
    for (int i = 0; i < 2000 && !ferry_sim_world_last(w, uuid, &moved); i++)
      g_usleep(1000); /* post-copy goes on without its call */
    running = ferry_sim_world_running(w, uuid, &where);
    kinds[moved.phase == FERRY_SIM_PHASE_COMPLETED   ? 0
          : moved.phase == FERRY_SIM_PHASE_CANCELLED ? 1
                                                     : 2]++;
    if (fault != 2 && moved.phase != FERRY_SIM_PHASE_FAILED) {
      g_assert_cmpint(running, ==, 1);
      g_assert_cmpstr(where, ==, moved.phase == FERRY_SIM_PHASE_COMPLETED ? "h2" : "h1");
    }
    if (moved.phase == FERRY_SIM_PHASE_FAILED)
      g_assert_true(post_copy && running == 0);
    if (fault == 0 && here->seen.error)
      g_assert_error(here->seen.error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_ABORTED);
    kinds[3] += fault == 3 && !here->seen.error;
    ferry_host_job_close(job);
    close_host(here);
    ferry_sim_world_free(w);
  }
  g_test_message("completed %u, cancelled %u, failed %u", kinds[0], kinds[1], kinds[2]);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint(kinds[i], >, 0); /* all of it was met */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sim-world/description", test_description);
  g_test_add_func("/sim-world/file-systems", test_file_systems);
  g_test_add_func("/sim-world/shared-link", test_shared_link);
  g_test_add_func("/sim-world/disks", test_disks);
  g_test_add_func("/sim-world/hibernate", test_hibernate);
  g_test_add_func("/sim-world/offline", test_offline);
  g_test_add_func("/sim-world/daemon", test_daemon);
  g_test_add_func("/sim-world/faults-at-random", test_faults_at_random);
  return g_test_run();
}
