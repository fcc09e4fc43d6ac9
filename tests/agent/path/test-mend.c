// SPDX-License-Identifier: Apache-2.0
// Every combination of what both hosts have, and what would cost a VM: a resume or a break that is
// not allowed, or of what may still get well by itself.
#include "agent/path/mend.h"

static const FerryMendSeen well = {.allowed = TRUE, .path_up = TRUE, .path_up_ms = 60000};

static FerryMendSeen seen_of(FerryMendHere here, FerryMendThere there) {
  FerryMendSeen s = well;
  s.here = here;
  s.there = there;
  return s;
}

static void test_rows(void) {
  static const struct {
    FerryMendHere here;
    FerryMendThere there;
    FerryMendAct act;
    FerryRecoveryState state;
  } rows[] = {
      {FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_UNKNOWN, FERRY_MEND_NONE, FERRY_RECOVERY_NONE},
      {FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_GONE, FERRY_MEND_NONE, FERRY_RECOVERY_NONE},
      {FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_RUNS, FERRY_MEND_NONE, FERRY_RECOVERY_NONE},
      {FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_WAITS, FERRY_MEND_NONE, FERRY_RECOVERY_NONE},
      {FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_BROKEN, FERRY_MEND_NONE, FERRY_RECOVERY_NONE},
      {FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_UNKNOWN, FERRY_MEND_WAIT, FERRY_RECOVERY_STALLED},
      {FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_GONE, FERRY_MEND_BREAK, FERRY_RECOVERY_STALLED},
      {FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_RUNS, FERRY_MEND_WAIT, FERRY_RECOVERY_STALLED},
      {FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_WAITS, FERRY_MEND_BREAK, FERRY_RECOVERY_STALLED},
      {FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_BROKEN, FERRY_MEND_BREAK, FERRY_RECOVERY_STALLED},
      {FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_UNKNOWN, FERRY_MEND_WAIT, FERRY_RECOVERY_SILENT},
      {FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_GONE, FERRY_MEND_STOP, FERRY_RECOVERY_GIVEN_UP},
      {FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_RUNS, FERRY_MEND_STOP, FERRY_RECOVERY_GIVEN_UP},
      {FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_WAITS, FERRY_MEND_CLOSE, FERRY_RECOVERY_UNNOTICED},
      {FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_BROKEN, FERRY_MEND_RESUME, FERRY_RECOVERY_RESUMING},
  };
  g_assert_cmpuint(G_N_ELEMENTS(rows), ==, FERRY_MEND_HERE_LAST * FERRY_MEND_THERE_LAST);
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    FerryMendSeen s = seen_of(rows[i].here, rows[i].there);
    FerryMendAnswer a = ferry_mend_judge(&s);
    g_test_message("row %u", (guint)i);
    g_assert_cmpint(a.act, ==, rows[i].act);
    g_assert_cmpint(a.state, ==, rows[i].state);
  }
}

/* Whatever else is so. */
static void test_never(void) {
  for (guint bits = 0; bits < 64; bits++)
    for (guint here = 0; here < FERRY_MEND_HERE_LAST; here++)
      for (guint there = 0; there < FERRY_MEND_THERE_LAST; there++) {
        FerryMendSeen s = {.here = (FerryMendHere)here,
                           .there = (FerryMendThere)there,
                           .allowed = bits & 1,
                           .stopped = bits & 2,
                           .path_up = bits & 4,
                           .path_up_ms = bits & 8 ? FERRY_RECOVERY_PATIENCE_MS : 0,
                           .next_try_ms = bits & 16 ? 1 : 0,
                           .next_close_ms = bits & 32 ? 1 : 0};
        FerryMendAnswer a = ferry_mend_judge(&s);
        if (a.act == FERRY_MEND_RESUME)
          g_assert_true(s.allowed && !s.stopped && s.path_up && s.next_try_ms == 0 &&
                        s.here == FERRY_MEND_HERE_BROKEN && s.there == FERRY_MEND_THERE_BROKEN);
        if (a.act == FERRY_MEND_BREAK)
          g_assert_true(s.here == FERRY_MEND_HERE_SENDS &&
                        (s.there == FERRY_MEND_THERE_GONE || (s.allowed && !s.stopped)));
        if (a.act == FERRY_MEND_CLOSE)
          g_assert_true(s.here == FERRY_MEND_HERE_BROKEN && s.there == FERRY_MEND_THERE_WAITS &&
                        s.allowed && !s.stopped && s.next_close_ms == 0);
        /* who cancels is heard as soon as the source has noticed */
        if (s.stopped && s.here == FERRY_MEND_HERE_BROKEN)
          g_assert_cmpint(a.act, ==, FERRY_MEND_STOP);
        g_assert_true((a.act == FERRY_MEND_NONE) == (a.state == FERRY_RECOVERY_NONE));
      }
}

/* A link that came back a moment ago may still carry the connection that was there. */
static void test_patience(void) {
  FerryMendSeen s = seen_of(FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_WAITS);
  s.path_up_ms = FERRY_RECOVERY_PATIENCE_MS - 1;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_WAIT);
  s.path_up_ms++;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_BREAK);
  s.path_up = FALSE;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_WAIT);
}

static void test_waits_for(void) {
  FerryMendSeen s = seen_of(FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_BROKEN);
  s.next_try_ms = 1;
  g_assert_cmpint(ferry_mend_judge(&s).state, ==, FERRY_RECOVERY_WAITING);
  s.path_up = FALSE;
  g_assert_cmpint(ferry_mend_judge(&s).state, ==, FERRY_RECOVERY_PATH_DOWN);
  s.allowed = FALSE;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_STOP);
  s = seen_of(FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_WAITS);
  s.path_up = FALSE; /* its agent may be reached all the same */
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_CLOSE);
  s.next_close_ms = 1;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_WAIT);
}

/* A host that shows no sign of life may be dead, and one part of the VM with it. */
static void test_silence(void) {
  FerryMendSeen s = seen_of(FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_UNKNOWN);
  s.silent_ms = FERRY_RECOVERY_SILENT_MS - 1;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_WAIT);
  s.silent_ms++;
  g_assert_cmpint(ferry_mend_judge(&s).act, ==, FERRY_MEND_STOP);
}

static void test_words(void) {
  static const struct {
    FerryVmState state;
    const char *reason;
    gboolean active;
    FerryMendHere here;
    FerryMendThere there;
  } words[] = {
      {FERRY_VM_PAUSED, "postcopy", TRUE, FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_WAITS},
      {FERRY_VM_PAUSED, "postcopy-failed", TRUE, FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_BROKEN},
      {FERRY_VM_RUNNING, "postcopy", TRUE, FERRY_MEND_HERE_SENDS, FERRY_MEND_THERE_WAITS},
      {FERRY_VM_RUNNING, "postcopy-failed", TRUE, FERRY_MEND_HERE_BROKEN, FERRY_MEND_THERE_BROKEN},
      {FERRY_VM_PAUSED, "user", TRUE, FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_WAITS},
      {FERRY_VM_RUNNING, "migrated", TRUE, FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_RUNS},
      {FERRY_VM_SHUTOFF, "migrated", FALSE, FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_GONE},
      {FERRY_VM_GONE, "unknown", FALSE, FERRY_MEND_HERE_OVER, FERRY_MEND_THERE_GONE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
    FerryDomainState state = {.exists = TRUE,
                              .state = words[i].state,
                              .reason = words[i].reason,
                              .active = words[i].active};
    g_assert_cmpint(ferry_mend_here(&state), ==, words[i].here);
    g_assert_cmpint(ferry_mend_there(&state), ==, words[i].there);
  }
  g_assert_cmpint(ferry_mend_there(NULL), ==, FERRY_MEND_THERE_UNKNOWN);
}

static void test_pauses(void) {
  static const gint64 ms[] = {0, 2000, 4000, 8000, 16000, 30000, 30000};
  for (gsize i = 0; i < G_N_ELEMENTS(ms); i++)
    g_assert_cmpint(ferry_mend_pause_ms((gint64)i), ==, ms[i]);
  g_assert_cmpint(ferry_mend_pause_ms(G_MAXINT64), ==, 30000);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/mend/rows", test_rows);
  g_test_add_func("/agent/mend/never", test_never);
  g_test_add_func("/agent/mend/patience", test_patience);
  g_test_add_func("/agent/mend/waits", test_waits_for);
  g_test_add_func("/agent/mend/silence", test_silence);
  g_test_add_func("/agent/mend/words", test_words);
  g_test_add_func("/agent/mend/pauses", test_pauses);
  return g_test_run();
}
