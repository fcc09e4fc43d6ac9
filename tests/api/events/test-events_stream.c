// SPDX-License-Identifier: Apache-2.0
// Streams are ended once everything has happened, so each is read whole; what happens meanwhile
// comes from the test's thread once the stream has told what there was: a change before that is
// part of it.
#include "base/trace.h"
#include "../streams_end.h"

#define STREAM "/api/v1/events/stream"

typedef struct {
  Server *server;
  const char *query, *headers;
  Answer *answer;
} Reader;

static gpointer read_stream(gpointer data) {
  Reader *r = data;
  g_autofree char *path = g_strconcat(STREAM "?timeoutSeconds=60", r->query, NULL);
  r->answer = http_full(r->server, "admin", "GET", path, r->headers, NULL, 0);
  return NULL;
}

static GThread *begin(Reader *r, Server *s, const char *query, const char *headers) {
  *r = (Reader){s, query, headers, NULL};
  g_atomic_int_set(&http_events_seen, 0);
  GThread *thread = g_thread_new("stream", read_stream, r);
  gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  while (!g_atomic_int_get(&http_events_seen) && g_get_monotonic_time() < deadline)
    g_usleep(1000);
  return thread;
}

static void create(Server *s, const char *name, const char *vmi) {
  g_autofree char *body =
      g_strdup_printf("{\"apiVersion\":\"kubevirt.io/v1\","
                      "\"kind\":\"VirtualMachineInstanceMigration\","
                      "\"metadata\":{\"name\":\"%s\"},\"spec\":{\"vmiName\":\"%s\"}}",
                      name, vmi);
  g_autoptr(Answer) a = http(s, "POST", VMIM, body);
  expect(a, 201);
}

static gint64 patch(Server *s, const char *name, const char *status) {
  g_autofree char *path = g_strdup_printf(VMIM "/%s/status", name);
  g_autofree char *body = g_strdup_printf("{\"status\":%s}", status);
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", path, MERGE, body, (gssize)strlen(body));
  expect(a, 200);
  return g_ascii_strtoll(ferry_json_str(a->json, "metadata.resourceVersion"), NULL, 10);
}

/* "state m1, transition m1 Running #12, ..."; #N where an id follows. */
static char *story(const char *body) {
  GString *out = g_string_new(NULL);
  g_auto(GStrv) blocks = g_strsplit(body, "\n\n", -1);
  for (gsize i = 0; blocks[i]; i++) {
    g_auto(GStrv) lines = g_strsplit(blocks[i], "\n", -1);
    for (gsize k = 0; lines[k]; k++) {
      if (g_str_has_prefix(lines[k], "event: "))
        g_string_append_printf(out, "%s%s", out->len ? ", " : "", lines[k] + 7);
      else if (g_str_has_prefix(lines[k], "id: "))
        g_string_append_printf(out, " #%s", lines[k] + 4);
      if (!g_str_has_prefix(lines[k], "data: "))
        continue;
      g_autoptr(json_t) data = json_loads(lines[k] + 6, 0, NULL);
      g_assert_nonnull(data);
      const char *name = ferry_json_str(data, "migration");
      const char *detail = ferry_json_str(data, "decision.action");
      if (name)
        g_string_append_printf(out, " %s", name);
      if (detail || strstr(lines[0], "transition"))
        g_string_append_printf(out, " %s", detail ? detail : ferry_json_str(data, "phase"));
      if (ferry_json_get(data, "progress.percent"))
        g_string_append_printf(out, " %d%%", (int)ferry_json_int(data, "progress.percent", -1));
    }
  }
  return g_string_free(out, FALSE);
}

static void test_story(Server *s, gconstpointer data) {
  create(s, "m1", "db");
  g_autofree char *first = g_strdup_printf(" #%" G_GINT64_FORMAT, ferry_store_revision(s->store));
  Reader r;
  GThread *t = begin(&r, s, "", NULL);
  gint64 a = patch(s, "m1", "{\"phase\":\"Running\"}");
  gint64 b = patch(s, "m1",
                   "{\"progress\":{\"percent\":10},\"decisions\":[{\"action\":\"SetDowntime\","
                   "\"reason\":\"too slow\"}]}");
  patch(s, "m1", "{\"message\":\"says nothing to a stream\"}");
  gint64 c = patch(s, "m1",
                   "{\"phase\":\"Succeeded\",\"progress\":{\"percent\":100},\"decisions\":"
                   "[{\"action\":\"SetDowntime\",\"reason\":\"too slow\"},{\"action\":\"Note\"}]}");
  streams_end(s, t);
  g_autoptr(Answer) answer = r.answer;
  expect(answer, 200);
  g_assert_nonnull(strstr(answer->headers, "Content-Type: text/event-stream"));
  g_autofree char *wanted =
      g_strdup_printf("state m1%s, transition m1 Running #%d, decision m1 SetDowntime, progress m1 "
                      "10%% #%d, decision m1 Note, progress m1 100%%, transition m1 Succeeded #%d",
                      first, (int)a, (int)b, (int)c);
  g_autofree char *got = story(answer->body);
  g_assert_cmpstr(got, ==, wanted);
  g_assert_true(g_str_has_prefix(answer->body, "retry: "));
}

static void test_resume(Server *s, gconstpointer data) {
  create(s, "m1", "db");
  gint64 seen = patch(s, "m1", "{\"phase\":\"Scheduling\"}");
  gint64 missed = patch(s, "m1", "{\"phase\":\"Running\",\"progress\":{\"percent\":1}}");
  g_autofree char *header = g_strdup_printf("Last-Event-ID: %d", (int)seen);
  Reader r;
  streams_end(s, begin(&r, s, "", header));
  g_autoptr(Answer) answer = r.answer;
  g_autofree char *wanted =
      g_strdup_printf("progress m1 1%%, transition m1 Running #%d", (int)missed);
  g_autofree char *got = story(answer->body);
  g_assert_cmpstr(got, ==, wanted);
  /* For the first request of a browser, which cannot set the header. */
  g_autofree char *query = g_strdup_printf("&lastEventId=%d", (int)seen);
  streams_end(s, begin(&r, s, query, NULL));
  g_autoptr(Answer) again = r.answer;
  g_autofree char *same = story(again->body);
  g_assert_cmpstr(same, ==, wanted);
}

/* Unknown to this store: the client is told, and gets the present state. */
static void test_expired(Server *s, gconstpointer data) {
  create(s, "m1", "db");
  Reader r;
  streams_end(s, begin(&r, s, "", "Last-Event-ID: 4000000000"));
  g_autoptr(Answer) answer = r.answer;
  g_autofree char *wanted =
      g_strdup_printf("reset, state m1 #%d", (int)ferry_store_revision(s->store));
  g_autofree char *got = story(answer->body);
  g_assert_cmpstr(got, ==, wanted);
}

static void test_filters(Server *s, gconstpointer data) {
  static const struct {
    const char *query, *wanted;
  } cases[] = {
      {"&vmi=db", "state m1"},       {"&vmi=default/web", "state m2"},
      {"&migration=m2", "state m2"}, {"&migration=default/m1&vmi=web", ""},
      {"&vmi=other/db", ""},         {"&vmi=nobody", ""},
  };
  create(s, "m1", "db");
  create(s, "m2", "web");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat(STREAM "?timeoutSeconds=1", cases[i].query, NULL);
    g_autoptr(Answer) a = http(s, "GET", path, NULL);
    expect(a, 200);
    g_autofree char *got = story(a->body);
    g_autofree char *bare = g_strdup(g_strstrip(g_strdelimit(got, "#0123456789", ' ')));
    g_autofree char *wanted = g_strdup(cases[i].wanted);
    g_strdelimit(wanted, "0123456789", ' ');
    g_assert_cmpstr(bare, ==, g_strstrip(wanted));
    gboolean m1 = strstr(a->body, "\"m1\"") != NULL, m2 = strstr(a->body, "\"m2\"") != NULL;
    g_assert_cmpint(m1, ==, strstr(cases[i].wanted, "m1") != NULL);
    g_assert_cmpint(m2, ==, strstr(cases[i].wanted, "m2") != NULL);
    g_assert_nonnull(strstr(a->body, "\nid: ")); /* from where to go on, even if there is nothing */
  }
}

static void test_bad_requests(Server *s, gconstpointer data) {
  static const struct {
    const char *method, *query, *header;
    long status;
  } cases[] = {
      {"GET", "?vmi=", NULL, 400},
      {"GET", "?vmi=a/b/c", NULL, 400},
      {"GET", "?migration=/x", NULL, 400},
      {"GET", "?timeoutSeconds=soon", NULL, 400},
      {"GET", "", "Last-Event-ID: yesterday", 400},
      {"GET", "?lastEventId=-5", NULL, 400},
      {"POST", "", NULL, 405},
      {"DELETE", "", NULL, 405},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat(STREAM, cases[i].query, NULL);
    g_autoptr(Answer) a = http_full(s, "admin", cases[i].method, path, cases[i].header, NULL, 0);
    expect(a, cases[i].status);
    g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Status");
  }
  g_autoptr(Answer) nobody = http_full(s, NULL, "GET", STREAM, NULL, NULL, 0);
  expect(nobody, 401);
}

static void test_trace(Server *s, gconstpointer data) {
#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define OWN "0af7651916cd43dd8448eb211c80319c"
  static const struct {
    const char *header, *annotation, *wanted; /* wanted NULL: a new one */
  } cases[] = {
      {"traceparent: 00-" TRACE "-00f067aa0ba902b7-01", "{}", TRACE},
      {"traceparent: 00-" TRACE "-00f067aa0ba902b7-01",
       "{\"ferry.migration/trace\":\"" OWN "\",\"a\":\"b\"}", OWN},
      {"traceparent: nonsense", "{\"ferry.migration/trace\":\"x\\ny\"}", NULL},
      {NULL, "{}", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *body = g_strdup_printf(
        "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
        "\"metadata\":{\"generateName\":\"t-\",\"annotations\":%s},\"spec\":{\"vmiName\":\"db\"}}",
        cases[i].annotation);
    g_autoptr(Answer) a = http_full(s, "admin", "POST", VMIM "?dryRun=All", cases[i].header, body,
                                    (gssize)strlen(body));
    expect(a, 201);
    const char *got = json_string_value(
        json_object_get(ferry_json_get(a->json, "metadata.annotations"), FERRY_TRACE_ANNOTATION));
    g_assert_true(ferry_trace_is_valid(got));
    if (cases[i].wanted)
      g_assert_cmpstr(got, ==, cases[i].wanted);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/events-stream/story", Server, NULL, server_up, test_story, server_down);
  g_test_add("/events-stream/resume", Server, NULL, server_up, test_resume, server_down);
  g_test_add("/events-stream/expired", Server, NULL, server_up, test_expired, server_down);
  g_test_add("/events-stream/filters", Server, NULL, server_up, test_filters, server_down);
  g_test_add("/events-stream/bad-requests", Server, NULL, server_up, test_bad_requests,
             server_down);
  g_test_add("/trace/of-a-migration", Server, NULL, server_up, test_trace, server_down);
  return g_test_run();
}
