// SPDX-License-Identifier: Apache-2.0
// Nothing is unescaped, nothing is skipped: what is not in the few allowed bytes is refused before
// anybody asks what it would mean. Two spellings of one host would defeat the comparison of hosts
// in control/node_claims.c, so each host has one.
#include "model/migration/peer_uri.h"
#include "base/limits.h"
#include <arpa/inet.h>
#include <string.h>

static const char *const peer_schemes[] = {"tls", "ssh", "tcp", NULL};

static gboolean ipv4_is_usable(const struct in_addr *a) {
  guint32 n = ntohl(a->s_addr);
  guint32 top = n >> 24;
  return top != 0 && top != 127 && top < 224 && n >> 16 != 0xa9fe; /* 169.254/16 */
}

static gboolean ipv6_is_usable(const struct in6_addr *a, const char *text) {
  char canonical[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, a, canonical, sizeof canonical) && g_str_equal(canonical, text) &&
         !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a) &&
         !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_V4COMPAT(a);
}

/* One label of a DNS name, `len` long. */
static gboolean is_label(const char *text, gsize len) {
  if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
    return FALSE;
  return strspn(text, G_CSET_a_2_z G_CSET_DIGITS "-") >= len;
}

/* getaddrinfo reads 127.1, 2130706433 and 0x7f.1 as addresses: a last label that begins as a number
 * is no name. */
static gboolean is_dns_name(const char *text) {
  const char *label = text;
  if (strlen(text) > FERRY_DNS_NAME_MAX)
    return FALSE;
  for (;;) {
    gsize len = strcspn(label, ".");
    if (!is_label(label, len))
      return FALSE;
    if (!label[len])
      break;
    label += len + 1;
  }
  gboolean number = strspn(label, G_CSET_DIGITS) == strlen(label) || g_str_has_prefix(label, "0x");
  gboolean here = g_str_equal(text, "localhost") || g_str_equal(label, "localhost") ||
                  g_str_has_prefix(text, "localhost.") || g_str_equal(text, "ip6-localhost");
  return !number && !here;
}

gboolean ferry_peer_host_is_valid(const char *text) {
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, text, &v4) == 1)
    return ipv4_is_usable(&v4);
  if (strchr(text, ':'))
    return inet_pton(AF_INET6, text, &v6) == 1 && ipv6_is_usable(&v6, text);
  return is_dns_name(text);
}

gboolean ferry_peer_user_is_valid(const char *text) {
  gsize len = strlen(text);
  return len >= 1 && len <= 32 && strchr(G_CSET_a_2_z "_", text[0]) &&
         strspn(text, G_CSET_a_2_z G_CSET_DIGITS "_-") == len;
}

/* TRUE: digits only, without a zero in front, 1 to 65535. */
static gboolean parse_port(const char *text, gsize len, int *port) {
  guint64 n;
  g_autofree char *digits = g_strndup(text, len);
  if (len == 0 || len > 5 || digits[0] == '0' || strspn(digits, G_CSET_DIGITS) != len ||
      !g_ascii_string_to_unsigned(digits, 10, 1, 65535, &n, NULL))
    return FALSE;
  *port = (int)n;
  return TRUE;
}

gboolean ferry_peer_split_authority(const char *text, gsize len, char **host, int *port) {
  gboolean brackets = len > 0 && text[0] == '[';
  const char *end = brackets ? memchr(text, ']', len) : memchr(text, ':', len);
  if (memchr(text, '\0', len) || (brackets && !end))
    return FALSE;
  gsize host_len = !end ? len : (gsize)(end - text) - (brackets ? 1 : 0);
  const char *rest = !end ? text + len : end + (brackets ? 1 : 0);
  gsize rest_len = len - (gsize)(rest - text);
  *port = 0;
  if (host_len == 0 || host_len > FERRY_DNS_NAME_MAX ||
      (rest_len > 0 && (rest[0] != ':' || !parse_port(rest + 1, rest_len - 1, port))))
    return FALSE;
  g_autofree char *name = g_ascii_strdown(text + (brackets ? 1 : 0), (gssize)host_len);
  if (brackets != (strchr(name, ':') != NULL) || !ferry_peer_host_is_valid(name))
    return FALSE;
  *host = g_steal_pointer(&name);
  return TRUE;
}

static gboolean G_GNUC_PRINTF(2, 3) peer_uri_refuse(GError **error, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_INVALID, text);
  return FALSE;
}

#define EXPECTED                                                                                   \
  "expected qemu+tls://HOST[:PORT]/system or qemu+ssh://[USER@]HOST[:PORT]/system, such as "       \
  "qemu+tls://h2.example.com/system"

static gboolean peer_uri_parse(const char *uri, json_t *peer, GError **error) {
  g_autofree char *shown = g_strndup(uri, 100);
  g_autofree char *quoted = g_strescape(shown, NULL);
  const char *at, *scheme = NULL, *rest = NULL, *slash;
  if (strpbrk(uri, "?#"))
    return peer_uri_refuse(
        error,
        "\"%s\": parameters (after '?') and fragments are refused, for they can run "
        "programs and choose keys; " EXPECTED,
        quoted);
  for (gsize i = 0; peer_schemes[i] && !scheme; i++) {
    g_autofree char *head = g_strconcat("qemu+", peer_schemes[i], "://", NULL);
    if (g_str_has_prefix(uri, head)) {
      scheme = peer_schemes[i];
      rest = uri + strlen(head);
    }
  }
  if (!scheme)
    return peer_uri_refuse(
        error, "\"%s\": of libvirt's transports only tls, ssh and tcp name a host; " EXPECTED,
        quoted);
  slash = strchr(rest, '/');
  if (!slash || !g_str_equal(slash, "/system"))
    return peer_uri_refuse(error, "\"%s\" does not end in /system after the host; " EXPECTED,
                           quoted);
  gsize len = (gsize)(slash - rest);
  at = memchr(rest, '@', len);
  g_autofree char *user = at ? g_strndup(rest, (gsize)(at - rest)) : NULL;
  if (user && !g_str_equal(scheme, "ssh"))
    return peer_uri_refuse(error, "\"%s\": only ssh has a user; " EXPECTED, quoted);
  if (user && !ferry_peer_user_is_valid(user))
    return peer_uri_refuse(
        error, "\"%s\": the user may only have lower case letters, digits, '_' and '-'", quoted);
  const char *authority = at ? at + 1 : rest;
  g_autofree char *host = NULL;
  int port;
  if (!ferry_peer_split_authority(authority, (gsize)(slash - authority), &host, &port))
    return peer_uri_refuse(
        error,
        "\"%s\": the host is a DNS name, an IPv4 address or an IPv6 address in brackets "
        "that other hosts can reach, the port a number; " EXPECTED,
        quoted);
  ferry_json_set_str(peer, "scheme", scheme);
  ferry_json_set_str(peer, "host", host);
  if (port)
    ferry_json_set_int(peer, "port", port);
  if (user)
    ferry_json_set_str(peer, "user", user);
  return TRUE;
}

json_t *ferry_peer_parse(const char *uri, GError **error) {
  g_autoptr(json_t) peer = json_object();
  return peer_uri_parse(uri, peer, error) ? g_steal_pointer(&peer) : NULL;
}

char *ferry_peer_uri(const json_t *peer, GError **error) {
  static const char *const known[] = {"scheme", "host", "port", "user", NULL};
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)peer, key, value) {
    if (!g_strv_contains(known, key)) {
      peer_uri_refuse(error, "peer.%s is not known: a peer has only scheme, host, port and user",
                      key);
      return NULL;
    }
  }
  const char *scheme = json_string_value(json_object_get(peer, "scheme"));
  const char *host = json_string_value(json_object_get(peer, "host"));
  const json_t *user = json_object_get(peer, "user"), *port = json_object_get(peer, "port");
  json_int_t number = json_integer_value(port);
  gboolean ssh = g_strcmp0(scheme, "ssh") == 0;
  gboolean ok = !scheme || !g_strv_contains(peer_schemes, scheme)
                    ? peer_uri_refuse(error, "peer.scheme is tls, ssh or tcp")
                : !host || !ferry_peer_host_is_valid(host)
                    ? peer_uri_refuse(
                          error, "peer.host is a DNS name or an address that other hosts can reach")
                : port && (!json_is_integer(port) || number < 0 || number > 65535)
                    ? peer_uri_refuse(error, "peer.port is a number from 0 to 65535")
                : user && (!ssh || !json_is_string(user) ||
                           !ferry_peer_user_is_valid(json_string_value(user)))
                    ? peer_uri_refuse(error, "peer.user is a user's name, and only for ssh")
                    : TRUE;
  if (!ok)
    return NULL;
  g_autoptr(GString) uri = g_string_new(NULL);
  g_string_printf(uri, "qemu+%s://", scheme);
  if (user)
    g_string_append_printf(uri, "%s@", json_string_value(user));
  g_string_append_printf(uri, strchr(host, ':') ? "[%s]" : "%s", host);
  if (number)
    g_string_append_printf(uri, ":%d", (int)number);
  g_string_append(uri, "/system");
  return g_string_free(g_steal_pointer(&uri), FALSE);
}

const json_t *ferry_peer_of_node(const json_t *node) {
  const json_t *bound = ferry_json_get(node, "spec.peer");
  return bound ? bound : ferry_json_get(node, "status.hypervisor.peer");
}
