// SPDX-License-Identifier: Apache-2.0
// An agent of production on simulated hosts h1 (its own) and h2, for tests of what it does with a
// migration: it is started as the local socket starts one, and what it writes is collected. The
// world is 10 times as fast as real ones; all times here are the agent's.
#pragma once
#include "agent/agent.h"
#include "agent/migration/migration.h"
#include "base/log.h"
#include "base/patch/patch.h"
#include "host/sim/sim.h"
#include <glib/gstdio.h>
#include <string.h>

#define MIB (1024.0 * 1024)
#define SPEED 10
#define LINK (119 * MIB) /* simulated: 1 Gbit/s */

typedef struct {
  FerryAgent *agent;
  char *uuid; /* also the migration's UID */
  GMutex lock;
  json_t *status; /* all that the worker wrote */
  json_t *phases; /* each that it wrote, in order, once */
  json_t *events; /* each that it told */
  gboolean has_result;
  gboolean cancel_early; /* as soon as it prepares the target */
  gboolean went_on;      /* it said that the target is ready */
  gboolean slowed;       /* a test's own sink has answered late */
} Move;

typedef struct {
  FerrySimWorld *world;
  FerryAgent *agent;
  char *dir;
  GPtrArray *moves;
} Bed;

static inline void ignore(const char *what, gpointer data) {
}

static inline void add_host(FerrySimWorld *world, const char *name, double link) {
  g_autoptr(GError) error = NULL;
  FerrySimHostSpec spec = {.name = name, .cpus = 64, .memory = 1LL << 40, .link = link};
  g_assert_true(ferry_sim_world_add_host(world, &spec, &error));
}

static inline Bed *bed_new(double link) {
  Bed *b = g_new0(Bed, 1);
  g_autoptr(GError) error = NULL;
  b->world = ferry_sim_world_new(SPEED);
  add_host(b->world, "h1", link);
  add_host(b->world, "h2", link);
  b->dir = g_dir_make_tmp("ferry-sim-XXXXXX", &error);
  g_assert_no_error(error);
  FerryHost *host = ferry_host_sim_new(b->world, "h1", &error);
  g_assert_no_error(error);
  FerryAgentOptions options = {
      .node = "h1",
      .state_dir = b->dir,
      .rpc_socket = "/dev/null/none", /* no local socket: several agents share this process */
      .standalone = TRUE};
  b->agent = ferry_agent_new(&options, NULL, host, ignore, NULL);
  ferry_agent_start(b->agent);
  b->moves = g_ptr_array_new();
  return b;
}

static inline void bed_free(Bed *b) {
  ferry_agent_free(b->agent); /* joins the workers */
  for (guint i = 0; i < b->moves->len; i++) {
    Move *move = b->moves->pdata[i];
    json_decref(move->status);
    json_decref(move->phases);
    json_decref(move->events);
    g_free(move->uuid);
    g_free(move);
  }
  g_ptr_array_unref(b->moves);
  ferry_sim_world_free(b->world);
  g_rmdir(b->dir);
  g_free(b->dir);
  g_free(b);
}

static inline char *add_guest(Bed *b, const char *name, double mib, double set, double rate,
                              FerrySimPattern pattern) {
  g_autoptr(GError) error = NULL;
  FerrySimDomainSpec spec = {.name = name,
                             .guest = {.memory = mib * MIB,
                                       .working_set = set * MIB,
                                       .write_rate = rate * MIB,
                                       .pattern = pattern,
                                       .vcpus = 1,
                                       .busy_s = 10,
                                       .quiet_s = 5}};
  g_assert_true(ferry_sim_world_add_domain(b->world, "h1", &spec, &error));
  return ferry_sim_uuid(name);
}

static inline void cancel(Move *move) {
  g_autoptr(json_t) wish =
      json_pack("{s:{s:{s:b}}}", "status", "migrationState", "abortRequested", 1);
  /* its first words may come before it is in the table */
  while (!ferry_workers_update(ferry_agent_workers(move->agent), move->uuid, wish))
    g_usleep(100);
}

static inline void sink(const json_t *item, gboolean event, gpointer data) {
  Move *move = data;
  g_mutex_lock(&move->lock);
  if (event) {
    json_array_append_new(move->events, json_deep_copy(item));
    g_mutex_unlock(&move->lock);
    return;
  }
  json_t *merged = ferry_patch_merge(move->status, item);
  json_decref(move->status);
  move->status = merged;
  move->has_result = ferry_json_get(merged, "migrationState.agentResult") != NULL;
  const char *phase = ferry_json_str(item, "phase");
  if (phase)
    json_array_append_new(move->phases, json_string(phase));
  move->went_on |= g_strcmp0(phase, "TargetReady") == 0 || g_strcmp0(phase, "Running") == 0;
  g_mutex_unlock(&move->lock);
  if (move->cancel_early && g_strcmp0(phase, "PreparingTarget") == 0)
    cancel(move);
}

static inline gboolean has_result(Move *move) {
  g_mutex_lock(&move->lock);
  gboolean has = move->has_result;
  g_mutex_unlock(&move->lock);
  return has;
}

/* A migration of a VM to h2, as the agent gets to see it; takes `config`. */
static inline json_t *migration_of(const char *uuid, json_t *config) {
  ferry_json_set_bool(config, "peerToPeer", TRUE);
  return json_pack("{s:{s:s, s:s, s:s}, s:{s:s}, s:{s:s, s:{s:s, s:s, s:s, s:o}}}", "metadata",
                   "uid", uuid, "namespace", "default", "name", uuid, "spec", "vmiName", uuid,
                   "status", "phase", "Scheduled", "migrationState", "vmiUID", uuid, "targetURI",
                   "sim://h2/system", "targetNodeAddress", "10.0.0.2", "migrationConfiguration",
                   config);
}

/* Starts (or adopts) it; takes `object`. `to` gets what it writes. */
static inline Move *move_to(Bed *b, json_t *object, gboolean cancel_early, FerryDeliverySink to) {
  Move *it = g_new0(Move, 1);
  const char *uuid = ferry_json_str(object, "metadata.uid");
  it->status = json_object();
  it->phases = json_array();
  it->events = json_array();
  it->uuid = g_strdup(uuid);
  it->cancel_early = cancel_early;
  g_mutex_init(&it->lock);
  it->agent = b->agent;
  ferry_workers_add(ferry_agent_workers(b->agent), uuid,
                    ferry_migration_start_local(ferry_agent_ports(b->agent), object, to, it));
  g_ptr_array_add(b->moves, it);
  json_decref(object);
  return it;
}

static inline Move *move_object(Bed *b, json_t *object, gboolean cancel_early) {
  return move_to(b, object, cancel_early, sink);
}

/* Starts to move a VM to h2; takes `config`. */
static inline Move *move_or_cancel(Bed *b, const char *uuid, json_t *config,
                                   gboolean cancel_early) {
  return move_object(b, migration_of(uuid, config), cancel_early);
}

static inline Move *move(Bed *b, const char *uuid, json_t *config) {
  return move_or_cancel(b, uuid, config, FALSE);
}

/* The agent frees workers that have ended. */
static inline gboolean is_done(Move *move) {
  return ferry_workers_is_done(ferry_agent_workers(move->agent), move->uuid);
}

static inline void wait_done(Move *move) {
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (!is_done(move)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(1000); /* between two looks */
  }
  g_assert_true(has_result(move));
}

/* Waits until some of its memory has been sent. */
static inline void wait_sending(Bed *b, const Move *move) {
  g_autoptr(GError) error = NULL;
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  FerryHost *host = ferry_host_sim_new(b->world, "h1", &error);
  g_autoptr(FerryHostJob) job = ferry_host_job_open(host, move->uuid, &error);
  g_assert_no_error(error);
  FerryJobStats stats;
  do {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(500);
  } while (!ferry_host_job_stats(job, &stats, NULL) || stats.memory_processed < MIB);
  g_clear_pointer(&job, ferry_host_job_close);
  ferry_host_free(host);
}

/* A connection to h1 beside the agent's, and the VM's job by it. */
typedef struct {
  FerryHost *host;
  FerryHostJob *job;
} BedJob;

static inline BedJob job_open(Bed *b, const char *uuid) {
  g_autoptr(GError) error = NULL;
  BedJob it = {.host = ferry_host_sim_new(b->world, "h1", &error)};
  it.job = ferry_host_job_open(it.host, uuid, &error);
  g_assert_no_error(error);
  return it;
}

static inline void job_close(BedJob *it) {
  ferry_host_job_close(it->job);
  ferry_host_free(it->host);
}

/* Waits until `probe` holds, by the status that was written so far. */
static inline void wait_status(Move *move, gboolean (*probe)(const json_t *status)) {
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  for (;;) {
    g_mutex_lock(&move->lock);
    gboolean holds = probe(move->status);
    g_mutex_unlock(&move->lock);
    if (holds)
      return;
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(500);
  }
}

/* How many events of that reason were told. */
static inline guint told(const Move *move, const char *reason) {
  guint n = 0;
  gsize i;
  json_t *event;
  json_array_foreach(move->events, i, event) {
    n += g_strcmp0(ferry_json_str(event, "reason"), reason) == 0;
  }
  return n;
}

static inline const char *text(const Move *move, const char *path) {
  const char *found = ferry_json_str(move->status, path);
  return found ? found : "";
}

static inline void assert_moved(Bed *b, Move *move) {
  wait_done(move);
  g_autofree char *where = NULL;
  g_autofree char *dump = ferry_json_dump(move->status);
  if (*text(move, "migrationState.agentResult.error"))
    g_error("not moved: %s", dump);
  g_assert_cmpint(ferry_sim_world_running(b->world, move->uuid, &where), ==, 1);
  g_assert_cmpstr(where, ==, "h2");
  g_assert_cmpstr(text(move, "migrationState.agentResult.sourceState"), ==, "nostate");
}

static inline void assert_stayed(Bed *b, Move *move, const char *reason) {
  wait_done(move);
  g_autofree char *where = NULL;
  g_assert_cmpstr(text(move, "migrationState.agentResult.reason"), ==, reason);
  g_assert_cmpstr(text(move, "migrationState.agentResult.error"), !=, "");
  g_assert_cmpint(ferry_sim_world_running(b->world, move->uuid, &where), ==, 1);
  g_assert_cmpstr(where, ==, "h1");
}

static inline void silence(const char *domain, GLogLevelFlags level, const char *words,
                           gpointer data) {
}

/* Its log lines are not the test's. */
static inline void bed_init(int *argc, char ***argv) {
  g_test_init(argc, argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(silence, NULL);
  ferry_log_init("test-agent", "error");
}
