// SPDX-License-Identifier: Apache-2.0
// Many connections that do little or nothing, in each phase; meanwhile who is honest is served. A
// crowd is made of sockets that are silent, slow, half open or greedy; what is closed, when, and
// what an honest client gets is looked at.
#include "raw.h"

#include "api/http/acceptor.h"

#include <fcntl.h>
#include <sys/resource.h>

#define SILENT 600

/* Short deadlines, so that they can be waited for, and small budgets. */
static const FerryHttpLimits quick = {.anonymous = 64,
                                      .anonymous_per_address = 24,
                                      .handshake_ms = 1500,
                                      .header_ms = 1500,
                                      .body_ms = 30000,
                                      .grace_ms = 1000,
                                      .idle_ms = 2500,
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
  for (guint i = 0; i < 1500 && count_closed(fds, SILENT) < SILENT - 2 * 24; i++)
    g_usleep(20000);
  guint closed = count_closed(fds, SILENT);
  g_assert_cmpuint(closed, >=, SILENT - 2 * 24);
  g_assert_cmpuint(closed, <, SILENT); /* those within the budget stay */
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"too-many-of-address\"}"),
                    >=, SILENT - 2 * 24);
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
  g_assert_true(fd_is_closed(silent, 30000));
  g_assert_true(fd_is_closed(half, 30000));
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
  g_autofree char *answer = raw_read_answer(raw, &closed);
  g_assert_cmpint(raw_status(answer), ==, 200);
  g_assert_false(closed);
  raw_send(raw, "GET /li", -1);
  gint64 begun = g_get_monotonic_time();
  g_free(raw_read(raw, 30000, &closed));
  g_assert_true(closed);
  g_assert_cmpint(g_get_monotonic_time() - begun, >, G_USEC_PER_SEC);
  g_assert_cmpfloat(metric(s, "ferry_api_connections_ended_total{reason=\"header-deadline\"}"), >=,
                    1);
}

static void test_idle(Server *s, gconstpointer data) {
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gboolean closed;
  raw_send(raw, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  g_free(raw_read_answer(raw, &closed));
  g_assert_false(closed);
  g_free(raw_read(raw, 30000, &closed));
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
  g_autofree char *answer = raw_read_answer(raw, &closed);
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
  g_assert_cmpint(poll(&p, 1, 30000), ==, 1);
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
    g_autofree char *answer = raw_read_answer(raw[i], &closed);
    g_assert_cmpint(raw_status(answer), ==, i == 3 ? 429 : 200);
    g_assert_true(i < 3 || strstr(answer, "Retry-After: 1\r\n"));
    g_assert_true(i == 3 || !closed);
  }
  raw_free(raw[0]);
  g_usleep(200000);
  expect_served(s);
  for (guint i = 1; i < 4; i++)
    raw_free(raw[i]);
}

/* ---- users who crowd each other ---- */

typedef struct {
  FerryConnections *all;
  FerryConn *conn;
  int pair[2];
} End;

static gboolean arrive(FerryConnections *all, End *end, const char *user, FerryConnPhase phase) {
  static gint64 now_us;
  const struct sockaddr_in in = {.sin_family = AF_INET};
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end->pair), ==, 0);
  end->all = all;
  end->conn = ferry_connections_add(all, end->pair[0], (const struct sockaddr *)&in, ++now_us);
  gboolean room = ferry_connections_identify(all, end->conn, user);
  ferry_connections_phase(all, end->conn, phase, ++now_us);
  return room;
}

/* Users who between them hold all that there is: another one comes in, one connection after the
 * other, until he has about as many; of who has most, what has done least goes first, and what is
 * at work stays. */
static void test_crowd_of_users(void) {
  static const struct {
    const char *user;
    FerryConnPhase phase;
    gboolean room;
    int ends; /* which one gives way; -1: none */
  } turns[] = {
      {"ann", FERRY_CONN_STREAM, TRUE, -1}, {"ann", FERRY_CONN_WORK, TRUE, -1},
      {"ann", FERRY_CONN_IDLE, TRUE, -1},   {"ann", FERRY_CONN_IDLE, TRUE, -1},
      {"ann", FERRY_CONN_IDLE, FALSE, -1}, /* his own most is 4 */
      {"bob", FERRY_CONN_IDLE, TRUE, -1},   {"bob", FERRY_CONN_IDLE, TRUE, -1},
      {"cyd", FERRY_CONN_IDLE, TRUE, 2},    {"cyd", FERRY_CONN_IDLE, TRUE, 3},
      {"cyd", FERRY_CONN_IDLE, FALSE, -1},  {"bob", FERRY_CONN_IDLE, FALSE, -1},
      {"dan", FERRY_CONN_IDLE, TRUE, -2}, /* of one of three who have two */
  };
  const FerryHttpLimits limits = {.per_identity = 4, .authenticated = 6};
  const FerryHttpLimits resolved = ferry_http_limits_resolve(&limits);
  FerryConnections *all = ferry_connections_new(&resolved);
  End ends[G_N_ELEMENTS(turns)];
  guint gone = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
    g_test_message("%zu: %s", i, turns[i].user);
    g_assert_cmpint(arrive(all, &ends[i], turns[i].user, turns[i].phase), ==, turns[i].room);
    guint now = 0;
    for (gsize k = 0; k <= i; k++)
      now += fd_is_closed(ends[k].pair[1], 0);
    g_assert_cmpuint(now, ==, gone + (turns[i].ends != -1));
    gone = now;
    if (turns[i].ends >= 0)
      g_assert_true(fd_is_closed(ends[turns[i].ends].pair[1], 0));
  }
  g_assert_false(fd_is_closed(ends[1].pair[1], 0));
  for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
    ferry_connections_remove(all, ends[i].conn);
    close(ends[i].pair[0]);
    close(ends[i].pair[1]);
  }
  ferry_connections_free(all);
}

/* The server's end of a connection; it is of this process. */
static int server_fd(Server *s, const Raw *raw) {
  struct sockaddr_in own = {0}, peer = {0}, here = {0};
  socklen_t len = sizeof own;
  g_assert_cmpint(getsockname(raw->fd, (struct sockaddr *)&own, &len), ==, 0);
  for (int fd = 3; fd < 1024; fd++) {
    socklen_t peer_len = sizeof peer, here_len = sizeof here;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
        getsockname(fd, (struct sockaddr *)&here, &here_len) == 0 &&
        peer.sin_port == own.sin_port && here.sin_port == htons(ferry_api_port(s->api, 0)))
      return fd;
  }
  g_assert_not_reached();
}

static int send_buffer(Server *s, const Raw *raw) {
  int size = 0;
  socklen_t len = sizeof size;
  g_assert_cmpint(getsockopt(server_fd(s, raw), SOL_SOCKET, SO_SNDBUF, &size, &len), ==, 0);
  return size;
}

/* The kernel holds little for the reader of a stream, which may never come back, and much for that
 * of a list, also where both are one connection. */
static void test_send_buffers(Server *s, gconstpointer data) {
  static const char get[] = "GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\n\r\n";
  static const char *const streams[] = {VMI "?watch=1&timeoutSeconds=1",
                                        "/api/v1/events/stream?timeoutSeconds=1"};
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.3", "admin");
  gboolean closed;
  for (gsize i = 0; i < G_N_ELEMENTS(streams); i++) {
    g_autofree char *request =
        g_strdup_printf("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", streams[i]);
    g_autoptr(GString) text = g_string_new(NULL);
    raw_send(raw, get, -1);
    g_autofree char *answer = raw_read_answer(raw, &closed);
    g_assert_cmpint(raw_status(answer), ==, 200);
    int list = send_buffer(s, raw);
    g_assert_cmpint(list, >=, 256 * 1024);
    raw_send(raw, request, -1);
    for (guint k = 0; k < 3000 && !strstr(text->str, "\r\n0\r\n\r\n"); k++) {
      g_autofree char *piece = raw_read(raw, 10, &closed);
      gboolean begun = text->len > 0;
      g_string_append(text, piece);
      if (!begun && text->len)
        g_assert_cmpint(send_buffer(s, raw), <=, 64 * 1024);
    }
    g_assert_cmpint(raw_status(text->str), ==, 200);
    g_assert_false(closed);
  }
}

/* ---- connections that the HTTP library fails to take ---- */

typedef struct {
  FerryConnections *all;
  gboolean says; /* the failure is returned, not kept silent */
  gint victim;   /* what has the connection's number then; -1: nothing yet */
  gint other;    /* its other end */
} Failing;

/* Closes what it was given; the number is another file's at once. */
static gboolean fail_to_take(gpointer data, int fd, const struct sockaddr *peer, socklen_t len) {
  Failing *failing = data;
  int pair[2];
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  g_assert_cmpint(dup3(pair[0], fd, O_CLOEXEC), ==, fd);
  close(pair[0]);
  failing->other = pair[1];
  g_atomic_int_set(&failing->victim, fd);
  return !failing->says;
}

static void reap(gpointer data, gint64 now_us) {
  ferry_connections_reap(data, now_us);
}

static guint count_open(FerryConnections *all) {
  g_autoptr(GString) text = g_string_new(NULL);
  guint n = 0;
  ferry_connections_put_metrics(all, text);
  g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
  for (gsize i = 0; lines[i]; i++)
    if (g_str_has_prefix(lines[i], "ferry_api_connections{"))
      n += (guint)g_ascii_strtod(strrchr(lines[i], ' '), NULL);
  return n;
}

/* Nothing is done to the file that gets the number, the client is told, the room is free again. */
static void test_not_taken(gconstpointer says) {
  const FerryHttpLimits limits = {.handshake_ms = 100};
  const FerryHttpLimits resolved = ferry_http_limits_resolve(&limits);
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof in;
  FerryConnections *all = ferry_connections_new(&resolved);
  Failing failing = {.all = all, .says = GPOINTER_TO_INT(says), .victim = -1, .other = -1};
  FerryAcceptorHooks hooks = {.hand = fail_to_take, .tick = reap, .data = all, .tick_ms = 10};
  FerryAcceptor *acceptor = ferry_acceptor_new(all, NULL, 0, &hooks);
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(listening, (struct sockaddr *)&in, sizeof in), ==, 0);
  g_assert_cmpint(listen(listening, 8), ==, 0);
  g_assert_cmpint(getsockname(listening, (struct sockaddr *)&in, &len), ==, 0);
  ferry_acceptor_listen(acceptor, listening, &failing);
  ferry_acceptor_start(acceptor);
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(connect(client, (struct sockaddr *)&in, sizeof in), ==, 0);
  g_assert_cmpint(send(client, "\x16", 1, MSG_NOSIGNAL), ==, 1);
  g_assert_true(fd_is_closed(client, 30000));
  g_assert_cmpint(g_atomic_int_get(&failing.victim), >=, 0);
  g_usleep(300000); /* the handshake's deadline passes, and ticks after it */
  g_assert_cmpuint(count_open(all), ==, 0);
  g_assert_false(fd_is_closed(failing.other, 0));
  g_assert_cmpint(send(failing.victim, "x", 1, MSG_NOSIGNAL), ==, 1);
  ferry_acceptor_free(acceptor);
  ferry_connections_free(all);
  close(failing.victim);
  close(failing.other);
  close(client);
}

/* One that was taken is ended by its own number, and its duplicate is gone. */
static void test_taken(void) {
  const FerryHttpLimits resolved = ferry_http_limits_resolve(NULL);
  FerryConnections *all = ferry_connections_new(&resolved);
  struct sockaddr_in in = {.sin_family = AF_INET};
  int pair[2];
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  FerryConn *c = ferry_connections_add(all, pair[0], (struct sockaddr *)&in, 1);
  int lowest = dup(pair[0]);
  close(lowest);
  g_assert_true(ferry_connections_hand(all, c, 1));
  g_assert_cmpint(fcntl(lowest, F_GETFD), ==, FD_CLOEXEC);
  ferry_connections_reap(all, 2);
  g_assert_true(ferry_connections_take(all, pair[0]) == c);
  g_assert_cmpint(fcntl(lowest, F_GETFD), ==, -1);
  ferry_connections_reap(all, 3);
  g_assert_false(fd_is_closed(pair[1], 0));
  ferry_connections_reap(all, G_MAXINT64 / 2);
  g_assert_true(fd_is_closed(pair[1], 0));
  ferry_connections_remove(all, c);
  ferry_connections_free(all);
  close(pair[0]);
  close(pair[1]);
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
  ADD("send-buffers", NULL, test_send_buffers);
  g_test_add_data_func("/connections/not-taken", NULL, test_not_taken);
  g_test_add_data_func("/connections/not-taken-said", GINT_TO_POINTER(TRUE), test_not_taken);
  g_test_add_func("/connections/taken", test_taken);
  g_test_add_func("/connections/crowd-of-users", test_crowd_of_users);
  return g_test_run();
}
