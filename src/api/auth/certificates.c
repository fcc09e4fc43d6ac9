// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what there is of certificates is shown by one list, from which the answer of
// GET .../certificates (ferryd certs) and the metric come. A thread looks after them once a minute:
// the server's and the administrator's are renewed in time, what ended long ago is forgotten, and
// what ends soon is said in the log and as a condition of its Node or User; what ends of ferryd's
// own, the CA first, ends for every host, so each Node says it. The CA is changed by .../ca/...
#include "api/auth/certificates.h"
#include "api/auth/join_tokens.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/pki/pki_load.h"
#include "api/pki/pki_rotate.h"
#include "model/field/object_meta.h"
#include "api/auth/credentials.h"
#include "api/nodes/trust_ends.h"
#include "api/nodes/trust_kept.h"
#include "model/migration/reasons.h"
#include "base/metrics_text.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "base/limits.h"

#include <string.h>

#define LOOK_US (60 * G_USEC_PER_SEC)
#define CA_WARNING_DAYS 180
#define WARNING_DAYS 14 /* all of Ferry's own are renewed before */

struct FerryCertificates {
  FerryApi *api;
  GThread *thread;
  GMutex lock;
  GCond cond;
  gboolean stop;
  GHashTable *seen_ca; /* node -> hash of the CA of the certificate that its agent came with */
  gint64 warned_ms;
};

/* ---- the list ---- */

static json_t *certificates_entry(FerryApi *api, const char *kind, const char *subject,
                                  const char *serial, gint64 ends_ms, const char *revoked) {
  gint64 left = ends_ms - ferry_clock_wall_ms(api->clock);
  gint64 soon = (g_str_has_suffix(kind, "ca") ? CA_WARNING_DAYS : WARNING_DAYS) * FERRY_DAY_MS;
  g_autofree char *ends = ferry_rfc3339_format(ends_ms);
  const char *state = revoked       ? "revoked"
                      : left < 0    ? "expired"
                      : left < soon ? "expiring"
                                    : "good";
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s*}", "kind", kind, "subject", subject,
                   "serial", serial, "endsAt", ends, "secondsLeft", (json_int_t)(left / 1000),
                   "state", state, "reason", revoked);
}

typedef struct {
  FerryApi *api;
  json_t *list;
} Collector;

static void collect_own(const char *kind, const char *subject, const char *serial, gint64 ends_ms,
                        gpointer data) {
  Collector *c = data;
  json_array_append_new(c->list, certificates_entry(c->api, kind, subject, serial, ends_ms, NULL));
}

/* Those for libvirt's TLS: of each host, one that was deleted too, the pair that ends last, as
 * those before it run out beside it. */
static void collect_trust(Collector *c) {
  static const struct {
    const char *kind, *serial, *key, *issuer;
  } pair[] = {{"libvirt", "serial", "keyHash", "libvirt-ca"},
              {"qemu", "qemuSerial", "qemuKeyHash", "libvirt-qemu-ca"}};
  g_autoptr(GPtrArray) nodes = ferry_store_list(c->api->store, &ferry_kind_node, NULL, NULL);
  ferry_trust_kept_list(c->api, nodes);
  for (guint i = 0; i < nodes->len; i++) {
    const char *node = ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name");
    const json_t *last = ferry_trust_last(g_ptr_array_index(nodes, i));
    g_autofree char *subject = g_strconcat("CN=", node, NULL);
    for (gsize k = 0; last && k < G_N_ELEMENTS(pair); k++) {
      json_t *one =
          certificates_entry(c->api, pair[k].kind, subject, ferry_json_str(last, pair[k].serial),
                             ferry_rfc3339_parse(ferry_json_str(last, "ends")), NULL);
      ferry_json_set_str(one, "name", node);
      ferry_json_set_str(one, "issuer", pair[k].issuer);
      ferry_json_set_str(one, "keyHash", ferry_json_str(last, pair[k].key));
      json_object_set(one, "names", json_object_get(last, "names"));
      json_array_append_new(c->list, one);
    }
  }
}

static json_t *list_all(FerryApi *api) {
  Collector c = {api, json_array()};
  gint64 now = ferry_clock_wall_ms(api->clock);
  ferry_pki_each(api->pki, collect_own, &c);
  g_autoptr(GPtrArray) records = ferry_credential_list(api, NULL);
  for (guint i = 0; i < records->len; i++) {
    const json_t *record = g_ptr_array_index(records, i);
    const char *user = ferry_json_str(record, "user"), *why = NULL;
    if (g_strcmp0(ferry_json_str(record, "type"), "certificate") != 0)
      continue;
    gboolean node = g_str_has_prefix(user, "system:node:");
    g_autofree char *subject = g_strdup_printf("CN=%s%s", user, node ? ",O=system:nodes" : "");
    ferry_credential_is_revoked(record, now, &why);
    json_t *one =
        certificates_entry(api, node ? "node" : "user", subject, ferry_json_str(record, "id"),
                           ferry_json_int(record, "expires", 0), why);
    ferry_json_set_str(one, "name", node ? user + strlen("system:node:") : user);
    ferry_json_set_str(one, "ca", ferry_json_str(record, "ca"));
    json_array_append_new(c.list, one);
  }
  collect_trust(&c);
  return c.list;
}

/* When the last credential of each user ends, agents' by system:node:NAME: those before it run out
 * beside it. Revoked ones don't count. Name -> gint64 in ms. */
static GHashTable *last_ends(FerryApi *api) {
  GHashTable *ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  gint64 now = ferry_clock_wall_ms(api->clock);
  g_autoptr(GPtrArray) records = ferry_credential_list(api, NULL);
  for (guint i = 0; i < records->len; i++) {
    const json_t *record = g_ptr_array_index(records, i);
    const char *user = ferry_json_str(record, "user");
    gint64 end = ferry_json_int(record, "expires", 0);
    const gint64 *known = user ? g_hash_table_lookup(ends, user) : NULL;
    if (!user || !end || ferry_credential_is_revoked(record, now, NULL) || (known && *known >= end))
      continue;
    g_hash_table_insert(ends, g_strdup(user), g_memdup2(&end, sizeof end));
  }
  return ends;
}

/* By name, so that a scrape is as the one before. */
static void put_users(FerryApi *api, GString *out) {
  static const char name[] = "ferry_user_credential_expiry_seconds";
  gint64 now = ferry_clock_wall_ms(api->clock);
  g_autoptr(GHashTable) ends = last_ends(api);
  g_autoptr(GPtrArray) users = ferry_store_list(api->store, &ferry_kind_user, NULL, NULL);
  ferry_metrics_family(out, name, "gauge",
                       "Seconds until the last token or certificate of a user ends.");
  for (guint i = 0; i < users->len; i++) {
    const char *user = ferry_json_str(g_ptr_array_index(users, i), "metadata.name");
    const gint64 *end = g_hash_table_lookup(ends, user);
    gint64 left_s = end ? (*end - now) / 1000 : 0;
    if (end)
      ferry_metrics_sample(out, name, (double)left_s, "user", user, NULL);
  }
}

void ferry_certificates_metrics(FerryApi *api, GString *out) {
  static const char name[] = "ferry_certificate_expiry_seconds";
  g_autoptr(json_t) list = list_all(api);
  json_t *one;
  size_t i;
  ferry_metrics_family(out, name, "gauge",
                       "Seconds until a certificate ends; negative: it has ended. Revoked ones are "
                       "left out.");
  json_array_foreach(list, i, one) {
    if (g_strcmp0(ferry_json_str(one, "state"), "revoked") != 0)
      ferry_metrics_sample(out, name, (double)ferry_json_int(one, "secondsLeft", 0), "kind",
                           ferry_json_str(one, "kind"), "name", ferry_json_str(one, "name"),
                           "serial", ferry_json_str(one, "serial"), NULL);
  }
  put_users(api, out);
}

/* ---- looking after them ---- */

gboolean ferry_certificates_write_kubeconfig(FerryApi *api, GError **error) {
  g_autofree char *path = g_build_filename(api->state_dir, "admin.kubeconfig", NULL);
  g_autofree char *text = ferry_pki_kubeconfig(api->pki, api->url);
  g_autofree char *old = ferry_file_read(path, 1024 * 1024, NULL, NULL);
  return g_strcmp0(old, text) == 0 || ferry_file_write(path, text, strlen(text), 0600, error);
}

typedef struct {
  const FerryKind *kind;
  const char *prefix; /* of its names in the records */
  FerryConditionType condition;
  FerryReason reason;
  const char *format; /* of the message, with the end */
  gboolean stays;     /* what was said last, once the records are gone */
} Holder;

static const Holder certificate_holders[] = {
    {&ferry_kind_node, "system:node:", FERRY_CONDITION_CERTIFICATE_EXPIRING,
     FERRY_REASON_NOT_RENEWED,
     "the certificate of its agent ends at %s and was not renewed, which the agent does by itself "
     "while it can reach ferryd",
     TRUE},
    {&ferry_kind_user, "", FERRY_CONDITION_CREDENTIAL_EXPIRING, FERRY_REASON_NOT_ROTATED,
     "the last of its credentials ends at %s: ferry user rotate makes a new one"},
};

/* `ends`: NULL: it has no credential. */
static void set_condition(const Holder *h, json_t *object, const gint64 *ends, gint64 now_ms) {
  if (!ends && h->stays)
    return;
  if (!ends || *ends - now_ms >= WARNING_DAYS * FERRY_DAY_MS) {
    ferry_condition_remove(object, h->condition);
    return;
  }
  g_autofree char *when = ferry_rfc3339_format(*ends);
  g_autoptr(GString) text = g_string_new(h->format);
  g_string_replace(text, "%s", when, 1);
  ferry_condition_set(object, h->condition, "True", ferry_reason_name(h->reason), text->str,
                      now_ms);
}

static gboolean is_ending(const json_t *entry) {
  const char *state = ferry_json_str(entry, "state");
  return g_strcmp0(state, "expiring") == 0 || g_strcmp0(state, "expired") == 0;
}

/* What of ferryd's own certificates ends soon, the CA before those that it signed; NULL: nothing.
 */
static json_t *own_ending(FerryApi *api) {
  Collector c = {api, json_array()};
  ferry_pki_each(api->pki, collect_own, &c);
  g_autoptr(json_t) list = c.list;
  json_t *one;
  size_t i;
  json_array_foreach(list, i, one) {
    /* the one before the present CA is to end */
    if (is_ending(one) && g_strcmp0(ferry_json_str(one, "kind"), "old-ca") != 0)
      return json_incref(one);
  }
  return NULL;
}

static void set_own_condition(json_t *node, const json_t *ending, gint64 now_ms) {
  if (!ending) {
    ferry_condition_remove(node, FERRY_CONDITION_FERRYD_CERTIFICATE_EXPIRING);
    return;
  }
  gboolean ca = g_strcmp0(ferry_json_str(ending, "kind"), "ca") == 0;
  g_autofree char *text =
      ca ? g_strdup_printf("ferryd's CA ends at %s, and with it every certificate that it signed: "
                           "change it with ferryd ca rotate begin",
                           ferry_json_str(ending, "endsAt"))
         : g_strdup_printf(
               "the certificate %s of ferryd (%s) ends at %s and was not renewed, which "
               "ferryd does by itself while it can write its state directory",
               ferry_json_str(ending, "subject"), ferry_json_str(ending, "kind"),
               ferry_json_str(ending, "endsAt"));
  FerryReason reason = ca ? FERRY_REASON_CA_NOT_CHANGED : FERRY_REASON_NOT_RENEWED;
  ferry_condition_set(node, FERRY_CONDITION_FERRYD_CERTIFICATE_EXPIRING, "True",
                      ferry_reason_name(reason), text, now_ms);
}

static void write_conditions(FerryApi *api, const Holder *h, const json_t *old, json_t *object) {
  if (json_equal(old, object))
    return;
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = h->kind,
                      .ns = "",
                      .name = ferry_json_str(old, "metadata.name"),
                      .object = object,
                      .revision = ferry_object_revision(old)};
  ferry_store_commit(api->store, &write, 1, NULL, NULL); /* a conflict: the next look does it */
}

static void look_at_holders(FerryApi *api) {
  gint64 now = ferry_clock_wall_ms(api->clock);
  g_autoptr(GHashTable) ends = last_ends(api);
  g_autoptr(json_t) ending = own_ending(api);
  for (gsize k = 0; k < G_N_ELEMENTS(certificate_holders); k++) {
    const Holder *h = &certificate_holders[k];
    g_autoptr(GPtrArray) all = ferry_store_list(api->store, h->kind, NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
      const json_t *old = g_ptr_array_index(all, i);
      g_autofree char *user = g_strconcat(h->prefix, ferry_json_str(old, "metadata.name"), NULL);
      g_autoptr(json_t) object = json_deep_copy(old);
      set_condition(h, object, g_hash_table_lookup(ends, user), now);
      if (h->kind == &ferry_kind_node) {
        ferry_trust_warn(object, now, WARNING_DAYS * FERRY_DAY_MS);
        set_own_condition(object, ending, now);
      }
      write_conditions(api, h, old, object);
    }
  }
}

static void certificates_warn(FerryCertificates *c) {
  gint64 now = ferry_clock_wall_ms(c->api->clock);
  if (c->warned_ms && now - c->warned_ms < FERRY_DAY_MS)
    return;
  g_autoptr(json_t) list = list_all(c->api);
  json_t *one;
  size_t i;
  json_array_foreach(list, i, one) {
    if (!is_ending(one))
      continue;
    c->warned_ms = now;
    ferry_warning(g_str_has_suffix(ferry_json_str(one, "kind"), "ca")
                      ? "the CA ends soon: change it with ferryd ca rotate begin"
                      : "a certificate ends soon",
                  "FERRY_CERTIFICATE", ferry_json_str(one, "subject"), "FERRY_ENDS",
                  ferry_json_str(one, "endsAt"));
  }
}

void ferry_certificates_look(FerryCertificates *c) {
  g_autoptr(GError) error = NULL;
  gboolean changed = FALSE;
  gint64 now = ferry_clock_wall_ms(c->api->clock);
  if (!ferry_pki_renew(c->api->pki, now, &changed, &error) ||
      (changed && !ferry_certificates_write_kubeconfig(c->api, &error)))
    ferry_warning("cannot renew the server's certificates; it is tried again in a minute",
                  "FERRY_ERROR", error->message);
  else if (changed)
    ferry_info("renewed the server's and the administrator's certificate", "FERRY_STATE_DIR",
               c->api->state_dir);
  ferry_credential_expire(c->api);
  look_at_holders(c->api);
  certificates_warn(c);
}

static gpointer look_thread(gpointer data) {
  FerryCertificates *c = data;
  g_mutex_lock(&c->lock);
  while (!c->stop) {
    g_mutex_unlock(&c->lock);
    ferry_certificates_look(c);
    g_mutex_lock(&c->lock);
    gint64 until = g_get_monotonic_time() + LOOK_US;
    while (!c->stop && g_cond_wait_until(&c->cond, &c->lock, until))
      ;
  }
  g_mutex_unlock(&c->lock);
  return NULL;
}

FerryCertificates *ferry_certificates_start(FerryApi *api) {
  FerryCertificates *c = g_new0(FerryCertificates, 1);
  c->api = api;
  c->seen_ca = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init(&c->lock);
  g_cond_init(&c->cond);
  c->thread = g_thread_new("certificates", look_thread, c);
  return c;
}

void ferry_certificates_stop(FerryCertificates *c) {
  if (!c)
    return;
  g_mutex_lock(&c->lock);
  c->stop = TRUE;
  g_cond_signal(&c->cond);
  g_mutex_unlock(&c->lock);
  g_thread_join(c->thread);
  g_hash_table_unref(c->seen_ca);
  g_mutex_clear(&c->lock);
  g_cond_clear(&c->cond);
  g_free(c);
}

void ferry_certificates_seen(FerryCertificates *c, const char *node, const char *ca) {
  g_mutex_lock(&c->lock);
  if (g_strcmp0(g_hash_table_lookup(c->seen_ca, node), ca) != 0)
    g_hash_table_replace(c->seen_ca, g_strdup(node), g_strdup(ca));
  g_mutex_unlock(&c->lock);
}

/* ---- the CA's change ---- */

/* Who cannot be reached any more once the old CA is not trusted. */
static json_t *certificates_dependants(FerryCertificates *c) {
  json_t *out = json_array();
  const char *ca = ferry_pki_ca_hash(c->api->pki);
  g_autoptr(GPtrArray) nodes = ferry_store_list(c->api->store, &ferry_kind_node, NULL, NULL);
  g_mutex_lock(&c->lock);
  for (guint i = 0; i < nodes->len; i++) {
    const char *name = ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name");
    if (g_strcmp0(g_hash_table_lookup(c->seen_ca, name), ca) != 0)
      json_array_append_new(out, json_string(name));
  }
  g_mutex_unlock(&c->lock);
  return out;
}

static json_t *old_users(FerryApi *api) {
  json_t *out = json_array(), *one;
  const char *old = ferry_pki_old_ca_hash(api->pki);
  g_autoptr(json_t) list = list_all(api);
  size_t i;
  json_array_foreach(list, i, one) {
    const char *state = ferry_json_str(one, "state");
    if (old && g_strcmp0(ferry_json_str(one, "kind"), "user") == 0 &&
        g_strcmp0(ferry_json_str(one, "ca"), old) == 0 && g_strcmp0(state, "revoked") != 0 &&
        g_strcmp0(state, "expired") != 0)
      json_array_append(out, json_object_get(one, "name"));
  }
  return out;
}

/* `voided`: join tokens that this request made void; -1: not asked. */
static void respond_status(FerryRequest *req, int voided) {
  const char *old = ferry_pki_old_ca_hash(req->api->pki);
  json_t *status = json_pack("{s:b, s:s, s:s*, s:o, s:o}", "changing", old != NULL, "ca",
                             ferry_pki_ca_hash(req->api->pki), "oldCA", old, "nodes",
                             old ? certificates_dependants(req->api->certificates) : json_array(),
                             "users", old_users(req->api));
  if (voided >= 0)
    ferry_json_set_int(status, "joinTokensVoided", voided);
  ferry_respond_json(req, 200, status);
}

static gboolean certificates_finish(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = req->asked.body->len ? ferry_request_body(req, error) : json_object();
  if (!body)
    return FALSE;
  g_autoptr(json_t) nodes = certificates_dependants(req->api->certificates);
  if (ferry_pki_old_ca_hash(req->api->pki) && json_array_size(nodes) &&
      !ferry_json_bool(body, "force", FALSE)) {
    g_autofree char *names = ferry_json_dump(nodes);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "the agents of these nodes have not come with a certificate of the new CA yet: %s. "
                "They renew by themselves with their next report; wait, delete the nodes that are "
                "gone, or finish with --force: they then have to join again",
                names);
    return FALSE;
  }
  return ferry_pki_rotate_finish(req->api->pki, ferry_clock_wall_ms(req->api->clock), error);
}

static gboolean change_ca(FerryRequest *req, GError **error) {
  const char *action = req->asked.segments[4];
  gboolean begin = g_str_equal(action, "begin");
  gboolean ok =
      begin ? ferry_pki_rotate_begin(req->api->pki, ferry_clock_wall_ms(req->api->clock), error)
            : certificates_finish(req, error);
  if (!ok || !ferry_certificates_write_kubeconfig(req->api, error))
    return FALSE;
  ferry_info(begin ? "a change of the CA has begun" : "the old CA is not trusted any more",
             "FERRY_CA", ferry_pki_ca_hash(req->api->pki), "FERRY_USER", req->user->name);
  /* Every token that is unused names the CA that went. */
  respond_status(req, begin ? -1 : (int)ferry_join_tokens_drop(req->api->join_tokens, NULL));
  return TRUE;
}

gboolean ferry_serve_certificates(FerryRequest *req, GError **error) {
  char **s = req->asked.segments;
  guint n = g_strv_length(s);
  gboolean list = n == 4 && g_str_equal(s[3], "certificates");
  gboolean status = n == 4 && g_str_equal(s[3], "ca");
  gboolean change = n == 5 && g_str_equal(s[3], "ca") &&
                    (g_str_equal(s[4], "begin") || g_str_equal(s[4], "finish"));
  if (!list && !status && !change) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "the server could not find the requested resource");
    return FALSE;
  }
  if (!g_str_equal(req->asked.method, change ? "POST" : "GET")) {
    ferry_respond_header(req, "Allow", change ? "POST" : "GET");
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
                "the server does not allow this method on the requested resource");
    return FALSE;
  }
  if (change)
    return change_ca(req, error);
  if (status)
    respond_status(req, -1);
  else
    ferry_respond_json(req, 200, json_pack("{s:o}", "certificates", list_all(req->api)));
  return TRUE;
}
