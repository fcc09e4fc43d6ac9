// SPDX-License-Identifier: Apache-2.0
#include "api/nodes/trust_names.h"
#include "base/rfc3339.h"
#include "model/migration/node_address.h"
#include "model/migration/peer_uri.h"
#include <arpa/inet.h>
#include <string.h>

static void hold_name(GHashTable *table, const char *host, gsize len, const char *name) {
  g_autofree char *key = g_ascii_strdown(host, (gssize)len);
  if (*key && !g_hash_table_contains(table, key))
    g_hash_table_insert(table, g_steal_pointer(&key), (char *)name);
}

static void hold_addresses(GHashTable *table, const json_t *node, const char *name) {
  gsize i, k;
  json_t *item, *text;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    const char *address = ferry_internal_address(item);
    if (address)
      hold_name(table, address, strlen(address), name);
  }
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, item)
      json_array_foreach(json_object_get(item, "addresses"), k, text) {
    if (json_is_string(text))
      hold_name(table, json_string_value(text), strcspn(json_string_value(text), "/"), name);
  }
}

/* What is in certificates that are good still. */
static void hold_given(GHashTable *table, const json_t *node, const char *name, gint64 now_ms) {
  gsize i, k;
  json_t *item, *text;
  json_array_foreach(ferry_json_get(node, "status.libvirtTrust.given"), i, item) {
    if (ferry_rfc3339_parse(ferry_json_str(item, "ends")) <= now_ms)
      continue;
    json_array_foreach(json_object_get(item, "names"), k, text) {
      if (json_is_string(text))
        hold_name(table, json_string_value(text), json_string_length(text), name);
    }
  }
}

typedef struct {
  GHashTable *given, *held; /* host or address -> the other node that has it */
} Holders;

static void holders_clear(Holders *h) {
  g_hash_table_unref(h->given);
  g_hash_table_unref(h->held);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Holders, holders_clear)

static Holders holders_of(GPtrArray *nodes, const char *own, gint64 now_ms) {
  Holders h = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
               g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
  for (guint i = 0; i < nodes->len; i++) {
    const json_t *node = g_ptr_array_index(nodes, i);
    const char *name = ferry_json_str(node, "metadata.name");
    const char *peer = ferry_json_str(ferry_peer_of_node(node), "host");
    if (!name || g_str_equal(name, own))
      continue;
    hold_given(h.given, node, name, now_ms);
    hold_name(h.held, name, strlen(name), name);
    if (peer)
      hold_name(h.held, peer, strlen(peer), name);
    hold_addresses(h.held, node, name);
  }
  return h;
}

static gboolean is_address(const char *text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Whether it may be in this Node's certificate, as far as others do not have it. */
static gboolean name_is_of_node(const json_t *node, GHashTable *addresses, const char *host) {
  const char *name = ferry_json_str(node, "metadata.name");
  gsize len = strlen(name);
  if (is_address(host))
    return g_hash_table_contains(addresses, host);
  return g_str_equal(host, name) || (strncmp(host, name, len) == 0 && host[len] == '.') ||
         g_strcmp0(ferry_json_str(node, "spec.peer.host"), host) == 0;
}

/* A name that reads as an address would be one in the certificate. */
static gboolean own_name_is_good(const Holders *h, const char *name, GError **error) {
  const char *by = g_hash_table_lookup(h->given, name);
  if (is_address(name) || !ferry_peer_host_is_valid(name))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "node \"%s\" has a name that no certificate can be for: join it by another one",
                name);
  else if (by)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "node \"%s\" gets no certificate: one of node %s has its name and is good still",
                name, by);
  else
    return TRUE;
  return FALSE;
}

/* Where others reach it by what an administrator says, whatever its agent knows of that. */
static void add_peer(const Holders *h, const json_t *node, json_t *good) {
  const char *host = ferry_json_str(node, "spec.peer.host");
  g_autofree char *name = host ? g_ascii_strdown(host, -1) : NULL;
  if (name && ferry_peer_host_is_valid(name) && !ferry_json_has_word(good, name) &&
      !g_hash_table_contains(h->held, name) && !g_hash_table_contains(h->given, name))
    json_array_append_new(good, json_string(name));
}

gboolean ferry_trust_names_judge(GPtrArray *nodes, const json_t *node, const json_t *names,
                                 gint64 now_ms, json_t *good, json_t *out, GError **error) {
  const char *own = ferry_json_str(node, "metadata.name");
  g_auto(Holders) h = holders_of(nodes, own, now_ms);
  g_autoptr(GHashTable) addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize i;
  json_t *item;
  if (!json_is_array(names) || json_array_size(names) > FERRY_TRUST_NAMES_MAX)
    return ferry_error_bad_request(error, "names: expected at most 64 names and addresses");
  if (!own_name_is_good(&h, own, error))
    return FALSE;
  hold_addresses(addresses, node, own);
  json_array_append_new(good, json_string(own));
  add_peer(&h, node, good);
  json_array_foreach(names, i, item) {
    g_autofree char *name =
        json_is_string(item) ? g_ascii_strdown(json_string_value(item), -1) : NULL;
    if (!name || !ferry_peer_host_is_valid(name))
      return ferry_error_bad_request(error,
                                     "names: expected DNS names and addresses of the host as "
                                     "others reach it");
    if (ferry_json_has_word(good, name) || ferry_json_has_word(out, name))
      continue;
    gboolean mine = name_is_of_node(node, addresses, name) &&
                    !g_hash_table_contains(h.held, name) && !g_hash_table_contains(h.given, name);
    json_array_append_new(mine ? good : out, json_string(name));
  }
  return TRUE;
}
