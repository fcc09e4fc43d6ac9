// SPDX-License-Identifier: Apache-2.0
// Theory of operation: how an agent comes to be trusted, and which of its processes speaks.
// An administrator makes a one-time token for one node; only its hash is kept, for 24 h, in a file
// of the state directory. The agent shows it with a certificate request, which is read only where
// the token is good, gets a certificate for that node's name, and the token is gone. An agent
// process then opens a session, which raises the node's epoch: whatever an older process still
// sends is refused.
#include "api/auth/audit.h"
#include "api/auth/credentials.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/validate/validate.h"

#include <string.h>

#define TOKEN_MS ((gint64)24 * 3600 * 1000)
#define MAX_TOKENS 10000
#define MAX_FILE (8 * 1024 * 1024)
#define MAX_TRIES 50
#define NODE_LIFE_S ((gint64)90 * 86400)

static gboolean check_name(const char *node, GError **error) {
  const char *problem = NULL;
  if (node && strlen(node) <= 253 && ferry_format_check("dns-subdomain", node, &problem))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "node name \"%s\": %s", node ? node : "",
              problem ? problem : "a node's name is at most 253 characters");
  return FALSE;
}

/* ---- tokens ---- */

static char *tokens_path(const FerryApi *api) {
  return g_build_filename(api->state_dir, "join-tokens.json", NULL);
}

/* {hash: {node, expires (epoch ms)}} without those that have expired. Caller holds `tokens`. */
static json_t *tokens_read(FerryApi *api, GError **error) {
  g_autofree char *path = tokens_path(api);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return json_object();
  gsize len;
  g_autofree char *text = ferry_file_read(path, MAX_FILE, &len, error);
  json_t *all = text ? json_loadb(text, len, 0, NULL) : NULL;
  if (!json_is_object(all)) {
    if (all)
      json_decref(all);
    if (error && !*error)
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                  "%s is damaged: remove it (tokens that are not used yet are lost)", path);
    return NULL;
  }
  gint64 now = ferry_clock_wall_ms(api->clock);
  const char *key;
  json_t *value;
  void *next;
  json_object_foreach_safe(all, next, key, value) {
    if (ferry_json_int(value, "expires", 0) < now)
      json_object_del(all, key);
  }
  return all;
}

static gboolean tokens_write(FerryApi *api, const json_t *all, GError **error) {
  g_autofree char *path = tokens_path(api);
  g_autofree char *text = ferry_json_dump_pretty(all);
  return ferry_file_write(path, text, strlen(text), 0600, error);
}

char *ferry_join_token_new(FerryApi *api, const char *node, GError **error) {
  if (!check_name(node, error))
    return NULL;
  g_autofree char *secret = ferry_random_hex(24);
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  g_mutex_lock(&api->tokens);
  g_autoptr(json_t) all = tokens_read(api, error);
  gboolean ok = all != NULL;
  if (ok && json_object_size(all) >= MAX_TOKENS) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "%d join tokens are waiting to be used already; they expire after 24 h",
                MAX_TOKENS);
    ok = FALSE;
  }
  if (ok) {
    json_object_set_new(all, hash,
                        json_pack("{s:s, s:I}", "node", node, "expires",
                                  (json_int_t)ferry_clock_wall_ms(api->clock) + TOKEN_MS));
    ok = tokens_write(api, all, error);
  }
  g_mutex_unlock(&api->tokens);
  return ok ? g_strdup_printf("ferry.%s.%s.%s", ferry_pki_pin_hash(api->pki), node, secret) : NULL;
}

/* ferry.HASH.NODE.SECRET; a node's name may have dots, so the ends are cut off. */
static gboolean split_token(const char *token, char **node, char **secret) {
  if (strlen(token) > 600 || !g_str_has_prefix(token, "ferry."))
    return FALSE;
  const char *first = strchr(token + 6, '.'), *last = strrchr(token, '.');
  if (!first || last <= first + 1)
    return FALSE;
  *node = g_strndup(first + 1, (gsize)(last - first - 1));
  *secret = g_strdup(last + 1);
  return TRUE;
}

/* Whether the token is good for that node; `take`: it is taken out of the file as well, so that it
 * can't be used twice. */
static gboolean check_token(FerryApi *api, const char *token, const char *node, gboolean take,
                            GError **error) {
  g_autofree char *named = NULL;
  g_autofree char *secret = NULL;
  if (!split_token(token, &named, &secret)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the join token is malformed: expected ferry.<hash>.<node>.<secret>, whole, as "
                "`ferryd token create --node NAME` printed it");
    return FALSE;
  }
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  g_mutex_lock(&api->tokens);
  g_autoptr(json_t) all = tokens_read(api, error);
  const json_t *entry = all ? json_object_get(all, hash) : NULL;
  gboolean ok =
      entry && g_strcmp0(ferry_json_str(entry, "node"), node) == 0 && g_str_equal(named, node);
  if (ok && take) {
    json_object_del(all, hash);
    ok = tokens_write(api, all, error);
  } else if (all && !ok) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the join token is not valid for node \"%s\": it was used already, has expired "
                "(24 h), or is for another node; make a new one with `ferryd token create --node "
                "%s`",
                node, node);
  }
  g_mutex_unlock(&api->tokens);
  return ok;
}

guint ferry_join_tokens_forget(FerryApi *api, const char *node) {
  g_autoptr(GError) error = NULL;
  guint n = 0;
  g_mutex_lock(&api->tokens);
  g_autoptr(json_t) all = tokens_read(api, &error);
  const char *key;
  json_t *value;
  void *next;
  json_object_foreach_safe(all, next, key, value) {
    if (!node || g_strcmp0(ferry_json_str(value, "node"), node) == 0) {
      json_object_del(all, key);
      n++;
    }
  }
  if (n)
    tokens_write(api, all, &error);
  g_mutex_unlock(&api->tokens);
  if (error)
    ferry_warning("cannot take back join tokens", "FERRY_NODE", node ? node : "(all)",
                  "FERRY_ERROR", error->message);
  return n;
}

static gboolean serve_token(FerryRequest *req, const char *node, GError **error) {
  g_autofree char *token = ferry_join_token_new(req->api, node, error);
  if (!token)
    return FALSE;
  ferry_info("made a join token", "FERRY_NODE", node, "FERRY_USER", req->user->name);
  ferry_respond_json(req, 201, json_pack("{s:s}", "token", token));
  return TRUE;
}

static gboolean serve_join(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  const char *node = ferry_json_str(body, "nodeName"), *csr = ferry_json_str(body, "csr"),
             *token = ferry_json_str(body, "token");
  if (!node || !csr)
    return ferry_error_bad_request(error,
                                   "expected {\"token\", \"nodeName\", \"csr\"} with strings");
  if (!check_name(node, error))
    return FALSE;
  gboolean renews = req->user->node && g_str_equal(req->user->node, node);
  if (!token && !renews)
    return ferry_error_bad_request(
        error, "token is missing: make one with `ferryd token create --node NAME`");
  ferry_audit_about(req, "nodes", node);
  /* A stranger's request is not even read; it is signed before the token is taken, as a bad one
   * must not use that up. */
  if (token && !check_token(req->api, token, node, FALSE, error))
    return FALSE;
  FerryPkiIssued issued = {0};
  g_autofree char *identity = g_strconcat("system:node:", node, NULL);
  if (!ferry_pki_sign_client(req->api->pki, csr, "system:nodes", identity,
                             ferry_clock_wall_ms(req->api->clock), NODE_LIFE_S, &issued, error))
    return FALSE;
  g_autoptr(json_t) record =
      ferry_credential_new(req->api, "certificate", issued.serial, identity, issued.ends_ms,
                           token ? "a join token" : req->user->credential);
  ferry_json_set_str(record, "ca", ferry_pki_ca_hash(req->api->pki));
  g_rw_lock_reader_lock(&req->api->sessions); /* the Node's deletion holds the writer's */
  gboolean ok = (token ? check_token(req->api, token, node, TRUE, error)
                       : ferry_auth_is_valid(req->api, req->user, error)) &&
                ferry_credential_add(req->api, record, error);
  g_rw_lock_reader_unlock(&req->api->sessions);
  if (ok) {
    ferry_info(token ? "an agent joined" : "an agent renewed its certificate", "FERRY_NODE", node);
    ferry_respond_json(
        req, 201,
        json_pack("{s:s, s:s}", "certificate", issued.pem, "ca", ferry_pki_ca(req->api->pki)));
  }
  ferry_pki_issued_clear(&issued);
  return ok;
}

/* ---- sessions ---- */

gint64 ferry_node_epoch(FerryApi *api, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_node, "", node);
  return ferry_json_int(object, "status.agent.epoch", -1);
}

static json_t *new_node(const char *name, const char *now) {
  g_autofree char *uid = ferry_random_uuid();
  return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:{s:s}}, s:{}, s:{}}", "apiVersion", "v1",
                   "kind", "Node", "metadata", "name", name, "uid", uid, "creationTimestamp", now,
                   "generation", 1, "labels", "kubernetes.io/hostname", name, "spec", "status");
}

/* Raises the node's epoch, making the Node where it is missing. Caller is the sessions' writer. */
static gboolean raise_epoch(FerryApi *api, const char *node, const char *version, const char *mode,
                            gint64 *epoch, GError **error) {
  for (int i = 0; i < MAX_TRIES; i++) {
    g_autoptr(json_t) old = ferry_store_get(api->store, &ferry_kind_node, "", node);
    g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(api->clock));
    g_autoptr(json_t) object =
        old ? ferry_json_copy_along(old, "status.agent") : new_node(node, now);
    /* A node that was deleted and comes back must not meet epochs it has seen. */
    gint64 last = ferry_json_int(old, "status.agent.epoch", 0);
    *epoch = old ? last + 1 : MAX(ferry_store_revision(api->store), 1);
    ferry_json_set_int(object, "status.agent.epoch", *epoch);
    ferry_json_set_str(object, "status.agent.version", version);
    ferry_json_set_str(object, "status.agent.mode", mode);
    ferry_json_set_str(object, "status.agent.connectedAt", now);
    FerryWrite write = {.op = old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                        .kind = &ferry_kind_node,
                        .ns = "",
                        .name = node,
                        .object = object,
                        .revision = ferry_object_revision(old)};
    g_autoptr(GError) problem = NULL;
    if (ferry_store_commit(api->store, &write, 1, NULL, &problem))
      return TRUE;
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) &&
        !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS) &&
        !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "node \"%s\" changes too fast to begin a session; try again", node);
  return FALSE;
}

static gboolean serve_session(FerryRequest *req, const char *node, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  const char *version = ferry_json_str(body, "version"), *mode = ferry_json_str(body, "mode");
  if (!version || !*version || strlen(version) > 64)
    return ferry_error_bad_request(error,
                                   "version: expected the agent's version, 1 to 64 characters");
  if (!mode || (!g_str_equal(mode, "local") && !g_str_equal(mode, "remote")))
    return ferry_error_bad_request(error, "mode: expected \"local\" or \"remote\"");
  gint64 epoch = 0;
  g_rw_lock_writer_lock(&req->api->sessions);
  /* Asked again under the lock: the Node may just have been deleted. */
  gboolean ok = ferry_auth_is_valid(req->api, req->user, error) &&
                raise_epoch(req->api, node, version, mode, &epoch, error);
  g_rw_lock_writer_unlock(&req->api->sessions);
  if (ok)
    ferry_respond_json(req, 201, json_pack("{s:I}", "epoch", (json_int_t)epoch));
  return ok;
}

static gboolean serve_report(FerryRequest *req, const char *node, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  json_t *said = json_object_get(body, "epoch");
  if (!json_is_object(body) || !json_is_integer(said))
    return ferry_error_bad_request(
        error, "expected an object with the integer \"epoch\" of the agent's session");
  if (!req->api->hooks.report) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "reports are not taken here: the controllers are not running");
    return FALSE;
  }
  g_rw_lock_reader_lock(&req->api->sessions);
  gint64 epoch = ferry_node_epoch(req->api, node);
  gboolean ok = ferry_auth_is_valid(req->api, req->user, error);
  if (!ok)
    ; /* such as: the Node was deleted, which is no other agent's session */
  else if (!(ok = epoch == (gint64)json_integer_value(said)))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "stale agent epoch: the report has %" G_GINT64_FORMAT ", node %s is at "
                "%" G_GINT64_FORMAT "; begin a new session",
                (gint64)json_integer_value(said), node, epoch);
  else
    ok = req->api->hooks.report(req->api->hooks.data, node, body, error);
  g_rw_lock_reader_unlock(&req->api->sessions);
  if (ok && req->api->certificates)
    ferry_certificates_seen(req->api->certificates, node, req->user->ca);
  if (ok)
    ferry_respond_json(req, 200,
                       json_pack("{s:s}", "caHash", ferry_pki_bundle_hash(req->api->pki)));
  return ok;
}

/* /apis/ferry.migration/v1/join and .../nodes/NAME/(token|session|report) */
gboolean ferry_serve_node_route(FerryRequest *req, GError **error) {
  const char *action = req->segments[g_strv_length(req->segments) - 1];
  if (!req->name)
    return serve_join(req, error);
  if (!check_name(req->name, error))
    return FALSE;
  if (g_str_equal(action, "token"))
    return serve_token(req, req->name, error);
  return g_str_equal(action, "session") ? serve_session(req, req->name, error)
                                        : serve_report(req, req->name, error);
}
