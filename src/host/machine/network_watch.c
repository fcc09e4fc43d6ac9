// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a thread sleeps on a socket that has joined the kernel's multicast groups of
// links, addresses, routes and rules. What comes is thrown away: it is only a sign that something
// changed, so that messages which the kernel had to drop (ENOBUFS) cost nothing. A change is told
// at once where it is quiet, and no more often than every FERRY_NETWORK_WATCH_MS: a routing daemon
// or a host that starts fifty VMs must not make fifty reports.
#include "host/machine/network_watch.h"
#include "base/error.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SETTLE_MS 20 /* what belongs together comes together */

struct _FerryNetworkWatch {
  FerryNetworkWatchFunc func;
  gpointer data;
  struct nl_sock *sock;
  int stop; /* an eventfd */
  GThread *thread;
};

/* Whether there was anything. */
static gboolean drain_socket(int fd) {
  char bytes[8192];
  gboolean any = FALSE;
  for (;;) {
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
    if (n > 0 || (n < 0 && errno == ENOBUFS))
      any = TRUE;
    else if (n == 0 || errno != EINTR)
      return any;
  }
}

/* Waits for what comes on the socket, `ms` at most (-1: without end); FALSE: it is to end. */
static gboolean await_socket(const FerryNetworkWatch *w, int ms) {
  struct pollfd fds[] = {{nl_socket_get_fd(w->sock), POLLIN, 0}, {w->stop, POLLIN, 0}};
  while (poll(fds, G_N_ELEMENTS(fds), ms) < 0 && errno == EINTR)
    ;
  return !(fds[1].revents & POLLIN);
}

static gboolean watch_rest(const FerryNetworkWatch *w, int ms) {
  struct pollfd fd = {w->stop, POLLIN, 0};
  while (poll(&fd, 1, ms) < 0 && errno == EINTR)
    ;
  return !(fd.revents & POLLIN);
}

static gpointer network_watch_thread(gpointer data) {
  const FerryNetworkWatch *w = data;
  gint64 told_us = G_MININT64 / 2;
  while (await_socket(w, -1)) {
    gint64 quiet = (g_get_monotonic_time() - told_us) / 1000;
    if (!watch_rest(w, quiet >= FERRY_NETWORK_WATCH_MS ? SETTLE_MS
                                                       : (int)(FERRY_NETWORK_WATCH_MS - quiet)))
      break;
    if (!drain_socket(nl_socket_get_fd(w->sock)))
      continue;
    told_us = g_get_monotonic_time();
    w->func(w->data);
  }
  return NULL;
}

FerryNetworkWatch *ferry_network_watch_new(FerryNetworkWatchFunc func, gpointer data,
                                           GError **error) {
  struct nl_sock *sock = nl_socket_alloc();
  int failed = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
  if (failed >= 0)
    failed = nl_socket_add_memberships(sock, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                       RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
                                       RTNLGRP_IPV6_RULE, 0);
  int stop = failed >= 0 ? eventfd(0, EFD_CLOEXEC) : -1;
  if (failed < 0 || stop < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "changes of this host's network can't be followed: %s",
                failed < 0 ? nl_geterror(failed) : g_strerror(errno));
    if (sock)
      nl_socket_free(sock);
    return NULL;
  }
  FerryNetworkWatch *w = g_new0(FerryNetworkWatch, 1);
  *w = (FerryNetworkWatch){.func = func, .data = data, .sock = sock, .stop = stop};
  w->thread = g_thread_new("network-watch", network_watch_thread, w);
  return w;
}

void ferry_network_watch_free(FerryNetworkWatch *w) {
  guint64 one = 1;
  if (!w)
    return;
  while (write(w->stop, &one, sizeof one) < 0 && errno == EINTR)
    ;
  g_thread_join(w->thread);
  nl_socket_free(w->sock);
  close(w->stop);
  g_free(w);
}
