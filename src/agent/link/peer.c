// SPDX-License-Identifier: Apache-2.0
// A guess that is wrong is worse than none: a migration that waits says what to do, one that fails
// on its way has cost somebody an hour. So tls is derived only where the port is open and the
// certificate says the name; that one libvirtd may log in to another by ssh can't be seen from
// here, so it is asked for.
#include "agent/link/peer.h"
#include "base/libvirt_files.h"
#include "base/file.h"
#include "base/log.h"
#include "model/migration/peer_uri.h"
#include <gio/gio.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TLS_PORT 16514
#define MAX_FILE (1 << 20)
#define LISTEN "0A"

gboolean ferry_agent_peer_listens(const char *table, guint16 port) {
  g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
  g_autofree char *wanted = g_strdup_printf(":%04X", port);
  for (gsize i = 0; lines[i]; i++) {
    char local[64], remote[64], state[4];
    if (sscanf(lines[i], " %*[^:]: %63s %63s %3s", local, remote, state) == 3 &&
        g_str_has_suffix(local, wanted) && g_str_equal(state, LISTEN))
      return TRUE;
  }
  return FALSE;
}

/* The i-th name of the certificate as text; NULL at the end, "" for one of no use. */
static char *certificate_name(gnutls_x509_crt_t crt, unsigned i) {
  char name[256];
  size_t size = sizeof name - 1;
  unsigned type = 0;
  int got = gnutls_x509_crt_get_subject_alt_name2(crt, i, name, &size, &type, NULL);
  if (got == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return NULL;
  if (got < 0 || size >= sizeof name)
    return g_strdup("");
  if (type == GNUTLS_SAN_IPADDRESS) {
    g_autoptr(GInetAddress) address =
        size == 4 || size == 16
            ? g_inet_address_new_from_bytes((const guint8 *)name,
                                            size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6)
            : NULL;
    return address ? g_inet_address_to_string(address) : g_strdup("");
  }
  return type == GNUTLS_SAN_DNSNAME ? g_ascii_strdown(name, (gssize)size) : g_strdup("");
}

static char *common_name(gnutls_x509_crt_t crt) {
  char name[256];
  size_t size = sizeof name;
  if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) < 0)
    return g_strdup("");
  return g_ascii_strdown(name, -1);
}

char *ferry_agent_peer_name(const char *pem, const char *hostname) {
  gnutls_datum_t data = {(unsigned char *)pem, (unsigned)strlen(pem)};
  gnutls_x509_crt_t crt;
  g_autofree char *found = NULL;
  if (gnutls_x509_crt_init(&crt) < 0)
    return NULL;
  if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) >= 0) {
    unsigned i = 0;
    gboolean own = FALSE;
    for (char *name; !own && (name = certificate_name(crt, i)); i++) {
      own = g_str_equal(name, hostname);
      if (ferry_peer_host_is_valid(name) && (own || !found)) {
        g_free(found);
        found = g_steal_pointer(&name);
      }
      g_free(name);
    }
    g_autofree char *name = i == 0 ? common_name(crt) : NULL; /* libvirt's older recipe */
    if (name && ferry_peer_host_is_valid(name))
      found = g_steal_pointer(&name);
  }
  gnutls_x509_crt_deinit(crt);
  return g_steal_pointer(&found);
}

gboolean ferry_agent_peer_tls_is_open(void) {
  static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
  for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
    g_autofree char *table = NULL; /* a file without a size: g_file_get_contents reads to the end */
    if (g_file_get_contents(tables[i], &table, NULL, NULL) &&
        ferry_agent_peer_listens(table, TLS_PORT))
      return TRUE;
  }
  return FALSE;
}

static json_t *of_this_host(void) {
  char hostname[256] = "";
  if (gethostname(hostname, sizeof hostname - 1) < 0)
    hostname[0] = '\0';
  g_autofree char *lower = g_ascii_strdown(hostname, -1);
  g_autoptr(GError) error = NULL;
  g_autofree char *pem = ferry_file_read(FERRY_LIBVIRT_SERVER_CERTIFICATE, MAX_FILE, NULL, &error);
  g_autofree char *name = pem ? ferry_agent_peer_name(pem, lower) : NULL;
  gboolean open = ferry_agent_peer_tls_is_open();
  if (open && name) {
    ferry_info("other hosts reach this one's libvirtd over tls (see --peer-uri)", "FERRY_PEER",
               name);
    return json_pack("{s:s, s:s}", "scheme", "tls", "host", name);
  }
  g_autofree char *text = g_strdup_printf(
      "no VM can come to this host yet: how other hosts' libvirtd reach its libvirtd is not known "
      "(%s); start the agent with --peer-uri qemu+ssh://root@%s/system where root of the other "
      "hosts may log in here by key, or set up libvirt's TLS",
      !open  ? "nothing listens at libvirt's TLS port 16514"
      : !pem ? "no certificate in " FERRY_LIBVIRT_SERVER_CERTIFICATE
             : FERRY_LIBVIRT_SERVER_CERTIFICATE " names no host that others can reach",
      *lower ? lower : "HOST");
  ferry_warning(text, "FERRY_PEER", "unknown");
  return NULL;
}

json_t *ferry_agent_peer(const char *option, const char *libvirt_uri, GError **error) {
  if (option)
    return ferry_peer_parse(option, error);
  if (g_str_has_prefix(libvirt_uri, "qemu:///"))
    return of_this_host();
  /* how this agent gets there (keys, programs) is its own matter: where to is what counts */
  g_autofree char *place = g_strndup(libvirt_uri, strcspn(libvirt_uri, "?#"));
  g_autoptr(GError) cause = NULL;
  json_t *peer = ferry_peer_parse(place, &cause);
  if (!peer)
    ferry_warning(cause->message, "FERRY_PEER", "unknown");
  return peer;
}
