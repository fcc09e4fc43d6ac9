// SPDX-License-Identifier: Apache-2.0
// Users on a server of this process: their tokens and certificates, who may make them, and each way
// in which they end, on open connections too.
#include "csr.h"

#define USERS "/apis/ferry.migration/v1/users"
#define USER(name, groups)                                                                         \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"User\",\"metadata\":{\"name\":\"" name        \
  "\"},\"spec\":{\"groups\":[" groups "]}}"

static Answer *by_token(Server *s, const char *token, const char *method, const char *path,
                        const char *body) {
  g_autofree char *header = g_strconcat("Authorization: Bearer ", token, NULL);
  return http_full(s, NULL, method, path, header, body, -1);
}

#define status_by_token(s, token, path)                                                            \
  ({                                                                                               \
    g_autoptr(Answer) a_ = by_token(s, token, "GET", path, NULL);                                  \
    a_->status;                                                                                    \
  })

static void make_user(Server *s, const char *body) {
  g_autoptr(Answer) a = http(s, "POST", USERS, body);
  expect(a, 201);
}

static char *make_token(Server *s, const char *name, char **id) {
  g_autofree char *path = g_strdup_printf(USERS "/%s/token", name);
  g_autoptr(Answer) a = http(s, "POST", path, "{\"expirationSeconds\":3600}");
  expect(a, 201);
  if (id)
    *id = g_strdup(ferry_json_str(a->json, "id"));
  return g_strdup(ferry_json_str(a->json, "token"));
}

static void token_life(Server *s, gconstpointer data) {
  make_user(s, USER("eve", "\"ferry:viewers\""));
  g_autofree char *id = NULL;
  g_autofree char *token = make_token(s, "eve", &id);
  g_autofree char *second = make_token(s, "eve", NULL);
  g_assert_cmpint(status_by_token(s, token, VMI), ==, 200);
  g_autoptr(Answer) write = by_token(s, token, "POST", VMIM, MIGRATION("m", "db"));
  expect(write, 403);
  g_autoptr(Answer) me =
      by_token(s, token, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
               "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":"
               "\"SelfSubjectReview\"}");
  g_assert_nonnull(strstr(me->body, "\"eve\""));
  g_autoptr(Answer) shown = http(s, "GET", USERS "/eve", NULL);
  g_assert_cmpuint(json_array_size(ferry_json_get(shown->json, "status.credentials")), ==, 2);
  /* neither the secret nor its hash is in anything that is served */
  const char *secret = strrchr(token, '.') + 1;
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  g_assert_null(strstr(shown->body, secret));
  g_assert_null(strstr(shown->body, hash));
  g_autofree char *revocation = g_strdup_printf("{\"id\":\"%s\"}", id);
  g_autoptr(Answer) revoked = http(s, "POST", USERS "/eve/revoke", revocation);
  expect(revoked, 200);
  g_autoptr(Answer) after = by_token(s, token, "GET", VMI, NULL);
  expect(after, 401);
  g_assert_nonnull(strstr(after->body, "was revoked at"));
  g_assert_cmpint(status_by_token(s, second, VMI), ==, 200);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/eve", NULL);
  expect(gone, 200);
  g_autoptr(Answer) late = by_token(s, second, "GET", VMI, NULL);
  expect(late, 401);
  g_assert_nonnull(strstr(late->body, "was deleted"));
  /* the next user of that name is somebody else */
  make_user(s, USER("eve", "\"ferry:viewers\""));
  g_assert_cmpint(status_by_token(s, second, VMI), ==, 401);
}

static void internal_kinds_are_not_served(Server *s, gconstpointer data) {
  make_user(s, USER("eve", ""));
  g_autofree char *token = make_token(s, "eve", NULL);
  static const char *const paths[] = {"/apis/internal.ferry.migration/v1/credentials",
                                      "/apis/internal.ferry.migration/v1",
                                      "/apis/internal.ferry.migration/v1/revocations"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) a = http(s, "GET", paths[i], NULL);
    expect(a, 404);
  }
  g_autoptr(Answer) groups = http(s, "GET", "/apis", NULL);
  g_assert_null(strstr(groups->body, "internal.ferry"));
}

static void bad_tokens(Server *s, gconstpointer data) {
  make_user(s, USER("eve", "\"ferry:viewers\""));
  g_autofree char *token = make_token(s, "eve", NULL);
  g_autofree char *other = g_strdup(token);
  gsize last = strlen(other) - 1;
  other[last] = other[last] == '0' ? '1' : '0';
  g_autofree char *cut = g_strndup(token, last);
  g_autofree char *longer = g_strconcat(token, "0", NULL);
  g_autofree char *upper = g_ascii_strup(token, -1);
  const char *bad[] = {other, cut, longer, upper, "ferrytoken.0123456789abcdef.x", "ferrytoken.."};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_cmpint(status_by_token(s, bad[i], VMI), ==, 401);
  g_assert_cmpint(status_by_token(s, token, VMI), ==, 200);
}

static void certificates(Server *s, gconstpointer data) {
  make_user(s, USER("carl", "\"ferry:viewers\""));
  g_autofree char *csr = make_csr(s, "carl", "admin"); /* wants to be more than it is */
  g_autoptr(json_t) wish = json_pack("{s:s, s:i}", "csr", csr, "expirationSeconds", 7200);
  g_autofree char *text = ferry_json_dump(wish);
  g_autoptr(Answer) made = http(s, "POST", USERS "/carl/certificate", text);
  expect(made, 201);
  write_certificate(s, "carl", made);
  g_autoptr(Answer) reads = http_full(s, "carl", "GET", VMI, NULL, NULL, 0);
  expect(reads, 200);
  g_autoptr(Answer) writes = http_full(s, "carl", "POST", VMIM, NULL, MIGRATION("m", "db"), -1);
  expect(writes, 403);
  /* which groups he is in, the User says, not the certificate */
  g_autoptr(Answer) less =
      http_full(s, "admin", "PATCH", USERS "/carl", MERGE, "{\"spec\":{\"groups\":[]}}", -1);
  expect(less, 200);
  g_autoptr(Answer) refused = http_full(s, "carl", "GET", VMI, NULL, NULL, 0);
  expect(refused, 403);
  g_autoptr(Answer) gone = http(s, "DELETE", USERS "/carl", NULL);
  expect(gone, 200);
  g_autoptr(Answer) after = http_full(s, "carl", "GET", VMI, NULL, NULL, 0);
  expect(after, 401);
}

static void what_is_refused(Server *s, gconstpointer data) {
  static const struct {
    const char *body;
    long status;
  } bad[] = {{USER("admin", ""), 422},
             {USER("system:masters", ""), 422},
             {USER("system:node:h1", ""), 422},
             {USER("x", "\"\""), 422},
             {USER("x", "1"), 400}};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Answer) a = http(s, "POST", USERS, bad[i].body);
    if (a->status != 422)
      expect(a, bad[i].status);
  }
  make_user(s, USER("mia", "\"ferry:viewers\""));
  static const char *const lives[] = {"{\"expirationSeconds\":0}",
                                      "{\"expirationSeconds\":-5}",
                                      "{\"expirationSeconds\":\"1h\"}",
                                      "[]",
                                      "7",
                                      "{\"expirationSeconds\":1e99}"};
  for (gsize i = 0; i < G_N_ELEMENTS(lives); i++) {
    g_autoptr(Answer) a = http(s, "POST", USERS "/mia/token", lives[i]);
    expect(a, 400);
  }
  g_autoptr(Answer) status =
      http_full(s, "admin", "PATCH", USERS "/mia/status", MERGE,
                "{\"status\":{\"credentials\":[{\"id\":\"x\",\"type\":\"token\"}]}}", -1);
  expect(status, 403);
  g_autoptr(Answer) nobody = http(s, "POST", USERS "/nobody/token", "{}");
  expect(nobody, 404);
  g_autofree char *token = make_token(s, "mia", NULL);
  static const char *const mine[] = {USERS, USERS "/mia/token", USERS "/mia/revoke"};
  for (gsize i = 0; i < G_N_ELEMENTS(mine); i++) {
    g_autoptr(Answer) a = by_token(s, token, "POST", mine[i], USER("z", "\"system:masters\""));
    expect(a, 403);
  }
}

/* ---- time ---- */

static _Atomic gint64 fake_ms;

static gint64 fake_wall(gpointer data) {
  return fake_ms;
}

static gint64 fake_monotonic(gpointer data) {
  return g_get_monotonic_time();
}

static void ends_in_time(void) {
  fake_ms = g_get_real_time() / 1000;
  const FerryClock clock = {.monotonic_us = fake_monotonic, .wall_ms = fake_wall};
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  Server s = {.dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL),
              .store = ferry_store_open(NULL, NULL, NULL)};
  FerryApiConfig config = {.store = s.store, .state_dir = s.dir, .listen = listen, .clock = &clock};
  s.api = ferry_api_new(&config, NULL);
  seed_all(s.store);
  make_user(&s, USER("tim", "\"ferry:viewers\""));
  g_autofree char *id = NULL;
  g_autofree char *token = make_token(&s, "tim", NULL);
  g_autofree char *graced = make_token(&s, "tim", &id);
  g_autofree char *body = g_strdup_printf("{\"id\":\"%s\",\"graceSeconds\":600}", id);
  g_autoptr(Answer) later = http(&s, "POST", USERS "/tim/revoke", body);
  expect(later, 200);
  g_assert_cmpint(status_by_token(&s, graced, VMI), ==, 200);
  g_autoptr(Answer) shown = http(&s, "GET", USERS "/tim", NULL);
  const json_t *ending =
      ferry_json_find(ferry_json_get(shown->json, "status.credentials"), "id", id);
  g_assert_cmpstr(ferry_json_str(ending, "expiresAt"), ==, ferry_json_str(later->json, "endsAt"));
  fake_ms += (gint64)601 * 1000;
  g_assert_cmpint(status_by_token(&s, graced, VMI), ==, 401);
  g_assert_cmpint(status_by_token(&s, token, VMI), ==, 200);
  fake_ms += (gint64)3600 * 1000;
  g_autoptr(Answer) ended = by_token(&s, token, "GET", VMI, NULL);
  expect(ended, 401);
  g_assert_nonnull(strstr(ended->body, "ended at"));
  server_down(&s, NULL);
}

/* ---- tokens.json ---- */

static void write_file(Server *s, const char *token, const char *group) {
  g_autofree char *hash = ferry_sha256_hex(token, strlen(token));
  g_autofree char *text = token && *token
                              ? g_strdup_printf("{\"tokens\":[{\"hash\":\"%s\",\"user\":\"ci\","
                                                "\"groups\":[\"%s\"]}]}",
                                                hash, group)
                              : g_strdup("{\"tokens\":[]}");
  g_autofree char *path = g_build_filename(s->dir, "tokens.json", NULL);
  g_assert_true(ferry_file_write(path, text, strlen(text), 0600, NULL));
}

static gboolean becomes(Server *s, const char *token, long status) {
  gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC;
  do {
    if (status_by_token(s, token, VMI) == status)
      return TRUE;
    g_usleep(50000);
  } while (g_get_monotonic_time() < until);
  return FALSE;
}

static void file_is_read_again(Server *s, gconstpointer data) {
  static const char token[] = "a-token-that-was-made-by-hand";
  g_assert_cmpint(status_by_token(s, token, VMI), ==, 401);
  write_file(s, token, "ferry:viewers");
  g_assert_true(becomes(s, token, 200));
  write_file(s, token, "others");
  g_assert_true(becomes(s, token, 403));
  write_file(s, "", NULL);
  g_assert_true(becomes(s, token, 401));
  write_file(s, token, "ferry:viewers");
  g_assert_true(becomes(s, token, 200));
  g_autofree char *path = g_build_filename(s->dir, "tokens.json", NULL);
  g_remove(path);
  g_assert_true(becomes(s, token, 401));
  write_file(s, token, "ferry:viewers");
  g_assert_true(becomes(s, token, 200));
  g_assert_true(ferry_file_write(path, "\n", 1, 0600, NULL)); /* emptied: all are taken back */
  g_assert_true(becomes(s, token, 401));
  write_file(s, token, "ferry:viewers");
  g_assert_true(becomes(s, token, 200));
  g_assert_true(ferry_file_write(path, "{\"tokens\":[", 11, 0600, NULL)); /* half written */
  g_assert_false(becomes(s, token, 401));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* a half-written file warns */
#define ADD(name, func) g_test_add("/api/users/" name, Server, NULL, server_up, func, server_down)
  ADD("token", token_life);
  ADD("not-served", internal_kinds_are_not_served);
  ADD("bad-tokens", bad_tokens);
  ADD("certificates", certificates);
  ADD("refused", what_is_refused);
  ADD("tokens.json", file_is_read_again);
  g_test_add_func("/api/users/time", ends_in_time);
  return g_test_run();
}
