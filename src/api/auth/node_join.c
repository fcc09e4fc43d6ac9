// SPDX-License-Identifier: Apache-2.0
// Theory of operation: how an agent comes to be trusted, and which of its processes speaks.
// An administrator makes a one-time token for one node (join_tokens.c). The agent shows it with a
// certificate request, which is read only where the token is good, gets a certificate for that
// node's name, and the token is gone. Where libvirt's TLS is wanted on a host the token has to say
// so, and who joins with it is the host alone from then on: whatever was given to that name before
// ends, as it would get the first keys as well (nodes/node_trust.c). An agent process then opens a
// session, which raises the node's epoch: whatever an older process still sends is refused.
#include "api/auth/node_join.h"
#include "api/auth/certificates.h"
#include "api/auth/validity.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/nodes/node_trust.h"
#include "api/nodes/node_write.h"
#include "model/field/object_meta.h"
#include "api/auth/audit.h"
#include "api/auth/credentials.h"
#include "api/auth/authz.h"
#include "api/auth/join_tokens.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "model/validate/validate.h"
#include "base/limits.h"
#include "control/inventory.h"
#include "control/looks.h"

#include <string.h>

#define MAX_CERTIFICATES 10         /* of a node; an honest agent has two at most, for a while */
#define RENEWALS_MS ((gint64)60000) /* in which so many are made, and no more */
#define NODE_LIFE_S (90 * FERRY_DAY_S)

static gboolean check_name(const char *node, GError **error) {
  const char *problem = NULL;
  if (node && strlen(node) <= FERRY_DNS_NAME_MAX &&
      ferry_format_check("dns-subdomain", node, &problem))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "node name \"%s\": %s", node ? node : "",
              problem ? problem
                      : "a node's name is at most " G_STRINGIFY(FERRY_DNS_NAME_MAX) " characters");
  return FALSE;
}

char *ferry_join_token_new(FerryApi *api, const char *node, gboolean trust, GError **error) {
  if (!check_name(node, error))
    return NULL;
  g_autofree char *secret = ferry_join_tokens_new(api->join_tokens, node, trust, error);
  return secret ? g_strdup_printf("ferry.%s.%s.%s", ferry_pki_pin_hash(api->pki), node, secret)
                : NULL;
}

/* Whether the token is to bring trust along; FALSE with an error: that is not the asker's to give.
 * Where the node has it already, whoever joins as that node comes to it. */
static gboolean wants_trust(FerryRequest *req, const char *node, gboolean *trust, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  FerryAccess access = {.verb = "create",
                        .group = ferry_kind_vmim.group,
                        .resource = ferry_kind_vmim.plural,
                        .subresource = "trust"};
  *trust = ferry_json_bool(body, "trust", FALSE) || ferry_node_trust_wanted(req->api, node);
  return body && (!*trust || ferry_authz_require(req, &access, error));
}

static gboolean serve_token(FerryRequest *req, const char *node, GError **error) {
  gboolean trust = FALSE;
  g_autofree char *token = wants_trust(req, node, &trust, error)
                               ? ferry_join_token_new(req->api, node, trust, error)
                               : NULL;
  if (!token)
    return FALSE;
  ferry_info("made a join token", "FERRY_NODE", node, "FERRY_USER", req->user->name);
  ferry_respond_json(req, 201, json_pack("{s:s}", "token", token));
  return TRUE;
}

/* Each certificate is a line in the audit and in the journal, which one key shall not fill. */
static gboolean renews_too_often(FerryApi *api, const char *identity, GError **error) {
  gint64 since = ferry_clock_wall_ms(api->clock) - RENEWALS_MS;
  g_autoptr(GPtrArray) records = ferry_credential_list(api, identity);
  guint n = 0;
  for (guint i = 0; i < records->len; i++)
    n += ferry_json_int(g_ptr_array_index(records, i), "created", 0) > since;
  if (n < MAX_CERTIFICATES)
    return FALSE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
              "%u certificates of \"%s\" were made within a minute; try again later", n, identity);
  return TRUE;
}

/* Voids what else was given to the node, or to whoever passed for it. */
static gboolean join_void_others(FerryApi *api, const char *node, const char *identity,
                                 GError **error) {
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(api->clock));
  g_autofree char *why = g_strdup_printf("node %s joined anew at %s", node, now);
  g_autoptr(GError) problem = NULL;
  ferry_join_tokens_drop(api->join_tokens, node);
  for (int i = 0; i < FERRY_API_MAX_TRIES; i++) {
    g_autoptr(GArray) writes = g_array_new(FALSE, FALSE, sizeof(FerryWrite));
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_clear_error(&problem);
    ferry_credential_revoke_writes(api, identity, TRUE, why, writes, keep);
    if (ferry_store_commit(api->store, (FerryWrite *)(void *)writes->data, writes->len, NULL,
                           &problem))
      return TRUE;
  }
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

/* The token is used up. */
static gboolean join_with_token(FerryApi *api, const char *token, const char *node, gboolean trust,
                                json_t *record, GError **error) {
  g_autofree char *identity = g_strconcat("system:node:", node, NULL);
  g_autoptr(GError) problem = NULL;
  if (!trust && ferry_node_trust_wanted(api, node)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "libvirt's TLS is wanted on node \"%s\", and its token was made before that: make "
                "another one with ferry host add %s",
                node, node);
    return FALSE;
  }
  if (!ferry_join_tokens_check(api->join_tokens, token, node, TRUE, error) ||
      (trust && !join_void_others(api, node, identity, error)) ||
      !ferry_credential_add(api, record, error))
    return FALSE;
  if (trust && !ferry_node_trust_want(api, node, &problem))
    ferry_warning("a host joined, but that libvirt's TLS is wanted there could not be noted: say "
                  "ferry host trust",
                  "FERRY_NODE", node, "FERRY_ERROR", problem->message);
  return TRUE;
}

/* Nobody else joins or renews meanwhile, and the Node is not deleted. */
static gboolean join_add(FerryRequest *req, const char *token, const char *node, json_t *record,
                         GError **error) {
  FerryApi *api = req->api;
  g_rw_lock_writer_lock(&api->sessions);
  gboolean trust = token && ferry_join_tokens_trusts(api->join_tokens, token);
  gboolean ok = token ? join_with_token(api, token, node, trust, record, error)
                      : ferry_auth_is_valid(api, req->user, error) &&
                            ferry_credential_add(api, record, error);
  g_rw_lock_writer_unlock(&api->sessions);
  return ok;
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
  if (!token && renews && req->user->impersonator) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "a certificate of node \"%s\" is renewed by whoever holds one, not by someone who "
                "impersonates it",
                node);
    return FALSE;
  }
  if (!token && !renews)
    return ferry_error_bad_request(
        error, "token is missing: make one with `ferryd token create --node NAME`");
  ferry_audit_about(req, "nodes", node);
  /* A stranger's request is not even read; it is signed before the token is taken, as a bad one
   * must not use that up. */
  if (token && !ferry_join_tokens_check(req->api->join_tokens, token, node, FALSE, error))
    return FALSE;
  FerryPkiIssued issued = {0};
  g_autofree char *identity = g_strconcat("system:node:", node, NULL);
  if (!token && renews_too_often(req->api, identity, error))
    return FALSE;
  if (!ferry_pki_sign_client(req->api->pki, csr, "system:nodes", identity,
                             ferry_clock_wall_ms(req->api->clock), NODE_LIFE_S, &issued, error))
    return FALSE;
  g_autoptr(json_t) record =
      ferry_credential_new(req->api, "certificate", issued.serial, identity, issued.ends_ms,
                           token ? "a join token" : req->user->credential);
  ferry_json_set_str(record, "ca", ferry_pki_ca_hash(req->api->pki));
  gboolean ok = join_add(req, token, node, record, error);
  if (ok) {
    ferry_credential_keep_newest(req->api, identity, token ? NULL : req->user->credential,
                                 MAX_CERTIFICATES);
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

typedef struct {
  const char *version, *mode;
  gint64 epoch; /* that the Node has got */
} SessionWish;

static void change_session(json_t *node, gint64 now_ms, gpointer data) {
  SessionWish *wish = data;
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  wish->epoch = ferry_json_int(node, "status.agent.epoch", 0) + 1;
  ferry_json_set_int(node, "status.agent.epoch", wish->epoch);
  ferry_json_set_str(node, "status.agent.version", wish->version);
  ferry_json_set_str(node, "status.agent.mode", wish->mode);
  ferry_json_set_str(node, "status.agent.connectedAt", now);
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
  SessionWish wish = {version, mode, 0};
  g_rw_lock_writer_lock(&req->api->sessions);
  /* Asked again under the lock: the Node may just have been deleted. */
  gboolean ok = ferry_auth_is_valid(req->api, req->user, error) &&
                ferry_node_write(req->api, node, TRUE, change_session, &wish, error);
  g_rw_lock_writer_unlock(&req->api->sessions);
  if (ok)
    ferry_respond_json(req, 201, json_pack("{s:I}", "epoch", (json_int_t)wish.epoch));
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
  if (ok) {
    g_autoptr(json_t) stored = ferry_store_get(req->api->store, &ferry_kind_node, "", node);
    const char *anew = ferry_json_str(stored, "spec.trustSaid");
    json_t *answer =
        json_pack("{s:s, s:b, s:b, s:s}", "caHash", ferry_pki_bundle_hash(req->api->pki),
                  "wantsAll", ferry_inventory_wants_all(req->api->store, node), "trust",
                  ferry_json_bool(stored, "spec.trust", FALSE), "trustSaid", anew ? anew : "");
    ferry_looks_answer(req->api->looks, ferry_clock_wall_ms(req->api->clock),
                       ferry_json_str(body, "looksHash"), answer);
    ferry_respond_json(req, 200, answer);
  }
  return ok;
}

static gboolean serve_trust(FerryRequest *req, const char *node, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  return body && ferry_serve_node_trust(req, node, body, ferry_auth_is_valid, error);
}

/* /apis/ferry.migration/v1/join and .../nodes/NAME/(token|session|report|trust|newkeys) */
gboolean ferry_serve_node_route(FerryRequest *req, GError **error) {
  const char *action = req->asked.segments[g_strv_length(req->asked.segments) - 1];
  if (!req->found.name)
    return serve_join(req, error);
  if (!check_name(req->found.name, error))
    return FALSE;
  if (g_str_equal(action, "token"))
    return serve_token(req, req->found.name, error);
  if (g_str_equal(action, "trust"))
    return serve_trust(req, req->found.name, error);
  if (g_str_equal(action, "newkeys"))
    return ferry_serve_node_newkeys(req, req->found.name, error);
  return g_str_equal(action, "session") ? serve_session(req, req->found.name, error)
                                        : serve_report(req, req->found.name, error);
}
