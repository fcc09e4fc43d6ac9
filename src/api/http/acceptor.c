// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one thread with epoll holds the listening sockets and the connections that
// have not said anything yet, which cost a descriptor and a few hundred bytes each; the HTTP
// library would spend a TLS session on them. At its first bytes a connection is handed over. From a
// listed proxy those may be a PROXY header: it is looked at without being taken until it is whole
// (SO_RCVLOWAT has epoll wait for as many bytes), then taken. Who is not listed and sends one gets
// what any broken TLS gets.
#include "api/http/acceptor.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEAD_PEER_MS 30000
#define EVENTS 64
#define ACCEPTS 64 /* in one go, before others get their turn */
#define NO_FILES_US 20000

typedef struct {
  int fd;
  gpointer listener;
  FerryConn *conn; /* NULL: a listening socket */
  gboolean proxy;  /* a PROXY header may come */
  struct sockaddr_storage peer;
  socklen_t peer_len;
} AcceptorHeld;

struct FerryAcceptor {
  FerryConnections *connections;
  FerryProxyNet *proxies;
  gsize n_proxies;
  FerryAcceptorHooks hooks;
  GHashTable *held; /* AcceptorHeld, sockets to listen on included */
  int epoll, stop;
  GThread *thread;
};

static void held_free(gpointer data) {
  AcceptorHeld *h = data;
  close(h->fd);
  g_free(h);
}

FerryAcceptor *ferry_acceptor_new(FerryConnections *connections, const FerryProxyNet *proxies,
                                  gsize n_proxies, const FerryAcceptorHooks *hooks) {
  FerryAcceptor *a = g_new0(FerryAcceptor, 1);
  a->connections = connections;
  a->proxies = g_memdup2(proxies, n_proxies * sizeof *proxies);
  a->n_proxies = n_proxies;
  a->hooks = *hooks;
  a->held = g_hash_table_new_full(NULL, NULL, held_free, NULL);
  a->epoll = epoll_create1(EPOLL_CLOEXEC);
  a->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (a->epoll < 0 || a->stop < 0)
    g_error("cannot make an epoll and an event descriptor: %s", g_strerror(errno));
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->stop, &event);
  return a;
}

static gboolean acceptor_hold(FerryAcceptor *a, AcceptorHeld *h) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = h};
  if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, h->fd, &event) < 0)
    return FALSE;
  g_hash_table_add(a->held, h);
  return TRUE;
}

void ferry_acceptor_listen(FerryAcceptor *a, int fd, gpointer listener) {
  AcceptorHeld *h = g_new0(AcceptorHeld, 1);
  h->fd = fd;
  h->listener = listener;
  g_unix_set_fd_nonblocking(fd, TRUE, NULL); /* an inherited one need not be */
  if (!acceptor_hold(a, h))
    g_error("cannot wait for connections: %s", g_strerror(errno));
}

/* ---- one connection ---- */

static void drop_conn(FerryAcceptor *a, AcceptorHeld *h) {
  ferry_connections_remove(a->connections, h->conn);
  g_hash_table_remove(a->held, h);
}

/* The HTTP library has the descriptor from here on, and it is closed by it. */
static void hand_over(FerryAcceptor *a, AcceptorHeld *h) {
  int lowat = 1;
  if (h->proxy)
    setsockopt(h->fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof lowat);
  epoll_ctl(a->epoll, EPOLL_CTL_DEL, h->fd, NULL);
  if (!ferry_connections_hand(a->connections, h->conn, g_get_monotonic_time())) {
    ferry_connections_count_end(a->connections, FERRY_END_FULL);
    drop_conn(a, h);
    return;
  }
  g_hash_table_steal(a->held, h);
  /* On a failure the descriptor is closed, which the next tick sees. */
  a->hooks.hand(h->listener, h->fd, (struct sockaddr *)&h->peer, h->peer_len);
  g_free(h);
}

static void take_header(FerryAcceptor *a, AcceptorHeld *h, const FerryProxyHeader *header,
                        gboolean has_peer) {
  guint8 buf[FERRY_PROXY_MOST];
  if (recv(h->fd, buf, header->size, 0) != (ssize_t)header->size) {
    drop_conn(a, h);
    return;
  }
  if (has_peer) {
    h->peer = header->peer;
    h->peer_len = header->peer_len;
    ferry_connections_set_peer(a->connections, h->conn, (struct sockaddr *)&h->peer);
  }
  int lowat = 1;
  setsockopt(h->fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof lowat);
  h->proxy = FALSE;
}

static void read_proxy(FerryAcceptor *a, AcceptorHeld *h) {
  guint8 buf[FERRY_PROXY_MOST];
  FerryProxyHeader header;
  ssize_t n = recv(h->fd, buf, sizeof buf, MSG_PEEK);
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN)
      drop_conn(a, h);
    return;
  }
  FerryProxyResult result = ferry_proxy_parse(buf, (gsize)n, &header);
  switch (result) {
  case FERRY_PROXY_NONE:
    hand_over(a, h);
    return;
  case FERRY_PROXY_SHORT: {
    int need = (int)header.size;
    if (setsockopt(h->fd, SOL_SOCKET, SO_RCVLOWAT, &need, sizeof need) < 0)
      drop_conn(a, h);
    return;
  }
  case FERRY_PROXY_BAD:
    ferry_connections_count_end(a->connections, FERRY_END_PROXY);
    drop_conn(a, h);
    return;
  case FERRY_PROXY_LOCAL:
  case FERRY_PROXY_PEER:
    take_header(a, h, &header, result == FERRY_PROXY_PEER);
    return;
  }
}

static void on_bytes(FerryAcceptor *a, AcceptorHeld *h, guint events) {
  char byte;
  if (h->proxy && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
    drop_conn(a, h); /* the rest of its header will not come */
    return;
  }
  if (h->proxy) {
    read_proxy(a, h);
    return;
  }
  ssize_t n = recv(h->fd, &byte, 1, MSG_PEEK);
  if (n > 0)
    hand_over(a, h);
  else if (n == 0 || errno != EAGAIN)
    drop_conn(a, h);
}

/* ---- new ones ---- */

static void prepare_socket(int fd) {
  unsigned ms = DEAD_PEER_MS;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static gboolean is_proxy(const FerryAcceptor *a, const struct sockaddr *peer) {
  for (gsize i = 0; i < a->n_proxies; i++)
    if ((peer->sa_family == AF_INET || peer->sa_family == AF_INET6) &&
        ferry_proxy_net_contains(&a->proxies[i], peer))
      return TRUE;
  return FALSE;
}

static void on_listening(FerryAcceptor *a, const AcceptorHeld *socket) {
  for (int i = 0; i < ACCEPTS; i++) {
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    int fd = accept4(socket->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      /* The connection stays in the queue and would wake this thread at once. */
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        g_usleep(NO_FILES_US);
      return;
    }
    prepare_socket(fd);
    AcceptorHeld *h = g_new0(AcceptorHeld, 1);
    h->fd = fd;
    h->listener = socket->listener;
    h->peer = peer;
    h->peer_len = len;
    h->proxy = is_proxy(a, (struct sockaddr *)&peer);
    h->conn =
        ferry_connections_add(a->connections, fd, (struct sockaddr *)&peer, g_get_monotonic_time());
    if (!acceptor_hold(a, h)) {
      ferry_connections_remove(a->connections, h->conn);
      held_free(h);
    }
  }
}

static gpointer acceptor_serve(gpointer data) {
  FerryAcceptor *a = data;
  gint64 ticked_us = 0;
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(a->epoll, events, EVENTS, (int)a->hooks.tick_ms);
    /* Connections first: what ends makes room for what begins. */
    for (int i = 0; i < n; i++) {
      AcceptorHeld *h = events[i].data.ptr;
      if (!h)
        return NULL;
      if (h->conn)
        on_bytes(a, h, events[i].events);
    }
    for (int i = 0; i < n; i++) {
      AcceptorHeld *h = events[i].data.ptr;
      if (g_hash_table_contains(a->held, h) && !h->conn)
        on_listening(a, h);
    }
    gint64 now = g_get_monotonic_time();
    if (now - ticked_us >= (gint64)a->hooks.tick_ms * 1000) {
      ticked_us = now;
      a->hooks.tick(a->hooks.data, now);
    }
  }
}

void ferry_acceptor_start(FerryAcceptor *a) {
  a->thread = g_thread_new("ferry-accept", acceptor_serve, a);
}

void ferry_acceptor_free(FerryAcceptor *a) {
  if (!a)
    return;
  guint64 one = 1;
  if (a->thread && write(a->stop, &one, sizeof one) == sizeof one)
    g_thread_join(a->thread);
  GHashTableIter iter;
  gpointer held;
  g_hash_table_iter_init(&iter, a->held);
  while (g_hash_table_iter_next(&iter, &held, NULL))
    if (((AcceptorHeld *)held)->conn)
      ferry_connections_remove(a->connections, ((AcceptorHeld *)held)->conn);
  g_hash_table_unref(a->held);
  close(a->epoll);
  close(a->stop);
  g_free(a->proxies);
  g_free(a);
}
