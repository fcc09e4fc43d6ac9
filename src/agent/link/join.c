// SPDX-License-Identifier: Apache-2.0
// How an agent gets its certificate: with a one-time token it makes a key and a request, checks
// that the server's CA is the one whose hash the token carries, and stores what it gets. The key
// never leaves the host.
#include "agent/link/join.h"
#include "agent/link/identity.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/pem.h"
#include <string.h>

/* "ferry.CAHASH.NODE.SECRET"; a node's name may hold dots, the others may not. */
char *ferry_agent_token_node(const char *token) {
  const char *hash = g_str_has_prefix(token, "ferry.") ? token + 6 : NULL;
  const char *node = hash ? strchr(hash, '.') : NULL;
  const char *secret = node ? strrchr(node + 1, '.') : NULL;
  if (!secret || node - hash != 64 || strlen(token) > FERRY_JOIN_TOKEN_MAX || !secret[1] ||
      secret == node + 1)
    return NULL;
  return g_strndup(node + 1, (gsize)(secret - node - 1));
}

static gboolean parse_token(const FerryAgentOptions *o, char **ca_sha256, GError **error) {
  g_autofree char *named = o->token ? ferry_agent_token_node(o->token) : NULL;
  if (!named) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s; make one with 'ferryd token create --node %s'",
                o->token ? "the join token is malformed (expected ferry.HASH.NODE.SECRET)"
                         : "this host has not joined yet and no join token was given",
                o->node);
    return FALSE;
  }
  if (strcmp(named, o->node) != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the join token is for node \"%s\", this agent is \"%s\": use --node %s, or make a "
                "token for this one",
                named, o->node, named);
    return FALSE;
  }
  *ca_sha256 = g_strndup(o->token + strlen("ferry."), 64);
  return TRUE;
}

static FerryClientConfig *join_by_token(const FerryAgentOptions *o, GError **error) {
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup(o->server);
  config->timeout_ms = 15000;
  if (!parse_token(o, &config->ca_sha256, error))
    return NULL;
  g_autofree char *name = g_strconcat("system:node:", o->node, NULL);
  g_autofree char *key = ferry_ec_key_new(error);
  g_autofree char *csr = key ? ferry_ec_key_request(key, "system:nodes", name, error) : NULL;
  g_autoptr(FerryClient) client = csr ? ferry_client_new(config, error) : NULL;
  if (!client)
    return NULL;
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:s}", "token", o->token, "nodeName", o->node, "csr", csr);
  g_autoptr(json_t) answer =
      ferry_client_request(client, "POST", FERRY_JOIN_PATH, body, NULL, NULL, NULL, error);
  if (!answer)
    return NULL;
  const char *cert = ferry_json_str(answer, "certificate");
  /* The CA that was checked against the token's hash vouches for what the answer holds. */
  const char *pinned = ferry_client_config(client)->ca_pem, *ca = ferry_json_str(answer, "ca");
  if (!ferry_pem_certificate(cert) || !pinned) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the answer of %s to the join has no certificate", o->server);
    return NULL;
  }
  if (!ferry_identity_install(o->state_dir, key, cert, ca ? ca : pinned, error))
    return NULL;
  ferry_info("joined", "FERRY_NODE", o->node, "FERRY_SERVER", o->server);
  return ferry_identity_load(o, error);
}

/* Whether ferryd refuses this certificate; TRUE with the reason in `why`. */
static gboolean is_void(const FerryClientConfig *config, const FerryAgentOptions *o, GError **why) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = ferry_client_path(NULL, "v1", NULL, "nodes", o->node, NULL);
  g_autoptr(FerryClient) client = ferry_client_new(config, NULL);
  g_autoptr(json_t) node =
      client ? ferry_client_request(client, "GET", path, NULL, NULL, NULL, NULL, &error) : NULL;
  if (node || !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED))
    return FALSE;
  g_propagate_error(why, g_steal_pointer(&error));
  return TRUE;
}

/* What is there, else what a token gives; a token counts as well where ferryd refuses what is
 * there, for its Node may have been deleted. */
FerryClientConfig *ferry_agent_join(const FerryAgentOptions *o, GError **error) {
  g_autoptr(GError) problem = NULL;
  g_autoptr(FerryClientConfig) config = ferry_identity_load(o, &problem);
  if (problem) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
  }
  if (!config)
    return join_by_token(o, error);
  if (!o->token || !is_void(config, o, &problem))
    return g_steal_pointer(&config);
  ferry_warning(problem->message, "FERRY_NODE", o->node);
  g_autoptr(GError) refused = NULL;
  FerryClientConfig *joined = join_by_token(o, &refused);
  if (joined)
    return joined;
  ferry_warning(refused->message, "FERRY_NODE", o->node);
  return g_steal_pointer(
      &config); /* which goes on being refused, and is asked less and less often */
}
