// SPDX-License-Identifier: Apache-2.0
// The controller by samples that the test makes up, one question each: what it decides, when, and
// that its hard limits end what nothing moves. No guest is simulated (that is test-sim.c).
#include "convergence/controller.h"

#define MIB (1024 * 1024LL)
#define SECOND G_USEC_PER_SEC

typedef struct {
  FerryConvergence *c;
  gint64 now, sent;
  int decisions, notes, postcopies, suspends, aborts, raises;
  gint64 highest;
  const char *last_code;
} World;

static void begin(World *w, const FerryConvergenceIntent *intent) {
  *w = (World){.c = ferry_convergence_new(intent, 0)};
}

static void drain(World *w) {
  FerryConvergenceDecision d;
  while (ferry_convergence_next(w->c, w->now, &d)) {
    w->decisions++;
    g_assert_nonnull(d.reason);
    w->raises += d.action == FERRY_ACTION_SET_DOWNTIME;
    w->notes += d.action == FERRY_ACTION_NOTE;
    w->postcopies += d.action == FERRY_ACTION_START_POSTCOPY;
    w->suspends += d.action == FERRY_ACTION_SUSPEND;
    w->aborts += d.action == FERRY_ACTION_ABORT;
    if (d.action == FERRY_ACTION_SET_DOWNTIME)
      w->highest = MAX(w->highest, d.value);
    w->last_code = d.code;
    g_free(d.reason);
  }
}

/* One pass that begins with `v` bytes to send at `rate` and leaves `left` for the next. */
static void pass(World *w, int iteration, gint64 v, gint64 rate, gint64 left) {
  gint64 us = v * SECOND / rate, step = 100000;
  for (gint64 t = 0; t < us; t += step) {
    gint64 part = MIN(step, us - t);
    w->now += part;
    w->sent += rate * part / SECOND;
    FerryConvergenceSample s = {.processed = w->sent,
                                .remaining = MAX(0, v - rate * (t + part) / SECOND),
                                .total = 256 * MIB,
                                .rate = rate};
    if (t + part >= us)
      s.remaining = left;
    ferry_convergence_sample(w->c, &s, w->now);
    drain(w);
  }
  ferry_convergence_iteration(w->c, iteration + 1, w->now);
  drain(w);
}

static void end(World *w) {
  ferry_convergence_free(w->c);
}

static void test_starts_low_and_stays_low_when_converging(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 900};
  begin(&w, &intent);
  drain(&w);
  g_assert_cmpint(w.raises, ==, 1);
  g_assert_cmpint(w.highest, ==, 7); /* a quarter of what a switch-over costs anyway */
  pass(&w, 1, 2560 * MIB, 100 * MIB, 60 * MIB);
  pass(&w, 2, 60 * MIB, 100 * MIB, 14 * MIB);
  pass(&w, 3, 14 * MIB, 100 * MIB, 3 * MIB);
  g_assert_cmpint(w.highest, <=, 60);
  g_assert_cmpint(w.notes, ==, 0);
  end(&w);
}

static void test_first_limit_respects_a_tiny_maximum(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 5};
  begin(&w, &intent);
  drain(&w);
  g_assert_cmpint(w.highest, ==, 1); /* a switch-over alone costs more than is allowed */
  end(&w);
}

static void test_plateau_raises_to_what_it_needs(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 900};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 40 * MIB);
  pass(&w, 2, 40 * MIB, 100 * MIB, 40 * MIB);
  /* 400 ms, with a margin, and not more */
  g_assert_cmpint(w.highest, >=, 380);
  g_assert_cmpint(w.highest, <=, 500);
  g_assert_cmpint(w.notes, ==, 0);
  end(&w);
}

static void test_never_above_the_maximum_and_says_what_it_needs(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 300};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 120 * MIB);
  for (int i = 2; i < 12; i++)
    pass(&w, i, 120 * MIB, 100 * MIB, 120 * MIB);
  g_assert_cmpint(w.highest, ==, 270); /* 300 ms less 30 of the switch-over itself */
  g_assert_cmpint(w.notes, ==, 1);
  g_assert_cmpint(w.postcopies, ==, 0);
  end(&w);
}

static void test_one_raise_in_two_passes(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 900};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 40 * MIB);
  int before = w.raises;
  for (int i = 2; i < 8; i++)
    pass(&w, i, 40 * MIB, 100 * MIB, 40 * MIB + i * MIB);
  g_assert_cmpint(w.raises - before, <=, 3);
  end(&w);
}

static void test_post_copy_once_where_allowed(void) {
  World w;
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 300, .allow_post_copy = TRUE, .progress_timeout_ms = 5000};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 120 * MIB);
  for (int i = 2; i < 10; i++)
    pass(&w, i, 120 * MIB, 100 * MIB, 120 * MIB);
  g_assert_cmpint(w.postcopies, ==, 1);
  w.now += 3600LL * SECOND;
  drain(&w);
  g_assert_cmpint(w.aborts, ==, 0); /* a VM in post-copy would be lost */
  end(&w);
}

static void test_no_progress_looks_at_the_best(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 100, .progress_timeout_ms = 10000};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 90 * MIB);
  /* Falls within each pass to 30 MiB, never below: an oscillation, not progress. */
  for (int i = 0; i < 200 && !w.aborts; i++) {
    w.now += 100000;
    w.sent += 10 * MIB;
    FerryConvergenceSample s = {
        .processed = w.sent, .remaining = (30 + (i % 7) * 10) * MIB, .total = 256 * MIB};
    ferry_convergence_sample(w.c, &s, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 1);
  g_assert_cmpstr(w.last_code, ==, "ProgressTimeout");
  end(&w);
}

static void test_dead_link(void) {
  World w;
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 100, .progress_timeout_ms = 150000, .link_timeout_ms = 15000};
  begin(&w, &intent);
  FerryConvergenceSample s = {.processed = 5 * MIB, .remaining = 200 * MIB, .total = 256 * MIB};
  for (int i = 0; i < 140; i++, w.now += 100000) {
    ferry_convergence_sample(w.c, &s, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 0);
  for (int i = 0; i < 20; i++, w.now += 100000) {
    ferry_convergence_sample(w.c, &s, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 1);
  g_assert_cmpstr(w.last_code, ==, "LinkStalled");
  end(&w);
}

static void test_completion_timeout(void) {
  static const struct {
    gboolean post_copy, disruption;
    int postcopies, suspends, aborts;
  } rows[] = {{FALSE, FALSE, 0, 0, 1}, {FALSE, TRUE, 0, 1, 0}, {TRUE, TRUE, 1, 0, 0}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    World w;
    FerryConvergenceIntent intent = {.max_downtime_ms = 100,
                                     .completion_timeout_ms = 20000,
                                     .allow_post_copy = rows[i].post_copy,
                                     .allow_workload_disruption = rows[i].disruption};
    begin(&w, &intent);
    FerryConvergenceSample s = {.total = 256 * MIB, .remaining = 200 * MIB};
    for (; w.now <= 21 * SECOND; w.now += 100000) {
      s.processed += MIB;
      ferry_convergence_sample(w.c, &s, w.now);
      drain(&w);
    }
    g_assert_cmpint(w.postcopies, ==, rows[i].postcopies);
    g_assert_cmpint(w.suspends, ==, rows[i].suspends);
    g_assert_cmpint(w.aborts, ==, rows[i].aborts);
    for (; w.now <= 50 * SECOND; w.now += 100000) {
      s.processed += MIB;
      ferry_convergence_sample(w.c, &s, w.now);
      drain(&w);
    }
    /* Suspended, the deadline has doubled once. */
    g_assert_cmpint(w.aborts, ==, rows[i].post_copy ? 0 : 1);
    end(&w);
  }
}

/* what the hypervisor refuses is not asked for again, and the hard limits hold again */
static void test_refused(void) {
  World w;
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 300, .allow_post_copy = TRUE, .completion_timeout_ms = 60000};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 120 * MIB);
  for (int i = 2; i < 6; i++) {
    pass(&w, i, 120 * MIB, 100 * MIB, 120 * MIB);
    if (w.postcopies && i < 5)
      ferry_convergence_refused(w.c, FERRY_ACTION_START_POSTCOPY);
  }
  g_assert_cmpint(w.postcopies, ==, 1);
  w.now += 61LL * SECOND;
  drain(&w);
  g_assert_cmpint(w.aborts, ==, 1);
  end(&w);
}

/* A guest that could not be paused has no more time than it had. */
static void test_suspend_refused(void) {
  World w;
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 50, .completion_timeout_ms = 5000, .allow_workload_disruption = TRUE};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 120 * MIB);
  for (int i = 2; i < 9 && !w.aborts; i++) {
    pass(&w, i, 120 * MIB, 100 * MIB, 120 * MIB);
    if (w.suspends == 1)
      ferry_convergence_refused(w.c, FERRY_ACTION_SUSPEND);
  }
  w.now = MAX(w.now, 11 * SECOND);
  drain(&w);
  g_assert_cmpint(w.suspends, ==, 1);
  g_assert_cmpint(w.aborts, ==, 1);
  g_assert_cmpstr(w.last_code, ==, "CompletionTimeout");
  end(&w);
}

static void test_history(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 300};
  begin(&w, &intent);
  pass(&w, 1, 256 * MIB, 100 * MIB, 120 * MIB);
  pass(&w, 2, 120 * MIB, 100 * MIB, 110 * MIB);
  g_autoptr(json_t) history = ferry_convergence_history(w.c);
  g_assert_cmpint((int)json_array_size(history), ==, w.decisions);
  const json_t *last = json_array_get(history, json_array_size(history) - 1);
  static const char *const numbers[] = {
      "elapsedMs",    "iteration",       "remainingBytes",  "rateBytesPerSecond",
      "limitMs",      "throttlePercent", "workingSetBytes", "writeRateBytesPerSecond",
      "minDowntimeMs"};
  for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
    g_assert_true(json_is_integer(json_object_get(last, numbers[i])));
  g_assert_cmpstr(ferry_json_str(last, "code"), !=, NULL);
  g_assert_cmpstr(ferry_json_str(last, "reason"), !=, NULL);
  end(&w);
}

static void test_free_nothing(void) {
  ferry_convergence_free(NULL);
  ferry_schedule_free(NULL);
  g_assert_null(ferry_schedule_copy(NULL));
}

static void test_a_persons_word_stays(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 900};
  begin(&w, &intent);
  ferry_convergence_override(w.c, 40, 50 * MIB, w.now);
  drain(&w); /* the first limit was decided before, and is not carried out any more */
  g_assert_cmpint(w.raises, ==, 0);
  for (int i = 1; i < 8; i++)
    pass(&w, i, 60 * MIB, 50 * MIB, 60 * MIB);
  g_assert_cmpint(w.raises, ==, 0);
  g_assert_cmpint(ferry_convergence_downtime_ms(w.c), ==, 40);
  ferry_convergence_override(w.c, 1500, 0, w.now);
  pass(&w, 8, 60 * MIB, 50 * MIB, 60 * MIB);
  g_assert_cmpint(w.raises, ==, 0);
  g_assert_cmpint(ferry_convergence_downtime_ms(w.c), ==, 1500);
  end(&w);
}

static void test_kept_in_precopy(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 50, .allow_post_copy = TRUE};
  begin(&w, &intent);
  ferry_convergence_keep_precopy(w.c, TRUE);
  for (int i = 1; i < 6; i++)
    pass(&w, i, 200 * MIB, 100 * MIB, 200 * MIB);
  g_assert_cmpint(w.postcopies, ==, 0);
  ferry_convergence_keep_precopy(w.c, FALSE);
  for (int i = 6; i < 12; i++)
    pass(&w, i, 200 * MIB, 100 * MIB, 200 * MIB);
  g_assert_cmpint(w.postcopies, ==, 1);
  end(&w);
}

/* a job that is being set up says zero for everything: that is not the best it can do */
static void test_no_best_before_it_counts(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 1, .progress_timeout_ms = 10000};
  FerryConvergenceStall s;
  FerryConvergenceSample nothing = {0};
  begin(&w, &intent);
  ferry_convergence_sample(w.c, &nothing, w.now);
  ferry_convergence_stall(w.c, w.now + 30 * SECOND, &s);
  g_assert_cmpint(s.stalled_ms, ==, 0);
  for (int i = 0; i < 300 && !w.aborts; i++) {
    w.now += 100000;
    w.sent += 10 * MIB;
    FerryConvergenceSample falling = {
        .processed = w.sent, .remaining = (4000 - 10 * i) * MIB, .total = 4000 * MIB};
    ferry_convergence_sample(w.c, &falling, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 0); /* for 30 s, with a new best at each look */
  ferry_convergence_stall(w.c, w.now, &s);
  g_assert_cmpint(s.stalled_ms, ==, 0);
  g_assert_cmpint(s.best_remaining, ==, 1010 * MIB);
  end(&w);
}

/* Disks are copied first, and nothing is said of the memory meanwhile: it is no new stall. */
static void test_memory_after_disks(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 50, .progress_timeout_ms = 10000};
  FerryConvergenceStall s;
  begin(&w, &intent);
  for (int i = 1; i <= 100; i++) {
    w.now += 100000;
    w.sent += 2 * MIB;
    FerryConvergenceSample disks = {.processed = w.sent,
                                    .remaining = (200 - 2 * i) * MIB,
                                    .total = 200 * MIB,
                                    .follows = 4000 * MIB};
    ferry_convergence_sample(w.c, &disks, w.now);
    drain(&w);
  }
  ferry_convergence_stall(w.c, w.now, &s);
  g_assert_cmpint(s.best_remaining, ==, 4000 * MIB);
  for (int i = 1; i <= 300; i++) { /* somewhat more than was thought */
    w.now += 100000;
    w.sent += 2 * MIB;
    FerryConvergenceSample memory = {
        .processed = w.sent, .remaining = (4020 - 2 * i) * MIB, .total = 4220 * MIB};
    ferry_convergence_sample(w.c, &memory, w.now);
    drain(&w);
    ferry_convergence_stall(w.c, w.now, &s);
    g_assert_cmpint(s.stalled_ms, ==, 0);
  }
  g_assert_cmpint(w.aborts, ==, 0);
  end(&w);
}

/* A long pass that began with less than any before is progress before it beats what one left. */
static void test_a_long_second_pass(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 5, .progress_timeout_ms = 5000};
  begin(&w, &intent);
  pass(&w, 1, 2000 * MIB, 100 * MIB, 800 * MIB);
  pass(&w, 2, 800 * MIB, 100 * MIB, 700 * MIB); /* 8 s */
  g_assert_cmpint(w.aborts, ==, 0);
  pass(&w, 3, 700 * MIB, 100 * MIB, 700 * MIB); /* 7 s */
  g_assert_cmpint(w.aborts, ==, 0);
  pass(&w, 4, 700 * MIB, 100 * MIB, 700 * MIB); /* none of its passes begins with less any more */
  g_assert_cmpint(w.aborts, ==, 1);
  g_assert_cmpstr(w.last_code, ==, "ProgressTimeout");
  end(&w);
}

/* What takes long before anything is counted is no fault of the link. */
static void test_preparation_is_no_dead_link(void) {
  World w;
  FerryConvergenceIntent intent = {
      .max_downtime_ms = 100, .progress_timeout_ms = 20000, .link_timeout_ms = 15000};
  FerryConvergenceSample nothing = {0};
  begin(&w, &intent);
  for (int i = 0; i < 600; i++, w.now += 100000) {
    ferry_convergence_sample(w.c, &nothing, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 0);
  FerryConvergenceSample s = {.remaining = 200 * MIB, .total = 256 * MIB};
  for (int i = 0; i < 160; i++, w.now += 100000) {
    ferry_convergence_sample(w.c, &s, w.now);
    drain(&w);
  }
  g_assert_cmpint(w.aborts, ==, 1);
  g_assert_cmpstr(w.last_code, ==, "LinkStalled");
  end(&w);
}

static void test_stall_is_measured_against_the_best(void) {
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 50};
  FerryConvergenceStall s;
  begin(&w, &intent);
  ferry_convergence_stall(w.c, w.now + SECOND, &s);
  g_assert_cmpint(s.stalled_ms, ==, 0); /* nothing was seen yet */
  pass(&w, 1, 200 * MIB, 100 * MIB, 150 * MIB);
  gint64 best = w.now;
  for (int i = 2; i < 6; i++)
    pass(&w, i, 150 * MIB, 100 * MIB, 150 * MIB);
  ferry_convergence_stall(w.c, w.now, &s);
  g_assert_cmpint(s.stalled_ms, <=, (w.now - best) / 1000 + 100); /* a sample is 100 ms */
  ferry_convergence_stall(w.c, w.now + 20 * SECOND, &s);
  g_assert_cmpint(s.stalled_ms, >=, 20000);
  g_assert_cmpint(s.best_remaining, <=, 150 * MIB);
  end(&w);
}

/* The course of a guest whose passes leave now much, now next to nothing: MiB at the beginning of
 * each pass. A decision that changes nothing is none, and the limit doesn't go up and down with it.
 */
static void test_no_flutter(void) {
  static const int left[] = {70, 1, 66, 2, 71, 1, 64, 1, 69, 3, 70, 1, 62, 1, 70, 2, 68, 1, 71, 1};
  World w;
  FerryConvergenceIntent intent = {.max_downtime_ms = 400};
  begin(&w, &intent);
  drain(&w);
  gint64 v = 512 * MIB;
  int iteration = 1;
  for (int round = 0; round < 5; round++)
    for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
      pass(&w, iteration++, v, 100 * MIB, left[i] * MIB);
      v = left[i] * MIB;
    }
  g_autoptr(json_t) history = ferry_convergence_history(w.c);
  gint64 before = 0, turns = 0, rising = 0;
  size_t i;
  json_t *e;
  json_array_foreach(history, i, e) {
    if (g_strcmp0(json_string_value(json_object_get(e, "action")), "SetDowntime") != 0)
      continue;
    gint64 value = ferry_json_int(e, "value", 0), up = value > before ? 1 : -1;
    g_assert_cmpint(ABS(value - before) * 20, >=, before); /* 5 % at the least */
    turns += rising && up != rising;
    rising = up;
    before = value;
  }
  g_test_message("%d limits in %d passes, %d turns", w.raises, iteration - 1, (int)turns);
  g_assert_cmpint(w.raises, <=, 14);
  g_assert_cmpint(turns, <=, 10);
  end(&w);
}

/* Samples that no hypervisor would send, and passes that come when they like: whatever comes,
 * limits stay within what is allowed, decisions are few, and nothing follows post-copy. */
static void test_hostile(void) {
  static const gint64 sizes[] = {0, 1, 4096, 64 * MIB, 4096 * MIB, G_MAXINT64 / 4};
  for (guint32 seed = 1; seed <= 400; seed++) {
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
#define PICK(all) all[g_rand_int_range(dice, 0, G_N_ELEMENTS(all))]
    FerryConvergenceIntent intent = {.max_downtime_ms = g_rand_int_range(dice, 0, 2000),
                                     .prefer = g_rand_int_range(dice, 0, FERRY_PREFERS),
                                     .on_infeasible = seed % 3 == 1 ? FERRY_INFEASIBLE_ASK
                                                                    : FERRY_INFEASIBLE_GIVE_UP,
                                     .observe_only = seed % 7 == 0,
                                     .allow_post_copy = seed % 2,
                                     .max_duration_ms = seed % 5 ? 0 : 20000,
                                     .max_slowdown_percent = g_rand_int_range(dice, -5, 120),
                                     .can_throttle = seed % 4 > 1,
                                     .bandwidth_cap = PICK(sizes),
                                     .link_rate = PICK(sizes),
                                     .prior_seconds = seed % 6,
                                     .prior_dirtied = (double)PICK(sizes),
                                     .infeasible_patience_ms = 30000};
    World w;
    begin(&w, &intent);
    gint64 most = MAX(1, intent.max_downtime_ms);
    int iteration = 1;
    for (int i = 0; i < 600; i++) {
      w.now += g_rand_int_range(dice, 0, 400000);
      if (g_rand_int_range(dice, 0, 3))
        w.sent = MIN(G_MAXINT64 / 2, w.sent + PICK(sizes) / 8);
      FerryConvergenceSample sample = {.processed = w.sent,
                                       .remaining = PICK(sizes),
                                       .total = PICK(sizes),
                                       .follows = g_rand_int_range(dice, 0, 20) ? 0 : PICK(sizes),
                                       .rate = PICK(sizes),
                                       .dirty_rate = PICK(sizes),
                                       .tells_throttle = seed % 2,
                                       .throttle_percent = g_rand_int_range(dice, 0, 99)};
      ferry_convergence_sample(w.c, &sample, w.now);
      if (!g_rand_int_range(dice, 0, 4))
        ferry_convergence_iteration(w.c, iteration += g_rand_int_range(dice, -1, 4), w.now);
      drain(&w);
      FerryEta eta;
      ferry_convergence_eta(w.c, w.now, &eta);
      g_assert_cmpint(eta.ms, >=, 0);
      g_assert_cmpint(eta.needed_ms, >=, 0);
      json_decref(ferry_convergence_estimate(w.c, w.now));
    }
    g_assert_cmpint(w.postcopies + w.aborts, <=, 1);
    g_assert_cmpint(w.decisions, <, 300);
    if (intent.link_rate <= 0 && !intent.observe_only)
      g_assert_cmpint(w.highest, <=, 4 * most); /* compression, as far as it is believed */
    end(&w);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/controller/starts-low", test_starts_low_and_stays_low_when_converging);
  g_test_add_func("/controller/tiny-maximum", test_first_limit_respects_a_tiny_maximum);
  g_test_add_func("/controller/plateau", test_plateau_raises_to_what_it_needs);
  g_test_add_func("/controller/maximum", test_never_above_the_maximum_and_says_what_it_needs);
  g_test_add_func("/controller/two-passes", test_one_raise_in_two_passes);
  g_test_add_func("/controller/post-copy", test_post_copy_once_where_allowed);
  g_test_add_func("/controller/no-progress", test_no_progress_looks_at_the_best);
  g_test_add_func("/controller/dead-link", test_dead_link);
  g_test_add_func("/controller/preparation", test_preparation_is_no_dead_link);
  g_test_add_func("/controller/memory-after-disks", test_memory_after_disks);
  g_test_add_func("/controller/long-second-pass", test_a_long_second_pass);
  g_test_add_func("/controller/completion", test_completion_timeout);
  g_test_add_func("/controller/refused", test_refused);
  g_test_add_func("/controller/suspend-refused", test_suspend_refused);
  g_test_add_func("/controller/history", test_history);
  g_test_add_func("/controller/free", test_free_nothing);
  g_test_add_func("/controller/a-persons-word-stays", test_a_persons_word_stays);
  g_test_add_func("/controller/kept-in-precopy", test_kept_in_precopy);
  g_test_add_func("/controller/no-best-before-it-counts", test_no_best_before_it_counts);
  g_test_add_func("/controller/stall", test_stall_is_measured_against_the_best);
  g_test_add_func("/controller/no-flutter", test_no_flutter);
  g_test_add_func("/controller/hostile", test_hostile);
  return g_test_run();
}
