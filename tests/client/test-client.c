// SPDX-License-Identifier: Apache-2.0
// The HTTP client against a small server in this process (mini_server.h) that answers, breaks off
// or is silent as the test says: requests, errors in words, watches, and their ends.
#include "client/client.h"
#include "base/error.h"
#include "mini_server.h"
#include <string.h>

typedef struct {
  MiniServer *server;
  FerryClient *client;
  gint requests;
  GMutex lock;
  GCond cond;
  gboolean over; /* those who keep silent may leave */
  guint silent;
} Fixture;

static void chunk(GOutputStream *out, const char *text) {
  g_autofree char *frame = g_strdup_printf("%zx\r\n%s\r\n", strlen(text), text);
  g_output_stream_write_all(out, frame, strlen(frame), NULL, NULL, NULL);
}

static void chunked_header(GOutputStream *out) {
  static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  g_output_stream_write_all(out, head, sizeof head - 1, NULL, NULL, NULL);
}

static gboolean serve(const char *method, const char *path, const char *headers, const char *body,
                      GOutputStream *out, gpointer data) {
  Fixture *f = data;
  g_atomic_int_inc(&f->requests);
  if (g_str_equal(path, "/echo")) {
    g_autofree char *text =
        g_strdup_printf("{\"method\":\"%s\",\"type\":%s,\"body\":%s}", method,
                        strstr(headers, "application/merge-patch+json") ? "\"merge\"" : "\"json\"",
                        *body ? body : "null");
    mini_answer(out, 200, "Warning: 299 - \"old \\\"thing\\\"\"\r\n", text);
  } else if (g_str_equal(path, "/invalid")) {
    mini_answer(out, 422, NULL,
                "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":422,\"reason\":\"Invalid\","
                "\"message\":\"two things are wrong\",\"details\":{\"causes\":["
                "{\"reason\":\"FieldValueRequired\",\"field\":\"spec.a\",\"message\":\"need a\"},"
                "{\"reason\":\"FieldValueInvalid\",\"field\":\"spec.b\",\"message\":\"bad b\"}]}}");
  } else if (g_str_equal(path, "/empty")) {
    mini_answer(out, 200, NULL, "");
  } else if (g_str_equal(path, "/html")) {
    mini_answer(out, 502, NULL, "<html>proxy</html>");
  } else if (g_str_equal(path, "/rubbish")) {
    mini_answer(out, 200, NULL, "{\"a\":");
  } else if (g_str_equal(path, "/close")) {
    mini_answer(out, 200, NULL, "{}");
    return FALSE;
  } else if (g_str_equal(path, "/watch")) {
    chunked_header(out);
    chunk(out, "{\"type\":\"ADDED\",\"object\":{\"n\":1}}\n{\"type\":\"MODI");
    chunk(out, "FIED\",\"object\":{\"n\":2}}\n\n");
    chunk(out, "{\"type\":\"BOOKMARK\",\"object\":{\"n\":3}}\n");
    g_output_stream_write_all(out, "0\r\n\r\n", 5, NULL, NULL, NULL);
  } else if (g_str_equal(path, "/watch-expired")) {
    chunked_header(out);
    chunk(out, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
               "\"reason\":\"Expired\",\"message\":\"too old\"}}\n");
    g_output_stream_write_all(out, "0\r\n\r\n", 5, NULL, NULL, NULL);
  } else if (g_str_equal(path, "/watch-silent")) {
    chunked_header(out);
    chunk(out, "\n");
    g_mutex_lock(&f->lock);
    f->silent++;
    while (!f->over)
      g_cond_wait(&f->cond, &f->lock);
    f->silent--;
    g_cond_broadcast(&f->cond);
    g_mutex_unlock(&f->lock);
    return FALSE;
  } else if (g_str_equal(path, "/watch-long")) {
    chunked_header(out);
    g_autofree char *big = g_strnfill(1 << 20, 'x');
    for (int i = 0; i < 6; i++)
      chunk(out, big);
    return FALSE;
  } else {
    mini_answer(out, 404, NULL,
                "{\"kind\":\"Status\",\"code\":404,\"reason\":\"NotFound\","
                "\"message\":\"no such thing\"}");
  }
  return TRUE;
}

static void set_up(Fixture *f, gconstpointer data) {
  f->server = mini_server_new(serve, f);
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup(mini_server_url(f->server));
  f->client = ferry_client_new(config, NULL);
}

static void tear_down(Fixture *f, gconstpointer data) {
  ferry_client_free(f->client);
  g_mutex_lock(&f->lock);
  f->over = TRUE;
  g_cond_broadcast(&f->cond);
  while (f->silent)
    g_cond_wait(&f->cond, &f->lock);
  g_mutex_unlock(&f->lock);
  mini_server_free(f->server);
}

static json_t *get(Fixture *f, const char *path, GError **error) {
  return ferry_client_request(f->client, "GET", path, NULL, NULL, NULL, NULL, error);
}

static void test_request(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_pack("{s:i}", "a", 1);
  unsigned status = 0;
  g_autoptr(json_t) out = ferry_client_request(f->client, "PATCH", "/echo", body,
                                               FERRY_CONTENT_MERGE_PATCH, NULL, &status, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(status, ==, 200);
  g_assert_cmpstr(ferry_json_str(out, "method"), ==, "PATCH");
  g_assert_cmpstr(ferry_json_str(out, "type"), ==, "merge");
  g_assert_cmpint(ferry_json_int(out, "body.a", 0), ==, 1);
  g_assert_cmpstr(ferry_client_warnings(f->client)[0], ==, "old \"thing\"");
  g_assert_null(ferry_client_warnings(f->client)[1]);
  g_autoptr(json_t) empty = get(f, "/empty", &error);
  g_assert_no_error(error);
  g_assert_true(json_is_null(empty));
  g_assert_null(ferry_client_warnings(f->client)[0]);
}

static void test_errors(Fixture *f, gconstpointer data) {
  g_autoptr(GError) invalid = NULL, html = NULL, missing = NULL, rubbish = NULL;
  g_assert_null(get(f, "/invalid", &invalid));
  g_assert_error(invalid, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_cmpstr(invalid->message, ==, "two things are wrong");
  g_assert_cmpuint(ferry_error_n_causes(invalid), ==, 2);
  g_assert_cmpstr(ferry_error_cause(invalid, 1)->field, ==, "spec.b");
  g_assert_null(get(f, "/html", &html));
  g_assert_nonnull(strstr(html->message, "502"));
  g_assert_null(get(f, "/nosuch", &missing));
  g_assert_error(missing, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_assert_null(get(f, "/rubbish", &rubbish));
  g_assert_nonnull(strstr(rubbish->message, "not JSON"));
}

static void test_closed_connection_is_opened_again(Fixture *f, gconstpointer data) {
  for (int i = 0; i < 5; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) out = get(f, i % 2 ? "/echo" : "/close", &error);
    g_assert_no_error(error);
  }
}

static void test_nobody_there(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup("https://127.0.0.1:1");
  g_autoptr(FerryClient) client = ferry_client_new(config, &error);
  g_assert_no_error(error);
  g_assert_null(ferry_client_request(client, "GET", "/", NULL, NULL, NULL, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_assert_nonnull(strstr(error->message, "https://127.0.0.1:1"));
  static const char *const bad[] = {"", "127.0.0.1:6443", "ftp://x", "https://", "https://x?y=1"};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) e = NULL;
    g_autoptr(FerryClientConfig) c = ferry_client_config_new();
    c->server = g_strdup(bad[i]);
    g_assert_null(ferry_client_new(c, &e));
    g_assert_error(e, FERRY_ERROR, FERRY_ERROR_INVALID);
  }
}

typedef struct {
  GString *seen;
  int ticks, stop_at, stop_ticks;
} Watch;

static gboolean on_event(const char *type, json_t *object, gpointer data) {
  Watch *w = data;
  int n = (int)ferry_json_int(object, "n", -1);
  g_string_append_printf(w->seen, "%s%d ", type, n);
  return n != w->stop_at;
}

static gboolean on_tick(gpointer data) {
  Watch *w = data;
  return ++w->ticks != w->stop_ticks;
}

static void test_watch(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  Watch w = {.seen = g_string_new(NULL)};
  g_assert_true(
      ferry_client_watch(f->client, "/watch", NULL, 0, on_event, on_tick, &w, NULL, &error));
  g_assert_cmpstr(w.seen->str, ==, "ADDED1 MODIFIED2 BOOKMARK3 ");
  g_string_truncate(w.seen, 0);
  w.stop_at = 1;
  g_assert_true(ferry_client_watch(f->client, "/watch", NULL, 0, on_event, NULL, &w, NULL, &error));
  g_assert_cmpstr(w.seen->str, ==, "ADDED1 ");
  g_assert_false(
      ferry_client_watch(f->client, "/watch-expired", NULL, 0, on_event, NULL, &w, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  g_clear_error(&error);
  g_assert_false(
      ferry_client_watch(f->client, "/watch-long", NULL, 0, on_event, NULL, &w, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
  g_clear_error(&error);
  g_assert_false(
      ferry_client_watch(f->client, "/nosuch", NULL, 0, on_event, NULL, &w, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_string_free(w.seen, TRUE);
}

static gpointer cancel_soon(gpointer data) {
  g_usleep(50000);
  g_cancellable_cancel(data);
  return NULL;
}

static void test_watch_ends_when_told(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GCancellable) cancel = g_cancellable_new();
  Watch w = {.seen = g_string_new(NULL), .stop_ticks = 4};
  gint64 began = g_get_monotonic_time();
  g_assert_true(
      ferry_client_watch(f->client, "/watch-silent", NULL, 0, on_event, on_tick, &w, NULL, &error));
  g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
  GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
  began = g_get_monotonic_time();
  g_assert_false(
      ferry_client_watch(f->client, "/watch-silent", NULL, 0, on_event, NULL, &w, cancel, &error));
  g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC / 2);
  g_thread_join(thread);
  g_clear_error(&error);
  g_assert_false(
      ferry_client_watch(f->client, "/watch-silent", NULL, 1, on_event, NULL, &w, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_string_free(w.seen, TRUE);
}

static void test_paths(void) {
  g_autofree char *core = ferry_client_path(NULL, "v1", NULL, "nodes", "h 1", NULL);
  g_autofree char *sub = ferry_client_path("kubevirt.io", "v1", "a", "vmims", "b/c", "status");
  g_assert_cmpstr(core, ==, "/api/v1/nodes/h%201");
  g_assert_cmpstr(sub, ==, "/apis/kubevirt.io/v1/namespaces/a/vmims/b%2Fc/status");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/client/request", Fixture, NULL, set_up, test_request, tear_down);
  g_test_add("/client/errors", Fixture, NULL, set_up, test_errors, tear_down);
  g_test_add("/client/closed", Fixture, NULL, set_up, test_closed_connection_is_opened_again,
             tear_down);
  g_test_add_func("/client/nobody-there", test_nobody_there);
  g_test_add("/client/watch", Fixture, NULL, set_up, test_watch, tear_down);
  g_test_add("/client/watch-ends", Fixture, NULL, set_up, test_watch_ends_when_told, tear_down);
  g_test_add_func("/client/paths", test_paths);
  return g_test_run();
}
