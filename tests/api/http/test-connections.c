// SPDX-License-Identifier: Apache-2.0
// Many connections that do little or nothing, in each phase; meanwhile who is honest is served.
#include "raw.h"

#include <sys/resource.h>

#define SILENT 1200

/* Short deadlines, so that they can be waited for, and small budgets. */
static const FerryHttpLimits quick = {.anonymous = 64,
                                      .anonymous_per_address = 24,
                                      .handshake_ms = 1500,
                                      .header_ms = 1500,
                                      .body_ms = 6000,
                                      .grace_ms = 1000,
                                      .idle_ms = 2000,
                                      .stall_ms = 1500};
/* Long ones, so that budgets alone decide. */
static const FerryHttpLimits narrow = {.anonymous = 64, .anonymous_per_address = 24};
static const FerryHttpLimits few = {.per_identity = 3, .authenticated = 5};

static guint count_closed(const int *fds, guint n) {
  guint closed = 0;
  for (guint i = 0; i < n; i++)
    closed += fd_is_closed(fds[i], 0);
  return closed;
}

static void close_all(const int *fds, guint n) {
  for (guint i = 0; i < n; i++)
    close(fds[i]);
}

/* From two addresses, the honest client's own among them. With `bytes` each begins a handshake. */
static void flood(Server *s, const char *bytes, gsize len) {
  static int fds[SILENT];
  for (guint i = 0; i < SILENT; i++) {
    fds[i] = raw_connect(s, i % 2 ? "127.0.0.2" : "127.0.0.1");
    if (len)
      g_assert_cmpint(send(fds[i], bytes, len, MSG_NOSIGNAL), >, 0);
    if (i % 300 == 299)
      expect_served(s);
  }
  expect_served(s);
  for (guint i = 0; i < 50 && count_closed(fds, SILENT) < SILENT - 2 * 24; i++)
    g_usleep(20000);
  guint closed = count_closed(fds, SILENT);
  g_assert_cmpuint(closed, >=, SILENT - 2 * 24);
  g_assert_cmpuint(closed, <, SILENT); /* those within the budget stay */
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"too-many-of-address\"}"),
                    >, 1000);
  close_all(fds, SILENT);
}

static void test_silent(Server *s, gconstpointer data) {
  flood(s, NULL, 0);
}

static void test_half_open(Server *s, gconstpointer data) {
  static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  flood(s, hello, sizeof hello - 1);
}

/* Many addresses fill the whole budget; the largest crowd gives way, a lone client never. */
static void test_many_addresses(Server *s, gconstpointer data) {
  int fds[200], alone = raw_connect(s, "127.0.1.1");
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
    g_autofree char *from = g_strdup_printf("127.0.2.%u", 1 + i % 10);
    fds[i] = raw_connect(s, from);
  }
  expect_served(s);
  g_assert_cmpuint(count_closed(fds, G_N_ELEMENTS(fds)), >=, G_N_ELEMENTS(fds) - 64);
  g_assert_false(fd_is_closed(alone, 0));
  close_all(fds, G_N_ELEMENTS(fds));
  close(alone);
}

static void test_handshake_deadline(Server *s, gconstpointer data) {
  int silent = raw_connect(s, "127.0.0.3"), half = raw_connect(s, "127.0.0.3");
  g_assert_cmpint(send(half, "\x16\x03\x01", 3, 0), ==, 3);
  g_assert_false(fd_is_closed(silent, 500));
  g_assert_false(fd_is_closed(half, 0));
  g_assert_true(fd_is_closed(silent, 5000));
  g_assert_true(fd_is_closed(half, 5000));
  close(silent);
  close(half);
}

/* Byte by byte: each one is progress, the deadline holds all the same. */
static void test_slow_header(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gint64 begun = g_get_monotonic_time();
  const char *line =
      "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: "
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  gboolean closed = FALSE;
  for (const char *p = line; *p && !closed; p++) {
    closed = !raw_send(raw, p, 1);
    if (!closed)
      g_free(raw_read(raw, 100, &closed));
  }
  g_assert_true(closed);
  g_assert_cmpint(g_get_monotonic_time() - begun, >, G_USEC_PER_SEC);
  expect_served(s);
}

/* The second request of a connection has the same time, from its own first byte. */
static void test_slow_second_header(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gboolean closed;
  raw_send(raw, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  g_autofree char *answer = raw_read(raw, 900, &closed);
  g_assert_cmpint(raw_status(answer), ==, 200);
  g_assert_false(closed);
  raw_send(raw, "GET /li", -1);
  gint64 begun = g_get_monotonic_time();
  g_free(raw_read(raw, 8000, &closed));
  g_assert_true(closed);
  g_assert_cmpint(g_get_monotonic_time() - begun, >, G_USEC_PER_SEC);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"header-deadline\"}"), >=,
                    1);
}

static void test_idle(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gboolean closed;
  raw_send(raw, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  g_free(raw_read(raw, 1000, &closed));
  g_assert_false(closed);
  g_free(raw_read(raw, 8000, &closed));
  g_assert_true(closed);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"idle\"}"), >=, 1);
}

static void test_slow_body(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gboolean closed = FALSE;
  raw_send(raw, "POST " VMIM " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", -1);
  gint64 begun = g_get_monotonic_time();
  for (guint i = 0; i < 100 && !closed; i++) {
    closed = !raw_send(raw, " ", 1);
    if (!closed)
      g_free(raw_read(raw, 100, &closed));
  }
  g_assert_true(closed);
  g_assert_cmpint(g_get_monotonic_time() - begun, >, G_USEC_PER_SEC);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"body-deadline\"}"), >=,
                    1);
}

/* Slow, but faster than the least: 2 KiB every 200 ms for 3 s. */
static void test_steady_body(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  g_autofree char *piece = g_strnfill(2048, ' ');
  gboolean closed = FALSE;
  raw_send(raw, "POST " VMIM " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30720\r\n\r\n", -1);
  for (guint i = 0; i < 15; i++) {
    g_assert_true(raw_send(raw, piece, 2048));
    g_usleep(200000);
  }
  g_autofree char *answer = raw_read(raw, 500, &closed);
  g_assert_cmpint(raw_status(answer), ==, 400);
  g_assert_false(closed);
}

/* Asks for much and reads nothing. */
static void test_unread_answer(Server *s, gconstpointer data) {
  g_autofree char *note = g_strnfill(200000, 'n');
  for (guint i = 0; i < 40; i++) {
    g_autofree char *name = g_strdup_printf("big-%u", i);
    json_t *object = json_object();
    ferry_json_set_str(object, "metadata.annotations.note", note);
    seed_put(s->store, &ferry_kind_vmi, "default", name, object);
  }
  int small = 4096;
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  raw_send(raw, "GET " VMI " HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  struct pollfd p = {.fd = raw->fd, .events = POLLRDHUP};
  g_assert_cmpint(poll(&p, 1, 10000), ==, 1);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"answer-deadline\"}"), >=,
                    1);
}

static void test_identities(Server *s, gconstpointer data) {
  static const char get[] = "GET /api/v1/nodes/h1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  Raw *raw[4];
  gboolean closed;
  for (guint i = 0; i < 4; i++) {
    raw[i] = raw_new(s, "127.0.0.3", "admin");
    raw_send(raw[i], get, -1);
    g_autofree char *answer = raw_read(raw[i], i == 3 ? 5000 : 300, &closed);
    g_assert_cmpint(raw_status(answer), ==, i == 3 ? 429 : 200);
    g_assert_true(i < 3 || strstr(answer, "Retry-After: 1\r\n"));
    g_assert_true(closed == (i == 3));
  }
  raw_free(raw[0]);
  g_usleep(200000);
  expect_served(s);
  for (guint i = 1; i < 4; i++)
    raw_free(raw[i]);
}

int main(int argc, char **argv) {
  struct rlimit files;
  g_test_init(&argc, &argv, NULL);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = MIN(files.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &files);
#define ADD(name, limits, func)                                                                    \
  g_test_add("/connections/" name, Server, limits, server_up, func, server_down)
  ADD("silent", &narrow, test_silent);
  ADD("half-open", &narrow, test_half_open);
  ADD("many-addresses", &narrow, test_many_addresses);
  ADD("handshake-deadline", &quick, test_handshake_deadline);
  ADD("slow-header", &quick, test_slow_header);
  ADD("slow-second-header", &quick, test_slow_second_header);
  ADD("idle", &quick, test_idle);
  ADD("slow-body", &quick, test_slow_body);
  ADD("steady-body", &quick, test_steady_body);
  ADD("unread-answer", &quick, test_unread_answer);
  ADD("identities", &few, test_identities);
  return g_test_run();
}
