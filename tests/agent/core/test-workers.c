// SPDX-License-Identifier: Apache-2.0
#include "agent/core/workers.h"

typedef struct {
  const char *domain;
  gboolean done, called;
  gint64 attempt;
  int updates, events;
} Fake;

static int freed;

static gboolean fake_is_done(gpointer worker) {
  return ((Fake *)worker)->done;
}

static const char *fake_domain(gpointer worker) {
  return ((Fake *)worker)->domain;
}

static gboolean fake_is_before(gpointer worker, const json_t *object) {
  return ((Fake *)worker)->attempt < ferry_worker_attempt(object);
}

static void fake_update(gpointer worker, const json_t *object) {
  ((Fake *)worker)->updates++;
}

static void fake_event(gpointer worker, const FerryHostEvent *event) {
  ((Fake *)worker)->events++;
}

static gboolean fake_has_called(gpointer worker) {
  return ((Fake *)worker)->called;
}

static void fake_free(gpointer worker) {
  freed++;
}

static const FerryWorkerOps ops = {fake_is_done, fake_domain,     fake_is_before, fake_update,
                                   fake_event,   fake_has_called, fake_free};

static void test_table(void) {
  FerryWorkers *w = ferry_workers_new(&ops);
  Fake a = {.domain = "u1"}, b = {.domain = "u2"}, c = {.domain = NULL};
  FerryHostEvent event = {.type = FERRY_HOST_EVENT_STATE, .uuid = "u1"};
  FerryHostEvent connected = {.type = FERRY_HOST_EVENT_CONNECTED};
  g_autoptr(json_t) first = json_object();
  g_autoptr(json_t) again = json_pack("{s:{s:{s:i}}}", "status", "migrationState", "attempt", 1);
  ferry_workers_add(w, "a", &a);
  ferry_workers_add(w, "b", &b);
  ferry_workers_add(w, "c", &c);
  g_assert_cmpint(ferry_workers_find(w, "a", first), ==, FERRY_WORKER_THERE);
  g_assert_cmpint(ferry_workers_find(w, "a", again), ==, FERRY_WORKER_EARLIER);
  g_assert_cmpint(ferry_workers_find(w, "z", first), ==, FERRY_WORKER_NONE);
  g_assert_true(ferry_workers_update(w, "a", first));
  g_assert_false(ferry_workers_update(w, "z", first));
  g_assert_true(ferry_workers_event(w, &event));
  g_assert_cmpint(a.updates, ==, 1);
  g_assert_cmpint(a.events, ==, 1);
  g_assert_cmpint(b.events, ==, 0);
  g_assert_true(ferry_workers_event(w, &connected)); /* is news to all */
  g_assert_cmpint(a.events, ==, 2);
  g_assert_cmpint(c.events, ==, 1);
  g_assert_cmpuint(ferry_workers_running(w), ==, 3);
  g_assert_true(ferry_workers_has_domain(w, "u1"));
  g_assert_false(ferry_workers_has_called(w, "u1"));
  a.called = TRUE;
  g_assert_true(ferry_workers_has_called(w, "u1"));

  a.done = TRUE; /* what has ended is asked nothing, and then it goes */
  g_assert_false(ferry_workers_event(w, &event));
  g_assert_false(ferry_workers_has_domain(w, "u1"));
  g_assert_cmpuint(ferry_workers_running(w), ==, 2);
  g_assert_true(ferry_workers_is_done(w, "a"));
  g_assert_false(ferry_workers_is_done(w, "b"));
  g_assert_true(ferry_workers_is_done(w, "z"));
  g_assert_cmpint(freed, ==, 0);
  ferry_workers_sweep(w);
  g_assert_cmpint(freed, ==, 1);
  g_assert_cmpint(ferry_workers_find(w, "a", first), ==, FERRY_WORKER_NONE);
  ferry_workers_free(w);
  g_assert_cmpint(freed, ==, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/workers/table", test_table);
  return g_test_run();
}
