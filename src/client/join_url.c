// SPDX-License-Identifier: Apache-2.0
#include "client/join_url.h"
#include <gio/gio.h>

gboolean ferry_join_host_is_local(const char *host) {
  return g_str_has_prefix(host, "127.") || g_str_equal(host, "::1") ||
         g_str_equal(host, "localhost");
}

char *ferry_join_url(const char *server) {
  g_autoptr(GUri) uri = g_uri_parse(server, G_URI_FLAGS_NONE, NULL);
  return uri && g_uri_get_host(uri) && ferry_join_host_is_local(g_uri_get_host(uri))
             ? g_strdup_printf("https://%s:%d", g_get_host_name(), g_uri_get_port(uri))
             : g_strdup(server);
}

gboolean ferry_join_url_answers(const char *url) {
  g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
  int port = uri ? g_uri_get_port(uri) : -1;
  if (port <= 0)
    return FALSE;
  g_autoptr(GSocketClient) client = g_socket_client_new();
  g_socket_client_set_timeout(client, 2);
  g_autoptr(GSocketConnection) connection =
      g_socket_client_connect_to_host(client, g_uri_get_host(uri), (guint16)port, NULL, NULL);
  return connection != NULL;
}
