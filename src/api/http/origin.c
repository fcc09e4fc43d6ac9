// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a browser that a hostile page drives is a client with a person's rights (a
// certificate it sends by itself). It says in Host which name it was told, and a page that let its
// own name point here (DNS rebinding) is seen by that; it says in Origin whose page sends a write.
// Other clients send the name they were given, which is in the certificate, and no Origin.
#include "api/http/request.h"
#include "api/http/origin.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_CERTS 8

static void add_names_of(GHashTable *names, gnutls_x509_crt_t crt) {
  for (unsigned i = 0;; i++) {
    char data[256];
    size_t len = sizeof data - 1;
    int type = gnutls_x509_crt_get_subject_alt_name(crt, i, data, &len, NULL);
    if (type < 0)
      return;
    char text[INET6_ADDRSTRLEN] = "";
    data[len] = '\0';
    if (type == GNUTLS_SAN_DNSNAME)
      g_hash_table_add(names, g_ascii_strdown(data, -1));
    else if (type == GNUTLS_SAN_IPADDRESS &&
             inet_ntop(len == 4 ? AF_INET : AF_INET6, data, text, sizeof text))
      g_hash_table_add(names, g_strdup(text));
  }
}

/* The name of HOST[:PORT], without the brackets of IPv6, lower case; NULL: none. */
static char *name_of(const char *host) {
  if (*host == '[') {
    const char *end = strchr(host, ']');
    struct in6_addr raw;
    char text[INET6_ADDRSTRLEN];
    g_autofree char *inner = end ? g_strndup(host + 1, (gsize)(end - host - 1)) : NULL;
    if (!inner || (end[1] && end[1] != ':') || inet_pton(AF_INET6, inner, &raw) != 1)
      return NULL;
    return g_strdup(inet_ntop(AF_INET6, &raw, text, sizeof text));
  }
  gsize len = strcspn(host, ":");
  if (len > 1 && host[len - 1] == '.') /* the root's dot */
    len--;
  const char *port = strchr(host, ':');
  if (len == 0 || (port && strspn(port + 1, "0123456789") != strlen(port + 1)))
    return NULL;
  return g_ascii_strdown(host, (gssize)len);
}

GHashTable *ferry_origin_names(const char *cert_pem, const char *url) {
  GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add(names, g_strdup("localhost"));
  gnutls_x509_crt_t crts[MAX_CERTS];
  unsigned n = MAX_CERTS;
  gnutls_datum_t pem = {(unsigned char *)cert_pem, (unsigned)strlen(cert_pem)};
  if (gnutls_x509_crt_list_import(crts, &n, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
    n = 0;
  for (unsigned i = 0; i < n; i++) {
    add_names_of(names, crts[i]);
    gnutls_x509_crt_deinit(crts[i]);
  }
  const char *host = url ? strstr(url, "://") : NULL;
  g_autofree char *authority = host ? g_strndup(host + 3, strcspn(host + 3, "/")) : NULL;
  char *name = authority ? name_of(authority) : NULL;
  if (name)
    g_hash_table_add(names, name);
  return names;
}

/* The address by which this client reached us is ours whatever the certificate says. */
static gboolean is_local_address(FerryRequest *req, const char *name) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct sockaddr_storage own = {0};
  socklen_t len = sizeof own;
  char text[INET6_ADDRSTRLEN] = "";
  if (!info || getsockname(info->connect_fd, (struct sockaddr *)&own, &len) < 0)
    return FALSE;
  const struct in6_addr *in6 = &((const struct sockaddr_in6 *)&own)->sin6_addr;
  if (own.ss_family == AF_INET)
    inet_ntop(AF_INET, &((const struct sockaddr_in *)&own)->sin_addr, text, sizeof text);
  else if (IN6_IS_ADDR_V4MAPPED(in6))
    inet_ntop(AF_INET, in6->s6_addr + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, in6, text, sizeof text);
  return g_str_equal(text, name);
}

static gboolean is_ours(FerryRequest *req, const char *host) {
  g_autofree char *name = name_of(host);
  return name && (g_hash_table_contains(req->api->names, name) || is_local_address(req, name));
}

unsigned ferry_origin_check(FerryRequest *req, const char **why) {
  struct MHD_Connection *c = req->connection;
  const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
  const char *origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");
  *why = "the Host header names another server: use a name of this one's certificate (ferryd "
         "--tls-san adds one), or the address it listens on";
  if (host && !is_ours(req, host))
    return MHD_HTTP_MISDIRECTED_REQUEST;
  *why = "the request comes from another site's page (Origin), which may only read";
  if (!origin || g_str_equal(req->asked.method, "GET"))
    return 0;
  gboolean own = g_str_has_prefix(origin, "https://") && is_ours(req, origin + strlen("https://"));
  return own ? 0 : MHD_HTTP_FORBIDDEN;
}
