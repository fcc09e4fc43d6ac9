// SPDX-License-Identifier: Apache-2.0
// The hypervisor port's contract, the same for every driver: the simulated one, libvirt's on its
// test hypervisor (which cannot migrate), and libvirt's with QEMU where FERRY_PORT_URI names one
// (tests/lab/test_port.py), with FERRY_PORT_UUIDS of two running domains that change little memory,
// FERRY_PORT_TARGET_URI and FERRY_PORT_TARGET_ADDRESS.
#include "base/error.h"
#include "host/libvirt/libvirt_host.h"
#include "host/sim/sim.h"
#include "../seen.h"
#include <string.h>

#define NOBODY "00000000-0000-4000-8000-000000000000"
#define MIB 1048576

typedef struct {
  const char *name, *uri;
  const char *uuids[2]; /* running here; NULL: the first of the list */
  const char *target_uri, *address;
  gboolean migrates;
  FerrySimWorld *world;
  FerryHost *host;
  Seen seen;
} Driver;

static void on_done(const GError *error, gpointer data) {
  Driver *d = data;
  g_assert_cmpuint(d->seen.returned, ==, 0); /* once */
  seen_done(error, &d->seen);
}

/* two hosts and two domains, 10 times as fast as they would be */
static void make_world(Driver *d) {
  g_autoptr(GError) error = NULL;
  d->world = ferry_sim_world_new(10);
  for (int i = 1; i <= 2; i++) {
    g_autofree char *name = g_strdup_printf("h%d", i), *address = g_strdup_printf("10.9.0.%d", i);
    FerrySimHostSpec host = {
        .name = name, .address = address, .cpus = 8, .memory = 64LL << 30, .link = 119.0 * MIB};
    g_assert_true(ferry_sim_world_add_host(d->world, &host, &error));
  }
  for (int i = 0; i < 2; i++) {
    FerrySimDomainSpec domain = {.name = i ? "vm2" : "vm1",
                                 .uuid = d->uuids[i],
                                 .persistent = i == 1,
                                 .guest = {.memory = 250.0 * MIB,
                                           .working_set = 8.0 * MIB,
                                           .write_rate = 5.0 * MIB,
                                           .pattern = FERRY_SIM_UNIFORM,
                                           .vcpus = 1}};
    g_assert_true(ferry_sim_world_add_domain(d->world, "h1", &domain, &error));
  }
}

static void set_up(Driver *d, gconstpointer data) {
  const Driver *plan = data;
  g_autoptr(GError) error = NULL;
  *d = *plan;
  g_mutex_init(&d->seen.lock);
  g_cond_init(&d->seen.cond);
  if (g_str_has_prefix(d->uri, "sim://")) {
    make_world(d);
    d->host = ferry_host_sim_new(d->world, d->uri, &error);
    g_assert_no_error(error);
  } else {
    d->host = ferry_host_libvirt_new(d->uri);
  }
  g_assert_null(ferry_host_list(d->host, &error)); /* not before it is connected */
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
  g_clear_error(&error);
  g_assert_null(ferry_host_info(d->host, &error));
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
  ferry_host_start(d->host, seen_event, &d->seen);
  seen_wait(&d->seen, &d->seen.connected, 1);
}

static void tear_down(Driver *d, gconstpointer data) {
  ferry_host_free(d->host);
  ferry_sim_world_free(d->world);
  g_clear_error(&d->seen.error);
}

static char *uuid_of(Driver *d, int which) {
  if (d->uuids[which])
    return g_strdup(d->uuids[which]);
  g_autoptr(json_t) list = ferry_host_list(d->host, NULL);
  return g_strdup(ferry_json_str(json_array_get(list, 0), "uuid"));
}

static FerryHostJob *open_job(Driver *d, int which) {
  g_autofree char *uuid = uuid_of(d, which);
  g_autoptr(GError) error = NULL;
  FerryHostJob *job = ferry_host_job_open(d->host, uuid, &error);
  g_assert_no_error(error);
  return job;
}

static void refused(GError **error, int code) {
  g_assert_error(*error, FERRY_HOST_ERROR, code);
  g_assert_cmpstr((*error)->message, !=, "");
  g_clear_error(error);
}

static void test_inventory(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) info = ferry_host_info(d->host, &error);
  g_assert_no_error(error);
  static const char *const texts[] = {"capacity.cpu",          "capacity.memory",
                                      "allocatable.cpu",       "allocatable.memory",
                                      "hypervisor.libvirtURI", "hypervisor.libvirtVersion",
                                      "hypervisor.cpuArch",    "nodeInfo.containerRuntimeVersion",
                                      "nodeInfo.architecture", "nodeInfo.operatingSystem"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    g_assert_nonnull(ferry_json_str(info, texts[i]));
  g_assert_true(json_is_array(ferry_json_get(info, "interfaces")));
  g_assert_true(json_is_array(ferry_json_get(info, "addresses")));
  g_assert_true(json_is_array(ferry_json_get(info, "hypervisor.features")));

  g_autoptr(json_t) list = ferry_host_list(d->host, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_size(list), >=, 1);
  g_autofree char *uuid = uuid_of(d, 0);
  const json_t *listed = ferry_json_find(list, "uuid", uuid);
  g_autoptr(json_t) record = ferry_host_record(d->host, uuid, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(ferry_json_str(record, "uuid"), ==, uuid);
  g_assert_cmpstr(ferry_json_str(record, "name"), ==, ferry_json_str(listed, "name"));
  g_assert_cmpstr(ferry_json_str(record, "state"), ==, "running");
  g_assert_nonnull(ferry_json_str(record, "reason"));
  g_assert_cmpint(ferry_json_int(record, "memoryBytes", 0), >, 0);
  g_assert_cmpint(ferry_json_int(record, "vcpus", 0), >, 0);
  g_assert_cmpint(ferry_json_int(record, "id", -1), >, 0);
  g_assert_true(ferry_json_bool(record, "active", FALSE));
  g_assert_true(json_is_boolean(ferry_json_get(record, "persistent")));
  g_assert_true(json_is_array(ferry_json_get(record, "disks")));
  g_assert_null(ferry_json_get(record, "job"));

  g_assert_null(ferry_host_record(d->host, NOBODY, &error));
  refused(&error, FERRY_HOST_ERROR_NO_DOMAIN);
  g_assert_null(ferry_host_job_open(d->host, NOBODY, &error));
  refused(&error, FERRY_HOST_ERROR_NO_DOMAIN);
  FerryDomainState state;
  g_assert_true(ferry_host_peer_state(d->host, d->uri, uuid, &state, &error));
  g_assert_cmpint(state.state, ==, FERRY_VM_RUNNING);
  g_assert_true(ferry_host_peer_state(d->host, d->uri, NOBODY, &state, &error));
  g_assert_false(state.exists);
  g_assert_cmpint(state.state, ==, FERRY_VM_GONE);
}

static void test_suspend(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  FerryHostJob *job = open_job(d, 0);
  FerryDomainState state;
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_true(state.exists && state.active);
  g_assert_cmpint(state.state, ==, FERRY_VM_RUNNING);
  seen_forget(&d->seen);
  g_assert_true(ferry_host_job_suspend(job, &error));
  seen_wait(&d->seen, &d->seen.changed, 1);
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_cmpint(state.state, ==, FERRY_VM_PAUSED);
  g_assert_cmpstr(state.reason, ==, "user");
  seen_forget(&d->seen);
  g_assert_true(ferry_host_job_resume(job, &error));
  seen_wait(&d->seen, &d->seen.changed, 1);
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_cmpint(state.state, ==, FERRY_VM_RUNNING);
  ferry_host_job_close(job);
}

/* what a job refuses before it moves anything */
static void test_no_job(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  FerryHostJob *job = open_job(d, 0);
  FerryMigrateRequest request = {.dest_uri = "nowhere"};
  g_assert_false(ferry_host_job_start(job, &request, on_done, d, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_nonnull(strstr(error->message, "--peer-uri"));
  g_clear_error(&error);
  if (d->migrates) {
    FerryJobStats stats;
    gint64 bytes = -1;
    g_assert_true(ferry_host_job_stats(job, &stats, &error));
    g_assert_false(stats.active || stats.migration_out || stats.migration_in);
    g_assert_cmpint(stats.data_total, ==, -1);
    g_assert_false(ferry_host_job_abort(job, &error));
    refused(&error, FERRY_HOST_ERROR_INVALID_STATE);
    g_assert_false(ferry_host_job_start_postcopy(job, &error));
    refused(&error, FERRY_HOST_ERROR_INVALID_STATE);
    g_assert_false(ferry_host_job_resume(job, &error));
    refused(&error, FERRY_HOST_ERROR_INVALID_STATE);
    g_assert_true(ferry_host_job_resident(job, &bytes, &error));
    g_assert_cmpint(bytes, >, 0);
    bytes = -1;
    g_assert_true(ferry_host_job_dirty_rate(job, 1, &bytes, &error));
    g_assert_cmpint(bytes, >=, 0);
    g_assert_true(ferry_host_job_set_max_downtime(job, 300, &error));
  }
  g_assert_no_error(error);
  g_assert_cmpuint(d->seen.returned, ==, 0);
  ferry_host_job_close(job);
}

static FerryMigrateRequest request_to(Driver *d, const json_t *config) {
  return (FerryMigrateRequest){
      .dest_uri = d->target_uri,
      .address = d->address,
      .config = config,
      .active = TRUE,
      .bandwidth = 10 * MIB, /* slow enough to be looked at */
      .post_copy = ferry_json_bool(config, "allowPostCopy", FALSE),
      .unsafe = TRUE,
  };
}

static json_t *config_of(gboolean post_copy) {
  return json_pack("{s:b, s:b, s:b, s:b, s:i}", "peerToPeer", 1, "disableTLS", 1,
                   "unsafeMigrationOverride", 1, "allowPostCopy", post_copy,
                   "bandwidthPerMigration", 10 * MIB);
}

/* Waits until the job is well under way. */
static void wait_until_sending(FerryHostJob *job, FerryJobStats *stats) {
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  for (;;) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    if (ferry_host_job_stats(job, stats, NULL) && stats->active && stats->memory_processed > MIB)
      return;
    g_usleep(2000); /* between two questions */
  }
}

/* A migration to the other host that is well under way, and what was said of it then. */
static FerryHostJob *start_moving(Driver *d, int which, gboolean post_copy, FerryJobStats *stats) {
  g_autoptr(GError) error = NULL;
  FerryHostJob *job = open_job(d, which);
  g_autoptr(json_t) config = config_of(post_copy);
  FerryMigrateRequest request = request_to(d, config);
  seen_forget(&d->seen);
  g_assert_true(ferry_host_job_start(job, &request, on_done, d, &error));
  wait_until_sending(job, stats);
  return job;
}

/* It has ended well: gone from here, running there. Closes the job. */
static void assert_moved(Driver *d, FerryHostJob *job, const char *uuid) {
  g_autoptr(GError) error = NULL;
  FerryDomainState state, peer;
  seen_wait(&d->seen, &d->seen.returned, 1);
  g_assert_no_error(d->seen.error);
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_false(state.active);
  ferry_host_job_close(job);
  g_assert_true(ferry_host_peer_state(d->host, d->target_uri, uuid, &peer, &error));
  g_assert_cmpint(peer.state, ==, FERRY_VM_RUNNING);
  g_assert_true(peer.active);
}

static void test_abort(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = uuid_of(d, 0);
  FerryHostJob *job = open_job(d, 0);
  g_autoptr(json_t) config = config_of(FALSE);
  FerryMigrateRequest request = request_to(d, config);
  seen_forget(&d->seen);
  g_assert_true(ferry_host_job_start(job, &request, on_done, d, &error));
  g_assert_false(ferry_host_job_start(job, &request, on_done, d, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL);
  g_clear_error(&error);
  FerryJobStats first, later;
  wait_until_sending(job, &first);
  seen_wait(&d->seen, &d->seen.iterations, 1);
  g_assert_cmpint(d->seen.last_iteration, ==, 1);
  g_assert_true(first.migration_out && !first.migration_in);
  g_assert_cmpstr(first.operation, ==, "migration-out");
  g_assert_cmpint(first.elapsed_ms, >=, 0);
  g_assert_cmpint(first.memory_total, >, 0);
  g_assert_cmpint(first.memory_remaining, >, 0);
  g_assert_cmpint(first.memory_remaining, <=, first.memory_total);
  g_assert_cmpint(first.data_total, >=, first.memory_total);
  g_assert_cmpint(first.page_size, ==, 4096);
  g_assert_cmpint(first.downtime_ms, >, 0); /* what QEMU expects so far */
  do {
    g_assert_true(ferry_host_job_stats(job, &later, &error));
    g_usleep(2000);
  } while (later.memory_processed == first.memory_processed);
  g_assert_cmpint(later.memory_processed, >, first.memory_processed);
  g_assert_cmpint(later.elapsed_ms, >=, first.elapsed_ms);
  g_autoptr(json_t) record = ferry_host_record(d->host, uuid, &error);
  g_assert_cmpstr(ferry_json_str(record, "job.operation"), ==, "migration-out");
  FerryDomainState peer;
  g_assert_true(ferry_host_peer_state(d->host, d->target_uri, uuid, &peer, &error));
  g_assert_cmpint(peer.state, ==, FERRY_VM_PAUSED);
  g_assert_true(ferry_host_job_set_max_downtime(job, 500, &error));
  g_assert_true(ferry_host_job_set_max_speed(job, 11 * MIB, &error));
  g_assert_false(ferry_host_job_start_postcopy(job, &error)); /* it was not asked for */
  refused(&error, FERRY_HOST_ERROR_INVALID_STATE);
  g_assert_cmpuint(d->seen.returned, ==, 0);
  g_assert_true(ferry_host_job_abort(job, &error));
  seen_wait(&d->seen, &d->seen.returned, 1);
  refused(&d->seen.error, FERRY_HOST_ERROR_ABORTED);
  FerryDomainState state;
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_cmpint(state.state, ==, FERRY_VM_RUNNING);
  g_assert_true(ferry_host_job_stats(job, &later, &error));
  g_assert_false(later.active);
  ferry_host_job_close(job);
  g_assert_true(ferry_host_peer_state(d->host, d->target_uri, uuid, &peer, &error));
  g_assert_false(peer.active);
  g_assert_cmpuint(d->seen.completed, ==, 0);
}

static void test_migrate(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = uuid_of(d, 0);
  FerryJobStats stats;
  FerryHostJob *job = start_moving(d, 0, FALSE, &stats);
  g_assert_true(ferry_host_job_set_max_speed(job, 0, &error)); /* unlimited */
  assert_moved(d, job, uuid);
  seen_wait(&d->seen, &d->seen.completed, 1);
  g_assert_cmpuint(d->seen.iterations, >=, 1);
  g_assert_false(d->seen.stats.active);
  g_assert_cmpint(d->seen.stats.downtime_ms, >=, 0);
  g_assert_cmpint(d->seen.stats.elapsed_ms, >=, stats.elapsed_ms);
  g_assert_cmpint(d->seen.stats.memory_processed, >, stats.memory_processed);
}

static void test_post_copy(Driver *d, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = uuid_of(d, 1);
  FerryJobStats stats;
  FerryHostJob *job = start_moving(d, 1, TRUE, &stats);
  g_assert_true(ferry_host_job_start_postcopy(job, &error));
  g_assert_no_error(error);
  assert_moved(d, job, uuid);
}

static void add(const Driver *d) {
  static const struct {
    const char *name;
    void (*test)(Driver *, gconstpointer);
    gboolean migrates;
  } tests[] = {{"inventory", test_inventory, FALSE}, {"suspend", test_suspend, FALSE},
               {"no-job", test_no_job, FALSE},       {"abort", test_abort, TRUE},
               {"migrate", test_migrate, TRUE},      {"post-copy", test_post_copy, TRUE}};
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/port/%s/%s", d->name, tests[i].name);
    if (d->migrates || !tests[i].migrates)
      g_test_add(path, Driver, d, set_up, tests[i].test, tear_down);
  }
}

static void silence(const char *domain, GLogLevelFlags level, const char *text, gpointer data) {
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(silence, NULL);
  static Driver sim = {
      .name = "sim",
      .uri = "sim://h1/system",
      .uuids = {"6d39e1f0-5d3c-4a70-9a5b-3a5a8a6b1c01", "6d39e1f0-5d3c-4a70-9a5b-3a5a8a6b1c02"},
      .target_uri = "sim://h2/system",
      .address = "10.9.0.2",
      .migrates = TRUE};
  static Driver mock = {.name = "libvirt-test", .uri = "test:///default"};
  static Driver real = {.name = "libvirt", .migrates = TRUE};
  real.uri = g_getenv("FERRY_PORT_URI");
  if (real.uri) {
    char **uuids = g_strsplit(g_getenv("FERRY_PORT_UUIDS"), ",", 2);
    real.uuids[0] = uuids[0];
    real.uuids[1] = uuids[1];
    real.target_uri = g_getenv("FERRY_PORT_TARGET_URI");
    real.address = g_getenv("FERRY_PORT_TARGET_ADDRESS");
    add(&real);
  } else {
    add(&sim);
    add(&mock);
  }
  return g_test_run();
}
