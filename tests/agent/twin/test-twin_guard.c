// SPDX-License-Identifier: Apache-2.0
// The guard of the target on a host of the test's own, whose domain the test resumes as libvirtd
// would, and whose other host says what the test wants.
#include "agent/twin/twin_guard.h"
#include "base/log.h"
#include "base/patch/patch.h"
#include "model/migration/doubt.h"
#include <glib/gstdio.h>
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define UID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* ---- the clock ---- */

static gint ahead_s; /* of the real one, as after the agent stood still */

gint64 __wrap_g_get_monotonic_time(void);
gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void) {
  return __real_g_get_monotonic_time() + g_atomic_int_get(&ahead_s) * G_USEC_PER_SEC;
}

/* ---- the host ---- */

static const FerryDomainState incoming = {TRUE, FERRY_VM_PAUSED, "migration", 3, TRUE, FALSE};
static const FerryDomainState arrived = {TRUE, FERRY_VM_RUNNING, "migrated", 3, TRUE, TRUE};
static const FerryDomainState in_postcopy = {TRUE, FERRY_VM_RUNNING, "postcopy", 3, TRUE, FALSE};
static const FerryDomainState by_person = {TRUE, FERRY_VM_RUNNING, "unpaused", 3, TRUE, TRUE};
static const FerryDomainState held = {TRUE, FERRY_VM_PAUSED, "user", 3, TRUE, TRUE};
static const FerryDomainState gone = {FALSE, FERRY_VM_GONE, "unknown", -1, FALSE, FALSE};

typedef struct {
  FerryHost base;
  GMutex lock;
  FerryDomainState here, there;
  gboolean there_speaks;
  const char *book; /* the note that there is to be before it is suspended; NULL: nobody asks */
  guint opens, suspends, resumes, destroys;
} FakeHost;

typedef struct {
  FerryHostJob base;
  FakeHost *host;
} FakeJob;

static FerryHostJob *fake_open(FerryHost *base, const char *uuid, GError **error);

static void fake_close(FerryHostJob *job) {
  g_free(job);
}

static gboolean fake_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  FakeHost *h = ((FakeJob *)job)->host;
  g_mutex_lock(&h->lock);
  *out = h->here;
  g_mutex_unlock(&h->lock);
  return TRUE;
}

static gboolean fake_act(FerryHostJob *job, guint *count, const FerryDomainState *after) {
  FakeHost *h = ((FakeJob *)job)->host;
  g_mutex_lock(&h->lock);
  ++*count;
  h->here = *after;
  g_mutex_unlock(&h->lock);
  return TRUE;
}

static gboolean fake_suspend(FerryHostJob *job, GError **error) {
  const char *book = ((FakeJob *)job)->host->book;
  g_assert_true(!book || g_file_test(book, G_FILE_TEST_EXISTS));
  return fake_act(job, &((FakeJob *)job)->host->suspends, &held);
}

static gboolean fake_resume(FerryHostJob *job, GError **error) {
  return fake_act(job, &((FakeJob *)job)->host->resumes, &by_person);
}

static gboolean fake_destroy(FerryHostJob *job, gboolean undefine, GError **error) {
  g_assert_true(undefine); /* libvirt has defined it by then */
  return fake_act(job, &((FakeJob *)job)->host->destroys, &gone);
}

static gboolean fake_peer_state(FerryHost *base, const char *uri, const char *uuid,
                                FerryDomainState *out, GError **error) {
  FakeHost *h = (FakeHost *)base;
  g_assert_cmpstr(uri, ==, "fake://h1/system");
  g_assert_cmpstr(uuid, ==, UUID);
  g_mutex_lock(&h->lock);
  *out = h->there;
  gboolean speaks = h->there_speaks;
  g_mutex_unlock(&h->lock);
  if (!speaks)
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE, "it does not answer");
  return speaks;
}

static const FerryHostOps fake_ops = {.peer_state = fake_peer_state,
                                      .job_open = fake_open,
                                      .job_close = fake_close,
                                      .job_state = fake_state,
                                      .job_suspend = fake_suspend,
                                      .job_resume = fake_resume,
                                      .job_destroy = fake_destroy};

static FerryHostJob *fake_open(FerryHost *base, const char *uuid, GError **error) {
  FakeJob *job = g_new0(FakeJob, 1);
  g_mutex_lock(&((FakeHost *)base)->lock);
  ((FakeHost *)base)->opens++;
  g_mutex_unlock(&((FakeHost *)base)->lock);
  *job = (FakeJob){{&fake_ops}, (FakeHost *)base};
  return &job->base;
}

/* ---- what it writes ---- */

typedef struct {
  FakeHost host;
  FerryAgentContext *context;
  FerryTwinGuard *guard;
  char *dir;
  GMutex lock; /* guards the migration and the events */
  json_t *migration;
  guint events;
} Fixture;

typedef struct {
  FerryDelivery base;
  Fixture *fixture;
} FakeEnd;

static void end_send(FerryDelivery *base, json_t *status) {
  Fixture *f = ((FakeEnd *)base)->fixture;
  g_autoptr(json_t) patch = json_pack("{s:o}", "status", status);
  g_mutex_lock(&f->lock);
  json_t *merged = ferry_patch_merge(f->migration, patch);
  json_decref(f->migration);
  f->migration = merged;
  g_mutex_unlock(&f->lock);
}

static void end_event(FerryDelivery *base, json_t *event) {
  Fixture *f = ((FakeEnd *)base)->fixture;
  g_mutex_lock(&f->lock);
  f->events++;
  g_mutex_unlock(&f->lock);
  json_decref(event);
}

static FerryDeliveryResult end_flush(FerryDelivery *base, gint64 timeout_ms) {
  return FERRY_DELIVERED;
}

static void end_free(FerryDelivery *base) {
  g_free(base);
}

static FerryDelivery *deliver(const json_t *migration, gpointer data) {
  static const FerryDeliveryOps ops = {.send = end_send,
                                       .telemetry = end_send,
                                       .event = end_event,
                                       .flush = end_flush,
                                       .free = end_free};
  FakeEnd *end = g_new0(FakeEnd, 1);
  *end = (FakeEnd){{&ops}, data};
  return &end->base;
}

static gint asked_where; /* so often, each by a thread that has begun */

static char *source_uri(const json_t *migration, gpointer data) {
  g_atomic_int_inc(&asked_where);
  return g_strdup("fake://h1/system");
}

/* ---- the fixture ---- */

static void start_agent(Fixture *f) {
  FerryArrivalPorts ports = {NULL, &f->host.base, deliver, source_uri, f};
  f->context = ports.context = ferry_context_new("h2", f->dir, NULL, NULL);
  f->guard = ferry_twin_guard_new(&ports);
}

static void stop_agent(Fixture *f) {
  ferry_context_stop(f->context);
  ferry_twin_guard_free(f->guard);
  ferry_context_free(f->context);
}

static void set_up(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  f->host.base.ops = &fake_ops;
  f->host.here = incoming;
  g_mutex_init(&f->host.lock);
  g_mutex_init(&f->lock);
  f->dir = g_dir_make_tmp("ferry-guard-XXXXXX", &error);
  g_assert_no_error(error);
  f->migration =
      json_pack("{s:{s:s, s:s, s:s}, s:{s:s}, s:{s:s, s:{s:i}, s:{s:s, s:s, s:s, s:i}}}",
                "metadata", "uid", UID, "namespace", "default", "name", "m", "spec", "vmiName",
                "db", "status", "phase", "Running", "progress", "heartbeats", 1, "migrationState",
                "sourceNode", "h1", "targetNode", "h2", "vmiUID", UUID, "attempt", 0);
  start_agent(f);
}

static void tear_down(Fixture *f, gconstpointer data) {
  stop_agent(f);
  g_autofree char *doubts = g_build_filename(f->dir, "doubts", NULL);
  g_autofree char *file = g_build_filename(doubts, UID ".json", NULL);
  g_unlink(file);
  g_rmdir(doubts);
  g_rmdir(f->dir);
  g_free(f->dir);
  json_decref(f->migration);
}

/* As ferryd has it now. */
static void see(Fixture *f) {
  g_mutex_lock(&f->lock);
  g_autoptr(json_t) migration = json_deep_copy(f->migration);
  g_mutex_unlock(&f->lock);
  ferry_twin_guard_see(f->guard, "MODIFIED", migration);
}

/* Sets a member of migrationState (JSON with ' for "), which the agent sees. */
static void write_state(Fixture *f, const char *key, const char *text) {
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  g_autofree char *path = g_strconcat("status.migrationState.", key, NULL);
  g_mutex_lock(&f->lock);
  ferry_json_set(f->migration, path, json_loads(json, JSON_DECODE_ANY, NULL));
  g_mutex_unlock(&f->lock);
  see(f);
}

static void source_is(Fixture *f, const FerryDomainState *state) {
  g_mutex_lock(&f->host.lock);
  f->host.there_speaks = state != NULL;
  if (state)
    f->host.there = *state;
  g_mutex_unlock(&f->host.lock);
}

/* libvirtd here lets the copy go on. */
static void resume_as(Fixture *f, const FerryDomainState *state) {
  FerryHostEvent event = {.type = FERRY_HOST_EVENT_STATE,
                          .uuid = UUID,
                          .detail = "resumed/1",
                          .pause = FERRY_HOST_PAUSE_ENDED};
  g_mutex_lock(&f->host.lock);
  f->host.here = *state;
  g_mutex_unlock(&f->host.lock);
  ferry_twin_guard_event(f->guard, &event);
}

static FerryDoubtState says(Fixture *f) {
  g_mutex_lock(&f->lock);
  FerryDoubtState state = ferry_doubt_of(f->migration, FERRY_SIDE_TARGET);
  g_mutex_unlock(&f->lock);
  return state;
}

static void wait_says(Fixture *f, FerryDoubtState state) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  while (says(f) != state) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(1000);
  }
}

/* An event follows what was written. */
static void wait_events(Fixture *f, guint least) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (guint events = 0; events < least; g_usleep(1000)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_mutex_lock(&f->lock);
    events = f->events;
    g_mutex_unlock(&f->lock);
  }
}

static void assert_did(Fixture *f, guint suspends, guint resumes, guint destroys) {
  g_mutex_lock(&f->host.lock);
  g_assert_cmpuint(f->host.suspends, ==, suspends);
  g_assert_cmpuint(f->host.resumes, ==, resumes);
  g_assert_cmpuint(f->host.destroys, ==, destroys);
  g_mutex_unlock(&f->host.lock);
}

/* Arrives after the source's agent said that it failed; nobody can be asked as yet. */
static void arrive_late(Fixture *f) {
  source_is(f, NULL);
  write_state(f, "agentResult", "{'returned':true,'error':'lost','sourceState':'running'}");
  resume_as(f, &arrived);
  wait_says(f, FERRY_DOUBT_SUSPENDED);
  assert_did(f, 1, 0, 0);
}

/* ---- tests ---- */

/* Both are heard, nothing failed: nothing is done. Nor in post-copy, nor where a person resumes it.
 */
static void leaves_alone(Fixture *f, gconstpointer data) {
  const FerryDomainState *state = data;
  source_is(f, &held);
  if (state != &arrived)
    write_state(f, "agentResult", "{'returned':true,'error':'lost'}");
  else
    see(f);
  resume_as(f, state);
  stop_agent(f); /* joins: what it would have done is done */
  assert_did(f, 0, 0, 0);
  g_assert_cmpuint(f->host.opens, ==, state != &arrived); /* a live hand-over costs nothing */
  g_assert_cmpint(says(f), ==, FERRY_DOUBT_NONE);
  start_agent(f);
}

/* It is resumed while the driver's connection is away, so that no event tells of it. */
static void sees_what_it_missed(Fixture *f, gconstpointer data) {
  source_is(f, NULL);
  write_state(f, "agentResult", "{'returned':true,'error':'lost','sourceState':'running'}");
  ferry_twin_guard_connected(f->guard); /* nothing is there yet to be held */
  g_mutex_lock(&f->host.lock);
  f->host.here = arrived;
  g_mutex_unlock(&f->host.lock);
  ferry_twin_guard_connected(f->guard);
  wait_says(f, FERRY_DOUBT_SUSPENDED);
  assert_did(f, 1, 0, 0);
}

/* One failed, the next one brings the VM here: its arrival is not the first one's. */
static void a_later_one_arrives(Fixture *f, gconstpointer data) {
  source_is(f, &held);
  write_state(f, "agentResult", "{'returned':true,'error':'lost','sourceState':'running'}");
  g_mutex_lock(&f->lock);
  ferry_json_set_str(f->migration, "status.phase", "Failed");
  g_autoptr(json_t) second = json_deep_copy(f->migration);
  g_mutex_unlock(&f->lock);
  see(f);
  ferry_json_set_str(second, "metadata.uid", "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee");
  ferry_json_set_str(second, "status.phase", "Running");
  ferry_json_set(second, "status.migrationState.agentResult", NULL);
  ferry_twin_guard_see(f->guard, "ADDED", second);
  resume_as(f, &arrived);
  stop_agent(f); /* joins: what it would have done is done */
  assert_did(f, 0, 0, 0);
  start_agent(f);
}

static void goes_on_when_the_other_is_gone(Fixture *f, gconstpointer data) {
  arrive_late(f);
  source_is(f, &gone);
  wait_says(f, FERRY_DOUBT_GOES_ON);
  assert_did(f, 1, 1, 0);
  wait_events(f, 2);
  stop_agent(f);
  g_assert_cmpuint(f->events, ==, 2);
  start_agent(f);
}

static void ends_when_the_other_runs(Fixture *f, gconstpointer data) {
  arrive_late(f);
  source_is(f, &by_person);
  wait_says(f, FERRY_DOUBT_GONE);
  assert_did(f, 1, 0, 1);
}

static void waits_where_both_wait(Fixture *f, gconstpointer data) {
  arrive_late(f);
  source_is(f, &held);
  write_state(f, "keepNode", "'h2'"); /* until a person says */
  wait_says(f, FERRY_DOUBT_GOES_ON);
  assert_did(f, 1, 1, 0);
}

static void a_person_ends_it(Fixture *f, gconstpointer data) {
  arrive_late(f);
  write_state(f, "keepNode", "'h1'");
  wait_says(f, FERRY_DOUBT_GONE);
  assert_did(f, 1, 0, 1);
}

/* A person's word about a copy that was never in doubt, and runs. */
static void a_person_ends_what_runs(Fixture *f, gconstpointer data) {
  source_is(f, &by_person);
  see(f);
  resume_as(f, &arrived);
  write_state(f, "keepNode", "'h1'");
  wait_says(f, FERRY_DOUBT_GONE);
  assert_did(f, 0, 0, 1);
}

/* The next agent goes on where the last one ended, though ferryd had not heard a word of it, and
 * though the migration has ended meanwhile (`data`). */
static void the_next_agent_goes_on(Fixture *f, gconstpointer data) {
  arrive_late(f);
  stop_agent(f);
  assert_did(f, 1, 0, 0);
  if (data)
    ferry_json_set_str(f->migration, "status.phase", data);
  ferry_json_set(f->migration, "status.migrationState.doubt", NULL);
  start_agent(f);
  see(f);
  wait_says(f, FERRY_DOUBT_SUSPENDED);
  source_is(f, &gone);
  wait_says(f, FERRY_DOUBT_GOES_ON);
  assert_did(f, 1, 1, 0);
  /* and the one after that has nothing to do */
  stop_agent(f);
  g_autofree char *file = g_build_filename(f->dir, "doubts", UID ".json", NULL);
  g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
  start_agent(f);
}

/* An agent that is killed before it has suspended the copy leaves a note (fake_suspend looks), by
 * which the next one does so. */
static void the_next_agent_suspends(Fixture *f, gconstpointer data) {
  g_autofree char *file = g_build_filename(f->dir, "doubts", UID ".json", NULL);
  f->host.book = file;
  arrive_late(f);
  stop_agent(f);
  f->host.here = arrived; /* as if it had not come to that */
  f->host.there_speaks = FALSE;
  ferry_json_set(f->migration, "status.migrationState.doubt", NULL);
  start_agent(f);
  see(f);
  wait_says(f, FERRY_DOUBT_SUSPENDED);
  assert_did(f, 2, 0, 0);
  source_is(f, &gone);
  wait_says(f, FERRY_DOUBT_GOES_ON);
  assert_did(f, 2, 1, 0);
  stop_agent(f);
  f->host.book = NULL;
  start_agent(f);
}

/* One that a person resumes just then is none of its business, and leaves no note. */
static void forgets_what_it_left(Fixture *f, gconstpointer data) {
  g_autofree char *file = g_build_filename(f->dir, "doubts", UID ".json", NULL);
  source_is(f, NULL);
  write_state(f, "agentResult", "{'returned':true,'error':'lost','sourceState':'running'}");
  resume_as(f, &by_person);
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (guint opens = 0; !opens || g_file_test(file, G_FILE_TEST_EXISTS); g_usleep(1000)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_mutex_lock(&f->host.lock);
    opens = f->host.opens;
    g_mutex_unlock(&f->host.lock);
  }
  assert_did(f, 0, 0, 0);
}

/* The same by ferryd's record alone, after the migration has ended. */
static void the_record_is_enough(Fixture *f, gconstpointer data) {
  source_is(f, &gone);
  f->host.here = held;
  ferry_json_set_str(f->migration, "status.phase", "Failed");
  write_state(f, "doubt", "{'target':{'state':'Suspended','ranMs':4}}");
  wait_says(f, FERRY_DOUBT_GOES_ON);
  assert_did(f, 0, 1, 0);
}

/* An agent that stood still while it was replaced hears of an arrival before it hears of that: what
 * came is the other agent's to judge. */
static void stood_still(Fixture *f, gconstpointer data) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  g_atomic_int_set(&asked_where, 0);
  source_is(f, NULL);
  write_state(f, "agentResult", "{'returned':true,'error':'lost','sourceState':'running'}");
  for (; !g_atomic_int_get(&asked_where); g_usleep(1000))
    g_assert_cmpint(g_get_monotonic_time(), <, until);
  g_atomic_int_add(&ahead_s, 20);
  resume_as(f, &arrived);
  g_usleep(20000); /* in which it would suspend it, if it did not wait */
  assert_did(f, 0, 0, 0);
  ferry_context_set_stale(f->context);
  stop_agent(f);
  assert_did(f, 0, 0, 0);
  g_atomic_int_set(&ahead_s, 0);
  start_agent(f);
}

#define ADD(f) g_test_add("/guard/" #f, Fixture, NULL, set_up, f, tear_down)

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  ferry_log_init("test-guard", "error");
  ADD(stood_still);
  g_test_add("/guard/leaves_alone/heard", Fixture, &arrived, set_up, leaves_alone, tear_down);
  g_test_add("/guard/leaves_alone/postcopy", Fixture, &in_postcopy, set_up, leaves_alone,
             tear_down);
  g_test_add("/guard/leaves_alone/person", Fixture, &by_person, set_up, leaves_alone, tear_down);
  ADD(sees_what_it_missed);
  ADD(a_later_one_arrives);
  ADD(goes_on_when_the_other_is_gone);
  ADD(ends_when_the_other_runs);
  ADD(waits_where_both_wait);
  ADD(a_person_ends_it);
  ADD(a_person_ends_what_runs);
  ADD(the_next_agent_goes_on);
  g_test_add("/guard/the_next_agent_goes_on/ended", Fixture, "Succeeded", set_up,
             the_next_agent_goes_on, tear_down);
  ADD(the_next_agent_suspends);
  ADD(forgets_what_it_left);
  ADD(the_record_is_enough);
  return g_test_run();
}
