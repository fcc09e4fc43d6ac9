// SPDX-License-Identifier: Apache-2.0
// Is the target's address reachable from here, and over the right network? Asked before libvirt is
// told to use it, because libvirt would notice a dead address only after minutes.
#include "agent/path/probe.h"
#include "base/error.h"
#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <unistd.h>

#define PROBE_MS 1000

gboolean ferry_probe_in_subnet(const char *address, const char *cidr) {
  g_autoptr(GInetAddress) a = g_inet_address_new_from_string(address);
  g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(cidr, NULL);
  return a && mask && g_inet_address_get_family(a) == g_inet_address_mask_get_family(mask) &&
         g_inet_address_mask_matches(mask, a);
}

static char *source_of(GInetAddress *target, GError **error) {
  g_autoptr(GError) cause = NULL;
  g_autoptr(GSocket) socket = g_socket_new(g_inet_address_get_family(target),
                                           G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &cause);
  g_autoptr(GSocketAddress) to = g_inet_socket_address_new(target, 16514);
  g_autoptr(GSocketAddress) from = NULL;
  /* Connecting a UDP socket sends nothing: it only asks the kernel for the route. */
  if (socket && g_socket_connect(socket, to, NULL, &cause))
    from = g_socket_get_local_address(socket, &cause);
  if (!from) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "this host has no route to it: %s",
                cause->message);
    return NULL;
  }
  return g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(from)));
}

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

gboolean ferry_probe(const char *address, const json_t *subnets, char **source, GError **error) {
  g_autoptr(GInetAddress) target = g_inet_address_new_from_string(address);
  if (!target) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the target's address \"%s\" is not an IP address", address);
    return FALSE;
  }
  g_autofree char *from = source_of(target, error);
  if (!from) {
    g_prefix_error(error, "the target's address %s can't be reached: ", address);
    return FALSE;
  }
  gboolean inside = json_array_size(subnets) == 0;
  const json_t *subnet;
  size_t i;
  json_array_foreach((json_t *)subnets, i, subnet) inside =
      inside || (json_is_string(subnet) && ferry_probe_in_subnet(from, json_string_value(subnet)));
  if (!inside) {
    g_autofree char *list = ferry_json_dump(subnets);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "the way to %s leaves this host from %s, which is not in the network's subnets %s; "
                "correct the routes or the Network",
                address, from, list);
    return FALSE;
  }
  if (!target_answers(target, error)) {
    g_prefix_error(error, "the target's address %s (from %s) can't be reached: ", address, from);
    return FALSE;
  }
  if (source)
    *source = g_steal_pointer(&from);
  return TRUE;
}
