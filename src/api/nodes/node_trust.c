// SPDX-License-Identifier: Apache-2.0
// Theory of operation: who has a certificate of libvirt's CA is root on every host of it
// (docs/threat-model.md), so it is given only where an administrator has asked for it, by
// spec.trust of the Node, which needs a right of its own. An agent's key alone, or a token by which
// somebody joins in the host's place, is not to be worth one: the first keys that come are kept
// (status.libvirtTrust.keys), and others are refused until somebody with that right has opened the
// door for them (.newKeysUntil, by ferryd's own clock), which the next certificate shuts, whatever
// keys it is for. What was given is noted in the Node until it ends. The agent names the names
// by which its host is reached; trust_names.c judges them, and the answer says which are left out.
// A request is counted and read before the writer's lock of sessions is taken, under which one is
// judged and noted after another while no Node is deleted.
#include "api/nodes/node_trust.h"
#include "api/nodes/node_write.h"
#include "api/nodes/trust_kept.h"
#include "api/nodes/trust_limit.h"
#include "api/nodes/trust_names.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/pki/pki_libvirt.h"
#include "api/pki/pki_request.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "model/migration/reasons.h"
#include <string.h>

#define MAX_GIVEN 64 /* that are good still; an honest agent has a few */
#define MAX_ASKED 10 /* in a minute, as with agents' own certificates */
#define MINUTE_MS 60000
#define LIFE_MS (90 * FERRY_DAY_S * 1000)
#define OPEN_MS (3600 * (gint64)1000) /* for other keys */
#define UNTIL "newKeysUntil"

static void change_open(json_t *node, gint64 now_ms, gpointer data) {
  g_autofree char *until = ferry_rfc3339_format_ms(now_ms + OPEN_MS);
  ferry_json_set_str(node, "status.libvirtTrust." UNTIL, until);
}

static void change_want(json_t *node, gint64 now_ms, gpointer data) {
  g_autofree char *now = ferry_rfc3339_format_ms(now_ms);
  ferry_json_set_bool(node, "spec.trust", TRUE);
  ferry_json_set_str(node, "spec.trustSaid", now);
  change_open(node, now_ms, data);
}

gboolean ferry_node_trust_want(FerryApi *api, const char *node, GError **error) {
  return ferry_node_write(api, node, TRUE, change_want, NULL, error);
}

gboolean ferry_node_trust_wanted(FerryApi *api, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_node, "", node);
  return ferry_json_bool(object, "spec.trust", FALSE);
}

/* ---- what is kept in the Node ---- */

typedef struct {
  json_t *trust; /* status.libvirtTrust as it is to be; the caller's own */
  const char *status, *text;
  FerryReason reason;
} TrustNote;

static void change_note(json_t *node, gint64 now_ms, gpointer data) {
  const TrustNote *note = data;
  ferry_json_set(node, "status.libvirtTrust", json_deep_copy(note->trust));
  ferry_condition_set(node, FERRY_CONDITION_LIBVIRT_TRUST, note->status,
                      ferry_reason_name(note->reason), note->text, now_ms);
}

/* A copy without the certificates that have ended. */
static json_t *trust_of(const json_t *node, gint64 now_ms) {
  const json_t *there = ferry_json_get(node, "status.libvirtTrust");
  json_t *trust = there ? json_deep_copy(there) : json_object();
  json_t *given = json_object_get(trust, "given");
  if (!given)
    json_object_set_new(trust, "given", given = json_array());
  for (gsize i = 0; i < json_array_size(given);)
    if (ferry_rfc3339_parse(ferry_json_str(json_array_get(given, i), "ends")) <= now_ms)
      json_array_remove(given, i);
    else
      i++;
  return trust;
}

/* Each is a write of the Node and a line in the journal, which one key shall not fill. */
static gboolean asks_too_often(json_t *trust, const char *node, gint64 now_ms, GError **error) {
  gint64 minute = now_ms / MINUTE_MS;
  gint64 asked =
      ferry_json_int(trust, "minute", -1) == minute ? ferry_json_int(trust, "asked", 0) : 0;
  if (asked >= MAX_ASKED || json_array_size(json_object_get(trust, "given")) >= MAX_GIVEN) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "node \"%s\" asks too often, or has %d certificates for libvirt that are good "
                "still; try again later",
                node, MAX_GIVEN);
    return TRUE;
  }
  ferry_json_set_int(trust, "minute", minute);
  ferry_json_set_int(trust, "asked", asked + 1);
  return FALSE;
}

/* Whether somebody lets other keys in now; a clock that was put back opens nothing for longer. */
static gboolean is_open(const json_t *trust, gint64 now_ms) {
  gint64 until = ferry_rfc3339_parse(ferry_json_str(trust, UNTIL));
  return until > now_ms && until - now_ms <= OPEN_MS;
}

/* Whether these keys are those that the host has, its first ones, or may take their place. */
static gboolean keys_are_good(const json_t *node, const json_t *trust, const json_t *keys,
                              gint64 now_ms, GError **error) {
  const char *name = ferry_json_str(node, "metadata.name");
  const json_t *pinned = json_object_get(trust, "keys");
  if (json_array_size(pinned) == 0 || json_equal(pinned, keys) || is_open(trust, now_ms))
    return TRUE;
  ferry_warning("a certificate of libvirt's CA was asked for with another key than the host's",
                "FERRY_NODE", name);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "node \"%s\" has another key for libvirt's TLS; where that is as it should be, ferry "
              "host trust %s --new-keys lets it have this one",
              name, name);
  return FALSE;
}

/* ---- a certificate ---- */

typedef struct {
  const char *node, *csr, *qemu_csr;
  json_t *keys, *names, *out; /* own */
  gint64 now_ms, ends_ms;
  const char *serial, *qemu_serial; /* of those that are given once more, or NULL */
  FerryPkiIssued issued, qemu;
  char *ca, *qemu_ca;
} TrustGrant;

static void trust_grant_clear(TrustGrant *g) {
  json_decref(g->keys);
  json_decref(g->names);
  json_decref(g->out);
  ferry_pki_issued_clear(&g->issued);
  ferry_pki_issued_clear(&g->qemu);
  g_free(g->ca);
  g_free(g->qemu_ca);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrustGrant, trust_grant_clear)

static gboolean grant_read(TrustGrant *g, const json_t *body, GError **error) {
  g->csr = ferry_json_str(body, "csr");
  g->qemu_csr = ferry_json_str(body, "qemuCsr");
  if (!g->csr || !g->qemu_csr)
    return ferry_error_bad_request(error,
                                   "expected {\"csr\", \"qemuCsr\", \"names\"}, {\"problem\"} or "
                                   "{\"ok\": true}");
  g_autofree char *key = ferry_pki_request_key_hash(g->csr, error);
  g_autofree char *qemu_key = key ? ferry_pki_request_key_hash(g->qemu_csr, error) : NULL;
  if (!qemu_key)
    return FALSE;
  if (g_str_equal(key, qemu_key))
    return ferry_error_bad_request(error, "qemuCsr: QEMU's user is not to have libvirt's key");
  g->keys = json_pack("[s, s]", key, qemu_key);
  g->names = json_array();
  g->out = json_array();
  return TRUE;
}

/* The same once more within a minute is no certificate more, where it has no door to shut. */
static void grant_repeat(TrustGrant *g, const json_t *trust) {
  json_t *given = json_object_get(trust, "given");
  const json_t *last = json_array_get(given, json_array_size(given) - 1);
  gint64 created = ferry_rfc3339_parse(ferry_json_str(last, "created"));
  if (!last || is_open(trust, g->now_ms) || !json_equal(json_object_get(last, "names"), g->names) ||
      !json_equal(json_object_get(trust, "keys"), g->keys) || created > g->now_ms ||
      g->now_ms - created >= MINUTE_MS)
    return;
  g->serial = ferry_json_str(last, "serial");
  g->qemu_serial = ferry_json_str(last, "qemuSerial");
  g->ends_ms = ferry_rfc3339_parse(ferry_json_str(last, "ends"));
}

static gboolean grant_sign(TrustGrant *g, FerryApi *api, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  gsize i;
  json_t *name;
  json_array_foreach(g->names, i, name) {
    g_ptr_array_add(names, (char *)json_string_value(name));
  }
  g_ptr_array_add(names, NULL);
  FerryPkiLibvirtWish wish = {
      FERRY_PKI_LIBVIRT, g->csr,     g->node,  (const char *const *)names->pdata,
      g->now_ms,         g->ends_ms, g->serial};
  if (!ferry_pki_sign_libvirt(api->pki, &wish, &g->issued, &g->ca, error))
    return FALSE;
  wish.use = FERRY_PKI_QEMU;
  wish.csr_pem = g->qemu_csr;
  wish.serial = g->qemu_serial;
  return ferry_pki_sign_libvirt(api->pki, &wish, &g->qemu, &g->qemu_ca, error);
}

static void grant_note(const TrustGrant *g, json_t *trust) {
  g_autofree char *now = ferry_rfc3339_format(g->now_ms);
  g_autofree char *ends = ferry_rfc3339_format(MAX(g->issued.ends_ms, g->qemu.ends_ms));
  json_object_del(trust, UNTIL);
  json_object_set(trust, "keys", g->keys);
  json_array_append_new(
      json_object_get(trust, "given"),
      json_pack("{s:s, s:s, s:O, s:O, s:s, s:s, s:O}", "serial", g->issued.serial, "qemuSerial",
                g->qemu.serial, "keyHash", json_array_get(g->keys, 0), "qemuKeyHash",
                json_array_get(g->keys, 1), "created", now, "ends", ends, "names", g->names));
}

static char *given_text(json_t *names, const char *ends) {
  g_autoptr(GString) text = g_string_new("a certificate for ");
  gsize i;
  json_t *name;
  json_array_foreach(names, i, name) {
    g_string_append_printf(text, "%s%s", i ? ", " : "", json_string_value(name));
  }
  g_string_append_printf(text, ", until %s", ends);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean serve_grant(FerryRequest *req, const json_t *node, const json_t *body,
                            TrustGrant *g, GError **error) {
  FerryApi *api = req->api;
  gint64 now_ms = g->now_ms;
  g_autoptr(json_t) before = trust_of(node, now_ms);
  ferry_trust_kept_restore(api, g->node, now_ms, json_object_get(before, "given"));
  g_autoptr(json_t) trust = json_deep_copy(before);
  g_autoptr(GPtrArray) nodes = ferry_store_list(api->store, &ferry_kind_node, NULL, NULL);
  ferry_trust_kept_list(api, nodes);
  if (!keys_are_good(node, trust, g->keys, now_ms, error) ||
      !ferry_trust_names_judge(nodes, node, json_object_get(body, "names"), now_ms, g->names,
                               g->out, error))
    return FALSE;
  grant_repeat(g, before);
  if ((!g->serial && asks_too_often(trust, g->node, now_ms, error)) || !grant_sign(g, api, error))
    return FALSE;
  if (!g->serial)
    grant_note(g, trust);
  g_autofree char *ends = ferry_rfc3339_format(g->issued.ends_ms);
  g_autofree char *text = given_text(g->names, ends);
  TrustNote note = {trust, "True", text, FERRY_REASON_CERTIFICATE_GIVEN};
  if (!ferry_node_write(api, g->node, FALSE, change_note, &note, error))
    return FALSE;
  if (!g->serial)
    ferry_info("gave a host a certificate of libvirt's CA", "FERRY_NODE", g->node, "FERRY_SERIAL",
               g->issued.serial);
  ferry_respond_json(req, 201,
                     json_pack("{s:s, s:s, s:s, s:s, s:O}", "certificate", g->issued.pem, "ca",
                               g->ca, "qemuCertificate", g->qemu.pem, "qemuCa", g->qemu_ca,
                               "leftOut", g->out));
  return TRUE;
}

/* ---- a problem ---- */

static gboolean problem_is_good(const char *text) {
  if (strlen(text) > FERRY_PROBLEM_MAX)
    return FALSE;
  for (; *text; text = g_utf8_next_char(text))
    if (g_unichar_iscntrl(g_utf8_get_char(text)))
      return FALSE;
  return TRUE;
}

static gboolean serve_problem(FerryRequest *req, const json_t *node, const char *problem,
                              GError **error) {
  const char *name = ferry_json_str(node, "metadata.name");
  const json_t *there = ferry_condition_find(node, FERRY_CONDITION_LIBVIRT_TRUST);
  gint64 now_ms = ferry_clock_wall_ms(req->api->clock);
  if (!problem_is_good(problem))
    return ferry_error_bad_request(
        error, "problem: expected at most 1024 bytes without control characters");
  if (!ferry_condition_fails(node, FERRY_CONDITION_LIBVIRT_TRUST) ||
      g_strcmp0(ferry_json_str(there, "message"), problem) != 0) {
    g_autoptr(json_t) trust = trust_of(node, now_ms);
    TrustNote note = {trust, "False", problem, FERRY_REASON_TRUST_NOT_SET_UP};
    ferry_warning("libvirt's TLS could not be set up on a host", "FERRY_NODE", name, "FERRY_ERROR",
                  problem);
    if (!ferry_node_write(req->api, name, FALSE, change_note, &note, error))
      return FALSE;
  }
  ferry_respond_json(req, 200, json_object());
  return TRUE;
}

/* What is there is good and shown: a problem that was told is over. */
static gboolean serve_ok(FerryRequest *req, const json_t *node, GError **error) {
  const char *name = ferry_json_str(node, "metadata.name");
  gint64 now_ms = ferry_clock_wall_ms(req->api->clock);
  g_autoptr(json_t) trust = trust_of(node, now_ms);
  const json_t *given = json_object_get(trust, "given");
  const json_t *last = json_array_get(given, json_array_size(given) - 1);
  if (last && ferry_condition_fails(node, FERRY_CONDITION_LIBVIRT_TRUST)) {
    g_autofree char *text =
        given_text(json_object_get(last, "names"), ferry_json_str(last, "ends"));
    TrustNote note = {trust, "True", text, FERRY_REASON_CERTIFICATE_GIVEN};
    if (!ferry_node_write(req->api, name, FALSE, change_note, &note, error))
      return FALSE;
  }
  ferry_respond_json(req, 200, json_object());
  return TRUE;
}

/* ---- both ---- */

/* Its agent itself, and nobody in its place. */
static gboolean asker_is_good(const FerryRequest *req, const char *node, GError **error) {
  if (!req->user->impersonator && g_strcmp0(req->user->node, node) == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "a certificate of libvirt's CA for node \"%s\" is given to its agent, and not to "
              "someone who acts as it",
              node);
  return FALSE;
}

/* Whether it is wanted there, and may be given; the Node, new reference. */
static json_t *wanted_node(FerryRequest *req, const char *name, gboolean tells, GError **error) {
  g_autoptr(json_t) node = ferry_store_get(req->api->store, &ferry_kind_node, "", name);
  if (!node)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "node \"%s\" is not there", name);
  else if (!ferry_json_bool(node, "spec.trust", FALSE))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "nobody has asked for libvirt's TLS on node \"%s\": ferry host trust %s does", name,
                name);
  else if (!tells && !ferry_json_str(node, "status.agent.lastReportTime"))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "the agent of node \"%s\" has not reported yet by which addresses it is reached",
                name);
  else
    return g_steal_pointer(&node);
  return NULL;
}

/* The lock is held. */
static gboolean serve_wanted(FerryRequest *req, const char *name, const json_t *body,
                             TrustGrant *grant, FerryUserCheck is_valid, GError **error) {
  const char *problem = ferry_json_str(body, "problem");
  /* Asked again under the lock: the Node may just have been deleted. */
  g_autoptr(json_t) node =
      is_valid(req->api, req->user, error) ? wanted_node(req, name, !grant, error) : NULL;
  if (!node)
    return FALSE;
  if (grant)
    return serve_grant(req, node, body, grant, error);
  return problem ? serve_problem(req, node, problem, error) : serve_ok(req, node, error);
}

gboolean ferry_serve_node_trust(FerryRequest *req, const char *name, const json_t *body,
                                FerryUserCheck is_valid, GError **error) {
  gboolean tells = ferry_json_str(body, "problem") || ferry_json_bool(body, "ok", FALSE);
  gint64 now_ms = ferry_clock_wall_ms(req->api->clock);
  g_auto(TrustGrant) g = {.node = name, .now_ms = now_ms, .ends_ms = now_ms + LIFE_MS};
  if (!asker_is_good(req, name, error))
    return FALSE;
  g_autoptr(json_t) before = wanted_node(req, name, tells, error);
  if (!before || !ferry_trust_limit_take(req->api->trust_limit, name, tells, error) ||
      (!tells && !grant_read(&g, body, error)))
    return FALSE;
  g_rw_lock_writer_lock(&req->api->sessions);
  gboolean ok = serve_wanted(req, name, body, tells ? NULL : &g, is_valid, error);
  g_rw_lock_writer_unlock(&req->api->sessions);
  return ok;
}

gboolean ferry_serve_node_newkeys(FerryRequest *req, const char *node, GError **error) {
  if (!ferry_node_write(req->api, node, FALSE, change_open, NULL, error))
    return FALSE;
  ferry_info("a host may come with other keys for libvirt's TLS, once", "FERRY_NODE", node,
             "FERRY_USER", req->user->name);
  ferry_respond_json(req, 200, json_object());
  return TRUE;
}
