// SPDX-License-Identifier: Apache-2.0
// Every combination of what two hosts can have has an outcome, and the outcome is never a lie.
#include "policy/outcome.h"
#include <string.h>

typedef void (*Visit)(const FerryOutcomeQuestion *q, FerryOutcomeAnswer a, gpointer data);

static void every_combination(Visit visit, gpointer data) {
  for (int s = 0; s < FERRY_COPY_LAST; s++)
    for (int t = 0; t < FERRY_COPY_LAST; t++)
      for (int mode = 0; mode < 2; mode++)
        for (int call = 0; call < FERRY_CALL_LAST; call++) {
          FerryOutcomeQuestion q = {(FerryCopy)s, (FerryCopy)t, mode == 1, (FerryCall)call};
          visit(&q, ferry_outcome_decide(&q), data);
        }
}

static void note_row(const FerryOutcomeQuestion *q, FerryOutcomeAnswer a, gpointer data) {
  gboolean *seen = data;
  g_assert_cmpuint(a.row, <, ferry_outcome_rows());
  seen[a.row] = TRUE;
}

static void test_every_row_answers(void) {
  g_autofree gboolean *seen = g_new0(gboolean, ferry_outcome_rows());
  every_combination(note_row, seen);
  for (guint i = 0; i < ferry_outcome_rows(); i++)
    if (!seen[i])
      g_error("row %u of the table is the answer to nothing", i);
}

static gboolean is_alive(FerryCopy copy) {
  return copy == FERRY_COPY_RUNS || copy == FERRY_COPY_PAUSED;
}

static gboolean has_nothing(FerryCopy copy) {
  return copy == FERRY_COPY_ABSENT || copy == FERRY_COPY_OFF || copy == FERRY_COPY_STOPPED ||
         copy == FERRY_COPY_LEFT;
}

static void check_word(const FerryOutcomeQuestion *q, FerryOutcomeAnswer a, gpointer data) {
  g_autofree char *what =
      g_strdup_printf("source %s, target %s, %s, call %s: %s", ferry_copy_word(q->source),
                      ferry_copy_word(q->target), q->post_copy ? "post-copy" : "pre-copy",
                      ferry_call_word(q->call), ferry_outcome_word(a.kind));
  g_test_message("%s", what);
  if (q->call == FERRY_CALL_NOT_MADE) {
    g_assert_true(a.kind == FERRY_OUTCOME_STAYED || a.kind == FERRY_OUTCOME_STOPPED);
    return;
  }
  switch (a.kind) {
  case FERRY_OUTCOME_MOVED: /* seen on the target, or confirmed by it; never beside a live source */
    g_assert_true(has_nothing(q->source));
    g_assert_true(is_alive(q->target) ||
                  (q->target == FERRY_COPY_UNKNOWN && q->call == FERRY_CALL_OK));
    break;
  case FERRY_OUTCOME_STAYED:
    g_assert_false(is_alive(q->target));
    g_assert_true(is_alive(q->source) || q->source == FERRY_COPY_SUSPENDED);
    break;
  case FERRY_OUTCOME_STOPPED:
    g_assert_cmpint(q->source, ==, FERRY_COPY_STOPPED);
    g_assert_false(is_alive(q->target));
    break;
  case FERRY_OUTCOME_LOST: /* half of the memory is gone for certain */
    g_assert_true(has_nothing(q->source) || has_nothing(q->target));
    g_assert_true(q->source != FERRY_COPY_UNKNOWN && q->target != FERRY_COPY_UNKNOWN);
    break;
  case FERRY_OUTCOME_BOTH:
    g_assert_true(a.settles);
    g_assert_false(has_nothing(q->source) || has_nothing(q->target));
    break;
  case FERRY_OUTCOME_UNKNOWN: /* only ever for a host that can't speak */
    g_assert_true(q->source == FERRY_COPY_UNKNOWN || q->target == FERRY_COPY_UNKNOWN);
    break;
  case FERRY_OUTCOME_WAIT: /* only while one side says that post-copy goes on */
    g_assert_true(q->source == FERRY_COPY_POSTCOPY || q->target == FERRY_COPY_POSTCOPY);
    break;
  default:
    g_assert_true(a.kind == FERRY_OUTCOME_BROKEN || a.settles);
  }
  /* a dead half of post-copy is never called moved or stayed */
  if (q->source == FERRY_COPY_POSTCOPY_FAILED || q->target == FERRY_COPY_POSTCOPY_FAILED)
    g_assert_true(a.kind != FERRY_OUTCOME_MOVED && a.kind != FERRY_OUTCOME_STAYED);
}

static void test_no_lie(void) {
  every_combination(check_word, NULL);
}

static void test_words_of_libvirt(void) {
  static const struct {
    const char *state, *reason;
    FerryCopy copy;
  } cases[] = {
      {"running", "migrated", FERRY_COPY_RUNS},
      {"running", "migration-canceled", FERRY_COPY_RUNS},
      {"running", "postcopy", FERRY_COPY_POSTCOPY},
      {"running", "postcopy-failed", FERRY_COPY_POSTCOPY_FAILED},
      {"paused", "postcopy-failed", FERRY_COPY_POSTCOPY_FAILED},
      {"paused", "migration", FERRY_COPY_SUSPENDED},
      {"paused", "user", FERRY_COPY_PAUSED},
      {"paused", "io-error", FERRY_COPY_PAUSED},
      {"shutoff", "migrated", FERRY_COPY_LEFT},
      {"shutoff", "destroyed", FERRY_COPY_STOPPED},
      {"shutoff", "unknown", FERRY_COPY_OFF},
      {"crashed", "panicked", FERRY_COPY_STOPPED},
      {"nostate", NULL, FERRY_COPY_ABSENT},
      {"nostate", "destroyed", FERRY_COPY_STOPPED},
      {"nostate", "failed", FERRY_COPY_STOPPED},
      {"nostate", "migrated", FERRY_COPY_ABSENT},
      {NULL, NULL, FERRY_COPY_ABSENT},
      {"a word of a later libvirt", NULL, FERRY_COPY_UNKNOWN},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(ferry_copy_of(cases[i].state, cases[i].reason, TRUE), ==, cases[i].copy);
    g_assert_cmpint(ferry_copy_of(cases[i].state, cases[i].reason, FALSE), ==, FERRY_COPY_UNKNOWN);
  }
}

/* What was seen on real hosts and had a wrong word. */
static void test_seen(void) {
  static const struct {
    FerryOutcomeQuestion q;
    FerryOutcomeKind kind;
  } cases[] = {
      /* the source's QEMU died in post-copy */
      {{FERRY_COPY_STOPPED, FERRY_COPY_POSTCOPY_FAILED, TRUE, FERRY_CALL_FAILED},
       FERRY_OUTCOME_LOST},
      {{FERRY_COPY_ABSENT, FERRY_COPY_POSTCOPY_FAILED, TRUE, FERRY_CALL_OK}, FERRY_OUTCOME_LOST},
      /* the target's QEMU died in post-copy */
      {{FERRY_COPY_POSTCOPY_FAILED, FERRY_COPY_ABSENT, TRUE, FERRY_CALL_FAILED},
       FERRY_OUTCOME_LOST},
      /* the target can't be reached, and it runs on the source */
      {{FERRY_COPY_RUNS, FERRY_COPY_UNKNOWN, FALSE, FERRY_CALL_FAILED}, FERRY_OUTCOME_STAYED},
      /* somebody destroyed it while it moved */
      {{FERRY_COPY_STOPPED, FERRY_COPY_ABSENT, FALSE, FERRY_CALL_FAILED}, FERRY_OUTCOME_STOPPED},
      {{FERRY_COPY_STOPPED, FERRY_COPY_SUSPENDED, FALSE, FERRY_CALL_FAILED}, FERRY_OUTCOME_STOPPED},
      /* it arrived though the call's connection broke */
      {{FERRY_COPY_LEFT, FERRY_COPY_RUNS, FALSE, FERRY_CALL_FAILED}, FERRY_OUTCOME_MOVED},
      /* the target's libvirtd hung around the hand-over: both run */
      {{FERRY_COPY_RUNS, FERRY_COPY_RUNS, FALSE, FERRY_CALL_FAILED}, FERRY_OUTCOME_BOTH},
      /* libvirtd of one side killed in post-copy: both sides go on */
      {{FERRY_COPY_POSTCOPY, FERRY_COPY_POSTCOPY, TRUE, FERRY_CALL_FAILED}, FERRY_OUTCOME_WAIT},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    FerryOutcomeAnswer a = ferry_outcome_decide(&cases[i].q);
    if (a.kind != cases[i].kind)
      g_error("case %zu: %s, expected %s", i, ferry_outcome_word(a.kind),
              ferry_outcome_word(cases[i].kind));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/outcome/every-row-answers", test_every_row_answers);
  g_test_add_func("/outcome/no-lie", test_no_lie);
  g_test_add_func("/outcome/words-of-libvirt", test_words_of_libvirt);
  g_test_add_func("/outcome/seen", test_seen);
  return g_test_run();
}
