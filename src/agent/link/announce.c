// SPDX-License-Identifier: Apache-2.0
#include "agent/link/announce.h"
#include "base/error.h"
#include "client/client.h"
#include "base/file.h"
#include "base/log.h"
#include "base/limits.h"
#include <string.h>

#define HASH_LENGTH 64
#define LOOK_US (500 * 1000)
#define COMPLAIN_US (5 * G_USEC_PER_SEC)

/* The hash of the control plane's CA: of the one it has, else of the one its token names. */
static char *ca_hash(const FerryAgentOptions *o) {
  g_autofree char *path = g_build_filename(o->state_dir, "ca.crt", NULL);
  g_autofree char *pem = ferry_file_read(path, FERRY_PEM_MAX, NULL, NULL);
  if (pem)
    return ferry_peer_fingerprint(pem);
  if (!o->token || !g_str_has_prefix(o->token, "ferry.") ||
      strcspn(o->token + 6, ".") != HASH_LENGTH)
    return NULL;
  return g_strndup(o->token + 6, HASH_LENGTH);
}

FerryDiscovery *ferry_agent_announce(const FerryAgentOptions *o, GError **error) {
  g_autofree char *ca = ca_hash(o);
  FerryAnnouncement own = {
      .role = "agent", .name = o->node, .node = o->node, .server = o->server, .ca = ca};
  return ferry_discovery_start(&own, error);
}

/* Whether the server there has a certificate of that CA: one request without credentials. */
static gboolean announce_prove(const char *url, const char *ca, GError **error) {
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup(url);
  config->ca_sha256 = g_strdup(ca);
  config->connect_timeout_ms = 2000;
  config->timeout_ms = 4000;
  g_autoptr(FerryClient) client = ferry_client_new(config, error);
  g_autoptr(json_t) answer =
      client ? ferry_client_request(client, "GET", "/version", NULL, NULL, NULL, NULL, error)
             : NULL;
  return answer != NULL;
}

/* In no fixed order, so that a false one cannot always be asked before the right one. `refused`:
 * the URLs that were complained of already. */
static char *find_proven(FerryDiscovery *discovery, const char *ca, const char *node,
                         GHashTable *refused) {
  g_autoptr(GPtrArray) peers = ferry_discovery_peers(discovery);
  g_auto(GStrv) urls = ferry_peer_servers((FerryPeer *const *)peers->pdata, peers->len, ca);
  guint n = g_strv_length(urls), first = n ? g_random_int() % n : 0;
  for (guint i = 0; i < n; i++) {
    const char *url = urls[(first + i) % n];
    g_autoptr(GError) problem = NULL;
    if (announce_prove(url, ca, &problem))
      return g_strdup(url);
    if (g_hash_table_size(refused) >= FERRY_MAX_PEERS || !g_hash_table_add(refused, g_strdup(url)))
      continue;
    ferry_warning("what announces itself as this host's ferryd is passed over", "FERRY_NODE", node,
                  "FERRY_SERVER", url, "FERRY_ERROR", problem->message);
  }
  return NULL;
}

char *ferry_agent_find_server(const FerryAgentOptions *o, GError **error) {
  g_autofree char *ca = ca_hash(o);
  if (!ca) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "which ferryd on the local network is the right one? Give its join token "
                "(--token-file; made by 'ferryd token create --node %s'), or its URL with --server",
                o->node);
    return NULL;
  }
  FerryDiscovery *discovery = ferry_agent_announce(o, error);
  if (!discovery)
    return NULL;
  char *url = NULL;
  g_autoptr(GHashTable) refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gint64 complain = g_get_monotonic_time() + COMPLAIN_US;
  while (!url) {
    url = find_proven(discovery, ca, o->node, refused);
    if (!url && complain && g_get_monotonic_time() > complain) {
      ferry_warning("no ferryd with this host's CA announces itself (ferryd --announce) on the "
                    "local network yet; it is waited for",
                    "FERRY_NODE", o->node);
      complain = 0;
    }
    if (!url)
      g_usleep(LOOK_US);
  }
  ferry_discovery_stop(discovery);
  ferry_info("ferryd was discovered", "FERRY_NODE", o->node, "FERRY_SERVER", url);
  return url;
}
