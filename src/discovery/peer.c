// SPDX-License-Identifier: Apache-2.0
#include "discovery/peer.h"
#include "base/compare.h"
#include "base/pem.h"
#include "base/random.h"
#include "base/limits.h"
#include <gio/gio.h>
#include <string.h>

#define MAX_TXT 255

static void peer_add(GPtrArray *lines, const char *key, const char *value) {
  if (value && *value && strlen(key) + 1 + strlen(value) <= MAX_TXT)
    g_ptr_array_add(lines, g_strconcat(key, "=", value, NULL));
}

char **ferry_announcement_txt(const FerryAnnouncement *a) {
  GPtrArray *lines = g_ptr_array_new();
  peer_add(lines, "txtvers", "1");
  peer_add(lines, "role", a->role);
  peer_add(lines, "version", FERRY_VERSION);
  peer_add(lines, "node", a->node);
  peer_add(lines, "server", a->server);
  peer_add(lines, "ca", a->ca);
  peer_add(lines, "id", a->id);
  g_ptr_array_add(lines, NULL);
  return (char **)g_ptr_array_free(lines, FALSE);
}

/* The value of `key`, borrowed; keys of TXT records have no case. */
static const char *peer_value_of(const char *const *txt, const char *key) {
  gsize len = strlen(key);
  for (; txt && *txt; txt++)
    if (g_ascii_strncasecmp(*txt, key, len) == 0 && (*txt)[len] == '=')
      return *txt + len + 1;
  return NULL;
}

static gboolean is_host(const char *text) {
  gsize len = text ? strlen(text) : 0;
  if (len == 0 || len > FERRY_DNS_NAME_MAX || *text == '-' || *text == '.')
    return FALSE;
  for (; *text; text++)
    if (!g_ascii_isalnum(*text) && *text != '-' && *text != '.' && *text != '_')
      return FALSE;
  return TRUE;
}

static gboolean is_hex(const char *text, gsize len) {
  if (!text || strlen(text) != len)
    return FALSE;
  for (; *text; text++)
    if (!g_ascii_isxdigit(*text))
      return FALSE;
  return TRUE;
}

static gboolean is_loopback(const char *host) {
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
  return address ? g_inet_address_get_is_loopback(address) || g_inet_address_get_is_any(address)
                 : g_ascii_strcasecmp(host, "localhost") == 0;
}

/* "https://HOST:PORT" of a URL that others can use, or NULL. */
static char *clean_url(const char *text) {
  if (!text || strlen(text) > MAX_TXT)
    return NULL;
  g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
  const char *host = uri ? g_uri_get_host(uri) : NULL, *path = uri ? g_uri_get_path(uri) : "";
  if (!host || g_strcmp0(g_uri_get_scheme(uri), "https") != 0 || g_uri_get_userinfo(uri) ||
      g_uri_get_query(uri) || g_uri_get_fragment(uri) || (*path && !g_str_equal(path, "/")) ||
      is_loopback(host))
    return NULL;
  gint port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 443;
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
  if (address && g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6)
    return g_strdup_printf("https://[%s]:%d", host, port);
  return is_host(host) ? g_strdup_printf("https://%s:%d", host, port) : NULL;
}

static char *peer_text_of(const char *value, gsize max) {
  if (!value || !*value || strlen(value) > max || !g_utf8_validate(value, -1, NULL))
    return NULL;
  for (const char *p = value; *p; p++)
    if ((guchar)*p < 0x20 || *p == 0x7f)
      return NULL;
  return g_strdup(value);
}

FerryPeer *ferry_peer_new(const char *name, const char *host, const char *address, guint16 port,
                          const char *const *txt) {
  const char *role = peer_value_of(txt, "role");
  gboolean server = g_strcmp0(role, "ferryd") == 0;
  if (!server && g_strcmp0(role, "agent") != 0)
    return NULL;
  g_autofree char *plain = g_strdup(host ? host : "");
  if (g_str_has_suffix(plain, "."))
    plain[strlen(plain) - 1] = '\0';
  if (!is_host(plain) || (server && port == 0))
    return NULL;
  g_autoptr(GInetAddress) ip = address ? g_inet_address_new_from_string(address) : NULL;
  FerryPeer *peer = g_new0(FerryPeer, 1);
  const char *ca = peer_value_of(txt, "ca"), *id = peer_value_of(txt, "id"),
             *node = peer_value_of(txt, "node");
  peer->role = g_strdup(role);
  peer->name = peer_text_of(name, 63);
  if (!peer->name)
    peer->name = g_strdup(plain);
  peer->host = g_ascii_strdown(plain, -1);
  peer->address = ip ? g_inet_address_to_string(ip) : NULL;
  peer->port = server ? port : 0;
  peer->node = is_host(node) ? g_strdup(node) : NULL;
  peer->server = clean_url(peer_value_of(txt, "server"));
  peer->ca = is_hex(ca, 64) ? g_ascii_strdown(ca, -1) : NULL;
  peer->id = peer_text_of(id, 64);
  return peer;
}

FerryPeer *ferry_peer_copy(const FerryPeer *p) {
  FerryPeer *copy = g_new0(FerryPeer, 1);
  *copy = (FerryPeer){g_strdup(p->role),    g_strdup(p->name), g_strdup(p->host),
                      g_strdup(p->address), p->port,           g_strdup(p->node),
                      g_strdup(p->server),  g_strdup(p->ca),   g_strdup(p->id)};
  return copy;
}

void ferry_peer_free(FerryPeer *p) {
  if (!p)
    return;
  g_free(p->role);
  g_free(p->name);
  g_free(p->host);
  g_free(p->address);
  g_free(p->node);
  g_free(p->server);
  g_free(p->ca);
  g_free(p->id);
  g_free(p);
}

char *ferry_peer_url(const FerryPeer *p) {
  if (p->server)
    return g_strdup(p->server);
  return p->port ? g_strdup_printf("https://%s:%u", p->host, p->port) : NULL;
}

/* The texts of `all`, each once, in order. */
static char **peer_unique(GPtrArray *all) {
  g_ptr_array_sort(all, ferry_compare_text_at);
  GPtrArray *out = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++)
    if (i == 0 || !g_str_equal(g_ptr_array_index(all, i), g_ptr_array_index(all, i - 1)))
      g_ptr_array_add(out, g_strdup(g_ptr_array_index(all, i)));
  g_ptr_array_add(out, NULL);
  return (char **)g_ptr_array_free(out, FALSE);
}

char **ferry_peer_urls(FerryPeer *const *peers, gsize n, const char *ca) {
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
  for (gsize i = 0; i < n; i++) {
    char *url = ca && g_strcmp0(peers[i]->ca, ca) == 0 ? NULL : ferry_peer_url(peers[i]);
    if (url)
      g_ptr_array_add(all, url);
  }
  return peer_unique(all);
}

char **ferry_peer_servers(FerryPeer *const *peers, gsize n, const char *ca) {
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
  for (gsize i = 0; i < n; i++) {
    const FerryPeer *p = peers[i];
    if (!g_str_equal(p->role, "ferryd") || !p->ca || g_ascii_strcasecmp(p->ca, ca) != 0)
      continue;
    /* The address: its name is known to mDNS only, and this host may not ask that for names. */
    if (p->server || !p->address)
      g_ptr_array_add(found, ferry_peer_url(p));
    else if (strchr(p->address, ':'))
      g_ptr_array_add(found, g_strdup_printf("https://[%s]:%u", p->address, p->port));
    else
      g_ptr_array_add(found, g_strdup_printf("https://%s:%u", p->address, p->port));
  }
  return peer_unique(found);
}

char *ferry_peer_fingerprint(const char *pem) {
  const char *start = ferry_pem_certificate(pem);
  const char *body =
      start ? start + strlen(FERRY_PEM_CERTIFICATE) : NULL; /* END may share BEGIN's dashes */
  const char *end = body ? strstr(body, "-----END CERTIFICATE-----") : NULL;
  if (!end)
    return NULL;
  g_autofree char *base64 = g_strndup(body, (gsize)(end - body));
  gsize len = 0;
  g_autofree guchar *der = g_base64_decode(base64, &len);
  return len ? ferry_sha256_hex(der, len) : NULL;
}
