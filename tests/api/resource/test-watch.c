// SPDX-License-Identifier: Apache-2.0
// Watches are ended once everything has happened, or by timeoutSeconds, so each is read whole; what
// happens meanwhile comes from a thread that acts when the watch is seen to be open.
#include "../streams_end.h"

/* Does one request and sets `done`. */
typedef struct {
  Server *server;
  const char *path;
  Answer *answer;
} Reader;

static gpointer read_watch(gpointer data) {
  Reader *r = data;
  r->answer = http(r->server, "GET", r->path, NULL);
  return NULL;
}

static guint open_watches(Server *s) {
  FerryStoreStats stats;
  ferry_store_stats(s->store, &stats);
  return (guint)stats.watches;
}

/* Starts a watch on PATH and waits until the store knows it. */
static GThread *begin(Reader *r, Server *s, const char *path) {
  *r = (Reader){s, path, NULL};
  guint before = open_watches(s);
  GThread *thread = g_thread_new("watch", read_watch, r);
  gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  while (open_watches(s) == before && g_get_monotonic_time() < deadline)
    g_usleep(1000);
  return thread;
}

static void label(Server *s, const char *name, const char *patch) {
  g_autofree char *path = g_strconcat(VMI "/", name, NULL);
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", path, MERGE, patch, (gssize)strlen(patch));
  expect(a, 200);
}

/* "ADDED db, MODIFIED db, ..." */
static char *story(const char *body) {
  GString *out = g_string_new(NULL);
  g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    if (!*lines[i])
      continue;
    g_autoptr(json_t) event = json_loads(lines[i], 0, NULL);
    const char *name = ferry_json_str(event, "object.metadata.name");
    g_string_append_printf(out, "%s%s %s", out->len ? ", " : "", ferry_json_str(event, "type"),
                           name ? name : "-");
  }
  return g_string_free(out, FALSE);
}

static void from_nothing(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "GET", VMI "?watch=1&timeoutSeconds=1", NULL);
  expect(a, 200);
  g_autofree char *text = story(a->body);
  g_assert_cmpstr(text, ==, "ADDED db, ADDED off, ADDED web");
}

static void enters_and_leaves_a_selection(Server *s, gconstpointer data) {
  Reader r;
  g_autofree char *path = g_strdup_printf(
      VMI "?watch=1&timeoutSeconds=60&labelSelector=x%%3Dy&resourceVersion=%" G_GINT64_FORMAT,
      ferry_store_revision(s->store));
  GThread *thread = begin(&r, s, path);
  label(s, "db", "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}");
  label(s, "db", "{\"metadata\":{\"labels\":{\"z\":\"1\"}}}");
  label(s, "web", "{\"metadata\":{\"labels\":{\"z\":\"1\"}}}");
  label(s, "db", "{\"metadata\":{\"labels\":{\"x\":null}}}");
  g_autoptr(Answer) last = http(s, "GET", VMI "/db", NULL);
  streams_end(s, thread);
  g_autofree char *text = story(r.answer->body);
  g_assert_cmpstr(text, ==, "ADDED db, MODIFIED db, DELETED db");
  g_assert_nonnull(strstr(r.answer->body, ferry_json_str(last->json, "metadata.resourceVersion")));
  answer_free(r.answer);
}

static void initial_events_end(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "GET",
                             VMI "?watch=1&timeoutSeconds=1&sendInitialEvents=true&"
                                 "resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                             NULL);
  g_autofree char *text = story(a->body);
  g_assert_cmpstr(text, ==, "ADDED db, ADDED off, ADDED web, BOOKMARK -");
  g_assert_nonnull(strstr(a->body, "\"k8s.io/initial-events-end\":\"true\""));
}

static void from_the_future(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "GET", VMI "?watch=1&resourceVersion=99999", NULL);
  expect(a, 200);
  g_assert_cmpstr(ferry_json_str(a->json, "type"), ==, "ERROR");
  g_assert_cmpint(ferry_json_int(a->json, "object.code", 0), ==, 410);
  g_assert_cmpstr(ferry_json_str(a->json, "object.reason"), ==, "Expired");
}

static void tables(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http_full(s, "admin", "GET", VMI "?watch=1&timeoutSeconds=1",
                                  "Accept: application/json;as=Table;v=v1;g=meta.k8s.io", NULL, 0);
  g_auto(GStrv) lines = g_strsplit(a->body, "\n", -1);
  g_autoptr(json_t) first = json_loads(lines[0], 0, NULL);
  g_autoptr(json_t) second = json_loads(lines[1], 0, NULL);
  g_assert_cmpstr(ferry_json_str(first, "object.kind"), ==, "Table");
  g_assert_cmpuint(json_array_size(ferry_json_get(first, "object.columnDefinitions")), >, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(second, "object.columnDefinitions")), ==, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(second, "object.rows")), ==, 1);
}

static void many_changes_in_order(Server *s, gconstpointer data) {
  Reader r;
  GThread *thread =
      begin(&r, s, VMI "?watch=1&timeoutSeconds=60&fieldSelector=metadata.name%3Dweb");
  for (int i = 0; i < 300; i++) {
    g_autofree char *n = g_strdup_printf("%d", i);
    g_autoptr(json_t) old = ferry_store_get(s->store, &ferry_kind_vmi, "default", "web");
    g_autoptr(json_t) object = ferry_json_copy_along(old, "metadata.labels");
    ferry_json_set_str(object, "metadata.labels.n", n);
    FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                        .kind = &ferry_kind_vmi,
                        .ns = "default",
                        .name = "web",
                        .object = object};
    g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  }
  streams_end(s, thread);
  int next = 0;
  g_auto(GStrv) lines = g_strsplit(r.answer->body, "\n", -1);
  for (gsize i = 1; lines[i] && *lines[i]; i++) {
    g_autoptr(json_t) event = json_loads(lines[i], 0, NULL);
    g_autofree char *want = g_strdup_printf("%d", next++);
    g_assert_cmpstr(ferry_json_str(event, "object.metadata.labels.n"), ==, want);
  }
  g_assert_cmpint(next, ==, 300);
  answer_free(r.answer);
}

/* The events of a watch's text, of one type. New references. */
static GPtrArray *events_of(const char *body, const char *type) {
  GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    json_t *event = *lines[i] ? json_loads(lines[i], 0, NULL) : NULL;
    if (g_strcmp0(ferry_json_str(event, "type"), type) == 0)
      g_ptr_array_add(out, event);
    else
      json_decref(event);
  }
  return out;
}

static gint64 revision_of(const json_t *object) {
  const char *text = ferry_json_str(object, "metadata.resourceVersion");
  g_assert_nonnull(text);
  return g_ascii_strtoll(text, NULL, 10);
}

/* What went is told of with the revision at which it went, for a watch to go on from. */
static void deleted_at_a_new_revision(Server *s, gconstpointer data) {
  Reader r;
  g_autofree char *path =
      g_strdup_printf(VMIM "?watch=1&timeoutSeconds=60&resourceVersion=%" G_GINT64_FORMAT,
                      ferry_store_revision(s->store));
  GThread *thread = begin(&r, s, path);
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  g_autoptr(Answer) ended = http_full(s, "admin", "PATCH", VMIM "/m/status", MERGE,
                                      "{\"status\":{\"phase\":\"Failed\"}}", -1);
  expect(ended, 200);
  g_autoptr(Answer) marked = http(s, "DELETE", VMIM "/m", NULL);
  expect(marked, 200);
  g_autoptr(Answer) last =
      http_full(s, "admin", "PATCH", VMIM "/m", MERGE, "{\"metadata\":{\"finalizers\":null}}", -1);
  expect(last, 200);
  streams_end(s, thread);
  g_autoptr(GPtrArray) gone = events_of(r.answer->body, "DELETED");
  g_assert_cmpuint(gone->len, ==, 1);
  const json_t *object = json_object_get(gone->pdata[0], "object");
  g_assert_cmpstr(ferry_json_str(object, "status.phase"), ==, "Failed");
  g_assert_cmpint(revision_of(object), >, revision_of(marked->json));
  g_assert_cmpint(revision_of(object), ==, ferry_store_revision(s->store));
  answer_free(r.answer);
}

/* A server whose bookmarks come each half second. */
static void impatient_up(Server *s, gconstpointer data) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  server_up(s, data);
  ferry_api_free(s->api);
  FerryApiConfig config = {
      .store = s->store, .state_dir = s->dir, .listen = listen, .watch_bookmark_ms = 500};
  s->api = ferry_api_new(&config, NULL);
  g_assert_nonnull(s->api);
}

/* A watch that sees nothing of what happens still learns how far it has got; once each time. */
static void bookmarks_now_and_then(Server *s, gconstpointer data) {
  Reader r;
  g_autofree char *path =
      g_strdup_printf(VMI "?watch=1&timeoutSeconds=4&allowWatchBookmarks=true"
                          "&fieldSelector=metadata.name%%3Dweb&resourceVersion=%" G_GINT64_FORMAT,
                      ferry_store_revision(s->store));
  GThread *thread = begin(&r, s, path);
  label(s, "db", "{\"metadata\":{\"labels\":{\"z\":\"1\"}}}");
  g_thread_join(thread);
  g_autoptr(GPtrArray) marks = events_of(r.answer->body, "BOOKMARK");
  g_assert_cmpuint(marks->len, >=, 1);
  g_assert_cmpuint(marks->len, <=, 2); /* the first may have been before the change */
  const json_t *object = json_object_get(marks->pdata[marks->len - 1], "object");
  g_assert_cmpstr(ferry_json_str(object, "kind"), ==, "VirtualMachineInstance");
  g_assert_cmpstr(ferry_json_str(object, "apiVersion"), ==, "kubevirt.io/v1");
  g_assert_cmpint(revision_of(object), ==, ferry_store_revision(s->store));
  g_assert_null(ferry_json_get(object, "metadata.annotations"));
  answer_free(r.answer);
  g_autoptr(Answer) unasked = http(s, "GET", VMI "?watch=1&timeoutSeconds=2", NULL);
  g_autoptr(GPtrArray) none = events_of(unasked->body, "BOOKMARK");
  g_assert_cmpuint(none->len, ==, 0);
}

static void stop_ends_watches(Server *s, gconstpointer data) {
  Reader r;
  GThread *thread = begin(&r, s, VMI "?watch=1");
  ferry_api_free(g_steal_pointer(&s->api));
  g_thread_join(thread); /* would take 45 minutes if it did not */
  answer_free(r.answer);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/watch/" #f, Server, NULL, server_up, f, server_down)
  ADD(from_nothing);
  ADD(enters_and_leaves_a_selection);
  ADD(initial_events_end);
  ADD(from_the_future);
  ADD(tables);
  ADD(many_changes_in_order);
  ADD(deleted_at_a_new_revision);
  g_test_add("/api/watch/bookmarks_now_and_then", Server, NULL, impatient_up,
             bookmarks_now_and_then, server_down);
  ADD(stop_ends_watches);
  return g_test_run();
}
