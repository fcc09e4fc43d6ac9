// SPDX-License-Identifier: Apache-2.0
// A running migration on a virtual clock: no thread, no hypervisor, only what was seen and what is
// to be done.
#include "agent/migration/state/step.h"

#define MIB (1024 * 1024LL)
#define TURN_US 50000LL

static const FerryDomainState post_copy_state = {TRUE, FERRY_VM_PAUSED, "postcopy", 1, TRUE, TRUE};

typedef struct {
  FerrySteps steps;
  FerryJobStats stats;
  gint64 now_us;
  gboolean refuse, cancel; /* what the hypervisor and a person do */
  GString *calls;          /* a letter for each */
  GString *writes;         /* "mode=Paused " or "SetDowntime " */
} Bed;

static Bed *bed_new(void) {
  Bed *b = g_new0(Bed, 1);
  ferry_step_init(&b->steps);
  ferry_job_stats_clear(&b->stats);
  b->stats.active = b->stats.migration_out = TRUE;
  b->stats.data_total = b->stats.memory_total = b->stats.data_remaining = 1024 * MIB;
  b->now_us = 1000000;
  b->steps.start_us = b->now_us;
  b->calls = g_string_new(NULL);
  b->writes = g_string_new(NULL);
  return b;
}

static void bed_free(Bed *b) {
  ferry_step_clear(&b->steps);
  g_string_free(b->calls, TRUE);
  g_string_free(b->writes, TRUE);
  g_free(b);
}

static void take_writes(Bed *b) {
  for (;;) {
    g_autoptr(FerryStepWrite) w = ferry_step_take_write(&b->steps);
    if (!w)
      return;
    if (w->key)
      g_string_append_printf(b->writes, "%s=%s ", w->key, w->value);
    else
      g_string_append_printf(b->writes, "%s ", ferry_action_name(w->action));
  }
}

static void act(Bed *b) {
  FerryStepCall call;
  for (int n = 0; ferry_step_next(&b->steps, b->now_us, &call); n++) {
    g_assert_cmpint(n, <, 20); /* it comes to an end, whatever is refused */
    g_string_append_c(b->calls, "DPSTA"[call.kind]);
    ferry_step_done(&b->steps, &call, b->refuse ? "not now" : NULL, b->now_us);
  }
  take_writes(b);
}

static void begin(Bed *b, const FerryConvergenceIntent *intent) {
  ferry_step_begin(&b->steps, intent, b->now_us);
  act(b);
}

static FerryLook turn(Bed *b, const FerryDomainState *state) {
  FerryStepInput input = {.look = {&b->stats, NULL, state, TRUE}, .cancel = b->cancel};
  b->now_us += TURN_US;
  FerryLook found = ferry_step_see(&b->steps, &input, b->now_us);
  act(b);
  return found;
}

static const FerryConvergenceIntent modest = {.max_downtime_ms = 300, .memory_bytes = 1024 * MIB};

static void test_first_limit(void) {
  Bed *b = bed_new();
  begin(b, &modest);
  g_assert_cmpstr(b->calls->str, ==, "D");
  g_assert_true(b->steps.limit_set);
  g_assert_true(g_str_has_prefix(b->writes->str, "SetDowntime"));
  bed_free(b);
}

/* before the call some hypervisors take no limit: it is tried once a turn, and nobody is told */
static void test_limit_refused_before(void) {
  Bed *b = bed_new();
  b->refuse = TRUE;
  begin(b, &modest);
  g_assert_null(strstr(b->writes->str, "Refuse"));
  b->steps.started = TRUE;
  g_string_truncate(b->calls, 0);
  turn(b, NULL);
  turn(b, NULL);
  g_assert_true(g_str_has_prefix(b->calls->str, "D"));
  g_assert_false(b->steps.limit_set);
  b->refuse = FALSE;
  turn(b, NULL);
  g_assert_true(b->steps.limit_set);
  g_string_truncate(b->calls, 0);
  turn(b, NULL);
  g_assert_null(strchr(b->calls->str, 'D')); /* it is in force */
  bed_free(b);
}

static void test_cancel(void) {
  Bed *b = bed_new();
  begin(b, &modest);
  g_string_truncate(b->calls, 0);
  g_string_truncate(b->writes, 0);
  b->steps.started = b->cancel = TRUE;
  for (int i = 0; i < 8; i++) /* 400 ms: it is tried again, and said once */
    turn(b, NULL);
  g_assert_cmpstr(b->calls->str, ==, "AA");
  g_assert_cmpstr(b->writes->str, ==, "abortStatus=Aborting ");
  bed_free(b);
}

/* what the job says, or does not, a cancel goes through */
static void test_cancel_unseen(void) {
  Bed *b = bed_new();
  begin(b, &modest);
  g_string_truncate(b->calls, 0);
  g_autoptr(GError) busy = g_error_new_literal(FERRY_HOST_ERROR, 68, "busy");
  FerryStepInput input = {.look = {NULL, busy, NULL, TRUE}, .cancel = TRUE};
  b->now_us += TURN_US;
  g_assert_cmpint(ferry_step_see(&b->steps, &input, b->now_us), ==, FERRY_LOOK_UNKNOWN);
  act(b);
  g_assert_cmpstr(b->calls->str, ==, "A");
  bed_free(b);
}

/* the guest is found on the target: no way back, and the controller has nothing left to tune */
static void test_post_copy(void) {
  Bed *b = bed_new();
  b->steps.may_post_copy = TRUE;
  begin(b, &modest);
  b->steps.started = TRUE;
  turn(b, NULL);
  g_assert_false(b->steps.post_copy);
  g_string_truncate(b->writes, 0);
  turn(b, &post_copy_state);
  turn(b, &post_copy_state);
  g_assert_true(b->steps.post_copy);
  g_assert_cmpstr(b->writes->str, ==, "mode=PostCopy ");
  b->cancel = TRUE;
  g_string_truncate(b->calls, 0);
  turn(b, &post_copy_state);
  g_assert_null(strchr(b->calls->str, 'A'));
  g_assert_true(g_str_has_suffix(b->writes->str, "abortStatus=Failed "));
  bed_free(b);
}

/* nothing moves: the controller gives it up when its time is over, on the virtual clock */
static void test_no_progress(void) {
  Bed *b = bed_new();
  FerryConvergenceIntent intent = modest;
  intent.progress_timeout_ms = 60000;
  begin(b, &intent);
  b->steps.started = TRUE;
  gint64 began = b->now_us;
  while (!b->steps.abort_code && b->now_us < began + 600 * G_USEC_PER_SEC) {
    b->stats.data_processed += MIB; /* it sends what the guest writes anew */
    turn(b, NULL);
  }
  g_assert_cmpstr(b->steps.abort_code, ==, "ProgressTimeout");
  g_assert_cmpint(b->now_us - began, >=, 60 * G_USEC_PER_SEC);
  g_assert_cmpint(b->now_us - began, <, 70 * G_USEC_PER_SEC);
  g_assert_true(g_str_has_suffix(b->calls->str, "A"));
  g_assert_null(strstr(b->writes->str, "abortStatus")); /* nobody had cancelled it */
  bed_free(b);
}

/* a refusal of what was decided is recorded, once the migration has started */
static void test_refused(void) {
  Bed *b = bed_new();
  begin(b, &modest);
  b->steps.started = TRUE;
  FerryStepCall call = {FERRY_STEP_CALL_SET_THROTTLE, 20, TRUE, FERRY_ACTION_SET_THROTTLE};
  g_string_truncate(b->writes, 0);
  ferry_step_done(&b->steps, &call, "no monitor", b->now_us);
  take_writes(b);
  g_assert_cmpstr(b->writes->str, ==, "Refuse ");
  bed_free(b);
}

/* One that goes on with a doubt has measured nothing. */
static void test_record_before_it_begins(void) {
  Bed *b = bed_new();
  ferry_step_record(&b->steps, FERRY_ACTION_SUSPEND, -1, "Ambiguous", "why", b->now_us);
  take_writes(b);
  g_assert_cmpstr(b->writes->str, ==, "Suspend ");
  bed_free(b);
}

static void test_suspend(void) {
  Bed *b = bed_new();
  begin(b, &modest);
  FerryStepCall call = {FERRY_STEP_CALL_SUSPEND, 0, TRUE, FERRY_ACTION_SUSPEND};
  g_string_truncate(b->writes, 0);
  ferry_step_done(&b->steps, &call, NULL, b->now_us);
  take_writes(b);
  g_assert_true(b->steps.suspended);
  g_assert_cmpstr(b->writes->str, ==, "mode=Paused ");
  bed_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/step/first-limit", test_first_limit);
  g_test_add_func("/agent/step/limit-refused-before", test_limit_refused_before);
  g_test_add_func("/agent/step/cancel", test_cancel);
  g_test_add_func("/agent/step/cancel-unseen", test_cancel_unseen);
  g_test_add_func("/agent/step/post-copy", test_post_copy);
  g_test_add_func("/agent/step/no-progress", test_no_progress);
  g_test_add_func("/agent/step/refused", test_refused);
  g_test_add_func("/agent/step/suspend", test_suspend);
  g_test_add_func("/agent/step/record-before-it-begins", test_record_before_it_begins);
  return g_test_run();
}
