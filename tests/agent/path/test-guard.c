// SPDX-License-Identifier: Apache-2.0
#include "agent/path/guard.h"

#define MS ((gint64)1000)

typedef struct {
  FerryPathGuard guard;
  GArray *connections;
  FerryPathSeen seen;
  FerryHostConnection of;
} World;

static void setup(World *w, gconstpointer data) {
  ferry_path_guard_init(&w->guard);
  w->connections = g_array_new(FALSE, TRUE, sizeof(FerryHostConnection));
  w->seen = (FerryPathSeen){.connections = w->connections, .allowed_ms = 900};
}

static void teardown(World *w, gconstpointer data) {
  ferry_path_guard_clear(&w->guard);
  g_array_unref(w->connections);
}

/* One connection with these numbers in place of all. */
static void only(World *w, guint64 id, gboolean connecting, gint64 pending, gint64 since_ack_ms) {
  FerryHostConnection c = {id, 49152, connecting, pending, since_ack_ms, .control = FALSE};
  g_array_set_size(w->connections, 0);
  g_array_append_val(w->connections, c);
}

static FerryPathVerdict at(World *w, gint64 ms) {
  return ferry_path_guard_judge(&w->guard, &w->seen, ms * MS, &w->of);
}

static void test_port(World *w, gconstpointer data) {
  only(w, 7, TRUE, 1, -1);
  g_assert_cmpint(at(w, 1000), ==, FERRY_PATH_GOOD);
  g_assert_cmpint(at(w, 1000 + FERRY_PATH_CONNECT_MS - 1), ==, FERRY_PATH_GOOD);
  only(w, 8, TRUE, 1, -1); /* another one: its own time */
  g_assert_cmpint(at(w, 1000 + FERRY_PATH_CONNECT_MS), ==, FERRY_PATH_GOOD);
  only(w, 7, TRUE, 1, -1);
  g_assert_cmpint(at(w, 1000 + FERRY_PATH_CONNECT_MS), ==, FERRY_PATH_PORT_SILENT);
  g_assert_cmpuint(w->of.port, ==, 49152);
  g_assert_cmpuint(w->of.id, ==, 7);
}

static void test_link(World *w, gconstpointer data) {
  only(w, 1, FALSE, 1 << 20, FERRY_PATH_SILENT_MS - 1);
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_GOOD);
  only(w, 1, FALSE, 1, FERRY_PATH_SILENT_MS);
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_LINK_DEAD);
  only(w, 1, FALSE, 0, FERRY_PATH_SILENT_MS * 100); /* it has nothing to say, as in a quiet guest */
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_GOOD);
  only(w, 1, FALSE, 1, -1); /* a kernel that does not tell */
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_GOOD);
}

static gint64 control_at(World *w, gint64 ms) {
  return ferry_path_control_silent_ms(&w->guard, w->connections, ms * MS, &w->of);
}

static void test_control(World *w, gconstpointer data) {
  only(w, 1, FALSE, 1, FERRY_PATH_SILENT_MS);
  g_assert_cmpint(control_at(w, 0), ==, 0); /* it is data */
  FerryHostConnection *c = &g_array_index(w->connections, FerryHostConnection, 0);
  c->control = TRUE;
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_GOOD); /* nothing is closed for it */
  g_assert_cmpint(control_at(w, 0), ==, FERRY_PATH_SILENT_MS);
  c->pending = 0; /* a target that takes its time has acknowledged the question */
  g_assert_cmpint(control_at(w, 0), ==, 0);
  c->pending = 1;
  c->since_ack_ms = FERRY_PATH_SILENT_MS - 1;
  g_assert_cmpint(control_at(w, 0), ==, 0);
}

/* The way back is open: what the target says brings its last acknowledgement again and again. */
static void test_control_one_way(World *w, gconstpointer data) {
  only(w, 1, FALSE, 0, 10);
  FerryHostConnection *c = &g_array_index(w->connections, FerryHostConnection, 0);
  c->control = TRUE;
  c->acked = 100;
  g_assert_cmpint(control_at(w, 0), ==, 0);
  c->acked = 200;
  g_assert_cmpint(control_at(w, 1000), ==, 0); /* the last one of something new */
  c->pending = 50;
  g_assert_cmpint(control_at(w, 1000 + FERRY_PATH_SILENT_MS - FERRY_PATH_UNANSWERED_MS), ==, 0);
  g_assert_cmpint(control_at(w, 1000 + FERRY_PATH_SILENT_MS - 1), ==, 0);
  g_assert_cmpint(control_at(w, 1000 + FERRY_PATH_SILENT_MS), ==, FERRY_PATH_SILENT_MS);
  c->acked = 201; /* it answers again, if only in part */
  g_assert_cmpint(control_at(w, 11000), ==, 0);
  c->pending = 0; /* and says nothing for long, as it needs not */
  g_assert_cmpint(control_at(w, 60000), ==, 0);
  c->pending = 50; /* a question after a long silence has its time */
  g_assert_cmpint(control_at(w, 61000), ==, 0);
  g_assert_cmpint(control_at(w, 61000 + FERRY_PATH_UNANSWERED_MS - 1), ==, 0);
  g_assert_cmpint(control_at(w, 61000 + FERRY_PATH_UNANSWERED_MS), >, FERRY_PATH_SILENT_MS);
  c->acked = -1; /* a kernel that does not tell */
  g_assert_cmpint(control_at(w, 70000), ==, 0);
  g_assert_cmpint(control_at(w, 90000), ==, 0);
}

static void test_frozen(World *w, gconstpointer data) {
  gint64 since = 5000;
  w->seen.switchover_us = since * MS;
  only(w, 1, FALSE, 1, FERRY_PATH_PAUSE_SILENT_MS);
  g_assert_cmpint(at(w, since + FERRY_PATH_SWITCHOVER_MIN_MS - 1), ==, FERRY_PATH_GOOD);
  g_assert_cmpint(at(w, since + FERRY_PATH_SWITCHOVER_MIN_MS), ==, FERRY_PATH_FROZEN);
  w->seen.allowed_ms = 4000; /* a long pause is allowed: twice that */
  g_assert_cmpint(at(w, since + 7999), ==, FERRY_PATH_GOOD);
  g_assert_cmpint(at(w, since + 8000), ==, FERRY_PATH_FROZEN);
  only(w, 1, FALSE, 1, FERRY_PATH_PAUSE_SILENT_MS - 1); /* slow, but alive: whatever it takes */
  g_assert_cmpint(at(w, since + 600000), ==, FERRY_PATH_GOOD);
  w->seen.allowed_ms = 600000; /* dead is dead, whatever pause is allowed */
  only(w, 1, FALSE, 1, FERRY_PATH_SILENT_MS);
  g_assert_cmpint(at(w, since + FERRY_PATH_SILENT_MS), ==, FERRY_PATH_FROZEN);
}

/* Of several that carry one migration the worst counts; nothing is closed in post-copy. */
static void test_all_and_none(World *w, gconstpointer data) {
  only(w, 1, FALSE, 0, 10);
  FerryHostConnection dead = {2, 49153, FALSE, 5, FERRY_PATH_SILENT_MS + 1};
  g_array_append_val(w->connections, dead);
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_LINK_DEAD);
  g_assert_cmpuint(w->of.port, ==, 49153);
  w->seen.post_copy = TRUE;
  g_assert_cmpint(at(w, 0), ==, FERRY_PATH_GOOD);
  w->seen.switchover_us = 1;
  g_assert_cmpint(at(w, 600000), ==, FERRY_PATH_GOOD);
}

static void test_words(World *w, gconstpointer data) {
  FerryHostConnection c = {1, 49160, FALSE, 1, 9500};
  g_assert_null(ferry_path_verdict_reason(FERRY_PATH_GOOD));
  g_assert_cmpstr(ferry_path_verdict_reason(FERRY_PATH_PORT_SILENT), ==, "TargetPortClosed");
  g_assert_cmpstr(ferry_path_verdict_reason(FERRY_PATH_FROZEN), ==, "LinkStalled");
  g_autofree char *port =
      ferry_path_verdict_message(FERRY_PATH_PORT_SILENT, &c, "h2", "10.0.0.2", 0);
  g_assert_nonnull(strstr(port, "port 49160 of h2 (10.0.0.2)"));
  g_autofree char *frozen =
      ferry_path_verdict_message(FERRY_PATH_FROZEN, &c, "h2", "10.0.0.2", 4200);
  g_assert_nonnull(strstr(frozen, "9.5 s"));
  g_assert_nonnull(strstr(frozen, "4.2 s"));
  g_autofree char *dead = ferry_path_verdict_message(FERRY_PATH_LINK_DEAD, &c, "h2", "10.0.0.2", 0);
  g_assert_nonnull(strstr(dead, "h2 (10.0.0.2) has acknowledged nothing for 9.5 s"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/guard/" name, World, NULL, setup, func, teardown)
  ADD("port", test_port);
  ADD("link", test_link);
  ADD("control", test_control);
  ADD("control_one_way", test_control_one_way);
  ADD("frozen", test_frozen);
  ADD("all_and_none", test_all_and_none);
  ADD("words", test_words);
  return g_test_run();
}
