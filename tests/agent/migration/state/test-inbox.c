// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/inbox.h"

static json_t *object(const char *status) {
  json_t *s = json_loads(status, 0, NULL);
  g_assert_nonnull(s);
  return json_pack("{s:o}", "status", s);
}

static void put(FerryInbox *inbox, const char *status) {
  g_autoptr(json_t) o = object(status);
  ferry_inbox_update(inbox, o);
}

#define CHANGE(id, state) "{\"id\":\"" id "\",\"state\":\"" state "\"}"

/* each is carried out once, however often the object comes */
static void test_changes(void) {
  FerryInbox *b = ferry_inbox_new();
  put(b, "{\"changes\":[" CHANGE("1", "Applied") "," CHANGE("2", "Requested") "]}");
  put(b, "{\"changes\":[" CHANGE("2", "Requested") "," CHANGE("3", "Requested") "]}");
  g_autoptr(json_t) second = ferry_inbox_take_change(b);
  g_autoptr(json_t) third = ferry_inbox_take_change(b);
  g_assert_cmpstr(ferry_json_str(second, "id"), ==, "2");
  g_assert_cmpstr(ferry_json_str(third, "id"), ==, "3");
  g_assert_null(ferry_inbox_take_change(b));
  ferry_inbox_free(b);
}

static void test_cancel(void) {
  FerryInbox *b = ferry_inbox_new();
  put(b, "{\"migrationState\":{\"abortRequested\":true}}");
  put(b, "{}"); /* it isn't taken back */
  g_assert_true(ferry_inbox_is_cancelled(b));
  gint64 before = g_get_monotonic_time();
  g_assert_false(ferry_inbox_wait(b, 10000, FALSE)); /* that is news */
  g_assert_cmpint(g_get_monotonic_time() - before, <, 5 * G_USEC_PER_SEC);
  ferry_inbox_free(b);
}

static void test_call(void) {
  FerryInbox *b = ferry_inbox_new();
  g_autoptr(GError) error = g_error_new_literal(FERRY_HOST_ERROR, 5, "gone");
  g_autoptr(GError) taken = NULL;
  g_assert_false(ferry_inbox_has_returned(b));
  ferry_inbox_return(error, b);
  g_assert_true(ferry_inbox_wait(b, 10000, TRUE));
  g_assert_true(ferry_inbox_take_call(b, &taken));
  g_assert_error(taken, FERRY_HOST_ERROR, 5);
  ferry_inbox_forget_call(b);
  g_assert_false(ferry_inbox_has_returned(b));
  ferry_inbox_free(b);
}

/* The newest of what the record says of copies in doubt, and nothing else of it. */
static void test_doubt(void) {
  FerryInbox *b = ferry_inbox_new();
  put(b,
      "{\"migrationState\":{\"sourceNode\":\"h1\",\"attempt\":3,\"doubt\":{\"target\":{\"state\":"
      "\"Suspended\"}}}}");
  put(b, "{\"migrationState\":{\"sourceNode\":\"h1\",\"targetNode\":\"h2\",\"keepNode\":\"h2\"}}");
  g_autoptr(json_t) doubt = ferry_inbox_doubt(b);
  g_autofree char *text = ferry_json_dump(doubt);
  g_assert_cmpstr(text, ==,
                  "{\"status\":{\"migrationState\":{\"keepNode\":\"h2\",\"sourceNode\":\"h1\","
                  "\"targetNode\":\"h2\"}}}");
  ferry_inbox_free(b);
}

/* When it was resumed counts from the first time, and only after the switch-over. */
static void test_resumed(void) {
  FerryInbox *b = ferry_inbox_new();
  FerryHostEvent paused = {.type = FERRY_HOST_EVENT_STATE, .pause = FERRY_HOST_PAUSE_SWITCHOVER};
  FerryHostEvent resumed = {.type = FERRY_HOST_EVENT_STATE, .pause = FERRY_HOST_PAUSE_ENDED};
  ferry_inbox_event(b, &resumed);
  g_assert_cmpint(ferry_inbox_resumed_us(b), ==, 0);
  ferry_inbox_event(b, &paused);
  ferry_inbox_event(b, &resumed);
  gint64 first = ferry_inbox_resumed_us(b);
  g_assert_cmpint(first, >, 0);
  while (g_get_monotonic_time() <= first)
    ;
  ferry_inbox_event(b, &resumed);
  g_assert_cmpint(ferry_inbox_resumed_us(b), ==, first);
  ferry_inbox_free(b);
}

static void test_events(void) {
  FerryInbox *b = ferry_inbox_new();
  FerryJobStats stats, out;
  ferry_job_stats_clear(&stats);
  stats.downtime_ms = 42;
  FerryHostEvent pass = {.type = FERRY_HOST_EVENT_ITERATION, .iteration = 3};
  FerryHostEvent end = {.type = FERRY_HOST_EVENT_COMPLETED, .stats = &stats};
  ferry_inbox_event(b, &pass);
  g_assert_cmpint(ferry_inbox_iteration(b), ==, 3);
  ferry_inbox_event(b, &end); /* of a migration that came in */
  g_assert_false(ferry_inbox_completed(b, 0, &out));
  stats.migration_out = TRUE;
  ferry_inbox_event(b, &end);
  g_assert_true(ferry_inbox_completed(b, 10000, &out));
  g_assert_cmpint(out.downtime_ms, ==, 42);
  ferry_inbox_free(b);
}

/* Post-copy that was asked for while the guest was paused for an ordinary switch-over came too
 * late. */
static void test_late_post_copy(void) {
  FerryInbox *b = ferry_inbox_new();
  FerryHostEvent ordinary = {.type = FERRY_HOST_EVENT_STATE, .pause = FERRY_HOST_PAUSE_SWITCHOVER};
  FerryHostEvent switched = {.type = FERRY_HOST_EVENT_STATE, .pause = FERRY_HOST_PAUSE_POST_COPY};
  gint64 switchover_us = 0;
  gboolean post_copy = FALSE;
  ferry_inbox_set_post_copy(b);
  ferry_inbox_stage(b, &switchover_us, &post_copy);
  g_assert_true(post_copy);
  ferry_inbox_event(b, &ordinary);
  ferry_inbox_stage(b, &switchover_us, &post_copy);
  g_assert_false(post_copy);
  g_assert_cmpint(switchover_us, >, 0);
  ferry_inbox_event(b, &switched); /* libvirt may say so a moment later */
  ferry_inbox_stage(b, &switchover_us, &post_copy);
  g_assert_true(post_copy);
  ferry_inbox_free(b);
}

/* What was said when it stopped stays known when nothing is left of it; a move is no stop. */
static void test_stopped(void) {
  FerryInbox *b = ferry_inbox_new();
  FerryHostEvent moved = {.type = FERRY_HOST_EVENT_STATE, .detail = "stopped/3"};
  FerryHostEvent stopped = {.type = FERRY_HOST_EVENT_STATE, .stopped = "destroyed"};
  FerryHostEvent gone = {.type = FERRY_HOST_EVENT_STATE, .detail = "undefined/0"};
  ferry_inbox_event(b, &moved);
  g_assert_null(ferry_inbox_stopped(b));
  ferry_inbox_event(b, &stopped);
  ferry_inbox_event(b, &gone);
  g_assert_cmpstr(ferry_inbox_stopped(b), ==, "destroyed");
  ferry_inbox_free(b);
}

static gboolean never(gpointer data) {
  return FALSE;
}

static gboolean at_once(gpointer data) {
  return TRUE;
}

static void test_probe(void) {
  FerryInbox *b = ferry_inbox_new();
  gint64 before = g_get_monotonic_time();
  g_assert_null(ferry_inbox_wait_probe(b, 10, never, NULL));
  g_assert_null(ferry_inbox_wait_probe(b, 60000, at_once, NULL));
  g_assert_cmpint(g_get_monotonic_time() - before, <, 30 * G_USEC_PER_SEC);
  put(b, "{\"migrationState\":{\"bandwidthProbe\":{\"port\":49214}}}");
  g_autoptr(json_t) probe = ferry_inbox_wait_probe(b, 60000, never, NULL);
  g_assert_cmpint(ferry_json_int(probe, "port", 0), ==, 49214);
  ferry_inbox_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/inbox/changes", test_changes);
  g_test_add_func("/agent/inbox/cancel", test_cancel);
  g_test_add_func("/agent/inbox/call", test_call);
  g_test_add_func("/agent/inbox/events", test_events);
  g_test_add_func("/agent/inbox/stopped", test_stopped);
  g_test_add_func("/agent/inbox/late-post-copy", test_late_post_copy);
  g_test_add_func("/agent/inbox/probe", test_probe);
  g_test_add_func("/agent/inbox/doubt", test_doubt);
  g_test_add_func("/agent/inbox/resumed", test_resumed);
  return g_test_run();
}
