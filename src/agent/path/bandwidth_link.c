// SPDX-License-Identifier: Apache-2.0
// Theory of operation: mutual TLS 1.3 with the agents' own certificates. Both ends must present one
// of ferryd's CA that names, as system:node:NAME of system:nodes, the other node of the migration;
// its purpose is "client" at both ends, since that is what the CA gives agents, so that ferryd's
// own certificate is not taken for an agent's. Sockets do not block; every wait has a deadline and
// asks a tenth of a second at most after the last time whether it is still wanted.
//
// Data in the clear follow the sender's end of TLS (close_notify) in that direction on the same
// connection: it needs no second port and no second authentication, and the other direction stays
// encrypted. GnuTLS reads a record at a time, never beyond it.
#include "agent/path/bandwidth_link.h"
#include "base/error.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SLICE_MS 100
#define MAX_LINE 256
#define UNSENT_BYTES (256 * 1024) /* in the kernel beyond what is on its way */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct FerryLink {
  GSocket *socket;
  const FerryBandwidthParty *party;
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
  gboolean sends_clear, takes_clear;
};

int ferry_link_wait(GSocket *socket, int events, gint64 until_us, const FerryBandwidthParty *party,
                    GError **error) {
  for (;;) {
    if (party->stopped && party->stopped(party->data)) {
      g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "no longer wanted");
      return 0;
    }
    gint64 left = (until_us - g_get_monotonic_time() + 999) / 1000;
    if (left <= 0) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT, "nothing came in time");
      return 0;
    }
    struct pollfd fd = {g_socket_get_fd(socket), (short)events, 0};
    if (poll(&fd, 1, (int)MIN(left, SLICE_MS)) > 0)
      return fd.revents;
  }
}

/* What to do after `rc` of GnuTLS: TRUE: the same once more. */
static gboolean may_go_on(FerryLink *l, int rc, gint64 until_us, const char *doing,
                          GError **error) {
  if (gnutls_error_is_fatal(rc)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "%s: %s", doing, gnutls_strerror(rc));
    return FALSE;
  }
  /* a warning that came says nothing of more to come, so the deadline is looked at in any case */
  int events = gnutls_record_get_direction(l->session) ? POLLOUT : POLLIN;
  if (rc != GNUTLS_E_AGAIN)
    events = POLLIN | POLLOUT;
  if (ferry_link_wait(l->socket, events, until_us, l->party, error))
    return TRUE;
  g_prefix_error(error, "%s: ", doing);
  return FALSE;
}

static gboolean subject_is(gnutls_x509_crt_t crt, const char *oid, const char *expected) {
  char text[300];
  size_t len = sizeof text;
  return gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, text, &len) >= 0 &&
         len == strlen(expected) && memcmp(text, expected, len) == 0;
}

static gboolean is_peer(FerryLink *l, GError **error) {
  unsigned n = 0, status = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(l->session, &n);
  gnutls_typed_vdata_st purpose[] = {
      {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT}};
  gnutls_x509_crt_t crt = NULL;
  g_autofree char *name = g_strdup_printf("system:node:%s", l->party->peer);
  gboolean good = chain && n > 0 &&
                  gnutls_certificate_type_get2(l->session, GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_X509 &&
                  gnutls_certificate_verify_peers(l->session, purpose, 1, &status) >= 0 &&
                  status == 0 && gnutls_x509_crt_init(&crt) >= 0;
  good = good && gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
         subject_is(crt, GNUTLS_OID_X520_COMMON_NAME, name) &&
         subject_is(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, "system:nodes");
  if (crt)
    gnutls_x509_crt_deinit(crt);
  if (!good)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the other end is not the agent of node %s, by ferryd's CA", l->party->peer);
  return good;
}

static int bandwidth_link_prepare(FerryLink *l, gboolean server) {
  const FerryBandwidthParty *p = l->party;
  gnutls_datum_t ca = {(unsigned char *)p->ca_pem, (unsigned)strlen(p->ca_pem)};
  gnutls_datum_t cert = {(unsigned char *)p->cert_pem, (unsigned)strlen(p->cert_pem)};
  gnutls_datum_t key = {(unsigned char *)p->key_pem, (unsigned)strlen(p->key_pem)};
  int rc = gnutls_certificate_allocate_credentials(&l->credentials);
  if (rc >= 0)
    rc = gnutls_certificate_set_x509_trust_mem(l->credentials, &ca, GNUTLS_X509_FMT_PEM);
  if (rc >= 0)
    rc = gnutls_certificate_set_x509_key_mem(l->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
  if (rc >= 0)
    rc = gnutls_init(&l->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                      GNUTLS_NO_TICKETS);
  if (rc >= 0)
    rc = gnutls_priority_set_direct(l->session, PRIORITY, NULL);
  if (rc >= 0)
    rc = gnutls_credentials_set(l->session, GNUTLS_CRD_CERTIFICATE, l->credentials);
  if (rc >= 0 && server)
    gnutls_certificate_server_set_request(l->session, GNUTLS_CERT_REQUIRE);
  if (rc >= 0)
    gnutls_transport_set_int(l->session, g_socket_get_fd(l->socket));
  return rc;
}

FerryLink *ferry_link_new(GSocket *socket, gboolean server, const FerryBandwidthParty *party,
                          gint64 timeout_ms, GError **error) {
  g_autoptr(FerryLink) l = g_new0(FerryLink, 1);
  gint64 until = g_get_monotonic_time() + timeout_ms * 1000;
  l->socket = g_object_ref(socket);
  l->party = party;
  g_socket_set_blocking(socket, FALSE);
  int rc = bandwidth_link_prepare(l, server);
  if (rc < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "this agent's certificate: %s",
                gnutls_strerror(rc));
    return NULL;
  }
  while ((rc = gnutls_handshake(l->session)) < 0)
    if (!may_go_on(l, rc, until, "TLS handshake", error))
      return NULL;
  return is_peer(l, error) ? g_steal_pointer(&l) : NULL;
}

void ferry_link_free(FerryLink *l) {
  if (!l)
    return;
  if (l->session)
    gnutls_deinit(l->session);
  if (l->credentials)
    gnutls_certificate_free_credentials(l->credentials);
  g_object_unref(l->socket);
  g_free(l);
}

GSocket *ferry_link_connect(const char *address, guint16 port, const FerryBandwidthParty *party,
                            gint64 timeout_ms, GError **error) {
  gint64 until = g_get_monotonic_time() + timeout_ms * 1000;
  g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(address);
  if (!inet) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "\"%s\" is not an IP address", address);
    return NULL;
  }
  g_autoptr(GError) cause = NULL;
  g_autoptr(GSocketAddress) to = g_inet_socket_address_new(inet, port);
  g_autoptr(GSocket) socket = g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM,
                                           G_SOCKET_PROTOCOL_TCP, error);
  if (!socket)
    return NULL;
  struct linger now = {1, 0};
  int unsent = UNSENT_BYTES, fd = g_socket_get_fd(socket);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  g_socket_set_blocking(socket, FALSE);
  if (!g_socket_connect(socket, to, NULL, &cause)) {
    gboolean pending = g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PENDING);
    if (pending)
      g_clear_error(&cause);
    if (!pending || !ferry_link_wait(socket, POLLOUT, until, party, &cause) ||
        !g_socket_check_connect_result(socket, &cause)) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "port %u of %s does not answer: %s",
                  port, address, cause->message);
      return NULL;
    }
  }
  return g_steal_pointer(&socket);
}

gboolean ferry_link_say(FerryLink *l, const char *line, gint64 until_us, GError **error) {
  g_autofree char *text = g_strconcat(line, "\n", NULL);
  gssize rc;
  while ((rc = gnutls_record_send(l->session, text, strlen(text))) < 0)
    if (!may_go_on(l, (int)rc, until_us, "sending", error))
      return FALSE;
  return TRUE; /* a record is sent as a whole */
}

char *ferry_link_hear(FerryLink *l, gint64 until_us, GError **error) {
  char text[MAX_LINE + 1];
  gssize rc;
  while ((rc = gnutls_record_recv(l->session, text, MAX_LINE)) < 0)
    if (!may_go_on(l, (int)rc, until_us, "receiving", error))
      return NULL;
  text[rc] = '\0';
  gboolean whole = rc > 1 && text[rc - 1] == '\n' && strlen(text) == (gsize)rc;
  if (!whole) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                rc ? "the other end said something other than a line" : "the other end hung up");
    return NULL;
  }
  text[rc - 1] = '\0';
  return g_strdup(text);
}

static gboolean end_tls(FerryLink *l, gint64 until_us, GError **error) {
  int rc;
  while ((rc = gnutls_bye(l->session, GNUTLS_SHUT_WR)) < 0)
    if (!may_go_on(l, rc, until_us, "ending TLS", error))
      return FALSE;
  return TRUE;
}

gboolean ferry_link_send_clear(FerryLink *l, gint64 until_us, GError **error) {
  l->sends_clear = end_tls(l, until_us, error);
  return l->sends_clear;
}

gboolean ferry_link_take_clear(FerryLink *l, gint64 until_us, GError **error) {
  char byte;
  gssize rc;
  while ((rc = gnutls_record_recv(l->session, &byte, 1)) < 0)
    if (!may_go_on(l, (int)rc, until_us, "receiving", error))
      return FALSE;
  if (rc > 0)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "encrypted data, none expected");
  l->takes_clear = rc == 0;
  return l->takes_clear;
}

gssize ferry_link_send(FerryLink *l, const void *bytes, gsize size, GError **error) {
  if (l->sends_clear) {
    gssize n = send(g_socket_get_fd(l->socket), bytes, size, MSG_NOSIGNAL);
    if (n >= 0 || errno == EAGAIN || errno == EINTR)
      return MAX(n, 0);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "sending: %s", g_strerror(errno));
    return -1;
  }
  gssize n = gnutls_record_send(l->session, bytes, size);
  if (n >= 0 || !gnutls_error_is_fatal((int)n))
    return MAX(n, 0);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "sending: %s", gnutls_strerror((int)n));
  return -1;
}

gboolean ferry_link_end(FerryLink *l, gint64 until_us, GError **error) {
  if (!l->sends_clear && !end_tls(l, until_us, error))
    return FALSE;
  return g_socket_shutdown(l->socket, FALSE, TRUE, error);
}

gssize ferry_link_receive(FerryLink *l, void *buffer, gsize size, gint64 until_us, GError **error) {
  gssize n;
  if (!l->takes_clear) {
    while ((n = gnutls_record_recv(l->session, buffer, size)) < 0)
      if (!may_go_on(l, (int)n, until_us, "receiving", error))
        return -1;
    return n;
  }
  while ((n = recv(g_socket_get_fd(l->socket), buffer, size, 0)) < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "receiving: %s", g_strerror(errno));
      return -1;
    }
    if (!ferry_link_wait(l->socket, POLLIN, until_us, l->party, error))
      return -1;
  }
  return n;
}

gboolean ferry_link_is_spoken_to(const FerryLink *l) {
  struct pollfd fd = {g_socket_get_fd(l->socket), POLLIN, 0};
  return gnutls_record_check_pending(l->session) > 0 || poll(&fd, 1, 0) > 0;
}

GSocket *ferry_link_socket(const FerryLink *l) {
  return l->socket;
}
