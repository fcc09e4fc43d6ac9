// SPDX-License-Identifier: Apache-2.0
// The first contact of an agent: it holds only the hash of the CA (from its join token). One bare
// TLS handshake shows the server's chain; the certificate in it with that hash becomes the CA that
// the real request is verified against. The handshake itself carries no secret and proves nothing.
#include "client/client.h"
#include "client/client_transfer.h"
#include "base/random.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

static char *der_to_pem(const gnutls_datum_t *der, GError **error) {
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t pem = {0};
  char *text = NULL;
  int rc = gnutls_x509_crt_init(&crt);
  if (rc == 0)
    rc = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
  if (rc == 0)
    rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
  if (rc == 0)
    text = g_strndup((const char *)pem.data, pem.size);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the server's CA certificate can't be read: %s", gnutls_strerror(rc));
  gnutls_free(pem.data);
  if (crt)
    gnutls_x509_crt_deinit(crt);
  return text;
}

static char *client_pin_pick(gnutls_session_t session, const FerryClientConfig *config,
                             GError **error) {
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
  for (unsigned i = 0; i < n && i < 16; i++) {
    g_autofree char *hash = ferry_sha256_hex(chain[i].data, chain[i].size);
    if (g_ascii_strcasecmp(hash, config->ca_sha256) == 0)
      return der_to_pem(&chain[i], error);
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
              "the server %s presents %u certificate(s), none of which is the CA with SHA-256 %s "
              "that the join token names: it is another ferryd, the token is from another one, or "
              "somebody is in between; make a new token with 'ferryd token create'",
              config->server, n, config->ca_sha256);
  return NULL;
}

char *ferry_client_fetch_pinned_ca(const FerryClientConfig *config, GError **error) {
  g_autoptr(GUri) uri = g_uri_parse(config->server, G_URI_FLAGS_NONE, error);
  if (!uri) {
    g_prefix_error(error, "\"%s\" is not a server's URL: ", config->server);
    return NULL;
  }
  const char *host = g_uri_get_host(uri);
  int port = g_uri_get_port(uri);
  g_autoptr(GSocketClient) sockets = g_socket_client_new();
  g_socket_client_set_enable_proxy(sockets, FALSE);
  g_socket_client_set_timeout(
      sockets, config->connect_timeout_ms ? (config->connect_timeout_ms + 999) / 1000 : 5);
  g_autoptr(GError) cause = NULL;
  g_autoptr(GSocketConnection) connection = g_socket_client_connect_to_host(
      sockets, host, (guint16)(port > 0 ? port : 443), NULL, &cause);
  if (!connection) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "cannot reach the server %s: %s; check that ferryd runs there and that the address "
                "and port are right",
                config->server, cause->message);
    return NULL;
  }
  GSocket *socket = g_socket_connection_get_socket(connection);
  g_socket_set_timeout(socket, 0);
  g_socket_set_blocking(socket, TRUE);
  gnutls_session_t session = NULL;
  gnutls_certificate_credentials_t credentials = NULL;
  char *pem = NULL;
  int rc = gnutls_certificate_allocate_credentials(&credentials);
  if (rc == 0)
    rc = gnutls_init(&session, GNUTLS_CLIENT);
  if (rc == 0)
    rc = gnutls_set_default_priority(session);
  if (rc == 0)
    rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  if (rc == 0) {
    if (host && !g_hostname_is_ip_address(host))
      gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, strlen(host));
    gnutls_transport_set_int(session, g_socket_get_fd(socket));
    gnutls_handshake_set_timeout(session, 5000);
    do
      rc = gnutls_handshake(session);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
  }
  if (rc == 0)
    pem = client_pin_pick(session, config, error);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "the TLS handshake with %s failed: %s; is a ferryd at this address?",
                config->server, gnutls_strerror(rc));
  if (session)
    gnutls_deinit(session);
  if (credentials)
    gnutls_certificate_free_credentials(credentials);
  return pem;
}
