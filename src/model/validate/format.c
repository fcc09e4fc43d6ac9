// SPDX-License-Identifier: Apache-2.0
// Formats of strings, by the names that FerryField.pattern uses.
#include "model/validate/format.h"
#include "base/limits.h"
#include "model/migration/peer_uri.h"
#include <arpa/inet.h>
#include <string.h>

/* Bytes of `inner`, with `outer` first and last; not empty. */
static gboolean is_word(const char *text, gsize len, const char *outer, const char *inner) {
  if (len == 0 || !strchr(outer, text[0]) || !strchr(outer, text[len - 1]))
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (!text[i] || (!strchr(inner, text[i])))
      return FALSE;
  return TRUE;
}

static gboolean is_dns_label(const char *text) {
  gsize len = strlen(text);
  return len <= 63 &&
         is_word(text, len, G_CSET_a_2_z G_CSET_DIGITS, G_CSET_a_2_z G_CSET_DIGITS "-");
}

static gboolean is_dns_subdomain_n(const char *text, gsize len) {
  if (len == 0 || len > FERRY_DNS_NAME_MAX)
    return FALSE;
  for (gsize start = 0; start <= len;) {
    const char *dot = memchr(text + start, '.', len - start);
    gsize end = dot ? (gsize)(dot - text) : len;
    if (!is_word(text + start, end - start, G_CSET_a_2_z G_CSET_DIGITS,
                 G_CSET_a_2_z G_CSET_DIGITS "-"))
      return FALSE;
    start = end + 1;
  }
  return TRUE;
}

static gboolean is_dns_subdomain(const char *text) {
  return is_dns_subdomain_n(text, strlen(text));
}

static gboolean is_label_value(const char *text) {
  gsize len = strlen(text);
  return len == 0 || (len <= 63 && is_word(text, len, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS,
                                           G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_."));
}

static gboolean is_label_key(const char *text) {
  const char *slash = strchr(text, '/');
  if (slash && !is_dns_subdomain_n(text, (gsize)(slash - text)))
    return FALSE;
  const char *name = slash ? slash + 1 : text;
  return *name && is_label_value(name);
}

static gboolean is_ip(const char *text) {
  struct in6_addr address;
  return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Address and prefix length; `network`: the bits after the prefix must be zero. */
static gboolean is_prefix(const char *text, gboolean network) {
  const char *slash = strchr(text, '/');
  if (!slash || slash - text > 45)
    return FALSE;
  g_autofree char *head = g_strndup(text, (gsize)(slash - text));
  unsigned char bytes[16];
  gint64 length, most;
  if (inet_pton(AF_INET, head, bytes) == 1)
    most = 32;
  else if (inet_pton(AF_INET6, head, bytes) == 1)
    most = 128;
  else
    return FALSE;
  if (strspn(slash + 1, G_CSET_DIGITS) != strlen(slash + 1) ||
      !g_ascii_string_to_signed(slash + 1, 10, 0, most, &length, NULL))
    return FALSE;
  for (gint64 bit = length; network && bit < most; bit++)
    if (bytes[bit / 8] & (0x80 >> (bit % 8)))
      return FALSE;
  return TRUE;
}

static gboolean is_network(const char *text) {
  return is_prefix(text, TRUE);
}

static gboolean is_address_with_prefix(const char *text) {
  return is_prefix(text, FALSE);
}

static gboolean is_uri(const char *text) {
  const char *colon = strstr(text, "://");
  return colon && colon > text &&
         strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "+-.") == (gsize)(colon - text) &&
         g_uri_is_valid(text, G_URI_FLAGS_NONE, NULL);
}

#define MAX_SOCKET_PATH 107 /* of sockaddr_un */

/* An absolute path of a socket: no byte that a URI would escape or end at, no part "." or "..". */
static gboolean is_socket_path(const char *path) {
  gsize len = strlen(path);
  if (len < 2 || len > MAX_SOCKET_PATH || path[len - 1] == '/' ||
      strspn(path, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "/-_.+:@") != len)
    return FALSE;
  for (const char *part = path; *part;) {
    if (*part++ != '/')
      continue;
    gsize n = strcspn(part, "/");
    if (n == 0 || (n <= 2 && strspn(part, ".") == n))
      return FALSE;
  }
  return path[0] == '/';
}

/* SCHEME://HOST[:PORT], or unix:///PATH; nothing else: no user, path, query or fragment. */
static gboolean is_uri_to(const char *text, const char *const *schemes) {
  for (; *schemes; schemes++) {
    gsize len = strlen(*schemes);
    if (strncmp(text, *schemes, len) != 0 || strncmp(text + len, "://", 3) != 0)
      continue;
    const char *rest = text + len + 3;
    g_autofree char *host = NULL;
    int port;
    return g_str_equal(*schemes, "unix")
               ? is_socket_path(rest)
               : ferry_peer_split_authority(rest, strlen(rest), &host, &port);
  }
  return FALSE;
}

static gboolean is_migrate_uri(const char *text) {
  static const char *const schemes[] = {"tcp", "rdma", "unix", NULL};
  return is_uri_to(text, schemes);
}

static gboolean is_disks_uri(const char *text) {
  static const char *const schemes[] = {"tcp", "unix", NULL};
  return is_uri_to(text, schemes);
}

static gboolean is_spice_uri(const char *text) {
  static const char *const schemes[] = {"spice", NULL};
  return is_uri_to(text, schemes);
}

/* What a certificate names: a DNS name, in any case, or an address. */
static gboolean is_tls_name(const char *text) {
  g_autofree char *lower = g_ascii_strdown(text, -1);
  return is_ip(text) || is_dns_subdomain(lower);
}

/* libvirt keeps a domain's files under its name. */
static gboolean is_domain_name(const char *text) {
  if (!g_utf8_validate(text, -1, NULL))
    return FALSE;
  gboolean visible = FALSE;
  for (const char *p = text; *p; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == '/' || g_unichar_iscntrl(c))
      return FALSE;
    visible = visible || !g_unichar_isspace(c);
  }
  return visible;
}

/* What can stand between two slashes of a path and mean itself. */
static gboolean is_path_segment(const char *text) {
  if (!*text || strlen(text) > FERRY_DNS_NAME_MAX || g_str_equal(text, ".") ||
      g_str_equal(text, ".."))
    return FALSE;
  for (const char *p = text; *p; p = g_utf8_next_char(p))
    if (*p == '/' || *p == '%' || g_unichar_iscntrl(g_utf8_get_char(p)))
      return FALSE;
  return TRUE;
}

static const struct {
  const char *name;
  gboolean (*check)(const char *text);
  const char *problem;
} format_rows[] = {
    {"dns-label", is_dns_label,
     "expected lower case letters, digits and '-', a letter or digit first and last, at most 63 "
     "characters, for example my-name"},
    {"dns-subdomain", is_dns_subdomain,
     "expected lower case letters, digits, '-' and '.', a letter or digit at both ends of each "
     "part, at most " G_STRINGIFY(FERRY_DNS_NAME_MAX) " characters, for example host1.example.com"},
    {"uuid", g_uuid_string_is_valid,
     "expected a UUID, for example 6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10"},
    {"cidr", is_network,
     "expected a subnet as ADDRESS/LENGTH whose bits after the prefix are zero, for example "
     "10.1.2.0/24"},
    {"ip-prefix", is_address_with_prefix,
     "expected an address with prefix length, for example 10.1.2.3/24"},
    {"ip", is_ip, "expected an IPv4 or IPv6 address, for example 10.1.2.3"},
    {"uri", is_uri, "expected a URI, for example qemu+tls://host1.example.com/system"},
    {"peer-host", ferry_peer_host_is_valid,
     "expected a DNS name in lower case or an address that other hosts can reach, for example "
     "h2.example.com"},
    {"peer-user", ferry_peer_user_is_valid,
     "expected lower case letters, digits, '_' and '-', at most 32, for example root"},
    {"migrate-uri", is_migrate_uri,
     "expected tcp://HOST[:PORT], rdma://HOST[:PORT] or unix:///PATH, for example "
     "tcp://h2.example.com:49152"},
    {"disks-uri", is_disks_uri,
     "expected tcp://HOST[:PORT] or unix:///PATH, for example tcp://h2.example.com:49153"},
    {"spice-uri", is_spice_uri,
     "expected spice://HOST:PORT, for example spice://h2.example.com:5900; libvirt redirects no "
     "other viewers"},
    {"tls-name", is_tls_name,
     "expected a DNS name or an address as the target's certificate has it, for example "
     "h2.example.com"},
    {"domain-name", is_domain_name,
     "expected a name without '/' and control characters, for example web-1"},
    {"path-segment", is_path_segment,
     "expected a name without '/', '%' and control characters, at most " G_STRINGIFY(
         FERRY_DNS_NAME_MAX) " bytes, for example "
                             "team-a:operators"},
    {"label-key", is_label_key,
     "expected a name of letters, digits, '-', '_' and '.', a letter or digit first and last, at "
     "most 63 characters, after an optional DNS prefix and '/', for example example.com/my-key"},
    {"label-value", is_label_value,
     "expected nothing, or letters, digits, '-', '_' and '.', a letter or digit first and last, "
     "at most 63 characters, for example my-value"},
};

gboolean ferry_format_check(const char *format, const char *text, const char **problem) {
  for (gsize i = 0; i < G_N_ELEMENTS(format_rows); i++) {
    if (!g_str_equal(format_rows[i].name, format))
      continue;
    if (format_rows[i].check(text))
      return TRUE;
    if (problem)
      *problem = format_rows[i].problem;
    return FALSE;
  }
  if (problem)
    *problem = "unknown format";
  g_return_val_if_reached(FALSE);
}
