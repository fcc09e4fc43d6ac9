// SPDX-License-Identifier: Apache-2.0
// Is the target's address reachable from here, and over the right network? Asked before libvirt is
// told to use it, because libvirt would notice a dead address only after minutes.
#include "agent/path/probe.h"
#include "agent/path/ways.h"
#include "base/error.h"
#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <unistd.h>

#define PROBE_MS 1000

/* libvirt's TLS port and the last port of QEMU's range: a firewall may let only one through. Never
 * a port where a QEMU may wait: it would take the probe for its migration, and the VM whose
 * post-copy is to be resumed dies of that. libvirt gives ports from the range's start, two to a
 * migration at most, so the last is taken only when more than 30 come in at once. */
static gboolean target_answers(GInetAddress *target, GError **error) {
  static const guint16 ports[] = {16514, 49215};
  GSocket *sockets[G_N_ELEMENTS(ports)] = {NULL};
  gboolean reached = FALSE;
  g_autoptr(GError) cause = NULL;
  guint waiting = 0;
  for (guint i = 0; i < G_N_ELEMENTS(ports) && !reached; i++) {
    g_autoptr(GError) e = NULL;
    g_autoptr(GSocketAddress) to = g_inet_socket_address_new(target, ports[i]);
    sockets[i] = g_socket_new(g_inet_address_get_family(target), G_SOCKET_TYPE_STREAM,
                              G_SOCKET_PROTOCOL_TCP, &e);
    if (sockets[i])
      g_socket_set_blocking(sockets[i], FALSE);
    if (sockets[i] && g_socket_connect(sockets[i], to, NULL, &e))
      reached = TRUE;
    else if (g_error_matches(e, G_IO_ERROR, G_IO_ERROR_PENDING))
      waiting++;
    else if (g_error_matches(e, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
      reached = TRUE;
    else if (!cause)
      cause = g_steal_pointer(&e);
  }
  gint64 until = g_get_monotonic_time() + PROBE_MS * 1000;
  while (!reached && waiting) {
    struct pollfd fds[G_N_ELEMENTS(ports)];
    for (guint i = 0; i < G_N_ELEMENTS(ports); i++)
      fds[i] = (struct pollfd){sockets[i] ? g_socket_get_fd(sockets[i]) : -1, POLLOUT, 0};
    gint64 left = (until - g_get_monotonic_time()) / 1000;
    if (left <= 0 || poll(fds, G_N_ELEMENTS(ports), (int)left) == 0)
      break;
    for (guint i = 0; i < G_N_ELEMENTS(ports) && !reached; i++) {
      g_autoptr(GError) e = NULL;
      if (!sockets[i] || !fds[i].revents)
        continue;
      if (g_socket_check_connect_result(sockets[i], &e) ||
          g_error_matches(e, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)) {
        reached = TRUE;
      } else {
        if (!cause)
          cause = g_steal_pointer(&e);
        g_clear_object(&sockets[i]);
        waiting--;
      }
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(ports); i++)
    g_clear_object(&sockets[i]);
  if (!reached)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "it does not answer: %s",
                cause ? cause->message : "nothing came within a second on ports 16514 and 49215");
  return reached;
}

gboolean ferry_probe(const char *address, const json_t *migration, char **source, GError **error) {
  g_autoptr(GInetAddress) target = g_inet_address_new_from_string(address);
  if (!target) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the target's address \"%s\" is not an IP address", address);
    return FALSE;
  }
  g_auto(FerryHostWay) way = {0};
  g_autoptr(GError) astray = NULL;
  if (!ferry_ways_to(migration, address, &way, &astray)) {
    g_propagate_prefixed_error(error, g_steal_pointer(&astray),
                               "the target's address %s can't be used: ", address);
    return FALSE;
  }
  if (!target_answers(target, error)) {
    g_prefix_error(error, "the target's address %s (by %s from %s) can't be reached: ", address,
                   way.interface, way.source ? way.source : "no address of its own");
    return FALSE;
  }
  if (source)
    *source = g_steal_pointer(&way.source);
  return TRUE;
}
