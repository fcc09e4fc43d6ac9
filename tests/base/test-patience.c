// SPDX-License-Identifier: Apache-2.0
#include "base/patience.h"

/* What a call works on: it waits at its gate, and counts. */
typedef struct {
  GMutex lock;
  GCond cond;
  gboolean open;
  guint begun, ended, cleared, back;
} Gate;

typedef struct {
  Gate *gate;
  int answer;
} Box;

static Gate gate;

static void gate_reset(gboolean open) {
  g_mutex_lock(&gate.lock);
  gate.open = open;
  gate.begun = gate.ended = gate.cleared = gate.back = 0;
  g_mutex_unlock(&gate.lock);
}

static void gate_open(void) {
  g_mutex_lock(&gate.lock);
  gate.open = TRUE;
  g_cond_broadcast(&gate.cond);
  g_mutex_unlock(&gate.lock);
}

/* Until the counter is that high; fails after 5 s. */
static void gate_wait(const guint *counter, guint least) {
  gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
  g_mutex_lock(&gate.lock);
  while (*counter < least)
    g_assert_true(g_cond_wait_until(&gate.cond, &gate.lock, until));
  g_mutex_unlock(&gate.lock);
}

static guint count_of(const guint *counter) {
  g_mutex_lock(&gate.lock);
  guint count = *counter;
  g_mutex_unlock(&gate.lock);
  return count;
}

static void count(guint *counter) {
  g_mutex_lock(&gate.lock);
  (*counter)++;
  g_cond_broadcast(&gate.cond);
  g_mutex_unlock(&gate.lock);
}

static void work(gpointer data) {
  Box *box = data;
  g_mutex_lock(&gate.lock);
  gate.begun++;
  g_cond_broadcast(&gate.cond);
  while (!gate.open)
    g_cond_wait(&gate.cond, &gate.lock);
  gate.ended++;
  box->answer = 42;
  g_mutex_unlock(&gate.lock);
}

static void clear(gpointer data) {
  count(&gate.cleared);
}

static void on_back(const char *key, gpointer data) {
  const Box *box = data;
  g_assert_cmpint(box->answer, ==, 42); /* it is not released yet */
  g_assert_true(!key || *key);
  count(&gate.back);
}

static gboolean call(FerryPatience *p, const char *key, gint64 ms, int *answer) {
  Box *box = g_atomic_rc_box_new0(Box);
  gint64 since = 0;
  gboolean done = ferry_patience_call(p, key, ms, work, box, clear, &since);
  if (done && answer)
    *answer = box->answer;
  g_assert_cmpint(since, >, 0);
  g_assert_cmpint(since, <=, g_get_monotonic_time());
  g_atomic_rc_box_release_full(box, clear);
  return done;
}

static void test_answered_at_once(void) {
  int answer = 0;
  g_autoptr(FerryPatience) p = ferry_patience_new(on_back);
  gate_reset(TRUE);
  for (guint i = 1; i <= 100; i++)
    g_assert_true(call(p, i % 2 ? "vm" : NULL, 5000, &answer));
  g_assert_cmpint(answer, ==, 42);
  g_assert_cmpuint(ferry_patience_late(p), ==, 0);
  gate_wait(&gate.cleared, 100);
  g_assert_cmpuint(count_of(&gate.back), ==, 0);
}

/* One that is late holds one thread, however often it is asked; others are not held up. */
static void test_late(void) {
  g_autoptr(FerryPatience) p = ferry_patience_new(on_back);
  gate_reset(FALSE);
  gint64 began = g_get_monotonic_time();
  g_assert_false(call(p, "vm", 50, NULL));
  g_assert_cmpint(g_get_monotonic_time() - began, >=, 50 * 1000);
  gate_wait(&gate.begun, 1);
  gint64 since = ferry_patience_late_us(p, "vm");
  g_assert_cmpint(since, >=, began);
  for (guint i = 0; i < 50; i++)
    g_assert_false(call(p, "vm", 60000, NULL)); /* at once */
  g_assert_cmpint(ferry_patience_late_us(p, "vm"), ==, since);
  g_assert_cmpint(ferry_patience_late_us(p, "other"), ==, 0);
  g_assert_cmpuint(count_of(&gate.begun), ==, 1);
  g_assert_cmpuint(ferry_patience_late(p), ==, 1);
  g_assert_cmpuint(ferry_patience_late_of(p, "v"), ==, 1);
  g_assert_cmpuint(ferry_patience_late_of(p, "vm2"), ==, 0);
  g_assert_false(call(p, "other", 10, NULL));
  g_assert_cmpuint(ferry_patience_late(p), ==, 2);
  g_assert_false(call(p, NULL, 10, NULL));
  g_assert_false(call(p, NULL, 10, NULL)); /* about nothing: both are begun */
  gate_wait(&gate.begun, 4);
  gate_open();
  gate_wait(&gate.ended, 4);
  gate_wait(&gate.back, 4);
}

typedef struct {
  FerryPatience *patience;
  const char *key;
  gint64 ms;
  gboolean done;
} Asker;

static gpointer ask_thread(gpointer data) {
  Asker *asker = data;
  asker->done = call(asker->patience, asker->key, asker->ms, NULL);
  return NULL;
}

static void test_comes_back(void) {
  g_autoptr(FerryPatience) p = ferry_patience_new(on_back);
  gate_reset(FALSE);
  g_assert_false(call(p, "vm", 10, NULL));
  gate_open();
  gate_wait(&gate.back, 1);
  g_assert_cmpint(ferry_patience_late_us(p, "vm"), ==, 0);
  g_assert_cmpuint(ferry_patience_late(p), ==, 0);
  g_assert_true(call(p, "vm", 5000, NULL));
  gate_wait(&gate.cleared, 2);
}

/* Two about one key: the second waits for the first while that is not late. */
static void test_turns(void) {
  g_autoptr(FerryPatience) p = ferry_patience_new(NULL);
  gate_reset(FALSE);
  Asker first = {p, "vm", 5000, FALSE}, second = {p, "vm", 5000, FALSE};
  GThread *a = g_thread_new("first", ask_thread, &first);
  gate_wait(&gate.begun, 1);
  GThread *b = g_thread_new("second", ask_thread, &second);
  Asker third = {p, "vm", 20, TRUE}; /* whose patience ends while it waits for its turn */
  ask_thread(&third);
  g_assert_false(third.done);
  g_assert_cmpuint(count_of(&gate.begun), ==, 1);
  g_assert_cmpuint(ferry_patience_late(p), ==, 0); /* the first one's has not ended */
  gate_open();
  g_thread_join(a);
  g_thread_join(b);
  g_assert_true(first.done && second.done);
  g_assert_cmpuint(count_of(&gate.ended), ==, 2);
}

static void test_give_up_and_hurry(void) {
  g_autoptr(FerryPatience) p = ferry_patience_new(NULL);
  gate_reset(FALSE);
  Asker asker = {p, "vm", 3600 * 1000, TRUE};
  GThread *thread = g_thread_new("asker", ask_thread, &asker);
  gate_wait(&gate.begun, 1);
  ferry_patience_give_up(p);
  g_thread_join(thread);
  g_assert_false(asker.done);
  g_assert_cmpint(ferry_patience_late_us(p, "vm"), >, 0);
  asker = (Asker){p, "other", G_MAXINT64, TRUE}; /* for ever, until all hurry */
  thread = g_thread_new("asker", ask_thread, &asker);
  gate_wait(&gate.begun, 2);
  ferry_patience_hurry(p, 20);
  g_thread_join(thread);
  g_assert_false(asker.done);
  g_assert_false(call(p, NULL, 3600 * 1000, NULL));
  g_assert_cmpuint(ferry_patience_late(p), ==, 3);
  gate_open();
  gate_wait(&gate.ended, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/patience/answered-at-once", test_answered_at_once);
  g_test_add_func("/patience/late", test_late);
  g_test_add_func("/patience/comes-back", test_comes_back);
  g_test_add_func("/patience/turns", test_turns);
  g_test_add_func("/patience/give-up-and-hurry", test_give_up_and_hurry);
  return g_test_run();
}
