// SPDX-License-Identifier: Apache-2.0
// Which migrations that are seen get a worker. The linker leads what talks to ferryd into here.
#include "agent/link/watch.h"

#define NOTED "11111111-aaaa-4000-8000-000000000000"
#define OTHER "22222222-aaaa-4000-8000-000000000000"

typedef struct {
  FerryAgentContext *context;
  FerryWorkers *workers;
  gboolean called; /* the workers that there are */
  gboolean noted;  /* in this host's book */
  json_t *seen;    /* what ferryd sends */
  GString *started;
} Bed;

static Bed *bed; /* that of the one test that runs */

gboolean __wrap_ferry_client_watch(FerryClient *client, const char *path,
                                   const char *const *headers, guint idle_timeout_s,
                                   FerryWatchFunc event, FerryTickFunc tick, gpointer data,
                                   GCancellable *cancellable, GError **error);
void __wrap_ferry_client_free(FerryClient *client);
FerryClient *__wrap_ferry_session_take_client(FerryAgentSession *session);
gint64 __wrap_ferry_session_epoch(FerryAgentSession *session);
void __wrap_ferry_session_refresh_client(FerryAgentSession *session, FerryClient **client);
gboolean __wrap_ferry_results_has(FerryResults *results, const char *uid);

gboolean __wrap_ferry_client_watch(FerryClient *client, const char *path,
                                   const char *const *headers, guint idle_timeout_s,
                                   FerryWatchFunc event, FerryTickFunc tick, gpointer data,
                                   GCancellable *cancellable, GError **error) {
  gsize i;
  json_t *object;
  json_array_foreach(bed->seen, i, object) {
    event("ADDED", object, data);
  }
  ferry_context_stop(bed->context); /* that was all */
  return TRUE;
}
void __wrap_ferry_client_free(FerryClient *client) {
}
FerryClient *__wrap_ferry_session_take_client(FerryAgentSession *session) {
  return NULL;
}
gint64 __wrap_ferry_session_epoch(FerryAgentSession *session) {
  return 1;
}
void __wrap_ferry_session_refresh_client(FerryAgentSession *session, FerryClient **client) {
}
gboolean __wrap_ferry_results_has(FerryResults *results, const char *uid) {
  return FALSE;
}

static gboolean no_worker_is_done(gpointer worker) {
  return FALSE;
}
static void no_worker_free(gpointer worker) {
}
static const char *no_worker_domain(gpointer worker) {
  return "vm";
}
static gboolean no_worker_is_before(gpointer worker, const json_t *object) {
  return FALSE;
}
static gboolean no_worker_has_called(gpointer worker) {
  return bed->called;
}
static const FerryWorkerOps no_worker = {.is_done = no_worker_is_done,
                                         .domain = no_worker_domain,
                                         .is_before = no_worker_is_before,
                                         .has_called = no_worker_has_called,
                                         .free = no_worker_free};

static gpointer start(const json_t *object, gpointer data) {
  g_string_append(bed->started, ferry_json_str(object, "metadata.uid"));
  return bed;
}
static void see(const char *type, const json_t *object, gpointer data) {
}
static gboolean is_noted(const char *uid, gpointer data) {
  return bed->noted && g_str_equal(uid, NOTED);
}
static void tick(gpointer data) {
}

static void set_up(Bed *b, gconstpointer data) {
  bed = b;
  b->context = ferry_context_new("h1", "/dev/null/none", NULL, NULL);
  b->workers = ferry_workers_new(&no_worker);
  b->seen = json_array();
  b->started = g_string_new(NULL);
}

static void tear_down(Bed *b, gconstpointer data) {
  ferry_workers_free(b->workers);
  ferry_context_free(b->context);
  json_decref(b->seen);
  g_string_free(b->started, TRUE);
}

static void sends(Bed *b, const char *uid, const char *phase, const char *source) {
  json_array_append_new(b->seen, json_pack("{s:{s:s, s:s}, s:{s:s, s:{s:s, s:s}}}", "metadata",
                                           "uid", uid, "name", "m", "status", "phase", phase,
                                           "migrationState", "sourceNode", source, "vmiUID", "vm"));
}

/* Which workers are started by that, one UID after the other. */
static const char *watched(Bed *b) {
  FerryWatchPorts ports = {.context = b->context,
                           .workers = b->workers,
                           .start = start,
                           .is_noted = is_noted,
                           .see = see,
                           .tick = tick};
  ferry_agent_watch_free(ferry_agent_watch_new(&ports));
  return b->started->str;
}

/* A copy that only this host's own book tells of, of a migration that is over. */
static void starts_for_a_note(Bed *b, gconstpointer phase) {
  b->noted = TRUE;
  sends(b, OTHER, phase, "h1"); /* nothing is left of this one */
  sends(b, NOTED, phase, "h1");
  g_assert_cmpstr(watched(b), ==, NOTED);
}

static void leaves_alone(Bed *b, gconstpointer data) {
  sends(b, NOTED, "Failed", "h1");
  sends(b, OTHER, "Running", "h2");
  g_assert_cmpstr(watched(b), ==, "");
}

/* Another one works on the VM: what it is paused for is that one's. */
static void waits_for_another(Bed *b, gconstpointer data) {
  b->noted = TRUE;
  b->called = TRUE;
  sends(b, OTHER, "Running", "h1");
  sends(b, NOTED, "Failed", "h1");
  g_assert_cmpstr(watched(b), ==, OTHER);
}

/* But one that only prepares waits for what becomes of the copy itself. */
static void goes_before_one_that_waits(Bed *b, gconstpointer noted) {
  b->noted = noted != NULL;
  sends(b, OTHER, "Running", "h1");
  sends(b, NOTED, "Failed", "h1");
  ferry_json_set(json_array_get(b->seen, 1), "status.migrationState.doubt",
                 json_pack("{s:{s:s}}", "source", "state", "Suspended"));
  g_assert_cmpstr(watched(b), ==, noted ? OTHER NOTED : OTHER);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/agent/watch/note/failed", Bed, "Failed", set_up, starts_for_a_note, tear_down);
  g_test_add("/agent/watch/note/succeeded", Bed, "Succeeded", set_up, starts_for_a_note, tear_down);
  g_test_add("/agent/watch/alone", Bed, NULL, set_up, leaves_alone, tear_down);
  g_test_add("/agent/watch/another", Bed, NULL, set_up, waits_for_another, tear_down);
  g_test_add("/agent/watch/waits/noted", Bed, "", set_up, goes_before_one_that_waits, tear_down);
  g_test_add("/agent/watch/waits/said", Bed, NULL, set_up, goes_before_one_that_waits, tear_down);
  return g_test_run();
}
