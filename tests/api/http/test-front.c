// SPDX-License-Identifier: Apache-2.0
// What a user or an address may ask for, turns between users, the PROXY protocol over real sockets,
// what /readyz says, and what is left of old TLS.
#include "raw.h"

#include "api/http/flow.h"

#include <string.h>

#define GET_NODE "GET /api/v1/nodes/h1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_NOBODY "GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const FerryHttpLimits slow_user = {
    .rate = 5, .burst = 10, .address_rate = 1, .address_burst = 4};

static const FerryHttpLimits few_in_flight = {.in_flight = 3};

static long ask(Raw *raw, const char *request, char **answer) {
  gboolean closed;
  raw_send(raw, request, -1);
  g_autofree char *text = raw_read_answer(raw, &closed);
  long status = raw_status(text);
  if (answer)
    *answer = g_steal_pointer(&text);
  return status;
}

static void test_user_rate(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  g_autofree char *answer = NULL;
  long status = 200;
  guint n = 0;
  for (; n < 60 && status == 200; n++) {
    g_free(answer);
    status = ask(raw, GET_NODE, &answer);
  }
  g_assert_cmpint(status, ==, 429);
  g_assert_cmpuint(n, >, 10);
  g_assert_nonnull(strstr(answer, "\r\nRetry-After: 1\r\n"));
  g_assert_nonnull(strstr(answer, "\"reason\":\"TooManyRequests\""));
  g_assert_nonnull(strstr(answer, "\"retryAfterSeconds\":1"));
  /* Health is not counted, the allowance comes back, and others have their own. */
  g_assert_cmpint(ask(raw, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", NULL), ==, 200);
  g_usleep(1200000);
  g_assert_cmpint(ask(raw, GET_NODE, NULL), ==, 200);
}

static void test_address_rate(Server *s, gconstpointer data) {
  g_autoptr(Raw) loud = raw_new(s, "127.0.0.3", NULL);
  g_autoptr(Raw) other = raw_new(s, "127.0.0.4", NULL);
  g_autoptr(Raw) user = raw_new(s, "127.0.0.3", "admin");
  long status = 401;
  for (guint i = 0; i < 20 && status == 401; i++)
    status = ask(loud, GET_NOBODY, NULL);
  g_assert_cmpint(status, ==, 429);
  g_assert_cmpint(ask(other, GET_NOBODY, NULL), ==, 401);
  g_assert_cmpint(ask(user, GET_NODE, NULL), ==, 200);
  /* Guessing at tokens is counted with it. */
  g_assert_cmpint(ask(loud,
                      "GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\n"
                      "Authorization: Bearer 0123456789abcdef\r\n\r\n",
                      NULL),
                  ==, 429);
}

/* ---- answers that nobody reads ---- */

#define BIG 40
#define BIG_BYTES 200000
#define LIST "GET " VMI " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ASKERS 24

static const FerryHttpLimits little_unread = {.unread_per_identity = 1000000};

static void make_big(Server *s) {
  g_autofree char *note = g_strnfill(BIG_BYTES, 'n');
  for (guint i = 0; i < BIG; i++) {
    g_autofree char *name = g_strdup_printf("big-%u", i);
    json_t *object = json_object();
    ferry_json_set_str(object, "metadata.annotations.note", note);
    seed_put(s->store, &ferry_kind_vmi, "default", name, object);
  }
}

/* A connection that takes little more than the head of what it asks for. */
static Raw *asker(Server *s, const char *who, const char *request) {
  int small = 4096;
  Raw *raw = raw_new(s, "127.0.0.3", who);
  setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  g_assert_true(raw_send(raw, request, -1));
  return raw;
}

static long status_of(Raw *raw) {
  char head[13] = "";
  g_assert_cmpint(gnutls_record_recv(raw->tls, head, sizeof head - 1), ==, sizeof head - 1);
  return raw_status(head);
}

/* Lists of 8 MB that are asked for and not read: one is made, and one more for each seat that was
 * at it; the user's cancels and other users' lists are served. What is closed is forgotten. */
static void test_unread(Server *s, gconstpointer data) {
  g_autofree char *token = viewer_token(s, "eve");
  g_autofree char *other = g_strdup_printf(
      "GET " VMI "?limit=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", token);
  Raw *raw[ASKERS];
  guint made = 0;
  g_autoptr(Answer) turn = http(s, "POST", VMIM, MIGRATION("turn", "db"));
  expect(turn, 201);
  make_big(s);
  for (guint i = 0; i < ASKERS; i++)
    raw[i] = asker(s, "admin", LIST);
  for (guint i = 0; i < ASKERS; i++) {
    long status = status_of(raw[i]);
    g_assert_true(status == 200 || status == 429);
    made += status == 200;
  }
  g_assert_cmpuint(made, >=, 1);
  g_assert_cmpuint(made, <=, ferry_level_rules[FERRY_LEVEL_HEAVY].seats);
  g_autoptr(Raw) eve = raw_new(s, "127.0.0.4", NULL);
  g_assert_cmpint(ask(eve, other, NULL), ==, 200);
  g_autoptr(Raw) own = raw_new(s, "127.0.0.3", "admin");
  g_autofree char *refused = NULL;
  g_autofree char *cancelled = NULL;
  g_assert_cmpint(ask(own, LIST, &refused), ==, 429);
  g_assert_nonnull(strstr(refused, "\r\nRetry-After: 1\r\n"));
  g_assert_nonnull(strstr(refused, "too much is unread"));
  g_assert_cmpint(ask(own, "DELETE " VMIM "/turn HTTP/1.1\r\nHost: localhost\r\n\r\n", &cancelled),
                  ==, 200);
  for (guint i = 0; i < ASKERS; i++)
    raw_free(raw[i]);
  long status = 429;
  for (guint i = 0; i < 500 && status == 429; i++) {
    status = ask(own, LIST, NULL);
    g_usleep(20000);
  }
  g_assert_cmpint(status, ==, 200);
  g_assert_cmpfloat(metric(s, "ferry_api_unread_bytes"), <, BIG_BYTES);
  g_assert_cmpfloat(
      metric(s, "ferry_api_requests_refused_total{level=\"heavy\",reason=\"unread-answers\"}"), >=,
      ASKERS - made);
}

/* ---- proxies ---- */

/* A TLS connection whose bytes begin with a PROXY header for 192.0.2.N. */
static Raw *through_proxy(Server *s, const char *from, guint n, const char *who) {
  guint8 header[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\0\x7f\0\0\x01\x30\x39\x01\xbb";
  header[19] = (guint8)n;
  Raw *raw = g_new0(Raw, 1);
  raw->fd = raw_connect(s, from);
  /* In three pieces, as a slow network would bring it. Who isn't listed is cut off before. */
  g_assert_cmpint(send(raw->fd, header, 7, 0), ==, 7);
  g_usleep(20000);
  send(raw->fd, header + 7, 12, 0);
  g_usleep(20000);
  send(raw->fd, header + 19, 9, 0);
  raw_tls(s, raw, who);
  return raw;
}

static void test_proxy(Server *s, gconstpointer data) {
  g_autoptr(Raw) first = through_proxy(s, "127.0.0.9", 1, NULL);
  g_autoptr(Raw) second = through_proxy(s, "127.0.0.9", 2, NULL);
  g_autoptr(Raw) user = through_proxy(s, "127.0.0.9", 1, "admin");
  g_autoptr(Raw) itself = raw_new(s, "127.0.0.9", "admin"); /* without a header */
  g_assert_cmpint(gnutls_handshake(first->tls), ==, 0);
  g_assert_cmpint(gnutls_handshake(second->tls), ==, 0);
  g_assert_cmpint(gnutls_handshake(user->tls), ==, 0);
  long status = 401;
  for (guint i = 0; i < 20 && status == 401; i++)
    status = ask(first, GET_NOBODY, NULL);
  g_assert_cmpint(status, ==, 429);
  g_assert_cmpint(ask(second, GET_NOBODY, NULL), ==, 401); /* another client of the same proxy */
  g_assert_cmpint(ask(user, GET_NODE, NULL), ==, 200);
  g_assert_cmpint(ask(itself, GET_NODE, NULL), ==, 200);
}

/* From anybody else it is no TLS, and a bad one ends at once. */
static void test_no_proxy(Server *s, gconstpointer data) {
  g_autoptr(Raw) stranger = through_proxy(s, "127.0.0.8", 1, NULL);
  int rc;
  do
    rc = gnutls_handshake(stranger->tls);
  while (rc < 0 && !gnutls_error_is_fatal(rc));
  g_assert_cmpint(rc, <, 0);
  int bad = raw_connect(s, "127.0.0.9");
  g_assert_cmpint(send(bad, "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c", 16, 0), ==, 16);
  g_assert_true(fd_is_closed(bad, 5000));
  close(bad);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"bad-proxy-header\"}"), ==,
                    1);
}

/* ---- turns ---- */

typedef struct {
  Server *server;
  gint stop;
} Loop;

static gpointer list_in_a_loop(gpointer data) {
  Loop *loop = data;
  while (!g_atomic_int_get(&loop->stop)) {
    g_autoptr(Answer) a = http(loop->server, "GET", VMI, NULL);
    g_assert_true(a->status == 200 || a->status == 429);
  }
  return NULL;
}

static void seed_much(Server *s) {
  g_autofree char *note = g_strnfill(2000, 'n');
  for (guint i = 0; i < 500; i++) {
    g_autofree char *name = g_strdup_printf("many-%u", i);
    json_t *object = json_object();
    ferry_json_set_str(object, "metadata.annotations.note", note);
    seed_put(s->store, &ferry_kind_vmi, "default", name, object);
  }
}

/* The HTTP library's threads never list: with all seats for heavy work taken, small requests and
 * cancels don't wait for it. */
static void test_lists_in_a_loop(Server *s, gconstpointer data) {
  seed_much(s);
  Loop loop = {.server = s};
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("lists", list_in_a_loop, &loop);
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  for (guint i = 0; i < 10; i++) {
    gint64 begun = g_get_monotonic_time();
    g_assert_cmpint(ask(raw, GET_NODE, NULL), ==, 200);
    g_autoptr(Answer) made = http(s, "POST", VMIM "?dryRun=All", MIGRATION("turn", "db"));
    expect(made, 201);
    g_autoptr(Answer) cancelled = http(s, "DELETE", VMIM "/turn", NULL); /* the same queue */
    expect(cancelled, 404);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 30 * G_USEC_PER_SEC);
  }
  g_atomic_int_set(&loop.stop, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
}

/* More at once than one may have under way: the rest are told when to come again, at once. */
static void test_in_flight(Server *s, gconstpointer data) {
  static const char list[] = "GET " VMI " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  enum { MANY = 12 };
  Raw *raws[MANY];
  guint good = 0, refused = 0;
  seed_much(s);
  for (guint i = 0; i < MANY; i++) {
    raws[i] = raw_new(s, "127.0.0.3", "admin");
    g_assert_cmpint(ask(raws[i], GET_NODE, NULL), ==, 200);
  }
  for (guint i = 0; i < MANY; i++)
    raw_send(raws[i], list, -1);
  for (guint i = 0; i < MANY; i++) {
    gboolean closed;
    g_autofree char *answer = raw_read_answer(raws[i], &closed);
    long status = raw_status(answer);
    good += status == 200;
    refused += status == 429 && strstr(answer, "\r\nRetry-After: ") && strstr(answer, "under way");
  }
  g_assert_cmpuint(good + refused, ==, MANY);
  g_assert_cmpuint(good, >=, few_in_flight.in_flight);
  g_assert_cmpuint(refused, >, 0);
  g_assert_cmpfloat(metric(s, "ferry_api_requests_refused_total{level=\"heavy\","
                              "reason=\"in-flight\"}"),
                    ==, refused);
  for (guint i = 0; i < MANY; i++) {
    g_assert_cmpint(ask(raws[i], list, NULL), ==, 200); /* one after the other */
    raw_free(raws[i]);
  }
}

/* ---- the rest ---- */

static void test_health(Server *s, gconstpointer data) {
  g_autoptr(Answer) plain = http_full(s, NULL, "GET", "/readyz", NULL, NULL, 0);
  expect(plain, 200);
  g_assert_cmpstr(plain->body, ==, "ok");
  g_autoptr(Answer) verbose = http_full(s, NULL, "GET", "/readyz?verbose", NULL, NULL, 0);
  expect(verbose, 200);
  g_assert_nonnull(strstr(verbose->body, "[+]ping ok\n"));
  g_assert_nonnull(strstr(verbose->body, "readyz check passed\n"));
  g_autoptr(Answer) one = http(s, "GET", "/readyz/shutdown?verbose", NULL);
  g_assert_cmpstr(one->body, ==, "[+]shutdown ok\nreadyz check passed\n");
  g_autoptr(Answer) none = http(s, "GET", "/readyz/pudding", NULL);
  expect(none, 404);
}

/* Which of a client's offers (openssl s_client) lead to a handshake. */
static void test_tls(Server *s, gconstpointer data) {
  static const struct {
    const char *offer;
    gboolean good;
  } cases[] = {
      {"-tls1_3", TRUE},
      {"-tls1_2 -cipher ECDHE+AESGCM", TRUE},
      {"-tls1_2 -cipher ECDHE+CHACHA20", TRUE},
      {"-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256@SECLEVEL=0", FALSE},
      {"-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0", FALSE},
      {"-tls1_2 -cipher AES128-GCM-SHA256:AES256-GCM-SHA384:@SECLEVEL=0", FALSE},
      {"-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", FALSE},
      {"-tls1_1 -cipher ALL:@SECLEVEL=0", FALSE},
      {"-tls1 -cipher ALL:@SECLEVEL=0", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *command =
        g_strdup_printf("sh -c 'openssl s_client -connect 127.0.0.1:%u -CAfile %s/ca.crt "
                        "-verify_return_error %s </dev/null 2>&1'",
                        ferry_api_port(s->api, 0), s->dir, cases[i].offer);
    g_autofree char *out = NULL;
    g_assert_true(g_spawn_command_line_sync(command, &out, NULL, NULL, NULL));
    g_test_message("%s", cases[i].offer);
    g_assert_true((strstr(out, "Verify return code: 0") != NULL &&
                   strstr(out, "Cipher is (NONE)") == NULL) == cases[i].good);
    g_assert_true(!cases[i].good || strstr(out, "Compression: NONE") || strstr(out, "TLSv1.3"));
  }
  /* A client that renegotiates loses its connection. */
  g_autofree char *command = g_strdup_printf(
      "sh -c '(sleep 0.3; echo R; sleep 1; printf \"GET /livez HTTP/1.1\\r\\nHost: "
      "localhost\\r\\n\\r\\n\"; sleep 1) | openssl s_client -connect 127.0.0.1:%u -tls1_2 2>&1'",
      ferry_api_port(s->api, 0));
  g_autofree char *out = NULL;
  g_assert_true(g_spawn_command_line_sync(command, &out, NULL, NULL, NULL));
  g_assert_null(strstr(out, "HTTP/1.1 200"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, limits, func)                                                                    \
  g_test_add("/front/" name, Server, limits, server_up, func, server_down)
  ADD("user-rate", &slow_user, test_user_rate);
  ADD("unread", &little_unread, test_unread);
  ADD("address-rate", &slow_user, test_address_rate);
  ADD("proxy", &slow_user, test_proxy);
  ADD("no-proxy", NULL, test_no_proxy);
  ADD("lists-in-a-loop", NULL, test_lists_in_a_loop);
  ADD("in-flight", &few_in_flight, test_in_flight);
  ADD("health", NULL, test_health);
  ADD("tls", NULL, test_tls);
  return g_test_run();
}
