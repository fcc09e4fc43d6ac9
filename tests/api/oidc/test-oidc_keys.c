// SPDX-License-Identifier: Apache-2.0
// A provider's keys by file and over HTTPS, that change and go away; its users at the API. The
// provider is a small server of the test's own, which goes away, comes back, or is not whom it
// says.
#include "../http.h"
#include "api/auth/validity.h"
#include "jwt.h"

#include <microhttpd.h>

#define VIEW                                                                                       \
  "{\"apiVersion\":\"rbac.authorization.k8s.io/"                                                   \
  "v1\",\"kind\":\"ClusterRoleBinding\",\"metadata\":{"                                            \
  "\"name\":\"staff\"},\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":"          \
  "\"ClusterRole\",\"name\":\"view\"},\"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\","  \
  "\"kind\":\"Group\",\"name\":\"idp:staff\"}]}"

static _Atomic gint64 wall_ms; /* read by the server's threads */

static gint64 fake_wall(gpointer data) {
  return wall_ms;
}

static gint64 real_monotonic(gpointer data) {
  return g_get_monotonic_time();
}

static const FerryClock clock_of_test = {.monotonic_us = real_monotonic, .wall_ms = fake_wall};

static char *token_of(const TestKey *key, const char *kid, const char *issuer, const char *more) {
  g_autofree char *changes = g_strdup_printf("{\"iss\":\"%s\"%s}", issuer, more);
  g_autofree char *claims = claims_with(changes);
  g_autofree char *header = g_strdup_printf("{\"kid\":\"%s\"}", kid);
  return sign(key, R_JWA_ALG_ES256, header, claims);
}

/* ---- a file, and the API ---- */

static void oidc_server_up(Server *s, char **path, const TestKey *key) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  g_autoptr(GError) error = NULL;
  wall_ms = NOW_S * 1000;
  s->dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL);
  s->store = ferry_store_open(NULL, NULL, NULL);
  *path = g_build_filename(s->dir, "jwks.json", NULL);
  write_jwks(*path, key, 1);
  FerryOidcConfig oidc = {
      .issuer = ISSUER, .audience = "ferry", .groups_prefix = "idp:", .jwks = *path};
  FerryApiConfig config = {.store = s->store,
                           .state_dir = s->dir,
                           .listen = listen,
                           .clock = &clock_of_test,
                           .oidc = &oidc};
  s->api = ferry_api_new(&config, &error);
  g_assert_no_error(error);
  seed_all(s->store);
}

static Answer *by(Server *s, const char *token, const char *method, const char *path,
                  const char *body) {
  g_autofree char *header = g_strconcat("Authorization: Bearer ", token, NULL);
  return http_full(s, NULL, method, path, header, body, -1);
}

static long status_of(Server *s, const char *token) {
  g_autoptr(Answer) a = by(s, token, "GET", VMI, NULL);
  return a->status;
}

static void users_at_the_api(void) {
  Server s = {0};
  g_autofree char *path = NULL;
  TestKey first = test_key_new(R_KEY_TYPE_EC, 256, "first");
  TestKey second = test_key_new(R_KEY_TYPE_EC, 256, "second");
  oidc_server_up(&s, &path, &first);
  g_autofree char *token = token_of(&first, "first", ISSUER, "");
  g_autofree char *guest = token_of(&first, "first", ISSUER, ",\"groups\":[\"guests\"]");
  g_autofree char *root = token_of(&first, "first", ISSUER, ",\"groups\":[\"system:masters\"]");
  g_assert_cmpint(status_of(&s, token), ==, 403);
  g_autoptr(Answer) bound =
      http(&s, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", VIEW);
  expect(bound, 201);
  g_autoptr(Answer) list = by(&s, token, "GET", VMI, NULL);
  expect(list, 200);
  g_autoptr(Answer) create = by(&s, token, "POST", VMIM, MIGRATION("m", "db"));
  expect(create, 403);
  g_assert_nonnull(strstr(create->body, ISSUER "#u-1"));
  g_assert_cmpint(status_of(&s, guest), ==, 403);
  g_assert_cmpint(status_of(&s, root), ==, 403);
  /* the provider changes its key: the file is read again */
  g_autofree char *next = token_of(&second, "second", ISSUER, "");
  g_assert_cmpint(status_of(&s, next), ==, 401);
  write_jwks(path, &second, 1);
  gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC;
  while (status_of(&s, next) != 200 && g_get_monotonic_time() < until)
    g_usleep(20000);
  g_assert_cmpint(status_of(&s, next), ==, 200);
  g_assert_cmpint(status_of(&s, token), ==, 401);
  /* a file that is broken changes nothing */
  g_assert_true(ferry_file_write(path, "{", 1, 0600, NULL));
  g_usleep(450000);
  g_assert_cmpint(status_of(&s, next), ==, 200);
  wall_ms += (gint64)301 * 1000;
  g_autoptr(Answer) late = by(&s, next, "GET", VMI, NULL);
  expect(late, 401);
  g_assert_nonnull(strstr(late->body, "expired"));
  server_down(&s, NULL);
  test_key_clear(&first);
  test_key_clear(&second);
}

/* What kept connections and open watches ask again. */
static void ends_in_time(void) {
  Server s = {0};
  g_autofree char *path = NULL;
  TestKey key = test_key_new(R_KEY_TYPE_EC, 256, "k");
  oidc_server_up(&s, &path, &key);
  const FerryUser user = {.refs = 1,
                          .name = (char *)"u",
                          .credential = (char *)"oidc " ISSUER " u-1",
                          .expires_s = NOW_S + 10};
  g_assert_true(ferry_auth_is_valid(s.api, &user, NULL));
  wall_ms += (gint64)11 * 1000;
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_auth_is_valid(s.api, &user, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED);
  server_down(&s, NULL);
  test_key_clear(&key);
}

/* ---- over HTTPS ---- */

typedef struct {
  struct MHD_Daemon *daemon;
  char *issuer, *crt, *key;
  GMutex lock;
  char *jwks;
  guint fetches;              /* of the keys */
  const char *claimed_issuer; /* NULL: the true one */
} Provider;

static enum MHD_Result on_fetch(void *data, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_len, void **state) {
  Provider *p = data;
  g_mutex_lock(&p->lock);
  g_autofree char *text =
      g_str_equal(url, "/.well-known/openid-configuration")
          ? g_strdup_printf("{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}",
                            p->claimed_issuer ? p->claimed_issuer : p->issuer, p->issuer)
          : g_strdup(p->jwks);
  p->fetches += g_str_equal(url, "/keys");
  g_mutex_unlock(&p->lock);
  struct MHD_Response *answer =
      MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
  enum MHD_Result ok = MHD_queue_response(connection, 200, answer);
  MHD_destroy_response(answer);
  return ok;
}

/* With the certificate of `s`, whose CA a client is told of. */
static void provider_up(Provider *p, Server *s, const TestKey *key) {
  g_autofree char *crt = g_build_filename(s->dir, "server.crt", NULL);
  g_autofree char *secret = g_build_filename(s->dir, "server.key", NULL);
  p->crt = ferry_file_read(crt, 65536, NULL, NULL);
  p->key = ferry_file_read(secret, 65536, NULL, NULL);
  p->jwks = jwks_text(key, 1);
  g_mutex_init(&p->lock);
  p->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
                               on_fetch, p, MHD_OPTION_HTTPS_MEM_CERT, p->crt,
                               MHD_OPTION_HTTPS_MEM_KEY, p->key, MHD_OPTION_END);
  g_assert_nonnull(p->daemon);
  p->issuer = g_strdup_printf("https://127.0.0.1:%u",
                              MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static void provider_stop(Provider *p) {
  if (p->daemon)
    MHD_stop_daemon(p->daemon);
  p->daemon = NULL;
}

static void provider_down(Provider *p) {
  provider_stop(p);
  g_mutex_clear(&p->lock);
  g_free(p->issuer);
  g_free(p->crt);
  g_free(p->key);
  g_free(p->jwks);
}

static guint fetches_of(Provider *p) {
  g_mutex_lock(&p->lock);
  guint n = p->fetches;
  g_mutex_unlock(&p->lock);
  return n;
}

static gboolean accepts(FerryOidc *oidc, const char *token) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryUser) user = ferry_oidc_user(oidc, token, NOW_S * 1000, &error);
  return user != NULL;
}

static gboolean comes_to_accept(FerryOidc *oidc, const char *token) {
  gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
  while (!accepts(oidc, token) && g_get_monotonic_time() < until)
    g_usleep(10000);
  return accepts(oidc, token);
}

static void over_https(Server *s, gconstpointer data) {
  TestKey first = test_key_new(R_KEY_TYPE_EC, 256, "first");
  TestKey second = test_key_new(R_KEY_TYPE_EC, 256, "second");
  Provider p = {0};
  provider_up(&p, s, &first);
  g_autofree char *ca = g_build_filename(s->dir, "ca.crt", NULL);
  FerryOidcConfig config = {.issuer = p.issuer, .audience = "ferry", .ca = ca, .refetch_ms = 600};
  FerryOidc *oidc = ferry_oidc_new(&config, NULL);
  g_autofree char *token = token_of(&first, "first", p.issuer, "");
  g_autofree char *next = token_of(&second, "second", p.issuer, "");
  g_assert_true(comes_to_accept(oidc, token));
  g_assert_cmpuint(fetches_of(&p), ==, 1);
  /* unknown keys don't make a fetch each, nor does anybody wait for one */
  gint64 began = g_get_monotonic_time();
  for (guint i = 0; i < 200; i++)
    g_assert_false(accepts(oidc, next));
  g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC / 2);
  g_assert_cmpuint(fetches_of(&p), <=, 2);
  /* rotation */
  g_mutex_lock(&p.lock);
  g_free(p.jwks);
  p.jwks = jwks_text(&second, 1);
  g_mutex_unlock(&p.lock);
  g_assert_true(comes_to_accept(oidc, next));
  g_assert_false(accepts(oidc, token));
  /* away: what is known holds */
  provider_stop(&p);
  g_usleep(700000);
  g_assert_false(accepts(oidc, token)); /* makes a fetch, which fails */
  g_usleep(100000);
  g_assert_true(accepts(oidc, next));
  ferry_oidc_free(oidc);
  provider_down(&p);
  test_key_clear(&first);
  test_key_clear(&second);
}

/* No keys from whom the CA doesn't vouch for, or who says to be another issuer. */
static void wrong_provider(Server *s, gboolean trusted) {
  TestKey key = test_key_new(R_KEY_TYPE_EC, 256, "k");
  Provider p = {.claimed_issuer = trusted ? ISSUER : NULL};
  provider_up(&p, s, &key);
  g_autofree char *ca = g_build_filename(s->dir, "ca.crt", NULL);
  FerryOidcConfig config = {
      .issuer = p.issuer, .audience = "ferry", .ca = trusted ? ca : NULL, .refetch_ms = 50};
  FerryOidc *oidc = ferry_oidc_new(&config, NULL);
  g_autofree char *token = token_of(&key, "k", p.issuer, "");
  for (guint i = 0; i < 20; i++) {
    g_assert_false(accepts(oidc, token));
    g_usleep(20000);
  }
  g_assert_cmpuint(fetches_of(&p), ==, 0);
  ferry_oidc_free(oidc);
  provider_down(&p);
  test_key_clear(&key);
}

static void other_ca(Server *s, gconstpointer data) {
  wrong_provider(s, FALSE);
}

static void other_issuer(Server *s, gconstpointer data) {
  wrong_provider(s, TRUE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_LEVEL_ERROR); /* a provider that is away is a warning */
  r_global_init();
  g_test_add_func("/api/oidc-keys/api", users_at_the_api);
  g_test_add_func("/api/oidc-keys/time", ends_in_time);
  g_test_add("/api/oidc-keys/https", Server, NULL, server_up, over_https, server_down);
  g_test_add("/api/oidc-keys/other-ca", Server, NULL, server_up, other_ca, server_down);
  g_test_add("/api/oidc-keys/other-issuer", Server, NULL, server_up, other_issuer, server_down);
  return g_test_run();
}
