// SPDX-License-Identifier: Apache-2.0
// libvirt's words are understood here and nowhere else: who comes after goes by codes and hints.
//
// Theory of operation: a row says what an error's text holds and what it stands for; the first that
// fits is it. Before the rows the port counts, which no language changes: who fails to connect to
// "ADDRESS:PORT" failed at libvirtd if that is its port, else at QEMU, which takes the data.
#include "host/libvirt/libvirt_blame.h"
#include <libvirt/virterror.h>
#include <string.h>

static const struct {
  const char *part;
  int code;
} blame_rows[] = {
    /* ssh's own words first: they stand within those of a connection that was lost */
    {"Could not resolve hostname", FERRY_HOST_ERROR_PEER_NAME},
    {"Unable to resolve address", FERRY_HOST_ERROR_PEER_NAME},
    {"Name or service not known", FERRY_HOST_ERROR_PEER_NAME},
    {"Temporary failure in name resolution", FERRY_HOST_ERROR_PEER_NAME},
    {"ssh: connect to host", FERRY_HOST_ERROR_PEER_UNREACHABLE},
    {"Host key verification failed", FERRY_HOST_ERROR_PEER_LOGIN},
    {"Permission denied", FERRY_HOST_ERROR_PEER_LOGIN},
    {"uthentication failed", FERRY_HOST_ERROR_PEER_LOGIN},
    {"ertificate", FERRY_HOST_ERROR_PEER_LOGIN},
    {"TLS confirmation", FERRY_HOST_ERROR_PEER_LOGIN}, /* the server's yes to a certificate */
    {"TLS handshake failed", FERRY_HOST_ERROR_PEER_LOGIN},
    {"unable to connect to server", FERRY_HOST_ERROR_PEER_UNREACHABLE},
    {"unable to connect to libvirt", FERRY_HOST_ERROR_PEER_UNREACHABLE},
    {"Failed to connect socket", FERRY_HOST_ERROR_PEER_UNREACHABLE},
};

/* The port of "'ADDRESS:PORT'" or "'ADDRESS':'PORT'" in a text; 0: none. */
static guint16 port_in(const char *text) {
  g_autoptr(GRegex) regex = g_regex_new("'[0-9A-Za-z.:\\[\\]-]+?'?:'?([0-9]{1,5})'", 0, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  if (!g_regex_match(regex, text, 0, &match))
    return 0;
  g_autofree char *digits = g_match_info_fetch(match, 1);
  guint64 port = g_ascii_strtoull(digits, NULL, 10);
  return port <= G_MAXUINT16 ? (guint16)port : 0;
}

/* QEMU's own attempt to connect, which is no error of a connection of libvirtd's. */
static gboolean is_of_qemu(const char *message) {
  return strstr(message, "Failed to connect to '") != NULL;
}

int ferry_libvirt_blame(int code, const char *message, guint16 hypervisor_port) {
  gboolean wire = code == FERRY_HOST_ERROR_NO_CONNECTION || code == VIR_ERR_SYSTEM_ERROR;
  gboolean login = code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_AUTH_CANCELLED ||
                   code == VIR_ERR_AUTH_UNAVAILABLE;
  if (login)
    return FERRY_HOST_ERROR_PEER_LOGIN;
  if (is_of_qemu(message))
    return FERRY_HOST_ERROR_PEER_PORT;
  guint16 port = wire ? port_in(message) : 0;
  if (port > 0 && hypervisor_port > 0 && port != hypervisor_port)
    return FERRY_HOST_ERROR_PEER_PORT;
  for (gsize i = 0; wire && i < G_N_ELEMENTS(blame_rows); i++)
    if (strstr(message, blame_rows[i].part))
      return blame_rows[i].code;
  return code == FERRY_HOST_ERROR_NO_CONNECTION ? FERRY_HOST_ERROR_PEER_LOST : code;
}

FerryHostHint ferry_libvirt_hint(const char *message) {
  static const struct {
    const char *part;
    FerryHostHint hint;
  } known[] = {
      {"Migration without shared storage is unsafe", FERRY_HOST_HINT_DISKS_ARE_NOT_SHARED},
      {"disks use cache other than none", FERRY_HOST_HINT_DISKS_ARE_CACHED},
      {"Unable to access credentials", FERRY_HOST_HINT_NO_CERTIFICATES},
      {"TLS handshake", FERRY_HOST_HINT_HANDSHAKE},
      {"with no memory hard limit set", FERRY_HOST_HINT_NO_MEMORY_LIMIT},
      {"is being actively monitored by another thread", FERRY_HOST_HINT_TARGET_IS_BUSY},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (strstr(message, known[i].part))
      return known[i].hint;
  return FERRY_HOST_HINT_NONE;
}

gboolean ferry_libvirt_is_locked(const char *message) {
  return (strstr(message, "Failed to get \"") || strstr(message, "Failed to get shared \"")) &&
         strstr(message, "\" lock");
}

gboolean ferry_libvirt_pool_is_contended(const GError *error) {
  return error->domain == FERRY_HOST_ERROR &&
         (error->code == VIR_ERR_NO_STORAGE_POOL || error->code == VIR_ERR_OPERATION_INVALID ||
          strstr(error->message, "conflict") || strstr(error->message, "being"));
}

guint16 ferry_libvirt_uri_port(const char *uri) {
  static const struct {
    const char *transport;
    guint16 port;
  } defaults[] = {{"tls", 16514}, {"tcp", 16509}, {"ssh", 22}, {"libssh", 22}, {"libssh2", 22}};
  g_autoptr(GUri) parsed = uri ? g_uri_parse(uri, G_URI_FLAGS_NONE, NULL) : NULL;
  if (!parsed)
    return 0;
  if (g_uri_get_port(parsed) > 0)
    return (guint16)g_uri_get_port(parsed);
  const char *plus = strchr(g_uri_get_scheme(parsed), '+');
  const char *transport = plus ? plus + 1 : "tls";
  for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++)
    if (strcmp(transport, defaults[i].transport) == 0)
      return defaults[i].port;
  return 0;
}
