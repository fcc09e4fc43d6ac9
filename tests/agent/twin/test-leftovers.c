// SPDX-License-Identifier: Apache-2.0
// What migrations leave on a made-up target, and who takes it away: the host port is a table of
// answers in the test's hands, the notes are real files.
#include "agent/twin/leftovers.h"
#include "base/error.h"
#include "model/migration/phase.h"
#include <glib/gstdio.h>

#define DOMAIN "11111111-2222-3333-4444-555555555555"
#define FIRST "aaaaaaaa-2222-3333-4444-555555555555"
#define SECOND "bbbbbbbb-2222-3333-4444-555555555555"

#define VM_XML "<domain><name>vm</name><title>%s</title></domain>"

typedef struct {
  FerryHost host; /* first */
  gboolean deaf, active, in_use;
  gboolean waits, sends; /* a copy there is paused for a migration; a job here sends */
  const char *there;     /* the title of a definition at the target; NULL: there is none */
  gboolean zombie;       /* something there that is neither active nor stored */
  const char *here;      /* state of the domain on this host; NULL: there is none */
  gint swept, forgotten, undefined, ended, dropped, elsewhere;
} Target;

static gboolean peer_state(FerryHost *host, const char *uri, const char *uuid,
                           FerryDomainState *out, GError **error) {
  const Target *t = (Target *)host;
  *out = (FerryDomainState){.exists = t->active || t->waits || t->there || t->zombie,
                            .active = t->active || t->waits,
                            .state = t->waits ? FERRY_VM_PAUSED : FERRY_VM_RUNNING,
                            .reason = t->waits ? "migration" : "booted",
                            .persistent = t->there != NULL};
  if (!t->deaf)
    return TRUE;
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE, "h2 says nothing");
  return FALSE;
}

static gboolean peer_forget(FerryHost *host, const char *uri, const char *uuid, gboolean definition,
                            GError **error) {
  Target *t = (Target *)host;
  if (!g_str_equal(uri, "qemu+tls://h2/system")) {
    t->elsewhere++;
    return TRUE;
  }
  g_assert_false(t->active);
  t->ended += t->waits;
  t->waits = FALSE;
  if (definition) {
    t->dropped++;
    t->there = NULL;
    t->zombie = FALSE;
  }
  return TRUE;
}

static json_t *peer_give(FerryHost *host, const char *uri, const char *uuid, const json_t *load,
                         GError **error) {
  const char *title = ((Target *)host)->there;
  g_autofree char *xml = g_strdup_printf(VM_XML, title);
  g_assert_cmpint(json_object_size(load), ==, 0);
  return json_pack("{s:s}", "stored", xml);
}

static gboolean peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error) {
  Target *t = (Target *)host;
  g_assert_cmpstr(uri, ==, "qemu+tls://h2/system");
  json_t *disk = json_array_get(disks, 0);
  if (t->in_use)
    ferry_json_set_str(disk, "kept", "the domain other has it");
  else
    json_object_set_new(disk, "create", json_false());
  g_atomic_int_inc(&t->swept);
  return TRUE;
}

static gboolean forget(FerryHost *host, const char *uuid, gboolean definition, GError **error) {
  ((Target *)host)->forgotten++;
  ((Target *)host)->undefined += definition;
  return TRUE;
}

static void host_free(FerryHost *host) {
}

typedef struct {
  FerryHostJob job; /* first */
  Target *target;
} Here;

static FerryHostJob *job_open(FerryHost *host, const char *uuid, GError **error);

static void job_close(FerryHostJob *job) {
  g_free(job);
}

static gboolean job_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  const char *here = ((Here *)job)->target->here;
  gboolean broken = g_strcmp0(here, "postcopy-failed") == 0;
  gboolean active = broken || g_strcmp0(here, "running") == 0 || g_strcmp0(here, "paused") == 0;
  *out = (FerryDomainState){.exists = TRUE,
                            .active = active,
                            .state = broken   ? FERRY_VM_PAUSED
                                     : active ? ferry_vm_state_parse(here)
                                              : FERRY_VM_SHUTOFF,
                            .reason = here,
                            .persistent = TRUE};
  return TRUE;
}

static gboolean job_stats(FerryHostJob *job, FerryJobStats *out, GError **error) {
  ferry_job_stats_clear(out);
  out->active = out->migration_out = ((Here *)job)->target->sends;
  return TRUE;
}

static json_t *job_definition(FerryHostJob *job, GError **error) {
  g_autofree char *xml = g_strdup_printf(VM_XML, "as it is");
  return json_pack("{s:s}", "stored", xml);
}

static const FerryHostOps ops = {.free = host_free,
                                 .job_open = job_open,
                                 .job_close = job_close,
                                 .job_state = job_state,
                                 .job_stats = job_stats,
                                 .job_definition = job_definition,
                                 .peer_state = peer_state,
                                 .peer_sweep = peer_sweep,
                                 .peer_give = peer_give,
                                 .peer_forget = peer_forget,
                                 .forget = forget};

static FerryHostJob *job_open(FerryHost *host, const char *uuid, GError **error) {
  if (!((Target *)host)->here) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "no domain");
    return NULL;
  }
  Here *job = g_new0(Here, 1);
  job->job.ops = &ops;
  job->target = (Target *)host;
  return &job->job;
}

/* A worker is the UUID of its domain. */
static gboolean worker_is_done(gpointer worker) {
  return FALSE;
}
static const char *worker_domain(gpointer worker) {
  return worker;
}
static void worker_free(gpointer worker) {
}
static const FerryWorkerOps worker_ops = {
    .is_done = worker_is_done, .domain = worker_domain, .free = worker_free};

typedef struct {
  Target target;
  char *dir;
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryWorkers *workers;
  FerryLeftovers *leftovers;
  json_t *disks;
} Bed;

static void ignore(const char *what, gpointer data) {
}

static void bed_up(Bed *b) {
  *b = (Bed){.target = {.host = {&ops}, .here = "running"}};
  b->dir = g_dir_make_tmp("ferry-leftovers-XXXXXX", NULL);
  b->context = ferry_context_new("h1", b->dir, ignore, NULL);
  b->session = ferry_session_new(b->context, NULL);
  b->workers = ferry_workers_new(&worker_ops);
  FerryLeftoverPorts ports = {b->context, b->session, &b->target.host, b->workers};
  b->leftovers = ferry_leftovers_new(&ports);
  b->disks = json_pack("[{s:s, s:s, s:b}]", "name", "vda", "path", "/a.img", "create", 1);
}

static void bed_down(Bed *b) {
  g_autofree char *folder = g_build_filename(b->dir, "leftovers", NULL);
  ferry_context_stop(b->context);
  ferry_leftovers_free(b->leftovers);
  ferry_workers_free(b->workers);
  ferry_session_free(b->session);
  ferry_context_free(b->context);
  json_decref(b->disks);
  g_autofree char *file = g_strdup_printf("%s/" FIRST ".json", folder);
  g_unlink(file);
  g_rmdir(folder);
  g_assert_cmpint(g_rmdir(b->dir), ==, 0);
  g_free(b->dir);
}

static json_t *migration(const char *uid) {
  return json_pack("{s:{s:s, s:s, s:s}}", "metadata", "uid", uid, "name", "m", "namespace", "n");
}

static gboolean is_noted(const Bed *b) {
  g_autofree char *file = g_strdup_printf("%s/leftovers/" FIRST ".json", b->dir);
  return g_file_test(file, G_FILE_TEST_EXISTS);
}

#define URI "qemu+tls://h2/system"

static void begin_with(Bed *b, const FerryLeftoverNote *note) {
  g_autoptr(json_t) first = migration(FIRST);
  ferry_leftovers_begin(b->leftovers, first, note);
  g_assert_true(is_noted(b));
}

static void begin(Bed *b) {
  begin_with(b, &(FerryLeftoverNote){.uuid = DOMAIN, .uri = URI, .disks = b->disks});
}

/* The target is seen to know, or not to know, the VM. */
static void begin_seen(Bed *b, gboolean there) {
  FerryDomainState before = {.exists = there};
  begin_with(b, &(FerryLeftoverNote){.uuid = DOMAIN, .uri = URI, .before = &before});
}

static void clear(Bed *b, const char *uid, const char *domain) {
  g_autoptr(json_t) object = migration(uid);
  ferry_leftovers_clear(b->leftovers, object, domain);
}

static void test_the_next_migration(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  clear(&b, FIRST, DOMAIN); /* its own */
  clear(&b, SECOND, FIRST); /* another VM's */
  g_assert_cmpint(b.target.swept, ==, 0);
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 1);
  g_assert_false(is_noted(&b));
  bed_down(&b);
}

static void test_patience(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  b.target.deaf = TRUE;
  clear(&b, SECOND, DOMAIN);
  b.target.deaf = FALSE;
  b.target.active = TRUE; /* it runs there: whose images these are is not for us to say */
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 0);
  g_assert_true(is_noted(&b));
  b.target.active = FALSE;
  b.target.here = NULL; /* it is nowhere: it may have run on them last */
  clear(&b, SECOND, DOMAIN);
  b.target.here = "migrated"; /* a definition that it left behind */
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 0);
  g_assert_true(is_noted(&b));
  b.target.here = "destroyed";
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 1);
  bed_down(&b);
}

/* What is left alone is looked at once. */
static void test_in_use(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  b.target.in_use = TRUE;
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 1);
  g_assert_false(is_noted(&b));
  bed_down(&b);
}

static void test_ended_well(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  g_autoptr(json_t) first = migration(FIRST);
  ferry_leftovers_end(b.leftovers, first, FERRY_LEFTOVERS_SOME);
  g_assert_true(is_noted(&b));
  ferry_leftovers_end(b.leftovers, first, FERRY_LEFTOVERS_NONE);
  g_assert_false(is_noted(&b));
  ferry_leftovers_begin(NULL, first, &(FerryLeftoverNote){.uuid = DOMAIN, .uri = URI});
  ferry_leftovers_end(NULL, first, FERRY_LEFTOVERS_NONE);
  ferry_leftovers_clear(NULL, first, DOMAIN);
  bed_down(&b);
}

/* A copy that waits at the target, with its ports, ends only when the VM runs here for certain. */
static void test_a_copy_that_waits(void) {
  Bed b;
  bed_up(&b);
  b.target.waits = TRUE;
  begin_seen(&b, FALSE);
  b.target.sends = TRUE; /* another migration of it, of somebody else's */
  clear(&b, SECOND, DOMAIN);
  b.target.sends = FALSE;
  b.target.here = "paused"; /* in doubt, maybe */
  clear(&b, SECOND, DOMAIN);
  b.target.here = NULL;
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.ended, ==, 0);
  g_assert_true(is_noted(&b));
  b.target.here = "running";
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.ended, ==, 1);
  g_assert_cmpint(b.target.dropped, ==, 0); /* it was transient there */
  g_assert_false(is_noted(&b));
  bed_down(&b);
}

static void test_a_definition(void) {
  static const struct {
    gboolean before;
    const char *title;
    gint dropped;
  } rows[] = {{FALSE, "as it is", 1}, {FALSE, "another", 0}, {TRUE, "as it is", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    for (gint waits = 0; waits < 2; waits++) {
      Bed b;
      bed_up(&b);
      begin_seen(&b, rows[i].before);
      b.target.there = rows[i].title;
      b.target.waits = waits;
      clear(&b, SECOND, DOMAIN);
      g_assert_cmpint(b.target.ended, ==, waits);
      g_assert_cmpint(b.target.dropped, ==, rows[i].dropped);
      g_assert_false(is_noted(&b));
      bed_down(&b);
    }
}

/* Long after the migration somebody else may have put the same definition there. */
static void test_an_old_note(void) {
  Bed b;
  bed_up(&b);
  begin_seen(&b, FALSE);
  g_autofree char *file = g_strdup_printf("%s/leftovers/" FIRST ".json", b.dir);
  g_autoptr(json_t) note = json_load_file(file, 0, NULL);
  ferry_json_set_int(note, "at", ferry_json_int(note, "at", 0) - 3601);
  g_assert_cmpint(json_dump_file(note, file, 0), ==, 0);
  b.target.there = "as it is";
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.dropped, ==, 0);
  g_assert_false(is_noted(&b)); /* it was named */
  bed_down(&b);
}

/* A source that broke in post-copy is active, and the newest disks are on the target. */
static void test_broken_post_copy(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  b.target.here = "postcopy-failed";
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.swept, ==, 0);
  g_assert_true(is_noted(&b));
  bed_down(&b);
}

/* What a second try finds at the same target the first one has left. */
static void test_two_tries(void) {
  Bed b;
  bed_up(&b);
  begin_seen(&b, FALSE);
  begin(&b); /* the disks of the second one */
  begin_seen(&b, TRUE);
  b.target.zombie = TRUE;
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.dropped, ==, 1);
  bed_down(&b);
  bed_up(&b);
  begin_with(&b, &(FerryLeftoverNote){.uuid = DOMAIN,
                                      .uri = "qemu+tls://h3/system",
                                      .before = &(FerryDomainState){0}});
  begin_seen(&b, TRUE); /* on another host: what the first try left is not forgotten by that */
  b.target.zombie = TRUE;
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.dropped, ==, 0);
  g_assert_cmpint(b.target.elsewhere, ==, 1);
  bed_down(&b);
}

/* The target's hypervisor hung and does now what it was asked then. */
static void test_late(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  begin_seen(&b, FALSE);
  g_autoptr(json_t) first = migration(FIRST);
  ferry_leftovers_end(b.leftovers, first, FERRY_LEFTOVERS_LATE);
  clear(&b, SECOND, DOMAIN);
  g_assert_true(is_noted(&b)); /* nothing is there, as yet */
  b.target.waits = TRUE;
  clear(&b, SECOND, DOMAIN);
  g_assert_cmpint(b.target.ended, ==, 1);
  g_assert_true(is_noted(&b));
  /* a minute later */
  g_autofree char *file = g_strdup_printf("%s/leftovers/" FIRST ".json", b.dir);
  g_autoptr(json_t) note = json_load_file(file, 0, NULL);
  ferry_json_set_int(note, "quietSince", g_get_real_time() / G_USEC_PER_SEC - 61);
  g_assert_cmpint(json_dump_file(note, file, 0), ==, 0);
  clear(&b, SECOND, DOMAIN);
  g_assert_false(is_noted(&b));
  bed_down(&b);
}

/* A definition alone was to move: it is enough that it is here. */
static void test_offline(void) {
  for (gint offline = 0; offline < 2; offline++) {
    Bed b;
    FerryDomainState before = {0};
    bed_up(&b);
    begin_with(&b, &(FerryLeftoverNote){
                       .uuid = DOMAIN, .uri = URI, .before = &before, .offline = offline});
    b.target.here = "unknown";
    b.target.there = "as it is";
    clear(&b, SECOND, DOMAIN);
    g_assert_cmpint(b.target.dropped, ==, offline);
    bed_down(&b);
  }
}

/* An agent that is started finds what the one before it left, but not under a worker's hands. */
static void test_from_the_start(void) {
  Bed b;
  bed_up(&b);
  begin(&b);
  ferry_workers_add(b.workers, SECOND, (gpointer)DOMAIN);
  ferry_leftovers_start(b.leftovers);
  g_usleep(50000);
  g_assert_cmpint(g_atomic_int_get(&b.target.swept), ==, 0);
  bed_down(&b);
  bed_up(&b);
  begin(&b);
  ferry_leftovers_start(b.leftovers);
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  while (g_atomic_int_get(&b.target.swept) == 0 && g_get_monotonic_time() < until)
    g_usleep(1000);
  g_assert_cmpint(g_atomic_int_get(&b.target.swept), ==, 1);
  bed_down(&b);
}

static void test_judge(void) {
  const FerryDomainState active = {.exists = TRUE, .active = TRUE, .state = FERRY_VM_RUNNING},
                         gone = {0};
  const FerryDomainState waits = {
      .exists = TRUE, .active = TRUE, .state = FERRY_VM_PAUSED, .reason = "migration"};
  static const struct {
    FerryPhase phase;
    FerryLeftoverVerdict active, gone;
  } rows[] = {
      {FERRY_PHASE_PENDING, FERRY_LEFTOVER_WAIT, FERRY_LEFTOVER_WAIT},
      {FERRY_PHASE_PREPARING_TARGET, FERRY_LEFTOVER_WAIT, FERRY_LEFTOVER_WAIT},
      {FERRY_PHASE_RUNNING, FERRY_LEFTOVER_WAIT, FERRY_LEFTOVER_WAIT},
      {FERRY_PHASE_FAILED, FERRY_LEFTOVER_WAIT, FERRY_LEFTOVER_SWEEP},
      {FERRY_PHASE_SUCCEEDED, FERRY_LEFTOVER_FORGET, FERRY_LEFTOVER_DROP},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(json_t) object =
        json_pack("{s:{s:s}}", "status", "phase", ferry_phase_name(rows[i].phase));
    g_assert_cmpint(ferry_leftover_judge(object, &active), ==, rows[i].active);
    g_assert_cmpint(ferry_leftover_judge(object, &gone), ==, rows[i].gone);
    g_assert_cmpint(ferry_leftover_judge(object, NULL), ==, FERRY_LEFTOVER_WAIT);
    if (rows[i].phase != FERRY_PHASE_SUCCEEDED)
      g_assert_cmpint(ferry_leftover_judge(object, &waits), ==, rows[i].gone);
  }
  g_assert_cmpint(ferry_leftover_judge(NULL, &gone), ==, FERRY_LEFTOVER_SWEEP);
  g_assert_cmpint(ferry_leftover_judge(NULL, &active), ==, FERRY_LEFTOVER_WAIT);
}

static void test_definition_here(void) {
  const FerryDomainState stored = {.exists = TRUE, .active = TRUE, .persistent = TRUE},
                         transient = {.exists = TRUE, .active = TRUE},
                         off = {.exists = TRUE, .persistent = TRUE};
  g_autoptr(json_t) goes = json_pack("{s:b}", "undefine", 1);
  g_autoptr(json_t) stays = json_pack("{s:b}", "undefine", 0);
  g_autoptr(json_t) unknown = json_object();
  g_assert_true(ferry_leftover_undefines(goes, &stored));
  g_assert_false(ferry_leftover_undefines(goes, &transient)); /* it would be the only one */
  g_assert_false(ferry_leftover_undefines(goes, &off));
  g_assert_false(ferry_leftover_undefines(stays, &stored));
  g_assert_false(ferry_leftover_undefines(unknown, &stored));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* warnings are part of it */
  g_test_add_func("/leftovers/the_next_migration", test_the_next_migration);
  g_test_add_func("/leftovers/patience", test_patience);
  g_test_add_func("/leftovers/in_use", test_in_use);
  g_test_add_func("/leftovers/ended_well", test_ended_well);
  g_test_add_func("/leftovers/from_the_start", test_from_the_start);
  g_test_add_func("/leftovers/judge", test_judge);
  g_test_add_func("/leftovers/definition_here", test_definition_here);
  g_test_add_func("/leftovers/a_copy_that_waits", test_a_copy_that_waits);
  g_test_add_func("/leftovers/a_definition", test_a_definition);
  g_test_add_func("/leftovers/two_tries", test_two_tries);
  g_test_add_func("/leftovers/an_old_note", test_an_old_note);
  g_test_add_func("/leftovers/broken_post_copy", test_broken_post_copy);
  g_test_add_func("/leftovers/offline", test_offline);
  g_test_add_func("/leftovers/late", test_late);
  return g_test_run();
}
