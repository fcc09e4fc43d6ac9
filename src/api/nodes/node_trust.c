// SPDX-License-Identifier: Apache-2.0
// Theory of operation: who has a certificate of libvirt's CA is root on every host of it
// (docs/threat-model.md), so it is given only where an administrator has asked for it, by
// spec.trust of the Node, which needs a right of its own. The agent names the names by which its
// host is reached. Those that another Node has (its name, its peer, an address) are left out, as a
// host must not be able to pass for another one; the answer says which. The Node's own name is
// always in it.
#include "api/nodes/node_trust.h"
#include "api/nodes/node_write.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/pki/pki_libvirt.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "model/migration/peer_uri.h"
#include "model/migration/reasons.h"
#include "policy/network/peers.h"
#include <string.h>

#define MAX_NAMES 64
#define MAX_PROBLEM 1024
#define LIFE_S (90 * FERRY_DAY_S)

static void change_want(json_t *node, gint64 now_ms, gpointer text) {
  ferry_json_set_bool(node, "spec.trust", TRUE);
}

static void change_given(json_t *node, gint64 now_ms, gpointer text) {
  ferry_condition_set(node, FERRY_CONDITION_LIBVIRT_TRUST, "True",
                      ferry_reason_name(FERRY_REASON_CERTIFICATE_GIVEN), text, now_ms);
}

static void change_failed(json_t *node, gint64 now_ms, gpointer text) {
  ferry_condition_set(node, FERRY_CONDITION_LIBVIRT_TRUST, "False",
                      ferry_reason_name(FERRY_REASON_TRUST_NOT_SET_UP), text, now_ms);
}

gboolean ferry_node_trust_want(FerryApi *api, const char *node, GError **error) {
  return ferry_node_write(api, node, TRUE, change_want, NULL, error);
}

gboolean ferry_node_trust_wanted(FerryApi *api, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_node, "", node);
  return ferry_json_bool(object, "spec.trust", FALSE);
}

static gboolean names_have(GPtrArray *words, const char *word) {
  return g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL);
}

/* Fills `good` with what the certificate is for, `out` with what is another host's. */
static gboolean judge_names(FerryApi *api, const char *node, const json_t *names, GPtrArray *good,
                            json_t *out, GError **error) {
  g_autoptr(GPtrArray) nodes = ferry_store_list(api->store, &ferry_kind_node, NULL, NULL);
  gsize i;
  json_t *item;
  if (!json_is_array(names) || json_array_size(names) > MAX_NAMES)
    return ferry_error_bad_request(error, "names: expected at most 64 names and addresses");
  g_ptr_array_add(good, g_strdup(node));
  json_array_foreach(names, i, item) {
    g_autofree char *name =
        json_is_string(item) ? g_ascii_strdown(json_string_value(item), -1) : NULL;
    if (!name || !ferry_peer_host_is_valid(name))
      return ferry_error_bad_request(error,
                                     "names: expected DNS names and addresses of the host as "
                                     "others reach it");
    if (ferry_peers_holder((json_t *const *)nodes->pdata, nodes->len, node, name))
      json_array_append_new(out, json_string(name));
    else if (!names_have(good, name))
      g_ptr_array_add(good, g_steal_pointer(&name));
  }
  g_ptr_array_add(good, NULL);
  return TRUE;
}

static gboolean note_problem(FerryRequest *req, const char *node, const char *problem,
                             GError **error) {
  if (strlen(problem) > MAX_PROBLEM)
    return ferry_error_bad_request(error, "problem: expected at most 1024 bytes");
  ferry_warning("libvirt's TLS could not be set up on a host", "FERRY_NODE", node, "FERRY_ERROR",
                problem);
  if (!ferry_node_write(req->api, node, FALSE, change_failed, (char *)problem, error))
    return FALSE;
  ferry_respond_json(req, 200, json_object());
  return TRUE;
}

gboolean ferry_serve_node_trust(FerryRequest *req, const char *node, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  if (!ferry_node_trust_wanted(req->api, node)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "nobody has asked for libvirt's TLS on node \"%s\": ferry host trust %s does", node,
                node);
    return FALSE;
  }
  const char *csr = ferry_json_str(body, "csr"), *problem = ferry_json_str(body, "problem");
  if (problem)
    return note_problem(req, node, problem, error);
  if (!csr)
    return ferry_error_bad_request(error, "expected {\"csr\", \"names\"} or {\"problem\"}");
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(json_t) left_out = json_array();
  g_autofree char *ca = NULL;
  FerryPkiIssued issued = {0};
  if (!judge_names(req->api, node, json_object_get(body, "names"), names, left_out, error) ||
      !ferry_pki_sign_libvirt(req->api->pki, csr, node, (const char *const *)names->pdata,
                              ferry_clock_wall_ms(req->api->clock), LIFE_S, &issued, &ca, error))
    return FALSE;
  g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
  g_autofree char *ends = ferry_rfc3339_format(issued.ends_ms);
  g_autofree char *text = g_strdup_printf("a certificate for %s, until %s", all, ends);
  gboolean ok = ferry_node_write(req->api, node, FALSE, change_given, text, error);
  if (ok) {
    ferry_info("gave a host a certificate of libvirt's CA", "FERRY_NODE", node, "FERRY_SERIAL",
               issued.serial);
    ferry_respond_json(
        req, 201,
        json_pack("{s:s, s:s, s:O}", "certificate", issued.pem, "ca", ca, "leftOut", left_out));
  }
  ferry_pki_issued_clear(&issued);
  return ok;
}
