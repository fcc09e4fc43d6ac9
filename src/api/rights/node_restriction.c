// SPDX-License-Identifier: Apache-2.0
// Theory of operation: who may come here at all is the authoriser's matter (auth/authz.c); this
// judges what an agent's write changes, against the object as it is stored, in the same try that
// commits it. The rules are data: model/agents/agent_rules.c. Refusals are logged, for an honest
// agent has none; at most LOGGED_PER_MINUTE of a node, so that a dishonest one doesn't fill the
// journal.
#include "api/rights/node_restriction.h"
#include "api/auth/node_join.h"
#include "base/log.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/agents/agent_rules.h"

#include <stdlib.h>
#include <string.h>

#define LOGGED_PER_MINUTE 10
/* Events of one node: so many at once, then one in so many seconds. With their life of an hour
 * that is the most that one agent can have. */
#define EVENT_BURST 100
#define EVENT_EVERY_S 4
#define EVENT_TEXT_MAX 4096

/* ---- at a limited rate ---- */

typedef struct {
  gint64 minute;
  guint logged, dropped; /* in that minute */
  gint64 room_us;        /* of events: the time at which the bucket would be full */
} Account;

struct FerryNodeAccounts {
  GMutex lock;
  GHashTable *of; /* node -> Account; one for each node that ever did it */
};

FerryNodeAccounts *ferry_node_accounts_new(void) {
  FerryNodeAccounts *accounts = g_new0(FerryNodeAccounts, 1);
  g_mutex_init(&accounts->lock);
  accounts->of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return accounts;
}

void ferry_node_accounts_free(FerryNodeAccounts *accounts) {
  if (!accounts)
    return;
  g_hash_table_unref(accounts->of);
  g_mutex_clear(&accounts->lock);
  g_free(accounts);
}

/* Caller holds the lock. */
static Account *account_of(FerryNodeAccounts *accounts, const char *node) {
  Account *account = g_hash_table_lookup(accounts->of, node);
  if (!account) {
    account = g_new0(Account, 1);
    g_hash_table_insert(accounts->of, g_strdup(node), account);
  }
  return account;
}

static void log_refusal(const FerryRequest *req, const GError *refused) {
  g_autoptr(GString) fields = g_string_new(NULL);
  for (guint i = 0; i < ferry_error_n_causes(refused) && fields->len < 1024; i++)
    g_string_append_printf(fields, "%s%s", i ? " " : "", ferry_error_cause(refused, i)->field);
  gint64 minute = g_get_monotonic_time() / (60 * G_USEC_PER_SEC);
  FerryNodeAccounts *accounts = req->api->node_accounts;
  g_mutex_lock(&accounts->lock);
  Account *account = account_of(accounts, req->user->node);
  guint dropped = account->minute == minute ? 0 : account->dropped;
  if (account->minute != minute)
    *account = (Account){.minute = minute, .room_us = account->room_us};
  gboolean shown = account->logged < LOGGED_PER_MINUTE;
  account->logged += shown;
  account->dropped += !shown;
  g_mutex_unlock(&accounts->lock);
  if (!shown)
    return;
  g_autofree char *unseen = g_strdup_printf("%u", dropped);
  g_autofree char *name =
      g_strdup_printf("%s/%s", req->found.ns ? req->found.ns : "", req->found.name);
  ferry_warning("an agent's write was refused: its key is worth its host and no more", "FERRY_NODE",
                req->user->node, "FERRY_MIGRATION", name, "FERRY_FIELDS", fields->str,
                "FERRY_REFUSED", refused->message, "FERRY_NOT_SHOWN_BEFORE", unseen);
}

static gboolean may_tell(FerryNodeAccounts *accounts, const char *node) {
  gint64 now = g_get_monotonic_time(), cost = EVENT_EVERY_S * G_USEC_PER_SEC;
  g_mutex_lock(&accounts->lock);
  Account *account = account_of(accounts, node);
  gint64 full = MAX(account->room_us, now) + cost;
  gboolean may = full - now <= EVENT_BURST * cost;
  if (may)
    account->room_us = full;
  g_mutex_unlock(&accounts->lock);
  return may;
}

/* ---- writes of a migration ---- */

static gboolean check_epoch(const FerryRequest *req, GError **error) {
  gint64 epoch = ferry_node_epoch(req->api, req->user->node);
  if (req->asked.epoch == epoch)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "stale agent epoch: the request has %" G_GINT64_FORMAT
              ", node %s is at %" G_GINT64_FORMAT
              ": another agent process has taken over; begin a new session",
              req->asked.epoch, req->user->node, epoch);
  return FALSE;
}

gboolean ferry_node_restriction_check(FerryRequest *req, const json_t *old, json_t *object,
                                      GError **error) {
  const char *node = req->user->node;
  if (!node)
    return TRUE;
  if (req->found.kind != &ferry_kind_vmim) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "forbidden: an agent changes the status of migrations and no other object");
    return FALSE;
  }
  if (req->asked.epoch < 0) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                        "an agent's write needs the header Ferry-Agent-Epoch");
    return FALSE;
  }
  ferry_agent_rules_settle_times(old, object, ferry_clock_wall_ms(req->api->clock));
  FerryAgentWrite write = {old, object, node, req->asked.epoch};
  g_autoptr(GError) refused = NULL;
  if (ferry_agent_rules_check(&write, &refused))
    return check_epoch(req, error);
  log_refusal(req, refused);
  g_propagate_error(error, g_steal_pointer(&refused));
  return FALSE;
}

/* ---- events ---- */

static gboolean is_of_node(FerryApi *api, const char *node, const json_t *about, const char *ns) {
  const char *kind = ferry_json_str(about, "kind"), *name = ferry_json_str(about, "name");
  if (!kind || !name)
    return FALSE;
  if (g_str_equal(kind, ferry_kind_node.kind))
    return g_str_equal(name, node);
  if (g_str_equal(kind, ferry_kind_vmi.kind)) {
    g_autoptr(json_t) vmi = ferry_store_get(api->store, &ferry_kind_vmi, ns, name);
    return g_strcmp0(ferry_json_str(vmi, "status.nodeName"), node) == 0;
  }
  if (!g_str_equal(kind, ferry_kind_vmim.kind))
    return FALSE;
  g_autoptr(json_t) m = ferry_store_get(api->store, &ferry_kind_vmim, ns, name);
  const json_t *state = ferry_json_get(m, "status.migrationState");
  return g_strcmp0(ferry_json_str(state, "sourceNode"), node) == 0 ||
         g_strcmp0(ferry_json_str(state, "targetNode"), node) == 0;
}

/* What makes two events one story; `source` and `reporting...` are the node's. */
static const char *const event_story[] = {
    "involvedObject", "reason",      "message",          "type",
    "action",         "source.host", "source.component", "reportingInstance"};

static gboolean tells_the_same(const json_t *a, const json_t *b) {
  for (gsize i = 0; i < G_N_ELEMENTS(event_story); i++) {
    json_t *x = ferry_json_get(a, event_story[i]), *y = ferry_json_get(b, event_story[i]);
    if (x != y && !(x && y && json_equal(x, y)))
      return FALSE;
  }
  return TRUE;
}

/* One story has one name, so that who tells it again finds it. A person may have taken the name. */
static void name_event(const FerryRequest *req, json_t *event) {
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (gsize i = 0; i < G_N_ELEMENTS(event_story); i++) {
    char *text = json_dumps(ferry_json_get(event, event_story[i]),
                            JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    g_checksum_update(sum, (const guchar *)(text ? text : "null"), -1);
    g_checksum_update(sum, (const guchar *)"\n", 1);
    free(text);
  }
  const char *about = ferry_json_str(event, "involvedObject.name");
  g_autofree char *name = g_strdup_printf("%.200s.%.16s", about, g_checksum_get_string(sum));
  g_autoptr(json_t) there =
      ferry_store_get(req->api->store, &ferry_kind_event, req->found.ns, name);
  if (there && !tells_the_same(there, event)) {
    g_autofree char *suffix = ferry_random_hex(8);
    g_free(name);
    name = g_strdup_printf("%.200s.%s", about, suffix);
  }
  ferry_json_set_str(event, "metadata.name", name);
}

/* Its times and its count are ferryd's, so that it goes when its hour is over; it carries nothing
 * else along. */
static void fit_event(const FerryRequest *req, json_t *event) {
  static const char *const carried[] = {"metadata.labels",
                                        "metadata.annotations",
                                        "metadata.ownerReferences",
                                        "metadata.finalizers",
                                        "metadata.managedFields",
                                        "metadata.generateName",
                                        "related",
                                        "series",
                                        "eventTime"};
  for (gsize i = 0; i < G_N_ELEMENTS(carried); i++)
    ferry_json_set(event, carried[i], NULL);
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
  ferry_json_set_str(event, "firstTimestamp", now);
  ferry_json_set_str(event, "lastTimestamp", now);
  ferry_json_set_int(event, "count", 1);
}

gboolean ferry_node_restriction_event(FerryRequest *req, json_t *event, GError **error) {
  static const char *const texts[] = {"message", "reason"};
  const char *node = req->user->node;
  if (!node)
    return TRUE;
  const json_t *about = json_object_get(event, "involvedObject");
  if (!is_of_node(req->api, node, about, req->found.ns)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "events is forbidden: the agent of node %s may tell of its Node, of VMs on it and "
                "of migrations that name it, not of %.64s \"%.253s\"",
                node, ferry_json_str(about, "kind") ? ferry_json_str(about, "kind") : "?",
                ferry_json_str(about, "name") ? ferry_json_str(about, "name") : "");
    if (error)
      ferry_error_add_cause(*error, "FieldValueForbidden", "involvedObject",
                            "Forbidden: it is not of this agent's host");
    return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    const char *text = ferry_json_str(event, texts[i]);
    if (text && strlen(text) > EVENT_TEXT_MAX) {
      g_autofree char *cut = g_utf8_substring(text, 0, EVENT_TEXT_MAX / 4);
      ferry_json_set_str(event, texts[i], cut);
    }
  }
  if (!may_tell(req->api->node_accounts, node)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "node %s tells too many events: one in %d s after the first %d", node,
                EVENT_EVERY_S, EVENT_BURST);
    return FALSE;
  }
  fit_event(req, event);
  ferry_json_set_str(event, "source.host", node);
  ferry_json_set_str(event, "source.component", "ferry-agentd");
  ferry_json_set_str(event, "reportingComponent", "ferry-agentd");
  ferry_json_set_str(event, "reportingInstance", node);
  name_event(req, event);
  return TRUE;
}

json_t *ferry_node_restriction_repeat(const FerryRequest *req, const json_t *event) {
  if (!req->user->node || req->found.kind != &ferry_kind_event)
    return NULL;
  json_t *there = ferry_store_get(req->api->store, &ferry_kind_event, req->found.ns,
                                  ferry_json_str(event, "metadata.name"));
  if (!there)
    return NULL;
  json_t *again = json_deep_copy(there);
  json_decref(there);
  ferry_json_set_int(again, "count", MIN(ferry_json_int(again, "count", 0), G_MAXINT32 - 1) + 1);
  ferry_json_set_str(again, "lastTimestamp", ferry_json_str(event, "lastTimestamp"));
  return again;
}
