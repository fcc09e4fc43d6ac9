// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/judge.h"

#define US 1000000

static const FerryDomainState running = {TRUE, FERRY_VM_RUNNING, "booted", 1, TRUE, TRUE};
static const FerryDomainState off = {TRUE, FERRY_VM_SHUTOFF, "migrated", -1, FALSE, TRUE};
static const FerryDomainState broken = {TRUE, FERRY_VM_PAUSED, "postcopy-failed", 1, TRUE, TRUE};
static const FerryDomainState in_post_copy = {TRUE, FERRY_VM_PAUSED, "postcopy", 1, TRUE, TRUE};
static const FerryDomainState left = {TRUE, FERRY_VM_PAUSED, "migration", 1, TRUE, TRUE};
static const FerryDomainState by_user = {TRUE, FERRY_VM_PAUSED, "user", 1, TRUE, TRUE};

static GError *host_error(int code) {
  return g_error_new(FERRY_HOST_ERROR, code, "libvirt says %d", code);
}

static FerryLook look(gboolean active, gboolean out, const FerryDomainState *state,
                      gboolean calling) {
  FerryJobStats stats;
  ferry_job_stats_clear(&stats);
  stats.active = active;
  stats.migration_out = out;
  return ferry_judge_look(&(FerryLookInput){&stats, NULL, state, calling});
}

static void test_look(void) {
  g_assert_cmpint(look(TRUE, TRUE, NULL, TRUE), ==, FERRY_LOOK_RUNNING);
  g_assert_cmpint(look(TRUE, FALSE, NULL, TRUE), ==, FERRY_LOOK_OVER); /* somebody else's job */
  g_assert_cmpint(look(FALSE, TRUE, NULL, TRUE), ==, FERRY_LOOK_OVER);
  g_assert_cmpint(look(TRUE, TRUE, &broken, FALSE), ==, FERRY_LOOK_OVER);   /* for ever active */
  g_assert_cmpint(look(TRUE, TRUE, &broken, TRUE), ==, FERRY_LOOK_RUNNING); /* the call ends it */
}

static void test_look_that_failed(void) {
  g_autoptr(GError) away = host_error(FERRY_HOST_ERROR_NO_CONNECTION);
  g_autoptr(GError) gone = host_error(FERRY_HOST_ERROR_NO_DOMAIN);
  g_autoptr(GError) busy = host_error(68);
  FerryLookInput seen = {NULL, away, NULL, TRUE};
  g_assert_false(ferry_judge_needs_state(&seen, TRUE));
  g_assert_cmpint(ferry_judge_look(&seen), ==, FERRY_LOOK_LOST);
  seen.error = gone;
  g_assert_false(ferry_judge_needs_state(&seen, TRUE));
  g_assert_cmpint(ferry_judge_look(&seen), ==, FERRY_LOOK_OVER);
  seen.error = busy;
  g_assert_true(ferry_judge_needs_state(&seen, FALSE));
  g_assert_cmpint(ferry_judge_look(&seen), ==, FERRY_LOOK_UNKNOWN);
  seen.state = &running;
  g_assert_cmpint(ferry_judge_look(&seen), ==, FERRY_LOOK_UNKNOWN);
  seen.state = &off;
  g_assert_cmpint(ferry_judge_look(&seen), ==, FERRY_LOOK_OVER);
}

static void test_giving_up(void) {
  FerryGivingUp s = {0};
  FerryGivingUpPlan plan = ferry_judge_giving_up(&s, FALSE, FALSE, FALSE, US);
  g_assert_false(plan.abort);
  plan = ferry_judge_giving_up(&s, FALSE, TRUE, FALSE, US); /* the controller: nobody is told */
  g_assert_true(plan.abort);
  g_assert_null(plan.status);
  plan = ferry_judge_giving_up(&s, TRUE, TRUE, FALSE, US + 1000); /* not as soon again */
  g_assert_false(plan.abort);
  plan = ferry_judge_giving_up(&s, TRUE, TRUE, FALSE, 2 * US);
  g_assert_true(plan.abort);
  g_assert_cmpstr(plan.status, ==, "Aborting");
  plan = ferry_judge_giving_up(&s, TRUE, TRUE, FALSE, 3 * US); /* again, until it is gone */
  g_assert_true(plan.abort);
  g_assert_null(plan.status);

  FerryGivingUp late = {0};
  plan = ferry_judge_giving_up(&late, TRUE, FALSE, TRUE, US);
  g_assert_false(plan.abort); /* there is no way back */
  g_assert_cmpstr(plan.status, ==, "Failed");
  plan = ferry_judge_giving_up(&late, TRUE, FALSE, TRUE, 2 * US);
  g_assert_false(plan.abort);
  g_assert_null(plan.status);
}

static void expect(FerryJobEnd end, int code, const char *reason, const char *part) {
  FerryOutcome o = {0};
  ferry_judge_end(&end, &o);
  g_assert_cmpint(o.code, ==, code);
  g_assert_cmpstr(o.reason, ==, reason);
  g_assert_cmpint(o.state.state, ==, end.state.state);
  if (part)
    g_assert_nonnull(strstr(o.message, part));
  else
    g_assert_null(o.message);
  ferry_outcome_clear(&o);
}

static void test_end(void) {
  g_autoptr(GError) aborted = host_error(FERRY_HOST_ERROR_ABORTED);
  g_autoptr(GError) away = host_error(FERRY_HOST_ERROR_NO_CONNECTION);
  expect((FerryJobEnd){NULL, TRUE, .state = off}, 0, NULL, NULL);
  expect((FerryJobEnd){NULL, TRUE, TRUE, .state = off}, 0, NULL,
         NULL); /* the cancel came too late */
  expect((FerryJobEnd){aborted, TRUE, .state = running}, 78, "MigrationFailed", "libvirt says 78");
  expect((FerryJobEnd){aborted, TRUE, .state = off}, 78, "MigrationFailed", "libvirt says 78");
  expect((FerryJobEnd){aborted, TRUE, TRUE, .state = running}, 78, "Cancelled", "libvirt says 78");
  FerryJobEnd gave_up = {aborted, TRUE, FALSE, "NotConverging", "too fast", running};
  expect(gave_up, 78, "NotConverging", "too fast");
  gave_up.cancelled = TRUE; /* a person's word comes first */
  expect(gave_up, 78, "Cancelled", "libvirt says 78");
  expect((FerryJobEnd){away, TRUE, .state = running}, 5, "HypervisorLost", "went away");
  expect((FerryJobEnd){away, TRUE, .state = off}, 0, NULL, NULL); /* it moved all the same */
}

static void test_end_by_the_target(void) {
  static const struct {
    int code;
    const char *reason, *part;
  } cases[] = {
      {FERRY_HOST_ERROR_PEER_NAME, "TargetNameUnknown", "cannot resolve the name of h2's ("},
      {FERRY_HOST_ERROR_PEER_UNREACHABLE, "TargetLibvirtUnreachable", "that of h2 ("},
      {FERRY_HOST_ERROR_PEER_LOGIN, "TargetLoginRefused", "this host and of h2 do not trust"},
      {FERRY_HOST_ERROR_PEER_LOST, "TargetLibvirtLost", "the libvirtd of h2 broke"},
      {FERRY_HOST_ERROR_PEER_PORT, "TargetPortClosed", "the port of h2 at which"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = host_error(cases[i].code);
    FerryJobEnd end = {error, TRUE, .state = running, .target = "h2"};
    expect(end, cases[i].code, cases[i].reason, cases[i].part);
    expect(end, cases[i].code, cases[i].reason, "(libvirt says "); /* its own words stay */
    g_assert_false(ferry_judge_lost_call(TRUE, error));
    end.abort_code = "LinkStalled"; /* what the agent had found comes first, then a cancel */
    end.abort_reason = "silent";
    expect(end, cases[i].code, "LinkStalled", "silent");
    end.cancelled = TRUE;
    expect(end, cases[i].code, "Cancelled", "libvirt says ");
  }
  g_autoptr(GError) lost = host_error(FERRY_HOST_ERROR_PEER_LOST);
  expect((FerryJobEnd){lost, TRUE, .state = off}, 0, NULL, NULL); /* it moved all the same */
}

/* what the driver knows of what is to be done goes on to the outcome, unless that says another
 * thing */
static void test_hint(void) {
  g_autoptr(GError) failed = host_error(9);
  g_autoptr(GError) login = host_error(FERRY_HOST_ERROR_PEER_LOGIN);
  ferry_host_error_set_hint(failed, FERRY_HOST_HINT_HANDSHAKE);
  ferry_host_error_set_hint(login, FERRY_HOST_HINT_HANDSHAKE);
  const struct {
    FerryJobEnd end;
    FerryHostHint hint;
  } cases[] = {
      {{failed, TRUE, .state = running}, FERRY_HOST_HINT_HANDSHAKE},
      {{failed, TRUE, FALSE, "NotConverging", "too fast", running}, FERRY_HOST_HINT_NONE},
      {{login, TRUE, .state = running}, FERRY_HOST_HINT_NONE}, /* libvirtd's, not QEMU's */
      {{NULL, TRUE, .state = off}, FERRY_HOST_HINT_NONE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    FerryOutcome o = {0};
    ferry_judge_end(&cases[i].end, &o);
    g_assert_cmpint(o.hint, ==, cases[i].hint);
    ferry_outcome_clear(&o);
  }
}

/* of a call that was another agent's nobody has the error */
static void test_end_of_an_adopted_one(void) {
  expect((FerryJobEnd){NULL, FALSE, .state = off}, 0, NULL, NULL);
  expect((FerryJobEnd){NULL, FALSE, .state = running}, 78, "MigrationFailed", "nobody was there");
  expect((FerryJobEnd){NULL, FALSE, TRUE, .state = running}, 78, "Cancelled", "nobody was there");
  expect((FerryJobEnd){NULL, FALSE, FALSE, "NotConverging", "too fast", running}, 78,
         "NotConverging", "too fast");
}

static void test_lost_call(void) {
  g_autoptr(GError) aborted = host_error(FERRY_HOST_ERROR_ABORTED);
  g_autoptr(GError) away = host_error(FERRY_HOST_ERROR_NO_CONNECTION);
  g_assert_true(ferry_judge_lost_call(TRUE, away));
  g_assert_false(ferry_judge_lost_call(TRUE, aborted));
  g_assert_false(ferry_judge_lost_call(TRUE, NULL));
  FerryJobStats stats;
  ferry_job_stats_clear(&stats);
  g_assert_true(ferry_judge_goes_on(&running, NULL)); /* not said: it may */
  g_assert_false(ferry_judge_goes_on(&running, &stats));
  stats.active = stats.migration_out = TRUE;
  g_assert_true(ferry_judge_goes_on(&running, &stats));
  g_assert_false(ferry_judge_goes_on(&off, &stats));
}

static void test_left_paused(void) {
  g_assert_true(ferry_judge_left_paused(&left, FALSE, FALSE));
  g_assert_true(ferry_judge_left_paused(&by_user, FALSE, TRUE));   /* Ferry was that user */
  g_assert_false(ferry_judge_left_paused(&by_user, FALSE, FALSE)); /* somebody else was */
  g_assert_false(ferry_judge_left_paused(&left, TRUE, FALSE));     /* it was paused before */
  g_assert_false(ferry_judge_left_paused(&running, FALSE, TRUE));
  g_assert_false(ferry_judge_left_paused(&broken, FALSE, FALSE));
  g_assert_true(ferry_judge_is_post_copy(&in_post_copy));
  g_assert_false(ferry_judge_is_post_copy(&left));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/judge/look", test_look);
  g_test_add_func("/agent/judge/look-that-failed", test_look_that_failed);
  g_test_add_func("/agent/judge/giving-up", test_giving_up);
  g_test_add_func("/agent/judge/end", test_end);
  g_test_add_func("/agent/judge/hint", test_hint);
  g_test_add_func("/agent/judge/end-by-the-target", test_end_by_the_target);
  g_test_add_func("/agent/judge/end-of-an-adopted-one", test_end_of_an_adopted_one);
  g_test_add_func("/agent/judge/lost-call", test_lost_call);
  g_test_add_func("/agent/judge/left-paused", test_left_paused);
  return g_test_run();
}
