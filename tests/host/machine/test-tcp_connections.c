// SPDX-License-Identifier: Apache-2.0
// The kernel's own view of connections over the loopback.
#include "base/error.h"
#include "host/machine/tcp_connections.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PENDING_BYTES (1 << 16)

static int listener(int backlog, guint16 *port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
  g_assert_cmpint(listen(fd, backlog), ==, 0);
  g_assert_cmpint(getsockname(fd, (struct sockaddr *)&at, &size), ==, 0);
  *port = ntohs(at.sin_port);
  return fd;
}

static int connect_to(guint16 port, int flags) {
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  int failed = connect(fd, (struct sockaddr *)&at, sizeof at);
  g_assert_true(failed == 0 || errno == EINPROGRESS);
  return fd;
}

/* The connection to `port`; FALSE: none. */
static gboolean find(guint16 port, gboolean connecting, FerryTcpConnection *out) {
  g_autoptr(GError) error = NULL;
  GArray *all = ferry_tcp_connections("127.0.0.1", &error);
  g_assert_no_error(error);
  gboolean found = FALSE;
  for (guint i = 0; i < all->len && !found; i++) {
    *out = g_array_index(all, FerryTcpConnection, i);
    found = out->port == port && out->connecting == connecting;
  }
  g_array_unref(all);
  return found;
}

static gboolean may_close(void) {
  if (geteuid() == 0)
    return TRUE;
  g_test_skip("closing a connection needs CAP_NET_ADMIN");
  return FALSE;
}

static void test_established(void) {
  guint16 port;
  int server = listener(4, &port), client = connect_to(port, 0);
  int other = accept(server, NULL, NULL);
  g_assert_cmpint(other, >=, 0);
  FerryTcpConnection c;
  g_assert_true(find(port, FALSE, &c));
  g_assert_cmpint(c.pending, ==, 0);
  g_assert_cmpint(c.since_ack_ms, >=, 0);
  gint64 before = c.acked;
  g_assert_cmpint(before, >=, 0);
  g_assert_cmpint(write(client, "12345", 5), ==, 5);
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  do
    g_assert_true(find(port, FALSE, &c));
  while (c.acked < before + 5 && g_get_monotonic_time() < until);
  g_assert_cmpint(c.acked, ==, before + 5);
  g_assert_cmpuint(c.inode, >, 0);
  g_autoptr(GHashTable) mine = ferry_process_sockets(getpid());
  g_assert_true(g_hash_table_contains(mine, GUINT_TO_POINTER(c.inode)));
  close(client);
  close(other);
  close(server);
  g_assert_false(find(port, FALSE, &c));
}

/* What the other side does not take stays pending. */
static void test_pending(void) {
  guint16 port;
  int small = 4096;
  int server = listener(4, &port), client = connect_to(port, SOCK_NONBLOCK);
  int other = accept(server, NULL, NULL);
  g_assert_cmpint(setsockopt(other, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), ==, 0);
  static const char bytes[PENDING_BYTES];
  ssize_t sent;
  gint64 all = 0;
  while ((sent = send(client, bytes, sizeof bytes, 0)) > 0)
    all += sent;
  FerryTcpConnection c;
  g_assert_true(find(port, FALSE, &c));
  g_assert_cmpint(c.pending, >, PENDING_BYTES);
  g_assert_cmpint(c.pending, <=, all);
  close(client);
  close(other);
  close(server);
}

static void test_close(void) {
  guint16 port;
  if (!may_close())
    return;
  int server = listener(4, &port), client = connect_to(port, 0), kept = connect_to(port, 0);
  FerryTcpConnection c;
  g_autoptr(GError) error = NULL;
  g_assert_true(find(port, FALSE, &c));
  g_assert_true(ferry_tcp_connection_close("127.0.0.1", &c, &error));
  g_assert_no_error(error);
  /* of two to one port only the one that was meant */
  gboolean first = send(client, "x", 1, MSG_NOSIGNAL) < 0;
  g_assert_cmpint(errno, ==, first ? ECONNABORTED : errno);
  gboolean second = send(kept, "x", 1, MSG_NOSIGNAL) < 0;
  g_assert_true(first != second);
  /* once more: it is gone, which is no error */
  g_assert_true(ferry_tcp_connection_close("127.0.0.1", &c, &error));
  g_assert_no_error(error);
  close(client);
  close(kept);
  close(server);
}

/* A listener whose queue is full answers no SYN, as a firewall that drops. */
static void test_connecting(void) {
  enum { CLIENTS = 6 };
  guint16 port;
  int server = listener(0, &port), clients[CLIENTS];
  for (int i = 0; i < CLIENTS; i++)
    clients[i] = connect_to(port, SOCK_NONBLOCK);
  FerryTcpConnection c;
  g_assert_true(find(port, TRUE, &c));
  if (may_close()) {
    g_autoptr(GError) error = NULL;
    g_assert_true(ferry_tcp_connection_close("127.0.0.1", &c, &error));
    g_assert_no_error(error);
    int aborted = 0;
    for (int i = 0; i < CLIENTS; i++) {
      int failed = 0;
      socklen_t size = sizeof failed;
      getsockopt(clients[i], SOL_SOCKET, SO_ERROR, &failed, &size);
      aborted += failed == ECONNABORTED;
    }
    g_assert_cmpint(aborted, ==, 1);
  }
  for (int i = 0; i < CLIENTS; i++)
    close(clients[i]);
  close(server);
}

static void test_bad_input(void) {
  static const char *const bad[] = {"", "h2", "10.0.0", "10.0.0.1:49152", "fe80::1%eth9x", "::g"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_tcp_connections(bad[i], &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  }
  g_autoptr(GError) none = NULL;
  g_assert_null(ferry_tcp_connections(NULL, &none));
  g_assert_error(none, FERRY_ERROR, FERRY_ERROR_INVALID);
  GArray *six = ferry_tcp_connections("fd00::1234", NULL);
  g_assert_nonnull(six);
  g_assert_cmpuint(six->len, ==, 0);
  g_array_unref(six);
  g_assert_null(ferry_process_sockets(0));
  g_assert_cmpint(ferry_process_of_domain("6c8f0000-0000-4000-8000-000000000000"), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/tcp_connections/established", test_established);
  g_test_add_func("/tcp_connections/pending", test_pending);
  g_test_add_func("/tcp_connections/close", test_close);
  g_test_add_func("/tcp_connections/connecting", test_connecting);
  g_test_add_func("/tcp_connections/bad_input", test_bad_input);
  return g_test_run();
}
