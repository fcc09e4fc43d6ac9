// SPDX-License-Identifier: Apache-2.0
// What goes with an object that ends, by whichever way it ends: a namespace's contents, a user's
// and a host's credentials.
#include "../auth/csr.h"

#define USERS "/apis/ferry.migration/v1/users"
#define NODES "/api/v1/nodes/"
#define SPACES "/api/v1/namespaces"
#define ROLES(ns) "/apis/rbac.authorization.k8s.io/v1/namespaces/" ns "/roles"
#define HELD "{\"metadata\":{\"finalizers\":[\"x.y/z\"]}}"
#define FREE "{\"metadata\":{\"finalizers\":null}}"

static long patched(Server *s, const char *path, const char *body) {
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", path, MERGE, body, -1);
  return a->status;
}

static char *token_of(Server *s, const char *name) {
  g_autofree char *body = g_strdup_printf(
      "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"groups\":[\"ferry:viewers\"]}}", name);
  g_autoptr(Answer) made = http(s, "POST", USERS, body);
  expect(made, 201);
  g_autofree char *path = g_strdup_printf(USERS "/%s/token", name);
  g_autoptr(Answer) a = http(s, "POST", path, "{}");
  expect(a, 201);
  return g_strdup(ferry_json_str(a->json, "token"));
}

static long by_token(Server *s, const char *token) {
  g_autofree char *header = g_strconcat("Authorization: Bearer ", token, NULL);
  g_autoptr(Answer) a = http_full(s, NULL, "GET", VMI, header, NULL, 0);
  return a->status;
}

/* As an older version left it: deleted, and kept by a finalizer. */
static void mark(Server *s, const FerryKind *kind, const char *name) {
  g_autoptr(json_t) old = ferry_store_get(s->store, kind, "", name);
  g_autoptr(json_t) marked = json_deep_copy(old);
  ferry_json_set(marked, "metadata.finalizers", json_pack("[s]", "x.y/z"));
  ferry_json_set_str(marked, "metadata.deletionTimestamp", "2026-11-28T00:00:00Z");
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE, .kind = kind, .ns = "", .name = name, .object = marked};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

static void user_despite_a_finalizer(Server *s, gconstpointer data) {
  g_autofree char *token = token_of(s, "eve");
  g_assert_cmpint(patched(s, USERS "/eve", HELD), ==, 200);
  g_assert_cmpint(by_token(s, token), ==, 200);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/eve", NULL);
  expect(gone, 200);
  g_assert_cmpint(by_token(s, token), ==, 401);
  g_autoptr(Answer) there = http(s, "GET", USERS "/eve", NULL);
  expect(there, 404);
}

static void marked_user_is_out(Server *s, gconstpointer data) {
  g_autofree char *token = token_of(s, "eve");
  mark(s, &ferry_kind_user, "eve");
  g_assert_cmpint(by_token(s, token), ==, 401);
  g_autoptr(Answer) more = http(s, "POST", USERS "/eve/token", "{}");
  expect(more, 409);
  /* its last finalizer goes, and it with its records: the next of that name is somebody else */
  g_assert_cmpint(patched(s, USERS "/eve", FREE), ==, 200);
  g_assert_null(ferry_store_get(s->store, &ferry_kind_user, "", "eve"));
  g_autofree char *id = g_strndup(token + strlen("ferrytoken."), 16);
  g_autofree char *name = g_strconcat("token-", id, NULL);
  static const FerryKind records = {.group = "internal.ferry.migration", .plural = "credentials"};
  g_autoptr(json_t) record = ferry_store_get(s->store, &records, "", name);
  g_assert_nonnull(ferry_json_get(record, "revoked"));
}

static long session(Server *s, const char *who) {
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/nodes/%s/session", who);
  g_autoptr(Answer) a =
      http_full(s, who, "POST", path, NULL, "{\"version\":\"v1\",\"mode\":\"local\"}", -1);
  return a->status;
}

static void marked_node_is_out(Server *s, gconstpointer data) {
  join_node(s, "n1");
  g_assert_cmpint(session(s, "n1"), ==, 201);
  g_autofree char *waiting = ferry_api_token_new(s->api, "n1", NULL);
  mark(s, &ferry_kind_node, "n1");
  g_assert_cmpint(session(s, "n1"), ==, 401);
  g_assert_cmpint(patched(s, NODES "n1", FREE), ==, 200);
  g_assert_null(ferry_store_get(s->store, &ferry_kind_node, "", "n1"));
  g_assert_cmpint(session(s, "n1"), ==, 401);
  g_assert_null(ferry_store_get(s->store, &ferry_kind_node, "", "n1"));
  /* a token that was made before lets nobody in */
  g_autoptr(Answer) late = try_join(s, waiting, "n1");
  expect(late, 401);
}

/* ---- namespaces ---- */

static void make_namespace(Server *s, const char *meta) {
  g_autofree char *body = g_strdup_printf("{\"metadata\":{\"name\":\"team\"%s}}", meta);
  g_autoptr(Answer) a = http(s, "POST", SPACES, body);
  expect(a, 201);
}

static void make_contents(Server *s) {
  g_autoptr(Answer) role = http(s, "POST", ROLES("team"),
                                "{\"metadata\":{\"name\":\"r\",\"finalizers\":[\"x.y/z\"]},"
                                "\"rules\":[]}");
  expect(role, 201);
}

static gboolean holds_something(Server *s) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    g_autoptr(GPtrArray) all =
        ferry_store_list(s->store, kinds[i], kinds[i]->namespaced ? "team" : NULL, NULL);
    if (kinds[i]->namespaced && all->len)
      return TRUE;
  }
  return FALSE;
}

static void namespace_takes_its_contents(Server *s, gconstpointer data) {
  make_namespace(s, "");
  make_contents(s);
  g_autoptr(Answer) gone = http(s, "DELETE", SPACES "/team", NULL);
  expect(gone, 200);
  g_assert_false(holds_something(s));
}

static void terminating_namespace_takes_nothing(Server *s, gconstpointer data) {
  make_namespace(s, ",\"finalizers\":[\"x.y/z\"]");
  make_contents(s);
  g_autoptr(Answer) marked = http(s, "DELETE", SPACES "/team", NULL);
  expect(marked, 200);
  g_assert_cmpstr(ferry_json_str(marked->json, "status.phase"), ==, "Terminating");
  g_assert_false(holds_something(s));
  static const struct {
    const char *method, *path, *type, *body;
  } ways[] = {
      {"POST", ROLES("team"), "Content-Type: application/json",
       "{\"metadata\":{\"name\":\"r\"},\"rules\":[]}"},
      {"POST", ROLES("team") "?dryRun=All", "Content-Type: application/json",
       "{\"metadata\":{\"name\":\"r\"},\"rules\":[]}"},
      {"PATCH", ROLES("team") "/r?fieldManager=x", "Content-Type: application/apply-patch+yaml",
       "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":"
       "\"r\"},\"rules\":[]}"},
      {"POST", SPACES "/team/events", "Content-Type: application/json",
       "{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"namespace\":\"team\"}}"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
    g_autoptr(Answer) a =
        http_full(s, "admin", ways[i].method, ways[i].path, ways[i].type, ways[i].body, -1);
    expect(a, 403);
    const json_t *cause = json_array_get(ferry_json_get(a->json, "details.causes"), 0);
    g_assert_cmpstr(ferry_json_str(cause, "reason"), ==, "NamespaceTerminating");
  }
  g_assert_cmpint(patched(s, SPACES "/team", FREE), ==, 200);
  g_assert_null(ferry_store_get(s->store, &ferry_kind_namespace, "", "team"));
  g_autoptr(Answer) none = http(s, "POST", ROLES("team"), ways[0].body);
  expect(none, 404);
}

/* What was made behind its back while it waited (an older version's) goes with the last finalizer.
 */
static void last_finalizer_takes_what_is_left(Server *s, gconstpointer data) {
  make_namespace(s, "");
  make_contents(s);
  mark(s, &ferry_kind_namespace, "team");
  g_assert_true(holds_something(s));
  g_assert_cmpint(patched(s, SPACES "/team", FREE), ==, 200);
  g_assert_null(ferry_store_get(s->store, &ferry_kind_namespace, "", "team"));
  g_assert_false(holds_something(s));
}

typedef struct {
  Server *s;
  gint stop; /* atomic */
  gint made; /* atomic */
} Maker;

static gpointer keep_making(gpointer data) {
  Maker *m = data;
  while (!g_atomic_int_get(&m->stop)) {
    g_autoptr(Answer) a =
        http(m->s, "POST", ROLES("team"), "{\"metadata\":{\"generateName\":\"r-\"},\"rules\":[]}");
    g_assert_true(a->status == 201 || a->status == 403 || a->status == 404);
    g_atomic_int_add(&m->made, a->status == 201);
  }
  return NULL;
}

/* Somebody makes things in it all the time: whenever it is gone, all of them are. */
static void race(Server *s, gconstpointer data) {
  Maker m = {.s = s};
  GThread *threads[2];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("maker", keep_making, &m);
  for (guint i = 0; i < 4; i++) {
    g_autoptr(Answer) made = http(s, "POST", SPACES, "{\"metadata\":{\"name\":\"team\"}}");
    expect(made, 201);
    gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
    while (!holds_something(s) && g_get_monotonic_time() < until)
      g_usleep(200);
    g_autoptr(Answer) gone = http(s, "DELETE", SPACES "/team", NULL);
    expect(gone, 200);
    g_assert_false(holds_something(s));
  }
  g_atomic_int_set(&m.stop, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_assert_false(holds_something(s));
  g_assert_cmpint(m.made, >, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(name, func) g_test_add("/api/end/" name, Server, NULL, server_up, func, server_down)
  ADD("user-despite-a-finalizer", user_despite_a_finalizer);
  ADD("marked-user", marked_user_is_out);
  ADD("marked-node", marked_node_is_out);
  ADD("namespace", namespace_takes_its_contents);
  ADD("terminating", terminating_namespace_takes_nothing);
  ADD("last-finalizer", last_finalizer_takes_what_is_left);
  ADD("race", race);
  return g_test_run();
}
