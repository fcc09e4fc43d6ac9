// SPDX-License-Identifier: Apache-2.0
// Sessions of browsers: what a cookie may do, with and without the token for writes, and each way
// in which a session and a link end.
#include "../http.h"

#define USERS "/apis/ferry.migration/v1/users"
#define USER(name)                                                                                 \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"User\",\"metadata\":{\"name\":\"" name        \
  "\"},\"spec\":{\"groups\":[\"ferry:viewers\",\"system:masters\"]}}"

typedef struct {
  char *cookie, *csrf; /* header lines */
} Session;

static void session_clear(Session *session) {
  g_free(session->cookie);
  g_free(session->csrf);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static char *made_token(Server *s, const char *name) {
  g_autofree char *path = g_strdup_printf(USERS "/%s/token", name);
  g_autoptr(Answer) a = http(s, "POST", path, "{}");
  expect(a, 201);
  return g_strdup(ferry_json_str(a->json, "token"));
}

static Answer *with_token(Server *s, const char *token, const char *method, const char *path,
                          const char *body) {
  g_autofree char *header = g_strconcat("Authorization: Bearer ", token, NULL);
  return http_full(s, NULL, method, path, header, body, -1);
}

/* The cookie of an answer as a browser would send it back. */
static void take_session(Session *session, const Answer *a) {
  const char *line = strstr(a->headers, "Set-Cookie: ");
  g_assert_nonnull(line);
  const char *value = line + strlen("Set-Cookie: ");
  g_assert_true(g_str_has_prefix(value, "__Host-ferry-session="));
  g_autofree char *all = g_strndup(value, strcspn(value, "\r\n"));
  static const char *const needed[] = {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"};
  for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
    g_assert_nonnull(strstr(all, needed[i]));
  g_assert_null(strstr(all, "Domain"));
  session->cookie = g_strdup_printf("Cookie: %.*s", (int)strcspn(all, ";"), all);
  session->csrf = g_strconcat("Ferry-CSRF: ", ferry_json_str(a->json, "csrf"), NULL);
}

static void begin(Server *s, const char *token, Session *session) {
  g_autoptr(Answer) a = with_token(s, token, "POST", "/web/session", "{}");
  expect(a, 201);
  take_session(session, a);
}

/* The status of a request with a session's cookie and more header lines. */
static long asked(Server *s, const Session *session, const char *more, const char *method,
                  const char *path, const char *body) {
  g_autofree char *headers = g_strconcat(session->cookie, "\n", more, NULL);
  g_autoptr(Answer) a = http_full(s, NULL, method, path, headers, body, -1);
  return a->status;
}

static void writes_need_the_token(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *token = made_token(s, "eve");
  g_auto(Session) one = {0}, other = {0};
  begin(s, token, &one);
  begin(s, token, &other);
  const char *create = MIGRATION("m", "db");
  g_assert_cmpint(asked(s, &one, "", "GET", VMI, NULL), ==, 200);
  g_assert_cmpint(asked(s, &one, "", "POST", VMIM "?dryRun=All", create), ==, 403);
  g_assert_cmpint(asked(s, &one, "Ferry-CSRF: ", "POST", VMIM "?dryRun=All", create), ==, 403);
  g_assert_cmpint(asked(s, &one, other.csrf, "POST", VMIM "?dryRun=All", create), ==, 403);
  g_assert_cmpint(asked(s, &one, "", "DELETE", "/web/session", NULL), ==, 403);
  long let_in = asked(s, &one, one.csrf, "POST", VMIM "?dryRun=All", create);
  g_assert_true(let_in == 201 || let_in == 422);
  /* another site's page, though it knew the token */
  g_autofree char *foreign = g_strconcat(one.csrf, "\nOrigin: https://evil.example", NULL);
  g_assert_cmpint(asked(s, &one, foreign, "POST", VMIM "?dryRun=All", create), ==, 403);
  static const char *const sites[] = {"cross-site", "same-site"};
  for (gsize i = 0; i < G_N_ELEMENTS(sites); i++) {
    g_autofree char *line = g_strconcat("Sec-Fetch-Site: ", sites[i], NULL);
    g_assert_cmpint(asked(s, &one, line, "GET", VMI, NULL), ==, 401);
  }
  g_assert_cmpint(asked(s, &one, "Sec-Fetch-Site: same-origin", "GET", VMI, NULL), ==, 200);
}

static void cookies_that_are_no_good(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *token = made_token(s, "eve");
  g_auto(Session) good = {0};
  begin(s, token, &good);
  const char *value = strchr(good.cookie, '=') + 1;
  g_autofree char *changed = g_strdup(value);
  changed[strlen(changed) - 1] = changed[strlen(changed) - 1] == '0' ? '1' : '0';
  g_autofree char *upper = g_ascii_strup(value, -1);
  g_autofree char *twice = g_strdup_printf("%s; __Host-ferry-session=%s", value, value);
  const char *bad[] = {"", "x", changed, upper, twice, ".", "0000000000000000."};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *line = g_strdup_printf("Cookie: __Host-ferry-session=%s", bad[i]);
    Session session = {.cookie = line};
    g_assert_cmpint(asked(s, &session, "", "GET", VMI, NULL), ==, 401);
    g_assert_cmpint(asked(s, &session, "", "GET", "/web/", NULL), ==, 200); /* to log in again */
  }
  g_autofree char *lines = g_strconcat(good.cookie, "\n", good.cookie, NULL);
  Session two = {.cookie = lines};
  g_assert_cmpint(asked(s, &two, "", "GET", VMI, NULL), ==, 400);
  g_autofree char *among = g_strdup_printf("Cookie: a=b; __Host-ferry-session=%s; c=d", value);
  Session third = {.cookie = among};
  g_assert_cmpint(asked(s, &third, "", "GET", VMI, NULL), ==, 200);
}

static void ends(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *first = made_token(s, "eve");
  g_autofree char *second = made_token(s, "eve");
  g_auto(Session) out = {0}, revoked = {0}, deleted = {0};
  begin(s, first, &out);
  begin(s, first, &revoked);
  begin(s, second, &deleted);
  g_assert_cmpint(asked(s, &out, out.csrf, "DELETE", "/web/session", NULL), ==, 200);
  g_assert_cmpint(asked(s, &out, "", "GET", VMI, NULL), ==, 401);
  g_assert_cmpint(asked(s, &revoked, "", "GET", VMI, NULL), ==, 200);
  /* with the credential that began it */
  g_auto(GStrv) parts = g_strsplit(first, ".", 3);
  g_autofree char *body = g_strdup_printf("{\"id\":\"%s\"}", parts[1]);
  g_autoptr(Answer) revocation = http(s, "POST", USERS "/eve/revoke", body);
  expect(revocation, 200);
  g_assert_cmpint(asked(s, &revoked, "", "GET", VMI, NULL), ==, 401);
  g_assert_cmpint(asked(s, &deleted, "", "GET", VMI, NULL), ==, 200);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/eve", NULL);
  expect(gone, 200);
  g_assert_cmpint(asked(s, &deleted, "", "GET", VMI, NULL), ==, 401);
}

static char *made_link(Server *s, const char *token) {
  g_autoptr(Answer) a = with_token(s, token, "POST", "/web/link", "{}");
  expect(a, 201);
  return g_strdup_printf("{\"token\":\"%s\"}", ferry_json_str(a->json, "token"));
}

static long redeemed(Server *s, const char *link, Session *session) {
  g_autoptr(Answer) a = http_full(s, NULL, "POST", "/web/link/redeem", NULL, link, -1);
  if (a->status == 201)
    take_session(session, a);
  return a->status;
}

static void links(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *token = made_token(s, "eve");
  g_autofree char *link = made_link(s, token);
  g_auto(Session) session = {0}, none = {0};
  g_assert_cmpint(redeemed(s, link, &session), ==, 201);
  g_assert_cmpint(redeemed(s, link, &none), ==, 401); /* once */
  g_autofree char *headers = g_strconcat(session.cookie, "\n", session.csrf, NULL);
  g_autoptr(Answer) me = http_full(s, NULL, "GET", "/web/session", headers, NULL, 0);
  g_assert_cmpstr(ferry_json_str(me->json, "user"), ==, "eve");
  /* a session can neither prolong itself nor make a way in for later */
  g_assert_cmpint(asked(s, &session, session.csrf, "POST", "/web/session", "{}"), ==, 403);
  g_assert_cmpint(asked(s, &session, session.csrf, "POST", "/web/link", "{}"), ==, 403);
  /* the next one takes its place in the browser */
  g_autofree char *next = made_link(s, token);
  g_autoptr(Answer) again = http_full(s, NULL, "POST", "/web/link/redeem", headers, next, -1);
  expect(again, 201);
  g_assert_cmpint(asked(s, &session, "", "GET", VMI, NULL), ==, 401);
  /* nor does a link outlive its user */
  g_autofree char *late = made_link(s, token);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/eve", NULL);
  expect(gone, 200);
  g_assert_cmpint(redeemed(s, late, &none), ==, 401);
  static const char *const bad[] = {"{}", "[]", "{\"token\":1}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_cmpint(redeemed(s, bad[i], &none), ==, 400);
}

static void who_has_none(Server *s, gconstpointer data) {
  g_autoptr(Answer) stranger = http_full(s, NULL, "POST", "/web/session", NULL, "{}", -1);
  expect(stranger, 401);
  g_autoptr(Answer) as =
      http_full(s, "admin", "POST", "/web/session",
                "Impersonate-User: ann\nImpersonate-Group: system:masters", "{}", -1);
  expect(as, 403);
  g_autoptr(Answer) nobody = http_full(s, NULL, "GET", "/web/session", NULL, NULL, 0);
  expect(nobody, 200);
  g_assert_cmpstr(nobody->body, ==, "{}");
}

/* The newest sixteen stay: nobody fills the store with them. */
static void few(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *token = made_token(s, "eve");
  g_auto(Session) oldest = {0};
  begin(s, token, &oldest);
  for (guint i = 0; i < 16; i++) {
    g_auto(Session) session = {0};
    g_usleep(2000); /* a millisecond is what tells which is older */
    begin(s, token, &session);
  }
  g_assert_cmpint(asked(s, &oldest, "", "GET", VMI, NULL), ==, 401);
}

/* ---- time ---- */

static _Atomic gint64 wall_ms;

static gint64 read_wall(gpointer data) {
  return wall_ms;
}

static gint64 read_monotonic(gpointer data) {
  return g_get_monotonic_time();
}

static void end_in_time(void) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  static const FerryClock clock = {.monotonic_us = read_monotonic, .wall_ms = read_wall};
  Server s = {0};
  wall_ms = g_get_real_time() / 1000;
  s.dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL);
  s.store = ferry_store_open(NULL, NULL, NULL);
  FerryApiConfig config = {.store = s.store, .state_dir = s.dir, .listen = listen, .clock = &clock};
  s.api = ferry_api_new(&config, NULL);
  g_assert_nonnull(s.api);
  g_autoptr(Answer) made = http(&s, "POST", USERS, USER("eve"));
  expect(made, 201);
  g_autofree char *token = made_token(&s, "eve");
  g_autofree char *link = made_link(&s, token);
  g_autofree char *late = made_link(&s, token);
  g_auto(Session) session = {0}, none = {0};
  wall_ms += 59000;
  g_assert_cmpint(redeemed(&s, link, &session), ==, 201);
  wall_ms += 2000;
  g_assert_cmpint(redeemed(&s, late, &none), ==, 401);
  wall_ms += (gint64)11 * 3600 * 1000;
  g_assert_cmpint(asked(&s, &session, "", "GET", "/web/session", NULL), ==, 200);
  g_assert_cmpint(asked(&s, &session, "", "GET", USERS, NULL), ==, 200);
  wall_ms += (gint64)3600 * 1000;
  g_assert_cmpint(asked(&s, &session, "", "GET", USERS, NULL), ==, 401);
  server_down(&s, NULL);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  http_keep_connections();
#define ADD(name, func)                                                                            \
  g_test_add("/api/sessions/" name, Server, NULL, server_up, func, server_down)
  ADD("writes-need-the-token", writes_need_the_token);
  ADD("bad-cookies", cookies_that_are_no_good);
  ADD("ends", ends);
  ADD("links", links);
  ADD("who-has-none", who_has_none);
  ADD("few", few);
  g_test_add_func("/api/sessions/time", end_in_time);
  return g_test_run();
}
