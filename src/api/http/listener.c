// SPDX-License-Identifier: Apache-2.0
// One listening address: its HTTPS daemon, which is given connections (acceptor.c) and runs two
// threads. They do TLS, parse requests, answer what is quick and write answers; nothing that takes
// long may run on them.
#include "api/http/listener.h"
#include "api/http/connection.h"
#include "api/http/front.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define THREADS 2u
/* A reader that takes nothing keeps it. It holds the largest request that strict.c takes, with
 * 32 KiB of header and a URL of 8 KiB, and the largest header of its answer (tested); half of it is
 * touched as soon as the connection is there. */
#define MEMORY_PER_CONNECTION (64 * 1024)
/* Behind our own deadlines (connections.c), which come first. */
#define LAST_TIMEOUT_S 300u
/* No CBC, no RSA key exchange; GnuTLS compresses no records any more, and leaves it to its user to
 * renegotiate, which the HTTP library never does. */
#define PRIORITIES                                                                                 \
  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"        \
  "+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"

struct FerryListener {
  FerryApi *api;
  struct MHD_Daemon *daemon;
  guint16 port;
};

static void G_GNUC_PRINTF(2, 0) on_log(void *data, const char *format, va_list ap) {
  g_logv("ferry", G_LOG_LEVEL_DEBUG, format, ap);
}

/* The server's certificate of this moment. Clients are not told which CAs are known here: while
 * the CA changes they would keep back what they have. */
static int on_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                          gnutls_pcert_st **certs, unsigned *n, gnutls_ocsp_data_st **ocsp,
                          unsigned *n_ocsp, gnutls_privkey_t *key, unsigned *flags) {
  FerryApi *api = gnutls_db_get_ptr(session); /* see ferry_connection_on_change */
  *ocsp = NULL;
  *n_ocsp = *flags = 0;
  gnutls_certificate_send_x509_rdn_sequence(session, 1);
  api->stages->certificate(api, certs, n, key);
  return 0;
}

static struct MHD_Daemon *start_daemon(FerryApi *api) {
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
                   MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
  /* The library shares its limit out among its threads, connections are not so even. */
  unsigned most = ferry_front_most_connections(api->front) * THREADS;
  return MHD_start_daemon(
      flags, 0, NULL, NULL, ferry_connection_on_request, api, MHD_OPTION_EXTERNAL_LOGGER, on_log,
      NULL, MHD_OPTION_HTTPS_CERT_CALLBACK2, on_certificate, MHD_OPTION_HTTPS_MEM_TRUST,
      api->stages->trusted(api), MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
      MHD_OPTION_CONNECTION_TIMEOUT, LAST_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, most,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
      MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_URI_LOG_CALLBACK, ferry_connection_on_uri,
      api, MHD_OPTION_NOTIFY_COMPLETED, ferry_connection_on_completed, api,
      MHD_OPTION_NOTIFY_CONNECTION, ferry_connection_on_change, api, MHD_OPTION_END);
}

FerryListener *ferry_listener_new(FerryApi *api, int fd, GError **error) {
  FerryListener *listener = g_new0(FerryListener, 1);
  listener->api = api;
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
    listener->port =
        ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                            : ((struct sockaddr_in *)&address)->sin_port);
  listener->daemon = start_daemon(api);
  if (!listener->daemon) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "cannot serve HTTPS on port %u: the HTTP library gave no reason; see the log at "
                "level debug",
                listener->port);
    close(fd);
    g_free(listener);
    return NULL;
  }
  ferry_front_listen(api->front, fd, listener);
  return listener;
}

gboolean ferry_listener_hand(gpointer listener, int fd, const struct sockaddr *peer,
                             socklen_t peer_len) {
  FerryListener *l = listener;
  return MHD_add_connection(l->daemon, fd, peer, peer_len) == MHD_YES;
}

guint16 ferry_listener_port(const FerryListener *listener) {
  return listener->port;
}

void ferry_listener_free(FerryListener *listener) {
  if (!listener)
    return;
  MHD_stop_daemon(listener->daemon);
  g_free(listener);
}
