// SPDX-License-Identifier: Apache-2.0
// A guest that libvirt resumed after its switch-over, and a hypervisor that does not answer when it
// is to be suspended again. The linker leads what doubt.c calls into here.
#include "agent/migration/run/doubt.h"
#include "agent/migration/run/settle.h"
#include "agent/twin/doubt_book.h"
#include "base/error.h"
#include <glib/gstdio.h>

#define UID "11111111-aaaa-4000-8000-000000000000"

static char *dir;
static int suspend_error; /* 0: it is suspended */
static int resume_error;  /* the same */
static guint suspends, resumes, said, told, missed;
static gboolean stage_post_copy;       /* the hypervisor has told of one */
static gboolean no_switchover;         /* it has told of none */
static const char *state, *peer_state; /* of the target's copy; NULL: it cannot be asked */
static const char *why;                /* for `state` */
static gboolean noted_first;           /* when it was to be suspended, the book had it */
static guint slept, late_after;        /* then a call that was given up is carried out */

gboolean __wrap_ferry_host_job_suspend(FerryHostJob *job, GError **error);
gboolean __wrap_ferry_host_job_resume(FerryHostJob *job, GError **error);
gboolean __wrap_ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
gboolean __wrap_ferry_host_peer_state(FerryHost *host, const char *uri, const char *uuid,
                                      FerryDomainState *out, GError **error);
gint64 __wrap_ferry_inbox_resumed_us(FerryInbox *inbox);
const char *__wrap_ferry_inbox_blamed(FerryInbox *inbox, const char **text);
void __wrap_ferry_inbox_stage(FerryInbox *inbox, gint64 *switchover_us, gboolean *post_copy);
void __wrap_ferry_shown_send(FerryShown *shown, json_t *status);
void __wrap_ferry_shown_tell(FerryShown *shown, const char *type, const char *reason,
                             const char *message);
void __wrap_ferry_running_record(FerryRunning *run, FerryAction action, gint64 value,
                                 const char *code, const char *reason);
const char *__wrap_ferry_context_state_dir(const FerryAgentContext *context);
gboolean __wrap_ferry_context_sleep(FerryAgentContext *context, gint64 ms);
json_t *__wrap_ferry_inbox_doubt(FerryInbox *inbox);
guint __wrap_ferry_inbox_missed(FerryInbox *inbox);
gboolean __wrap_ferry_host_job_destroy(FerryHostJob *job, gboolean keep, GError **error);

gboolean __wrap_ferry_host_job_suspend(FerryHostJob *job, GError **error) {
  gint64 ran_ms;
  suspends++;
  noted_first = ferry_doubt_book_find(dir, UID, &ran_ms);
  if (!suspend_error) {
    state = "paused";
    why = "user";
    return TRUE;
  }
  g_set_error_literal(error, FERRY_HOST_ERROR, suspend_error, "not now");
  return FALSE;
}
gboolean __wrap_ferry_host_job_resume(FerryHostJob *job, GError **error) {
  resumes++;
  if (!resume_error) {
    state = "running";
    why = "unpaused";
    return TRUE;
  }
  g_set_error_literal(error, FERRY_HOST_ERROR, resume_error, "Lockspace resource is locked");
  return FALSE;
}
gboolean __wrap_ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  *out = (FerryDomainState){
      .active = !g_str_equal(state, "gone"), .state = ferry_vm_state_parse(state), .reason = why};
  return TRUE;
}
gboolean __wrap_ferry_host_peer_state(FerryHost *host, const char *uri, const char *uuid,
                                      FerryDomainState *out, GError **error) {
  if (peer_state)
    *out = (FerryDomainState){.active = !g_str_equal(peer_state, "gone"),
                              .state = ferry_vm_state_parse(peer_state)};
  return peer_state != NULL;
}
gint64 __wrap_ferry_inbox_resumed_us(FerryInbox *inbox) {
  return g_get_monotonic_time() - 7 * G_USEC_PER_SEC;
}
const char *__wrap_ferry_inbox_blamed(FerryInbox *inbox, const char **text) {
  return NULL;
}
void __wrap_ferry_inbox_stage(FerryInbox *inbox, gint64 *switchover_us, gboolean *post_copy) {
  *switchover_us = stage_post_copy || no_switchover ? 0 : 1;
  *post_copy = stage_post_copy;
}
void __wrap_ferry_shown_send(FerryShown *shown, json_t *status) {
  said++;
  json_decref(status);
}
void __wrap_ferry_shown_tell(FerryShown *shown, const char *type, const char *reason,
                             const char *message) {
  told++;
  g_assert_cmpstr(reason, ==, "DisksLocked");
}
void __wrap_ferry_running_record(FerryRunning *run, FerryAction action, gint64 value,
                                 const char *code, const char *reason) {
}
const char *__wrap_ferry_context_state_dir(const FerryAgentContext *context) {
  return dir;
}
gboolean __wrap_ferry_context_sleep(FerryAgentContext *context, gint64 ms) {
  g_usleep((gulong)ms * 1000);
  if (++slept == late_after) {
    g_assert_cmpuint(resumes, ==, 0);
    state = "paused";
    why = "user";
  }
  return TRUE;
}
json_t *__wrap_ferry_inbox_doubt(FerryInbox *inbox) {
  return json_object();
}
guint __wrap_ferry_inbox_missed(FerryInbox *inbox) {
  return missed;
}
gboolean __wrap_ferry_host_job_destroy(FerryHostJob *job, gboolean keep, GError **error) {
  g_assert_not_reached();
}

typedef struct {
  FerryMigrationPorts ports;
  FerryAsked asked;
  FerryRunning run;
} Bed;

static void set_up(Bed *b, gconstpointer error_code) {
  dir = g_dir_make_tmp("ferry-doubt-XXXXXX", NULL);
  suspend_error = GPOINTER_TO_INT(error_code);
  suspends = resumes = said = told = slept = late_after = missed = 0;
  no_switchover = FALSE;
  peer_state = NULL;
  state = "running";
  why = "migration-canceled";
  resume_error = 0;
  b->asked = (FerryAsked){.object = json_object(), .uid = UID, .uuid = UID, .name = "m"};
  b->run = (FerryRunning){.ports = &b->ports, .asked = &b->asked, .job = (FerryHostJob *)&suspends};
  ferry_doubt_guard(&b->run);
  g_assert_cmpuint(suspends, ==, 1);
}

static void tear_down(Bed *b, gconstpointer error_code) {
  ferry_doubt_book_forget(dir, UID);
  g_autofree char *folder = g_build_filename(dir, "doubts", NULL);
  g_rmdir(folder);
  g_rmdir(dir);
  g_free(dir);
  json_decref(b->asked.object);
}

static gboolean holds(const Bed *b, const char *as) {
  FerryDomainState seen = {.active = TRUE, .state = ferry_vm_state_parse(as)};
  return ferry_doubt_holds(&b->run, &seen);
}

static void is_suspended(Bed *b, gconstpointer error_code) {
  gint64 ran_ms = -1;
  g_assert_true(b->run.doubt.guarded);
  g_assert_true(noted_first); /* an agent that is killed now leaves a note */
  g_assert_cmpuint(said, ==, 1);
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  g_assert_cmpint(ran_ms, >=, 7000);
}

/* The call was given up and may be carried out all the same: noted, said only once it is so. */
static void is_suspended_late(Bed *b, gconstpointer error_code) {
  gint64 ran_ms = -1;
  g_assert_false(b->run.doubt.guarded);
  g_assert_true(b->run.doubt.asked_to_suspend);
  g_assert_cmpuint(said, ==, 0);
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  g_assert_cmpint(ran_ms, >=, 7000);
  g_assert_false(holds(b, "running"));
  g_assert_true(holds(b, "paused"));
  ferry_doubt_guard(&b->run); /* it is tried again, and noted once */
  g_assert_cmpuint(suspends, ==, 2);
  /* where no doubt is left in the end, what was suspended late is let go on and forgotten */
  state = "paused";
  ferry_doubt_withdraw(&b->run);
  g_assert_cmpuint(resumes, ==, 1);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

/* Cancelled in the switch-over: QEMU has the guest go on, it is suspended for the doubt, and as it
 * ends the migration libvirt resumes it once more. The call's error leaves no doubt. */
static void is_resumed_again(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  FerryOutcome outcome = {0};
  g_autoptr(GError) cancelled =
      g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_ABORTED, "cancelled");
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  state = "running";
  why = "migration-canceled";
  b->run.inbox = ferry_inbox_new();
  b->run.calling = TRUE;
  ferry_inbox_return(cancelled, b->run.inbox);
  g_assert_cmpint(ferry_settle(&b->run, &outcome), ==, FERRY_SETTLED);
  g_assert_nonnull(outcome.message);
  g_assert_cmpuint(resumes, ==, 0);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms)); /* else another worker would go on */
  ferry_outcome_clear(&outcome);
  ferry_inbox_free(b->run.inbox);
}

/* The same where the call says nothing of how it ended, and nobody can be asked: it is suspended
 * once more, and what is handed in is the state after that, as no person's will. */
static void is_resumed_again_in_doubt(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  FerryOutcome outcome = {0};
  g_autoptr(GError) lost =
      g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_LOST, "closed");
  state = "running";
  why = "migration-canceled";
  b->run.inbox = ferry_inbox_new();
  b->run.calling = TRUE;
  ferry_inbox_return(lost, b->run.inbox);
  g_assert_cmpint(ferry_settle(&b->run, &outcome), ==, FERRY_SETTLED);
  g_assert_cmpstr(state, ==, "paused");
  g_assert_cmpint(outcome.state.state, ==, FERRY_VM_PAUSED);
  g_assert_cmpstr(outcome.state.reason, ==, "migration");
  g_assert_true(b->run.doubt.in_doubt);
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  ferry_outcome_clear(&outcome);
  ferry_inbox_free(b->run.inbox);
}

/* The same, while it is not carried out: nothing is concluded of a copy that may stop at any time,
 * neither where the doubt has gone nor where the target has said that it has none. */
static void is_awaited(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  late_after = 3;
  g_assert_true(ferry_doubt_is_late(&b->run));
  ferry_doubt_withdraw(&b->run);
  g_assert_cmpuint(slept, ==, late_after);
  g_assert_cmpuint(resumes, ==, 1);
  g_assert_false(ferry_doubt_is_late(&b->run));
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

static void is_awaited_in_doubt(Bed *b, gconstpointer error_code) {
  FerryDomainState here = {.active = TRUE, .state = FERRY_VM_RUNNING, .reason = why};
  gint64 ran_ms;
  b->asked.adopted = TRUE;
  g_assert_true(ferry_doubt_may_run_twice(&b->run, &here));
  peer_state = "gone";
  late_after = 4;
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 60000), ==, FERRY_AMBIGUITY_STAYED);
  g_assert_cmpuint(slept, ==, late_after);
  g_assert_cmpuint(resumes, ==, 1);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

/* An agent that ended between its note and its call left it running. */
static void is_recalled(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  ferry_doubt_book_note(dir, UID, UID, 7);
  g_assert_true(ferry_doubt_recall(&b->run));
  suspend_error = 0;
  peer_state = "running";
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 0), ==, FERRY_AMBIGUITY_OPEN);
  g_assert_cmpuint(suspends, ==, 2);
  g_assert_cmpstr(state, ==, "paused");
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  g_assert_cmpint(ran_ms, >=, 7000); /* by then */
}

/* The copy here has gone while nobody can be asked: the target's is not undone. */
static void is_gone(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  state = "gone";
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 0), ==, FERRY_AMBIGUITY_MOVED);
  g_assert_cmpuint(said, ==, 2);
  g_assert_cmpuint(resumes, ==, 0);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

/* One that the hypervisor refused will not be carried out later. */
static void is_refused(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  g_assert_false(b->run.doubt.guarded || b->run.doubt.asked_to_suspend || holds(b, "paused"));
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

/* The lock manager knows of another copy: told once, tried again, and the doubt stays noted. */
static void is_locked(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  state = "paused";
  resume_error = FERRY_HOST_ERROR_LOCKED;
  ferry_doubt_withdraw(&b->run);
  ferry_doubt_withdraw(&b->run);
  g_assert_cmpuint(resumes, ==, 2);
  g_assert_cmpuint(told, ==, 1);
  g_assert_true(ferry_doubt_book_find(dir, UID, &ran_ms));
  resume_error = FERRY_HOST_ERROR_INVALID_STATE; /* anything else is none of its */
  b->run.doubt.locked_told = FALSE;
  ferry_doubt_withdraw(&b->run);
  g_assert_cmpuint(told, ==, 1);
  resume_error = 0;
  ferry_doubt_withdraw(&b->run);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
}

/* A doubt that ferryd tells of still, and this host's own book no more. */
static void is_stale(Bed *b, gconstpointer error_code) {
  state = "running";
  g_assert_false(ferry_doubt_is_stale(&b->run)); /* it is in the book */
  ferry_doubt_book_forget(dir, UID);
  state = "paused"; /* it may be held for it */
  g_assert_false(ferry_doubt_is_stale(&b->run));
  state = "running";
  said = 0;
  g_assert_true(ferry_doubt_is_stale(&b->run));
  g_assert_cmpuint(said, ==, 1);
  g_assert_false(b->run.doubt.guarded || b->run.doubt.in_doubt);
}

/* An agent that came after the switch-over finds the guest resumed by libvirt. */
static void test_adopted(void) {
  static const struct {
    const char *reason, *peer;
    gboolean adopted, calling, suspended;
  } cases[] = {
      {"migration-canceled", "running", TRUE, FALSE, TRUE},
      {"migration-canceled", NULL, TRUE, FALSE, TRUE},
      {"migration-canceled", "paused", TRUE, FALSE,
       TRUE}, /* it may go on yet, where its libvirtd hung */
      {"migration-canceled", "gone", TRUE, FALSE, TRUE},     /* until it has said so for a while */
      {"migration-canceled", "running", FALSE, FALSE, TRUE}, /* the call was lost */
      {"migration-canceled", "running", FALSE, TRUE, FALSE}, /* what it says is to be heard */
      {"booted", NULL, TRUE, FALSE, FALSE}, /* it was never paused for a switch-over */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    Bed b;
    set_up(&b, GINT_TO_POINTER(FERRY_HOST_ERROR_NO_DOMAIN));
    FerryDomainState here = {.active = TRUE, .state = FERRY_VM_RUNNING, .reason = cases[i].reason};
    suspend_error = 0;
    b.asked.adopted = cases[i].adopted;
    b.run.calling = cases[i].calling;
    b.run.step.post_copy = TRUE; /* it was asked for, too late: libvirt resumes no guest in one */
    peer_state = cases[i].peer;
    g_assert_cmpint(ferry_doubt_may_run_twice(&b.run, &here), ==, cases[i].suspended);
    g_assert_cmpuint(suspends, ==, 1 + cases[i].suspended);
    tear_down(&b, NULL);
  }
}

/* libvirt's word for its resume stays the domain's reason: it may be about an earlier migration. */
static void test_older(void) {
  static const struct {
    gint64 sent[3]; /* at each look at the job; 0: there was none */
    const char *paused_at_second;
    guint missed;
    gboolean switchover, suspended;
  } cases[] = {
      {{100, 100, 200}, NULL, 0, FALSE, FALSE},    /* it ran so, and memory was sent after that */
      {{100, 200, 200}, NULL, 0, FALSE, TRUE},     /* that may have been sent before it ran so */
      {{100, 200}, NULL, 0, FALSE, TRUE},          /* the same */
      {{0}, NULL, 0, FALSE, TRUE},                 /* its job was over by the first look */
      {{100, 100, 200}, NULL, 0, TRUE, TRUE},      /* its switch-over was told of */
      {{100, 100, 200}, NULL, 1, FALSE, TRUE},     /* it may have had one, unseen */
      {{100, 100, 200}, "paused", 0, FALSE, TRUE}, /* the same */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    Bed b;
    set_up(&b, GINT_TO_POINTER(FERRY_HOST_ERROR_NO_DOMAIN));
    FerryDomainState here = {.active = TRUE, .state = FERRY_VM_RUNNING, .reason = why};
    b.asked.adopted = TRUE;
    suspend_error = 0;
    for (gsize k = 0; k < 3 && cases[i].sent[k]; k++) {
      FerryJobStats stats = {.active = TRUE, .data_processed = cases[i].sent[k]};
      here.state = k == 1 && cases[i].paused_at_second ? FERRY_VM_PAUSED : FERRY_VM_RUNNING;
      ferry_doubt_see(&b.run, &stats, &here);
    }
    missed = cases[i].missed;
    no_switchover = !cases[i].switchover;
    here.state = FERRY_VM_RUNNING;
    g_assert_cmpint(ferry_doubt_may_run_twice(&b.run, &here), ==, cases[i].suspended);
    g_assert_cmpuint(suspends, ==, 1 + cases[i].suspended);
    tear_down(&b, NULL);
  }
}

/* The copy goes on by a person's word before it is known whose the VM is: no later answer resumes
 * or destroys what another migration has paused since. */
static void is_let_go(Bed *b, gconstpointer error_code) {
  gint64 ran_ms;
  b->run.doubt.in_doubt = TRUE;
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 0), ==, FERRY_AMBIGUITY_OPEN);
  state = "running";
  why = "unpaused";
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 0), ==, FERRY_AMBIGUITY_LET_GO);
  g_assert_false(b->run.doubt.guarded);
  g_assert_false(ferry_doubt_book_find(dir, UID, &ran_ms));
  state = "paused";
  why = "migration";
  peer_state = "gone"; /* the answer, at last */
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint(ferry_doubt_resolve(&b->run, 1500), ==, FERRY_AMBIGUITY_LET_GO);
  g_assert_cmpstr(state, ==, "paused");
  g_assert_cmpuint(resumes, ==, 0);
}

/* The same where nobody here saw it run in between: the later migration's agent did, and has
 * forgotten the note. */
static void is_let_go_unseen(Bed *b, gconstpointer peer) {
  b->run.doubt.in_doubt = TRUE;
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 0), ==, FERRY_AMBIGUITY_OPEN);
  ferry_doubt_book_forget(dir, UID);
  why = "migration";
  peer_state = "gone";
  g_assert_cmpint(ferry_doubt_resolve(&b->run, 1500), ==, FERRY_AMBIGUITY_LET_GO);
  g_assert_cmpuint(resumes, ==, 0);
}

/* Post-copy was asked for: whether there is one is for the hypervisor to say. */
static void test_post_copy(void) {
  static const struct {
    gboolean told;
    const char *state, *reason;
    gboolean is;
  } cases[] = {
      {TRUE, "paused", "postcopy", TRUE},
      {TRUE, "paused", "migration", TRUE},
      {TRUE, "running", "migration-canceled", FALSE},
      {FALSE, "paused", "postcopy-failed", TRUE},
      {FALSE, "paused", "migration", FALSE}, /* the switch-over came first, and nobody ended it */
      {FALSE, "running", "migration-canceled", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    Bed b;
    set_up(&b, GINT_TO_POINTER(FERRY_HOST_ERROR_NO_DOMAIN));
    FerryDomainState here = {
        .active = TRUE, .state = ferry_vm_state_parse(cases[i].state), .reason = cases[i].reason};
    b.run.step.post_copy = TRUE;
    stage_post_copy = cases[i].told;
    g_assert_cmpint(ferry_doubt_is_post_copy(&b.run, &here), ==, cases[i].is);
    /* what nobody ended is in doubt, and so is seen to */
    g_autoptr(GError) lost =
        g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION, "");
    state = cases[i].state;
    if (!cases[i].told && !g_str_equal(cases[i].state, "running"))
      g_assert_cmpint(ferry_doubt_arises(&b.run, lost, &here), ==, !cases[i].is);
    stage_post_copy = FALSE;
    tear_down(&b, NULL);
  }
}

/* libvirt could not resume it itself: in doubt, whatever the migration's own error was. */
static void test_refused(void) {
  static const struct {
    const char *reason;
    gboolean was_paused, arises;
  } cases[] = {{"api-error", FALSE, TRUE}, {"api-error", TRUE, FALSE}, {"user", FALSE, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    Bed b;
    g_autoptr(GError) failed =
        g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE, "");
    set_up(&b, GINT_TO_POINTER(FERRY_HOST_ERROR_NO_DOMAIN));
    FerryDomainState here = {.active = TRUE, .state = FERRY_VM_PAUSED, .reason = cases[i].reason};
    state = "paused";
    b.run.step.was_paused = cases[i].was_paused;
    g_assert_cmpint(ferry_doubt_arises(&b.run, failed, &here), ==, cases[i].arises);
    tear_down(&b, NULL);
  }
}

/* An agent that this one has replaced may have suspended it a moment before. */
static void test_suspended_by_another(void) {
  Bed b;
  set_up(&b, GINT_TO_POINTER(FERRY_HOST_ERROR_INVALID_STATE)); /* it does not run */
  g_assert_false(holds(&b, "paused"));
  ferry_doubt_book_note(dir, UID, UID, 7);
  g_assert_true(holds(&b, "paused"));
  g_assert_false(holds(&b, "running"));
  tear_down(&b, NULL);
}

static GLogWriterOutput ignore_fields(GLogLevelFlags level, const GLogField *fields, gsize n,
                                      gpointer data) {
  return G_LOG_WRITER_HANDLED;
}

static void ignore(const char *domain, GLogLevelFlags level, const char *text, gpointer data) {
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(ignore, NULL);
  g_log_set_writer_func(ignore_fields, NULL, NULL); /* what fails is warned of */
  g_test_add_func("/agent/doubt/adopted", test_adopted);
  g_test_add_func("/agent/doubt/older", test_older);
  g_test_add_func("/agent/doubt/post-copy", test_post_copy);
  g_test_add_func("/agent/doubt/refused-to-libvirt", test_refused);
  g_test_add_func("/agent/doubt/suspended-by-another", test_suspended_by_another);
  g_test_add("/agent/doubt/suspended", Bed, GINT_TO_POINTER(0), set_up, is_suspended, tear_down);
  g_test_add("/agent/doubt/resumed-again", Bed, GINT_TO_POINTER(0), set_up, is_resumed_again,
             tear_down);
  g_test_add("/agent/doubt/resumed-again-in-doubt", Bed, GINT_TO_POINTER(0), set_up,
             is_resumed_again_in_doubt, tear_down);
  g_test_add("/agent/doubt/let-go", Bed, GINT_TO_POINTER(0), set_up, is_let_go, tear_down);
  g_test_add("/agent/doubt/let-go-unseen", Bed, GINT_TO_POINTER(0), set_up, is_let_go_unseen,
             tear_down);
  g_test_add("/agent/doubt/locked", Bed, GINT_TO_POINTER(0), set_up, is_locked, tear_down);
  g_test_add("/agent/doubt/stale", Bed, GINT_TO_POINTER(0), set_up, is_stale, tear_down);
  g_test_add("/agent/doubt/late", Bed, GINT_TO_POINTER(FERRY_HOST_ERROR_VM_SILENT), set_up,
             is_suspended_late, tear_down);
  g_test_add("/agent/doubt/awaited", Bed, GINT_TO_POINTER(FERRY_HOST_ERROR_VM_SILENT), set_up,
             is_awaited, tear_down);
  g_test_add("/agent/doubt/awaited-in-doubt", Bed, GINT_TO_POINTER(FERRY_HOST_ERROR_VM_SILENT),
             set_up, is_awaited_in_doubt, tear_down);
  g_test_add("/agent/doubt/recalled", Bed, GINT_TO_POINTER(FERRY_HOST_ERROR_INVALID_STATE), set_up,
             is_recalled, tear_down);
  g_test_add("/agent/doubt/gone", Bed, GINT_TO_POINTER(0), set_up, is_gone, tear_down);
  g_test_add("/agent/doubt/refused", Bed, GINT_TO_POINTER(FERRY_HOST_ERROR_NO_DOMAIN), set_up,
             is_refused, tear_down);
  return g_test_run();
}
