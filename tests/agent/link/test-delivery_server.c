// SPDX-License-Identifier: Apache-2.0
// ferryd's end of delivery, against a server in this process that answers as it is told: refuses,
// conflicts, hangs, goes away. What is looked at is what arrives, in which order, and that nothing
// is lost.
#include "agent/link/delivery_server.h"
#include <gio/gio.h>
#include <string.h>

#define PATIENCE_MS 30000

/* A server of this process; one thread a connection. */
typedef struct {
  GSocketService *service;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  guint16 port;
  GMutex lock;    /* guards what follows */
  GQueue answers; /* statuses to answer with; none left: 200 */
  GString *seen;  /* "PATCH {...}\n" for each request */
} Server;

/* Reads one request; its method and body, NULL at the end. */
static char *read_request(GDataInputStream *in, char **method) {
  gsize length = 0;
  g_autofree char *first = g_data_input_stream_read_line(in, NULL, NULL, NULL);
  if (!first)
    return NULL;
  *method = g_strndup(first, strcspn(first, " "));
  for (;;) {
    g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
    g_strchomp(line);
    if (!line || !*line)
      break;
    if (g_ascii_strncasecmp(line, "content-length:", 15) == 0)
      length = (gsize)g_ascii_strtoull(line + 15, NULL, 10);
  }
  char *body = g_malloc0(length + 1);
  g_input_stream_read_all(G_INPUT_STREAM(in), body, length, NULL, NULL, NULL);
  return body;
}

static gboolean on_connection(GThreadedSocketService *service, GSocketConnection *connection,
                              GObject *source, gpointer data) {
  Server *s = data;
  GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
  g_autoptr(GDataInputStream) in =
      g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
  g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  for (;;) {
    g_autofree char *method = NULL;
    g_autofree char *body = read_request(in, &method);
    if (!body)
      return TRUE;
    g_mutex_lock(&s->lock);
    g_string_append_printf(s->seen, "%s %s\n", method, body);
    int status = s->answers.length ? GPOINTER_TO_INT(g_queue_pop_head(&s->answers)) : 200;
    g_mutex_unlock(&s->lock);
    const char *text =
        status == 409
            ? "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"another session\"}"
            : "{}";
    g_autofree char *answer = g_strdup_printf("HTTP/1.1 %d Said\r\nContent-Type: application/json"
                                              "\r\nContent-Length: %zu\r\n\r\n%s",
                                              status, strlen(text), text);
    if (!g_output_stream_write_all(out, answer, strlen(answer), NULL, NULL, NULL))
      return TRUE;
  }
}

static gpointer serve_thread(gpointer data) {
  Server *s = data;
  g_main_context_push_thread_default(s->context);
  g_main_loop_run(s->loop);
  g_main_context_pop_thread_default(s->context);
  return NULL;
}

typedef struct {
  Server server;
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryDelivery *delivery;
  int fatal;
} Bed;

static void on_notify(const char *what, gpointer data) {
  ((Bed *)data)->fatal += g_str_equal(what, "fatal");
}

static Bed *bed_new(void) {
  Bed *b = g_new0(Bed, 1);
  Server *s = &b->server;
  g_autoptr(GError) error = NULL;
  s->context = g_main_context_new();
  s->loop = g_main_loop_new(s->context, FALSE);
  s->seen = g_string_new(NULL);
  g_queue_init(&s->answers);
  g_mutex_init(&s->lock);
  g_main_context_push_thread_default(s->context);
  s->service = g_threaded_socket_service_new(4);
  s->port = g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(s->service), NULL, &error);
  g_assert_no_error(error);
  g_signal_connect(s->service, "run", G_CALLBACK(on_connection), s);
  g_main_context_pop_thread_default(s->context);
  s->thread = g_thread_new("server", serve_thread, s);
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup_printf("http://127.0.0.1:%u", s->port);
  b->context = ferry_context_new("h1", "/nowhere", on_notify, b);
  b->session = ferry_session_new(b->context, config);
  b->delivery = ferry_delivery_server_new(b->context, b->session, "default", "m", NULL);
  return b;
}

static gboolean quit_loop(gpointer loop) {
  g_main_loop_quit(loop);
  return G_SOURCE_REMOVE;
}

static void bed_free(Bed *b) {
  Server *s = &b->server;
  ferry_context_stop(b->context);
  ferry_delivery_free(b->delivery);
  ferry_session_free(b->session);
  ferry_context_free(b->context);
  GSource *quit = g_idle_source_new(); /* in the loop: it may not have begun yet */
  g_source_set_callback(quit, quit_loop, s->loop, NULL);
  g_source_attach(quit, s->context);
  g_source_unref(quit);
  g_thread_join(s->thread);
  g_socket_service_stop(s->service);
  g_socket_listener_close(G_SOCKET_LISTENER(s->service));
  g_object_unref(s->service);
  g_main_loop_unref(s->loop);
  g_main_context_unref(s->context);
  g_queue_clear(&s->answers);
  g_string_free(s->seen, TRUE);
  g_free(b);
}

static void answer(Bed *b, int status) {
  g_mutex_lock(&b->server.lock);
  g_queue_push_tail(&b->server.answers, GINT_TO_POINTER(status));
  g_mutex_unlock(&b->server.lock);
}

static char *seen(Bed *b) {
  g_mutex_lock(&b->server.lock);
  char *text = g_strdup(b->server.seen->str);
  g_mutex_unlock(&b->server.lock);
  return text;
}

static void send_phase(Bed *b, const char *phase) {
  ferry_delivery_send(b->delivery, json_pack("{s:s}", "phase", phase));
}

#define PATCH(phase) "PATCH {\"status\":{\"phase\":\"" phase "\"}}\n"

/* nothing is sent before a session; then in order, each until it has arrived */
static void test_order(void) {
  Bed *b = bed_new();
  send_phase(b, "one");
  send_phase(b, "two");
  g_assert_cmpint(ferry_delivery_flush(b->delivery, 20), ==, FERRY_DELIVERY_PENDING);
  answer(b, 503);
  ferry_session_begin(b->session, 3);
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  g_autofree char *text = seen(b);
  g_assert_cmpstr(text, ==, PATCH("one") PATCH("one") PATCH("two"));
  bed_free(b);
}

/* far more than the queue holds while there is no ferryd: the last word of each field arrives */
static void test_nothing_is_dropped(void) {
  Bed *b = bed_new();
  for (int i = 0; i < 1000; i++)
    ferry_delivery_send(b->delivery, json_pack("{s:{s:i}}", "migrationState", "n", i));
  ferry_delivery_send(b->delivery,
                      json_pack("{s:{s:{s:b}}}", "migrationState", "agentResult", "returned", 1));
  ferry_session_begin(b->session, 3);
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  g_autofree char *text = seen(b);
  g_assert_nonnull(strstr(text, "\"n\":999"));
  g_assert_nonnull(strstr(text, "\"agentResult\":{\"returned\":true}"));
  bed_free(b);
}

static void expect_end(int status, FerryDeliveryResult result, int fatal) {
  Bed *b = bed_new();
  answer(b, status);
  send_phase(b, "one");
  ferry_session_begin(b->session, 3);
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, result);
  send_phase(b, "two"); /* nothing goes out any more */
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, result);
  g_assert_cmpint(b->fatal, ==, fatal);
  g_autofree char *text = seen(b);
  g_assert_cmpstr(text, ==, PATCH("one"));
  bed_free(b);
}

static void test_ends(void) {
  expect_end(404, FERRY_DELIVERY_GONE, 0);
  expect_end(409, FERRY_DELIVERY_STOPPED, 1); /* another agent has begun a session */
}

/* one word that the server doesn't take keeps nothing back of what comes after it */
static void test_refused(void) {
  static const int statuses[] = {400, 403, 413, 422};
  for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
    Bed *b = bed_new();
    answer(b, statuses[i]);
    send_phase(b, "one");
    ferry_session_begin(b->session, 3);
    g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERY_REFUSED);
    answer(b, statuses[i]);
    send_phase(b, "one");
    send_phase(b, "two"); /* taken: this is what the flush tells */
    g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
    send_phase(b, "three");
    g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
    g_autofree char *text = seen(b);
    g_assert_cmpstr(text, ==, PATCH("one") PATCH("one") PATCH("two") PATCH("three"));
    g_assert_cmpint(b->fatal, ==, 0);
    bed_free(b);
  }
}

static void test_stop(void) {
  Bed *b = bed_new();
  send_phase(b, "one");
  ferry_context_stop(b->context);
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERY_STOPPED);
  bed_free(b);
}

/* an Event is tried once, and does not hold up what must arrive */
static void test_event(void) {
  Bed *b = bed_new();
  g_autoptr(json_t) object =
      json_pack("{s:{s:s, s:s, s:s}}", "metadata", "name", "m", "namespace", "default", "uid", "u");
  ferry_delivery_tell(b->delivery, object, "Normal", "MigrationChanged", "why");
  send_phase(b, "one");
  ferry_session_begin(b->session, 3);
  gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
  g_autofree char *text = seen(b);
  while (!strstr(text, "POST ")) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(1000);
    g_free(text);
    text = seen(b);
  }
  g_assert_true(g_str_has_prefix(text, PATCH("one") "POST "));
  g_assert_nonnull(strstr(text, "\"reason\":\"MigrationChanged\""));
  bed_free(b);
}

static void silence(const char *domain, GLogLevelFlags level, const char *words, gpointer data) {
}

static GLogWriterOutput silence_fields(GLogLevelFlags level, const GLogField *fields, gsize n,
                                       gpointer data) {
  return G_LOG_WRITER_HANDLED;
}

static char *await_text(Bed *b, const char *part) {
  gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
  for (;;) {
    char *text = seen(b);
    if (strstr(text, part))
      return text;
    g_free(text);
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_usleep(5000);
  }
}

/* Signs of life, each another one, though nobody has anything to say; none before and none after.
 */
static void test_live(void) {
  Bed *b = bed_new();
  ferry_session_begin(b->session, 3);
  send_phase(b, "one");
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  g_autofree char *before = seen(b);
  g_assert_cmpstr(before, ==, PATCH("one"));
  gint64 began = g_get_monotonic_time();
  ferry_delivery_live(b->delivery, TRUE);
  g_autofree char *second = await_text(b, "{\"progress\":{\"heartbeats\":2}}");
  g_assert_cmpint(g_get_monotonic_time() - began, >=, 2 * G_USEC_PER_SEC);
  g_assert_nonnull(strstr(second, "{\"progress\":{\"heartbeats\":1}}"));
  ferry_delivery_live(b->delivery, FALSE);
  send_phase(b, "two"); /* what comes after it is the last */
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  g_autofree char *after = seen(b);
  g_assert_true(g_str_has_suffix(after, PATCH("two")));
  bed_free(b);
}

/* A migration outlives the server that its first words went to. */
static void test_other_server(void) {
  Bed *b = bed_new(), *other = bed_new();
  ferry_session_begin(b->session, 3);
  send_phase(b, "one");
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  ferry_session_set_config(b->session,
                           ferry_client_config_copy(ferry_session_config(other->session)));
  send_phase(b, "two");
  g_assert_cmpint(ferry_delivery_flush(b->delivery, PATIENCE_MS), ==, FERRY_DELIVERED);
  g_autofree char *first = seen(b), *second = seen(other);
  g_assert_cmpstr(first, ==, PATCH("one"));
  g_assert_cmpstr(second, ==, PATCH("two"));
  bed_free(b);
  bed_free(other);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(silence, NULL);
  g_log_set_writer_func(silence_fields, NULL, NULL); /* being stale is critical, and said */
  g_test_add_func("/agent/delivery/order", test_order);
  g_test_add_func("/agent/delivery/nothing-is-dropped", test_nothing_is_dropped);
  g_test_add_func("/agent/delivery/ends", test_ends);
  g_test_add_func("/agent/delivery/refused", test_refused);
  g_test_add_func("/agent/delivery/stop", test_stop);
  g_test_add_func("/agent/delivery/event", test_event);
  g_test_add_func("/agent/delivery/live", test_live);
  g_test_add_func("/agent/delivery/other-server", test_other_server);
  return g_test_run();
}
