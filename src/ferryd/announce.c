// SPDX-License-Identifier: Apache-2.0
#include "ferryd/announce.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

/* Whether "ADDR:PORT" or "[ADDR]:PORT" is an address that only this machine reaches. */
static gboolean announce_is_local(const char *listen) {
  const char *colon = strrchr(listen, ':');
  g_autofree char *host = g_strndup(listen, colon ? (gsize)(colon - listen) : strlen(listen));
  gsize len = strlen(host);
  if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
    host[len - 1] = '\0';
    memmove(host, host + 1, len - 1);
  }
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
  return address ? g_inet_address_get_is_loopback(address) : g_str_equal(host, "localhost");
}

static gboolean is_local_fd(int fd) {
  struct sockaddr_storage raw = {0};
  socklen_t len = sizeof raw;
  if (getsockname(fd, (struct sockaddr *)&raw, &len) < 0)
    return TRUE;
  g_autoptr(GSocketAddress) address = g_socket_address_new_from_native(&raw, len);
  return !G_IS_INET_SOCKET_ADDRESS(address) ||
         g_inet_address_get_is_loopback(
             g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
}

static guint16 find_port(const char *const *listen, const int *fds, gsize n_fds,
                         const FerryApi *api) {
  gsize n = 0;
  for (; listen && listen[n]; n++)
    if (!announce_is_local(listen[n]))
      return ferry_api_port(api, n);
  for (gsize i = 0; i < n_fds; i++)
    if (!is_local_fd(fds[i]))
      return ferry_api_port(api, n + i);
  return 0;
}

gboolean ferryd_announce_start(FerrydAnnounce *announce, const FerrydOptions *o,
                               const char *const *listen, const int *fds, gsize n_fds,
                               const FerryApi *api, GError **error) {
  guint16 port = find_port(listen, fds, n_fds, api);
  if (port == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "--announce: ferryd listens on loopback addresses only, where nobody else can "
                "reach it; add --listen ADDR:PORT with an address of this machine, or 0.0.0.0");
    return FALSE;
  }
  g_autofree char *path = g_build_filename(o->state_dir, "ca.crt", NULL);
  g_autofree char *pem = ferry_file_read(path, FERRY_PEM_MAX, NULL, error);
  if (!pem)
    return FALSE;
  g_autofree char *name = g_strdup_printf("ferryd on %s", g_get_host_name());
  announce->ca = ferry_peer_fingerprint(pem);
  FerryAnnouncement own = {
      .role = "ferryd", .name = name, .port = port, .server = o->server_url, .ca = announce->ca};
  announce->discovery = ferry_discovery_start(&own, error);
  return announce->discovery != NULL;
}

char **ferryd_announce_peers(const FerrydAnnounce *announce) {
  if (!announce->discovery)
    return NULL;
  g_autoptr(GPtrArray) peers = ferry_discovery_peers(announce->discovery);
  return ferry_peer_urls((FerryPeer *const *)peers->pdata, peers->len, announce->ca);
}

void ferryd_announce_stop(FerrydAnnounce *announce) {
  g_clear_pointer(&announce->discovery, ferry_discovery_stop);
  g_clear_pointer(&announce->ca, g_free);
}
