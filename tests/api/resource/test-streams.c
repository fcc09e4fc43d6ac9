// SPDX-License-Identifier: Apache-2.0
// What a watch or event stream may cost: pages at the beginning with changes in between, readers
// that stall or fall behind, credentials that end, how many there may be. The tests act from within
// the reader's callback, when the stream's text fills the socket and the server waits.
#include "../http/raw.h"
#include "api/http/stream.h"
#include "api/resource/streams.h"
#include "api/server.h"

#include <dlfcn.h>

#define N 400 /* seven pages */
#define ALL VMI "?watch=1&timeoutSeconds="
#define EVENTS "/api/v1/events/stream?timeoutSeconds="
#define USERS "/apis/ferry.migration/v1/users"

typedef struct Stream Stream;
struct Stream {
  Server *server;
  void (*act)(Stream *stream); /* with the first text, and after each further `step` bytes */
  gsize step, acted_at;
  guint acts;
  GString *text;
};

static size_t on_text(char *data, size_t size, size_t n, void *user) {
  Stream *s = user;
  g_string_append_len(s->text, data, (gssize)(size * n));
  if (s->act && (s->acts == 0 || s->text->len - s->acted_at >= s->step)) {
    s->acted_at = s->text->len;
    s->acts++;
    s->act(s);
  }
  return size * n;
}

/* A small window: what was not read waits in the server. */
static int on_socket(void *data, curl_socket_t fd, curlsocktype purpose) {
  int bytes = 4096;
  return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 ? CURL_SOCKOPT_OK
                                                                          : CURL_SOCKOPT_ERROR;
}

/* Reads a stream to its end; what curl says of it. `token` NULL: as admin. */
static CURLcode read_all(Stream *s, const char *path, const char *token) {
  CURL *c = curl_easy_init();
  g_autofree char *url = g_strconcat(ferry_api_url(s->server->api), path, NULL);
  g_autofree char *ca = g_build_filename(s->server->dir, "ca.crt", NULL);
  g_autofree char *crt = g_build_filename(s->server->dir, "admin.crt", NULL);
  g_autofree char *key = g_build_filename(s->server->dir, "admin.key", NULL);
  g_autofree char *bearer = token ? g_strconcat("Authorization: Bearer ", token, NULL) : NULL;
  struct curl_slist *headers = bearer ? curl_slist_append(NULL, bearer) : NULL;
  s->text = g_string_new(NULL);
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(c, CURLOPT_CAINFO, ca);
  curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_text);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
  curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
  if (!token) {
    curl_easy_setopt(c, CURLOPT_SSLCERT, crt);
    curl_easy_setopt(c, CURLOPT_SSLKEY, key);
  }
  CURLcode rc = curl_easy_perform(c);
  curl_slist_free_all(headers);
  curl_easy_cleanup(c);
  return rc;
}

static guint open_streams(Server *s) {
  FerryStreamFigures figures;
  ferry_streams_figures(s->api->streams, &figures);
  ferry_streams_figures_clear(&figures);
  return figures.watches + figures.event_streams;
}

static gboolean wait_for_streams(Server *s, guint n) {
  gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  while (open_streams(s) != n && g_get_monotonic_time() < deadline)
    g_usleep(2000);
  return open_streams(s) == n;
}

/* ---- large objects, so that few of them fill a socket ---- */

static void write_object(Server *s, FerryWriteOp op, const FerryKind *kind, const char *name) {
  static char *padding;
  if (!padding)
    padding = g_strnfill(20000, 'x');
  g_autofree char *version = ferry_kind_api_version(kind);
  g_autoptr(json_t) object =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s}, s:{s:s, s:{s:I}}}", "apiVersion",
                version, "kind", kind->kind, "metadata", "name", name, "namespace", "default",
                "annotations", "padding", padding, "spec", "vmiName", "db", "status", "phase",
                "Running", "progress", "percent", (json_int_t)ferry_store_revision(s->store));
  if (kind == &ferry_kind_vmim) /* these are told of without annotations */
    ferry_json_set(object, "status.decisions", json_pack("[{s:s}]", "action", padding));
  FerryWrite write = {.op = op,
                      .kind = kind,
                      .ns = "default",
                      .name = name,
                      .object = op == FERRY_WRITE_DELETE ? NULL : object};
  g_autoptr(GError) error = NULL;
  ferry_store_commit(s->store, &write, 1, NULL, &error);
  g_assert_no_error(error);
}

static void make_many(Server *s, const FerryKind *kind) {
  for (guint i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf("vm-%03u", i);
    write_object(s, FERRY_WRITE_CREATE, kind, name);
  }
}

/* Changes, deletes and creates in pages that were told, are being told, and are to be told. */
static void change_some(Stream *stream, const FerryKind *kind) {
  Server *s = stream->server;
  for (guint i = stream->acts - 1; i < N; i += 37) {
    g_autofree char *name = g_strdup_printf("vm-%03u", i);
    g_autofree char *more = g_strdup_printf("vm-%03u-%u", i, stream->acts);
    g_autoptr(json_t) object = ferry_store_get(s->store, kind, "default", name);
    write_object(s, object ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE, kind, name);
    if (i % 3 == 0)
      write_object(s, FERRY_WRITE_DELETE, kind, name);
    write_object(s, FERRY_WRITE_CREATE, kind, more);
    write_object(s, FERRY_WRITE_UPDATE, kind, more);
  }
}

static void change_vms(Stream *stream) {
  change_some(stream, &ferry_kind_vmi);
}

static void change_migrations(Stream *stream) {
  change_some(stream, &ferry_kind_vmim);
}

/* The copy that a reader has after one event, which must fit on what it had. */
static void follow(GHashTable *copy, const json_t *event) {
  const char *type = ferry_json_str(event, "type");
  json_t *object = ferry_json_get(event, "object");
  const char *name = ferry_json_str(object, "metadata.name");
  g_assert_nonnull(name);
  json_t *before = g_hash_table_lookup(copy, name);
  g_assert_cmpint(before == NULL, ==, g_str_equal(type, "ADDED"));
  const char *old = ferry_json_str(before, "metadata.resourceVersion");
  const char *now = ferry_json_str(object, "metadata.resourceVersion");
  if (old)
    g_assert_cmpint(g_ascii_strtoll(now, NULL, 10), >, g_ascii_strtoll(old, NULL, 10));
  if (g_str_equal(type, "DELETED"))
    g_hash_table_remove(copy, name);
  else
    g_hash_table_replace(copy, g_strdup(name), json_incref(object));
}

static void pages_and_changes(Server *s, gconstpointer data) {
  make_many(s, &ferry_kind_vmi);
  Stream stream = {.server = s, .act = change_vms, .step = 2500000};
  g_assert_cmpint(read_all(&stream, ALL "2", NULL), ==, CURLE_OK);
  g_assert_cmpuint(stream.acts, >=, 3);
  g_autoptr(GHashTable) copy =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  g_auto(GStrv) lines = g_strsplit(stream.text->str, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    g_autoptr(json_t) event = *lines[i] ? json_loads(lines[i], 0, NULL) : NULL;
    if (event)
      follow(copy, event);
  }
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmi, "default", NULL);
  g_assert_cmpuint(g_hash_table_size(copy), ==, all->len);
  for (guint i = 0; i < all->len; i++) {
    const char *name = ferry_json_str(all->pdata[i], "metadata.name");
    g_assert_true(json_equal(g_hash_table_lookup(copy, name), all->pdata[i]));
  }
  g_string_free(stream.text, TRUE);
}

/* Each migration is a `state` or was told of by its changes; the first id is the end of the pages,
 * and no id goes back. */
static void event_pages_and_changes(Server *s, gconstpointer data) {
  make_many(s, &ferry_kind_vmim);
  Stream stream = {.server = s, .act = change_migrations, .step = 2500000};
  g_assert_cmpint(read_all(&stream, EVENTS "2", NULL), ==, CURLE_OK);
  g_assert_cmpuint(stream.acts, >=, 3);
  g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) lines = g_strsplit(stream.text->str, "\n", -1);
  gint64 id = 0;
  for (gsize i = 0; lines[i]; i++) {
    if (g_str_has_prefix(lines[i], "id: ")) {
      gint64 next = g_ascii_strtoll(lines[i] + 4, NULL, 10);
      g_assert_cmpint(next, >, id);
      id = next;
    }
    if (!g_str_has_prefix(lines[i], "data: "))
      continue;
    g_autoptr(json_t) event = json_loads(lines[i] + 6, 0, NULL);
    const char *name = ferry_json_str(event, "migration");
    if (g_str_equal(lines[i - 1], "event: state")) {
      g_assert_cmpint(id, ==, 0);
      g_assert_false(g_hash_table_contains(known, name));
    }
    if (g_str_equal(lines[i - 1], "event: deleted"))
      g_assert_true(g_hash_table_remove(known, name));
    else
      g_hash_table_replace(known, g_strdup(name), NULL);
  }
  g_assert_cmpint(id, ==, ferry_store_revision(s->store));
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_vmim, "default", NULL);
  g_assert_cmpuint(g_hash_table_size(known), ==, all->len);
  g_string_free(stream.text, TRUE);
}

/* ---- readers that don't keep up ---- */

static void rush(Stream *stream) {
  if (stream->acts == 1)
    for (guint i = 0; i < 40; i++)
      write_object(stream->server, FERRY_WRITE_UPDATE, &ferry_kind_vmi, "vm-001");
}

static void falls_off_the_log(Server *s, gconstpointer data) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  const FerryStoreOptions options = {.log_entries = 20};
  s->dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL);
  s->store = ferry_store_open(NULL, &options, NULL);
  FerryApiConfig config = {.store = s->store, .state_dir = s->dir, .listen = listen};
  s->api = ferry_api_new(&config, NULL);
  g_assert_nonnull(s->api);
  make_many(s, &ferry_kind_vmi);
  Stream stream = {.server = s, .act = rush, .step = 1};
  g_assert_cmpint(read_all(&stream, ALL "60", NULL), ==, CURLE_OK);
  const char *last = g_strrstr(stream.text->str, "{\"type\":");
  g_autoptr(json_t) event = json_loads(last, 0, NULL);
  g_assert_cmpstr(ferry_json_str(event, "type"), ==, "ERROR");
  g_assert_cmpint(ferry_json_int(event, "object.code", 0), ==, 410);
  g_assert_true(wait_for_streams(s, 0));
  g_string_free(stream.text, TRUE);
}

static void stall(Stream *stream) {
  if (stream->acts == 1)
    g_assert_true(wait_for_streams(stream->server, 0));
}

static void stalled_is_closed(Server *s, gconstpointer data) {
  make_many(s, &ferry_kind_vmi);
  Stream stream = {.server = s, .act = stall, .step = 1};
  g_assert_cmpint(read_all(&stream, ALL "60", NULL), !=, CURLE_OK);
  g_assert_cmpuint(stream.acts, >=, 1);
  g_string_free(stream.text, TRUE);
}

/* ---- how many, and whose ---- */

typedef struct {
  Stream stream;
  const char *path, *token;
  gint64 ended_us;
} Reader;

static gpointer read_in_thread(gpointer data) {
  Reader *r = data;
  read_all(&r->stream, r->path, r->token);
  r->ended_us = g_get_monotonic_time();
  return NULL;
}

static GThread *begin(Reader *r, Server *s, const char *path, const char *token) {
  *r = (Reader){.stream.server = s, .path = path, .token = token};
  guint before = open_streams(s);
  GThread *thread = g_thread_new("reader", read_in_thread, r);
  g_assert_true(wait_for_streams(s, before + 1));
  return thread;
}

/* A viewer's streams end within a second of the DELETE at `path`, and say `code`; nobody else's do.
 */
static void ends_with(Server *s, const char *path, const char *code) {
  g_autofree char *token = viewer_token(s, "eve");
  g_autofree char *said = g_strconcat("\"code\":", code, NULL);
  g_autofree char *event = g_strconcat("event: error\ndata: {", said, NULL);
  Reader watch, events, other;
  GThread *threads[] = {begin(&watch, s, ALL "30&resourceVersion=1", token),
                        begin(&events, s, EVENTS "30", token), begin(&other, s, ALL "4", NULL)};
  gint64 revoked_us = g_get_monotonic_time();
  g_autoptr(Answer) a = http(s, "DELETE", path, NULL);
  expect(a, 200);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  gint64 took_us = MAX(watch.ended_us, events.ended_us) - revoked_us;
  g_test_message("ended %d ms after %s", (int)(took_us / 1000), path);
  g_assert_cmpint(took_us, <, 2 * G_USEC_PER_SEC); /* of a busy machine; meant is one */
  g_assert_nonnull(strstr(watch.stream.text->str, "\"type\":\"ERROR\""));
  g_assert_nonnull(strstr(watch.stream.text->str, said));
  g_assert_nonnull(strstr(events.stream.text->str, event));
  g_assert_null(strstr(other.stream.text->str, said));
  g_string_free(watch.stream.text, TRUE);
  g_string_free(events.stream.text, TRUE);
  g_string_free(other.stream.text, TRUE);
}

static void ends_with_the_credential(Server *s, gconstpointer data) {
  ends_with(s, USERS "/eve", "401");
}

static void ends_with_the_binding(Server *s, gconstpointer data) {
  ends_with(s, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ferry:viewers", "403");
}

static void ends_with_the_role(Server *s, gconstpointer data) {
  ends_with(s, "/apis/rbac.authorization.k8s.io/v1/clusterroles/view", "403");
}

/* Who has the right by another way goes on, whatever else is changed. */
static void goes_on_with_another_right(Server *s, gconstpointer data) {
  static const char body[] =
      "{\"metadata\":{\"name\":\"eve\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"view\"},"
      "\"subjects\":[{\"kind\":\"User\",\"name\":\"eve\"}]}";
  g_autofree char *token = viewer_token(s, "eve");
  g_autoptr(Answer) made =
      http(s, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", body);
  expect(made, 201);
  Reader watch;
  GThread *thread = begin(&watch, s, ALL "2", token);
  g_autoptr(Answer) a = http(
      s, "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ferry:viewers", NULL);
  expect(a, 200);
  g_thread_join(thread);
  g_assert_null(strstr(watch.stream.text->str, "ERROR"));
  g_string_free(watch.stream.text, TRUE);
}

/* ---- turns ---- */

static gint pauses;

/* In the place of the HTTP library's, which it calls: how often a connection let others go first.
 */
void MHD_suspend_connection(struct MHD_Connection *connection) {
  static void (*real)(struct MHD_Connection *);
  if (!g_atomic_pointer_get(&real))
    g_atomic_pointer_set(&real, (void (*)(struct MHD_Connection *))dlsym(RTLD_NEXT, __func__));
  g_atomic_int_inc(&pauses);
  real(connection);
}

static guint pauses_of(Server *s, const char *path) {
  Stream stream = {.server = s};
  gint before = g_atomic_int_get(&pauses);
  g_assert_cmpint(read_all(&stream, path, NULL), ==, CURLE_OK);
  g_string_free(stream.text, TRUE);
  return (guint)(g_atomic_int_get(&pauses) - before);
}

/* A stream that looks at much and tells nothing of it gives way to others between its looks, at
 * what is there as at what changes. */
static void looks_in_turns(Server *s, gconstpointer data) {
  make_many(s, &ferry_kind_vmi);
  make_many(s, &ferry_kind_vmim);
  static const char *const nothing[] = {
      VMI "?watch=1&timeoutSeconds=1&labelSelector=no",
      VMIM "?watch=1&timeoutSeconds=1&labelSelector=no", EVENTS "1&migration=none",
      VMI "?watch=1&timeoutSeconds=1&labelSelector=no&resourceVersion=1"};
  for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
    guint n = pauses_of(s, nothing[i]);
    g_test_message("%s: %u", nothing[i], n);
    g_assert_cmpuint(n, >=, N / FERRY_STREAM_TURN);
  }
}

static void too_many(Server *s, gconstpointer data) {
  g_autofree char *token = viewer_token(s, "eve");
  Reader first, second, third;
  GThread *threads[] = {begin(&first, s, ALL "60", NULL), begin(&second, s, EVENTS "60", NULL)};
  g_autoptr(Answer) own = http(s, "GET", ALL "1", NULL);
  expect(own, 429);
  g_assert_nonnull(strstr(own->headers, "Retry-After: "));
  g_assert_nonnull(strstr(own->body, "at most 3 and 2"));
  g_autoptr(Answer) events = http(s, "GET", EVENTS "1", NULL);
  expect(events, 429);
  GThread *last = begin(&third, s, ALL "60", token);
  g_autofree char *header = g_strconcat("Authorization: Bearer ", token, NULL);
  g_autoptr(Answer) all = http_full(s, NULL, "GET", ALL "1", header, NULL, 0);
  expect(all, 429);
  g_autoptr(Answer) get = http(s, "GET", VMI "/db", NULL);
  expect(get, 200);
  g_autofree char *other = viewer_token(s, "bob");
  g_autofree char *other_header = g_strconcat("Authorization: Bearer ", other, NULL);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/eve", NULL);
  expect(gone, 200);
  g_thread_join(last);
  g_assert_true(wait_for_streams(s, 2));
  g_autoptr(Answer) again = http_full(s, NULL, "GET", ALL "1", other_header, NULL, 0);
  expect(again, 200);
  ferry_api_free(g_steal_pointer(&s->api)); /* ends the others */
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_string_free(first.stream.text, TRUE);
  g_string_free(second.stream.text, TRUE);
  g_string_free(third.stream.text, TRUE);
}

/* Where all that are served are taken, one of who has most ends for a user who has none; not for
 * one who would then have as many. */
static void crowds_give_way(Server *s, gconstpointer data) {
  static const char *const names[] = {"eve", "bob", "cyd"};
  char *headers[G_N_ELEMENTS(names)], *tokens[G_N_ELEMENTS(names)];
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    tokens[i] = viewer_token(s, names[i]);
    headers[i] = g_strconcat("Authorization: Bearer ", tokens[i], NULL);
  }
  Reader own[2], other;
  GThread *threads[] = {begin(&own[0], s, ALL "60", NULL), begin(&own[1], s, EVENTS "60", NULL)};
  GThread *eve = begin(&other, s, ALL "60", tokens[0]);
  g_assert_cmpfloat(metric(s, "ferry_api_user_streams{user=\"admin\"}"), ==, 2);
  g_assert_cmpfloat(metric(s, "ferry_api_user_streams{user=\"eve\"}"), ==, 1);
  g_assert_cmpfloat(metric(s, "ferry_api_user_stream_buffered_bytes{user=\"eve\"}"), >, 0);
  g_autoptr(Answer) bob = http_full(s, NULL, "GET", ALL "2", headers[1], NULL, 0);
  expect(bob, 200);
  g_assert_true(wait_for_streams(s, 2));
  g_autoptr(Answer) third = http_full(s, NULL, "GET", EVENTS "1", headers[2], NULL, 0);
  expect(third, 200); /* there is room */
  g_assert_null(strstr(third->body, "\"code\":429"));
  ferry_api_free(g_steal_pointer(&s->api)); /* ends the others */
  guint sent_away = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
    g_thread_join(threads[i]);
    sent_away += strstr(own[i].stream.text->str, "\"code\":429") != NULL;
    g_string_free(own[i].stream.text, TRUE);
  }
  g_thread_join(eve);
  g_assert_cmpuint(sent_away, ==, 1);
  g_assert_null(strstr(other.stream.text->str, "\"code\":429"));
  g_string_free(other.stream.text, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_free(tokens[i]);
    g_free(headers[i]);
  }
}

/* Clients that go away as soon as they have asked, also while it is answered, leave none. */
static void clients_that_go_at_once(Server *s, gconstpointer data) {
  static const char *const asks[] = {"GET " ALL "60 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                     "GET " EVENTS "60 HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  const struct linger reset = {.l_onoff = 1};
  for (guint i = 0; i < 120; i++) {
    Raw *raw = raw_new(s, "127.0.0.3", "admin");
    raw_send(raw, asks[i % 2], -1);
    if (i % 3) /* not all find the server in the same place */
      g_usleep(i * 20);
    setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    raw_free(raw);
  }
  g_assert_true(wait_for_streams(s, 0));
}

/* Nothing is kept for who reads by pages, so one may begin as many lists as he likes; a page whose
 * revision the log has left says so. */
static void pages_hold_nothing(Server *s, gconstpointer data) {
  g_autofree char *tokens[100] = {NULL};
  for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
    g_autoptr(Answer) a = http(s, "GET", VMI "?limit=1", NULL);
    tokens[i] = g_uri_escape_string(ferry_json_str(a->json, "metadata.continue"), NULL, FALSE);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
    g_autofree char *path = g_strdup_printf(VMI "?limit=1&continue=%s", tokens[i]);
    g_autoptr(Answer) a = http(s, "GET", path, NULL);
    expect(a, 200);
    g_free(g_steal_pointer(&tokens[i]));
  }
}

int main(int argc, char **argv) {
  static const FerryHttpLimits few = {.streams = 3, .streams_per_identity = 2};
  static const FerryHttpLimits impatient = {.stall_ms = 500};
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f, limits) g_test_add("/api/streams/" #f, Server, limits, server_up, f, server_down)
  ADD(pages_and_changes, NULL);
  ADD(event_pages_and_changes, NULL);
  g_test_add("/api/streams/falls_off_the_log", Server, NULL, NULL, falls_off_the_log, server_down);
  ADD(stalled_is_closed, &impatient);
  ADD(ends_with_the_credential, NULL);
  ADD(ends_with_the_binding, NULL);
  ADD(ends_with_the_role, NULL);
  ADD(goes_on_with_another_right, NULL);
  ADD(looks_in_turns, NULL);
  ADD(too_many, &few);
  ADD(crowds_give_way, &few);
  ADD(clients_that_go_at_once, NULL);
  ADD(pages_hold_nothing, NULL);
  return g_test_run();
}
