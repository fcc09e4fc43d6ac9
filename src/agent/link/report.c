// SPDX-License-Identifier: Apache-2.0
// The session and the inventory: a full report first and after every gap, then what changed.
// Changes of state go out at once; others wait up to COALESCE_MS for company.
#include "agent/agent_private.h"
#include "agent/link/identity.h"
#include "agent/link/report_parts.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include <string.h>

#define COALESCE_MS 50
#define INFO_REFRESH_S 30
#define RENEW_RETRY_S 60

typedef struct {
  FerryAgent *agent;
  FerryClient *client;
  char *report_path;
  json_t *info; /* the node's fields as last reported */
  gint64 info_us, sent_us;
  gint64 renew_us; /* when to look again whether the certificate is to be renewed */
  gboolean ready, saw_other_ca;
} Reporter;

void ferry_report_host_event(const FerryHostEvent *event, gpointer data) {
  FerryAgent *agent = data;
  g_mutex_lock(&agent->lock);
  switch (event->type) {
  case FERRY_HOST_EVENT_CONNECTED:
  case FERRY_HOST_EVENT_DISCONNECTED:
    agent->host_connected = event->type == FERRY_HOST_EVENT_CONNECTED;
    agent->host_changed = agent->need_full = TRUE;
    g_free(agent->host_problem);
    agent->host_problem = g_strdup(event->detail);
    break;
  default: {
    gboolean own = FALSE;
    GHashTableIter iter;
    gpointer m;
    g_hash_table_iter_init(&iter, agent->migrations);
    while (g_hash_table_iter_next(&iter, NULL, &m))
      if (g_strcmp0(ferry_migration_domain(m), event->uuid) == 0 && !ferry_migration_is_done(m)) {
        ferry_migration_event(m, event);
        own = TRUE;
      }
    /* Passes of a migration are news to the inventory only where someone else started it. */
    if (own && event->type == FERRY_HOST_EVENT_ITERATION)
      break;
    if (g_hash_table_size(agent->dirty) == 0)
      agent->dirty_us = g_get_monotonic_time();
    g_hash_table_add(agent->dirty, g_strdup(event->uuid));
    if (event->type == FERRY_HOST_EVENT_STATE)
      agent->urgent = TRUE;
  }
  }
  g_cond_broadcast(&agent->cond);
  g_mutex_unlock(&agent->lock);
}

static gboolean is_stale(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
}

/* A new epoch, repeated until there is one; FALSE when the agent stops. */
static gboolean begin_session(Reporter *r) {
  FerryAgent *agent = r->agent;
  g_autofree char *path =
      ferry_client_path("ferry.migration", "v1", NULL, "nodes", agent->node, "session");
  g_autoptr(json_t) body = json_pack("{s:s, s:s}", "version", FERRY_AGENT_VERSION, "mode",
                                     agent->host->local ? "local" : "remote");
  gint64 backoff = 0;
  gboolean complained = FALSE;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = ferry_client_request_full(r->client, "POST", path, body, NULL, NULL,
                                                         agent->cancel, NULL, &error);
    gint64 epoch = ferry_json_int(answer, "epoch", 0);
    g_mutex_lock(&agent->lock);
    if (epoch > 0) {
      agent->epoch = epoch;
      g_cond_broadcast(&agent->cond);
    }
    agent->alive_us = g_get_monotonic_time();
    g_mutex_unlock(&agent->lock);
    if (epoch > 0) {
      ferry_info("session begun", "FERRY_NODE", agent->node, "FERRY_SERVER", agent->config->server);
      return TRUE;
    }
    if (!complained)
      ferry_warning(error ? error->message : "the server's answer has no epoch", "FERRY_NODE",
                    agent->node);
    complained = TRUE;
    if (!ferry_agent_sleep(agent, ferry_agent_backoff_after(&backoff, error)))
      return FALSE;
  }
}

/* A new certificate in good time, or where ferryd has other CAs than `ca` says this one has. */
static void renew(Reporter *r, gboolean at_once) {
  FerryAgent *agent = r->agent;
  gint64 now = g_get_monotonic_time();
  if (!agent->config->cert_pem || now < r->renew_us ||
      (!at_once &&
       !ferry_identity_is_due(agent->config->cert_pem, g_get_real_time() / G_USEC_PER_SEC)))
    return;
  r->renew_us = now + RENEW_RETRY_S * G_USEC_PER_SEC;
  g_autoptr(GError) error = NULL;
  FerryClientConfig *config =
      ferry_identity_renew(agent->config, agent->node, agent->state_dir, &error);
  if (config) {
    ferry_agent_set_config(agent, config);
    ferry_agent_refresh_client(agent, &r->client);
  } else {
    ferry_warning("cannot renew the certificate; it is tried again in a minute", "FERRY_NODE",
                  agent->node, "FERRY_ERROR", error->message);
  }
}

/* Reports are answered with the hash of the CAs that ferryd goes by. */
static void see_ca(Reporter *r, const json_t *answer) {
  const char *hash = ferry_json_str(answer, "caHash"), *ca = r->agent->config->ca_pem;
  g_autofree char *own = ca ? ferry_sha256_hex(ca, strlen(ca)) : NULL;
  gboolean other = hash && own && !g_str_equal(hash, own);
  if (other && !r->saw_other_ca)
    r->renew_us = 0;
  r->saw_other_ca = other;
  renew(r, other);
}

static void remember(FerryAgent *agent, GHashTable *domains, const json_t *record) {
  FerryAgentDomain *d = g_new0(FerryAgentDomain, 1);
  d->name = g_strdup(ferry_json_str(record, "name"));
  d->ns = g_strdup(ferry_json_str(record, "namespace"));
  d->active = ferry_json_bool(record, "active", FALSE);
  d->memory = ferry_json_int(record, "memoryBytes", 0);
  g_mutex_lock(&agent->lock);
  g_hash_table_replace(domains, g_strdup(ferry_json_str(record, "uuid")), d);
  g_mutex_unlock(&agent->lock);
}

static void add_totals(FerryAgent *agent, json_t *node) {
  gint64 running = 0, memory = 0;
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&agent->lock);
  g_hash_table_iter_init(&iter, agent->domains);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const FerryAgentDomain *d = value;
    running += d->active;
    memory += d->active ? d->memory : 0;
  }
  g_mutex_unlock(&agent->lock);
  ferry_json_set_int(node, "runningVMs", running);
  ferry_json_set_int(node, "memoryUsedBytes", memory);
}

/* The node's fields; NULL (with error) while libvirt is away. */
static json_t *node_info(Reporter *r, GError **error) {
  json_t *info = ferry_host_info(r->agent->host, error);
  if (!info)
    return NULL;
  ferry_json_set_str(info, "nodeInfo.kubeletVersion", "ferry-agentd " FERRY_AGENT_VERSION);
  if (r->agent->peer)
    ferry_json_set(info, "hypervisor.peer", json_deep_copy(r->agent->peer));
  ferry_json_set_bool(info, "connected", TRUE);
  r->info_us = g_get_monotonic_time();
  return info;
}

static json_t *new_report(Reporter *r, gboolean full) {
  return json_pack("{s:I, s:b, s:[], s:[]}", "epoch", (json_int_t)r->agent->epoch, "full", full,
                   "domains", "removed");
}

/* Everything. While libvirt is away: only that, and nobody is declared gone. */
static json_t *full_report(Reporter *r) {
  FerryAgent *agent = r->agent;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) info = node_info(r, &error);
  g_autoptr(json_t) list = info ? ferry_host_list(agent->host, &error) : NULL;
  if (!list) {
    json_t *report = new_report(r, FALSE);
    json_object_set_new(report, "node",
                        json_pack("{s:b, s:s}", "connected", 0, "connectionError", error->message));
    return report;
  }
  GHashTable *domains =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ferry_agent_domain_free);
  json_t *record;
  size_t i;
  json_array_foreach(list, i, record) remember(agent, domains, record);
  g_mutex_lock(&agent->lock);
  GHashTable *old = agent->domains;
  agent->domains = domains;
  agent->inventory_ready = TRUE;
  g_mutex_unlock(&agent->lock);
  g_hash_table_unref(old);
  add_totals(agent, info);
  json_t *report = new_report(r, TRUE);
  json_object_set(report, "node", info);
  json_object_set(report, "domains", list);
  g_clear_pointer(&r->info, json_decref);
  r->info = json_incref(info);
  return report;
}

/* The domains in `dirty`, and the node's totals where they changed. NULL: libvirt is away. */
static json_t *changes_report(Reporter *r, GPtrArray *dirty) {
  FerryAgent *agent = r->agent;
  g_autoptr(json_t) report = new_report(r, FALSE);
  for (guint i = 0; i < dirty->len; i++) {
    const char *uuid = dirty->pdata[i];
    g_autoptr(GError) error = NULL;
    json_t *record = ferry_host_record(agent->host, uuid, &error);
    if (record) {
      remember(agent, agent->domains, record);
      json_array_append_new(json_object_get(report, "domains"), record);
    } else if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)) {
      g_mutex_lock(&agent->lock);
      g_hash_table_remove(agent->domains, uuid);
      g_mutex_unlock(&agent->lock);
      json_array_append_new(json_object_get(report, "removed"), json_string(uuid));
    } else {
      ferry_debug(error->message, "FERRY_DOMAIN", uuid);
      return NULL;
    }
  }
  g_autoptr(json_t) totals = json_object();
  add_totals(agent, totals);
  g_autoptr(json_t) merged = r->info ? json_copy(r->info) : json_object();
  json_object_update(merged, totals);
  if (r->info && !json_equal(merged, r->info)) {
    json_object_set(report, "node", totals);
    json_decref(r->info);
    r->info = g_steal_pointer(&merged);
  }
  return g_steal_pointer(&report);
}

static json_t *heartbeat(Reporter *r) {
  json_t *report = json_pack("{s:I}", "epoch", (json_int_t)r->agent->epoch);
  if (g_get_monotonic_time() - r->info_us < INFO_REFRESH_S * G_USEC_PER_SEC)
    return report;
  g_autoptr(json_t) info = node_info(r, NULL);
  if (info) {
    add_totals(r->agent, info);
    if (!json_equal(info, r->info)) {
      json_object_set(report, "node", info);
      g_clear_pointer(&r->info, json_decref);
      r->info = json_incref(info);
    }
  }
  return report;
}

/* Sends; FALSE (after a pause) where it did not arrive and all must be sent anew. */
static gboolean send(Reporter *r, json_t *report, gint64 *backoff) {
  FerryAgent *agent = r->agent;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) answer = ferry_client_request_full(r->client, "POST", r->report_path, report,
                                                       NULL, NULL, agent->cancel, NULL, &error);
  r->sent_us = g_get_monotonic_time();
  if (answer) {
    if (*backoff)
      ferry_info("ferryd is back", "FERRY_NODE", agent->node);
    *backoff = 0;
    see_ca(r, answer);
    return TRUE;
  }
  if (g_cancellable_is_cancelled(agent->cancel))
    return FALSE;
  if (is_stale(error)) {
    ferry_agent_set_stale(agent);
  } else if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
    /* Somebody deleted the Node: begin again, which makes it anew. */
    begin_session(r);
  } else if (!*backoff) {
    ferry_warning(error->message, "FERRY_NODE", agent->node);
  }
  ferry_agent_sleep(agent, ferry_agent_backoff_after(backoff, error));
  return FALSE;
}

/* The same of a report that may be too large for one request. */
static gboolean send_in_parts(Reporter *r, json_t *report, gint64 *backoff) {
  g_autoptr(GPtrArray) parts = ferry_report_parts(report);
  for (guint i = 0; i < parts->len; i++)
    if (!send(r, g_ptr_array_index(parts, i), backoff))
      return FALSE;
  return TRUE;
}

/* Waits for something to report. Returns the dirty UUIDs (may be empty: a heartbeat is due), or
 * NULL when all is to be reported (*full) or the agent stops. */
static GPtrArray *wait_for_news(Reporter *r, gboolean *full) {
  FerryAgent *agent = r->agent;
  GPtrArray *out = NULL;
  *full = FALSE;
  g_mutex_lock(&agent->lock);
  for (;;) {
    gint64 now = g_get_monotonic_time();
    guint n = g_hash_table_size(agent->dirty);
    gint64 due = r->sent_us + FERRY_HEARTBEAT_S * G_USEC_PER_SEC;
    agent->alive_us = now;
    if (n)
      due = MIN(due, agent->urgent ? now : agent->dirty_us + COALESCE_MS * 1000);
    if (agent->stop || agent->stale)
      break;
    if (agent->need_full) {
      agent->need_full = FALSE;
      *full = TRUE;
      break;
    }
    if (now >= due) {
      out = g_ptr_array_new_with_free_func(g_free);
      GHashTableIter iter;
      gpointer uuid;
      g_hash_table_iter_init(&iter, agent->dirty);
      while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(out, g_strdup(uuid));
      break;
    }
    g_cond_wait_until(&agent->cond, &agent->lock, due);
  }
  g_hash_table_remove_all(agent->dirty);
  agent->urgent = FALSE;
  g_mutex_unlock(&agent->lock);
  return out;
}

static void ask_for_full(FerryAgent *agent) {
  g_mutex_lock(&agent->lock);
  agent->need_full = TRUE;
  g_mutex_unlock(&agent->lock);
}

gpointer ferry_report_thread(gpointer data) {
  FerryAgent *agent = data;
  Reporter r = {.agent = agent, .client = ferry_agent_take_client(agent)};
  r.report_path = ferry_client_path("ferry.migration", "v1", NULL, "nodes", agent->node, "report");
  gint64 backoff = 0;
  gboolean go_on = begin_session(&r);
  /* The driver says CONNECTED or DISCONNECTED soon; the first report waits for that. */
  r.sent_us = g_get_monotonic_time();
  while (go_on) {
    gboolean full;
    g_autoptr(GPtrArray) dirty = wait_for_news(&r, &full);
    if (!dirty && !full)
      break;
    g_autoptr(json_t) report = full         ? full_report(&r)
                               : dirty->len ? changes_report(&r, dirty)
                                            : heartbeat(&r);
    if (!report) {
      ask_for_full(agent);
      if (!ferry_agent_sleep(agent, ferry_agent_backoff(&backoff)))
        break;
      continue;
    }
    gboolean whole = ferry_json_bool(report, "full", FALSE);
    if (!send_in_parts(&r, report, &backoff)) {
      ask_for_full(agent);
    } else if (whole && !r.ready) {
      r.ready = TRUE;
      agent->notify("ready", agent->notify_data);
    }
  }
  g_clear_pointer(&r.info, json_decref);
  g_free(r.report_path);
  ferry_client_free(r.client);
  return NULL;
}
