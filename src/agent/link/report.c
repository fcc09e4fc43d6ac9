// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one thread owns the session. It gets an epoch, then reports all there is,
// then what the inventory has marked, at once where a state changed and else in company, and a sign
// of life every few seconds. Whenever a report did not arrive, all is reported anew. It renews the
// certificate on the way, since each answer says which CAs ferryd goes by.
//
// Order of locks: its own guards the time of its last turn alone; nothing is taken inside it.
#include "agent/link/report.h"
#include "agent/link/trust_pace.h"
#include "agent/core/options.h"
#include "agent/link/identity.h"
#include "agent/link/report_parts.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include <string.h>

#define HEARTBEAT_S 5
#define AWAY_MS 1000 /* until libvirt is asked again for what ferryd misses */
#define INFO_REFRESH_S 30
#define RENEW_RETRY_S 60
#define LOOKS_APART_US (10 * G_USEC_PER_SEC)
#define ALIVE_US (90 * G_USEC_PER_SEC)

struct _FerryReporter {
  FerryReportPorts ports;
  GThread *thread;
  GMutex lock;     /* guards what follows */
  gint64 alive_us; /* its last turn */
  /* the thread's own */
  FerryClient *client;
  char *report_path;
  json_t *info;  /* the node's fields as last reported */
  json_t *looks; /* what VMs of other hosts name, as ferryd last said; NULL: nothing yet */
  char *looks_hash;
  gint64 info_us, sent_us;
  gint64 reports;       /* sent, of this process */
  gint64 renew_us;      /* when to look again whether the certificate is to be renewed */
  FerryTrustPace trust; /* when it is asked for again */
  gboolean ready, saw_other_ca;
  gboolean all_told;    /* in this session, and since libvirt was away */
  gboolean looks_due;   /* ferryd has named others since the last look */
  gint64 looks_told_us; /* monotonic: when a report was last made for that reason */
  gboolean wants_all;   /* ferryd, by its last answer: where it was to the last part, it has all */
};

static void note_alive(FerryReporter *r) {
  g_mutex_lock(&r->lock);
  r->alive_us = g_get_monotonic_time();
  g_mutex_unlock(&r->lock);
}

static gboolean has_other_agent(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
}

/* A new epoch, repeated until there is one; FALSE when the agent stops. */
static gboolean begin_session(FerryReporter *r) {
  FerryAgentContext *context = r->ports.context;
  g_autofree char *path = ferry_client_path("ferry.migration", "v1", NULL, "nodes",
                                            ferry_context_node(context), "session");
  g_autoptr(json_t) body = json_pack("{s:s, s:s}", "version", FERRY_AGENT_VERSION, "mode",
                                     r->ports.host->local ? "local" : "remote");
  gint64 backoff = 0;
  gboolean complained = FALSE;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer =
        ferry_client_request_full(r->client, "POST", path, body, NULL, NULL,
                                  ferry_context_cancellable(context), NULL, &error);
    gint64 epoch = ferry_json_int(answer, "epoch", 0);
    note_alive(r);
    if (epoch > 0) {
      ferry_session_begin(r->ports.session, epoch);
      ferry_info("session begun", "FERRY_NODE", ferry_context_node(context), "FERRY_SERVER",
                 ferry_session_config(r->ports.session)->server);
      return TRUE;
    }
    if (!complained)
      ferry_warning(error ? error->message : "the server's answer has no epoch", "FERRY_NODE",
                    ferry_context_node(context));
    complained = TRUE;
    if (!ferry_context_sleep(context, ferry_backoff_after(&backoff, error)))
      return FALSE;
  }
}

/* A new certificate in good time, or where ferryd has other CAs than `ca` says this one has. */
static void report_renew(FerryReporter *r, gboolean at_once) {
  FerryAgentContext *context = r->ports.context;
  const FerryClientConfig *present = ferry_session_config(r->ports.session);
  gint64 now = g_get_monotonic_time();
  if (!present->cert_pem || now < r->renew_us ||
      (!at_once && !ferry_identity_is_due(present->cert_pem, g_get_real_time() / G_USEC_PER_SEC)))
    return;
  r->renew_us = now + RENEW_RETRY_S * G_USEC_PER_SEC;
  g_autoptr(GError) error = NULL;
  FerryClientConfig *config = ferry_identity_renew(present, ferry_context_node(context),
                                                   ferry_context_state_dir(context), &error);
  if (config) {
    ferry_session_set_config(r->ports.session, config);
    ferry_session_refresh_client(r->ports.session, &r->client);
  } else {
    ferry_warning("cannot renew the certificate; it is tried again in a minute", "FERRY_NODE",
                  ferry_context_node(context), "FERRY_ERROR", error->message);
  }
}

/* Reports are answered with the hash of the CAs that ferryd goes by. */
static void see_ca(FerryReporter *r, const json_t *answer) {
  const char *hash = ferry_json_str(answer, "caHash"),
             *ca = ferry_session_config(r->ports.session)->ca_pem;
  g_autofree char *own = ca ? ferry_sha256_hex(ca, strlen(ca)) : NULL;
  gboolean other = hash && own && !g_str_equal(hash, own);
  if (other && !r->saw_other_ca)
    r->renew_us = 0;
  r->saw_other_ca = other;
  report_renew(r, other);
}

static void add_totals(FerryReporter *r, json_t *node) {
  FerryInventoryTotals totals;
  ferry_inventory_totals(r->ports.inventory, &totals);
  ferry_json_set_int(node, "runningVMs", totals.running);
  ferry_json_set_int(node, "memoryUsedBytes", totals.memory);
  ferry_json_set_int(node, "processorsUsed", totals.processors);
  ferry_json_set(node, "looks", ferry_inventory_looks(r->ports.inventory));
}

/* What the host has of what VMs need, where that can be asked now. */
static void add_resources(FerryReporter *r, json_t *node) {
  g_autoptr(json_t) resources = ferry_host_resources(r->ports.host, r->looks, NULL);
  r->looks_due = FALSE;
  if (resources)
    json_object_update(node, resources);
}

/* Answers name what is to be looked for where it is other than this agent has it. */
static void see_looks(FerryReporter *r, const json_t *answer) {
  const char *hash = ferry_json_str(answer, "looksHash");
  json_t *looks = json_object_get(answer, "looks");
  if (!hash || !json_is_array(looks))
    return;
  g_free(r->looks_hash);
  r->looks_hash = g_strdup(hash);
  json_decref(r->looks);
  r->looks = json_incref(looks);
  gint64 now = g_get_monotonic_time();
  if (now - r->looks_told_us < LOOKS_APART_US)
    return; /* the next report has them; a list that changes all the time is no reason to hurry */
  r->looks_told_us = now;
  r->looks_due = TRUE;
  ferry_inventory_mark_network(r->ports.inventory);
}

/* Somebody wants libvirt's TLS here, and there is none yet. */
static void see_trust(FerryReporter *r, const json_t *answer) {
  if (ferry_json_bool(answer, "trust", FALSE) && !r->ports.peer && r->ports.host->local &&
      r->ports.trust &&
      ferry_trust_pace_due(&r->trust, ferry_json_str(answer, "trustSaid"), g_get_monotonic_time()))
    r->ports.trust(ferry_context_state_dir(r->ports.context));
}

/* The node's fields; NULL (with error) while libvirt is away. */
static json_t *node_info(FerryReporter *r, GError **error) {
  json_t *info = ferry_host_info(r->ports.host, error);
  if (!info)
    return NULL;
  ferry_json_set_str(info, "nodeInfo.kubeletVersion", "ferry-agentd " FERRY_AGENT_VERSION);
  if (r->ports.peer)
    ferry_json_set(info, "hypervisor.peer", json_deep_copy(r->ports.peer));
  ferry_json_set_bool(info, "connected", TRUE);
  add_resources(r, info);
  r->info_us = g_get_monotonic_time();
  return info;
}

static json_t *new_report(FerryReporter *r, gboolean full) {
  return json_pack("{s:I, s:b, s:[], s:[]}", "epoch",
                   (json_int_t)ferry_session_epoch_now(r->ports.session), "full", full, "domains",
                   "removed");
}

/* Everything. While libvirt is away: only that, and nobody is declared gone. */
static json_t *full_report(FerryReporter *r) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) info = node_info(r, &error);
  g_autoptr(json_t) list = info ? ferry_host_list(r->ports.host, &error) : NULL;
  if (!list) {
    json_t *report = new_report(r, FALSE);
    json_object_set_new(report, "node",
                        json_pack("{s:b, s:s}", "connected", 0, "connectionError", error->message));
    return report;
  }
  ferry_inventory_replace(r->ports.inventory, list);
  add_totals(r, info);
  json_t *report = new_report(r, TRUE);
  json_object_set(report, "node", info);
  json_object_set(report, "domains", list);
  g_clear_pointer(&r->info, json_decref);
  r->info = json_incref(info);
  return report;
}

/* The domains in `marked`, and the node's totals where they changed. NULL: libvirt is away. */
static json_t *changes_report(FerryReporter *r, const GPtrArray *marked) {
  g_autoptr(json_t) report = new_report(r, FALSE);
  for (guint i = 0; i < marked->len; i++) {
    const char *uuid = marked->pdata[i];
    g_autoptr(GError) error = NULL;
    json_t *record = ferry_host_record(r->ports.host, uuid, &error);
    if (record) {
      ferry_inventory_remember(r->ports.inventory, record);
      json_array_append_new(json_object_get(report, "domains"), record);
    } else if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)) {
      ferry_inventory_forget(r->ports.inventory, uuid);
      json_array_append_new(json_object_get(report, "removed"), json_string(uuid));
    } else {
      ferry_debug(error->message, "FERRY_DOMAIN", uuid);
      return NULL;
    }
  }
  g_autoptr(json_t) totals = json_object();
  add_totals(r, totals);
  g_autoptr(json_t) merged = r->info ? json_copy(r->info) : json_object();
  json_object_update(merged, totals);
  if (r->info && !json_equal(merged, r->info)) {
    json_object_set(report, "node", totals);
    json_decref(r->info);
    r->info = g_steal_pointer(&merged);
  }
  return g_steal_pointer(&report);
}

/* The network's fields of `info` that a machine sees itself. */
static const char *const network_keys[] = {"interfaces", "routes", "addresses"};

/* The host's network, where it is another than was reported last: fields of the node. NULL: it is
 * the same, or can't be seen, or nothing was reported yet, which will be with the rest. */
static json_t *changed_network(FerryReporter *r) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) network = r->info ? ferry_host_network(r->ports.host, &error) : NULL;
  if (error)
    ferry_warning(error->message, "FERRY_NODE", ferry_context_node(r->ports.context));
  if (!network)
    return NULL;
  json_object_set_new(
      network, "addresses",
      ferry_host_addresses(json_object_get(network, "interfaces"),
                           ferry_host_name_of(json_object_get(r->info, "addresses"))));
  gboolean same = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(network_keys); i++) {
    json_t *before = json_object_get(r->info, network_keys[i]),
           *now = json_object_get(network, network_keys[i]);
    same = same && (before && now ? json_equal(before, now) : before == now);
  }
  return same ? NULL : g_steal_pointer(&network);
}

/* NULL: there is nothing to tell. */
static json_t *network_report(FerryReporter *r) {
  g_autoptr(json_t) network = changed_network(r);
  if (!network)
    return NULL;
  json_t *merged = json_copy(r->info);
  json_object_del(merged, "routes");
  json_object_update(merged, network);
  json_decref(r->info);
  r->info = merged;
  json_t *report = new_report(r, FALSE);
  json_object_set(report, "node", network);
  return report;
}

/* `report` with what has changed of the host's resources. */
static void tell_resources(FerryReporter *r, json_t *report) {
  g_autoptr(json_t) found = json_object();
  add_resources(r, found);
  json_t *before = json_object_get(r->info, "resources");
  json_t *now = json_object_get(found, "resources");
  if (!r->info || !now || (before && json_equal(before, now)))
    return;
  json_object_update(r->info, found);
  if (!json_object_get(report, "node"))
    json_object_set_new(report, "node", json_object());
  json_object_update(json_object_get(report, "node"), found);
}

static json_t *report_heartbeat(FerryReporter *r) {
  json_t *report =
      json_pack("{s:I}", "epoch", (json_int_t)ferry_session_epoch_now(r->ports.session));
  if (g_get_monotonic_time() - r->info_us < INFO_REFRESH_S * G_USEC_PER_SEC) {
    json_t *network = network_report(r); /* an event may have been lost; a speed has none */
    if (network) {
      json_decref(report);
      report = network;
    }
    tell_resources(r, report);
    return report;
  }
  g_autoptr(json_t) info = node_info(r, NULL);
  if (info) {
    add_totals(r, info);
    if (!json_equal(info, r->info)) {
      json_object_set(report, "node", info);
      g_clear_pointer(&r->info, json_decref);
      r->info = json_incref(info);
    }
  }
  return report;
}

/* Each one's number, above all that went before, so that one which ferryd comes to late is known to
 * be overtaken. */
static void number_report(FerryReporter *r, json_t *report) {
  gint64 epoch = ferry_json_int(report, "epoch", 0);
  ferry_json_set_int(report, "sequence", (epoch << 32) + ++r->reports);
  if (r->looks_hash)
    ferry_json_set_str(report, "looksHash", r->looks_hash);
}

/* Sends; FALSE (after a pause) where it did not arrive and all must be sent anew. */
static gboolean send_report(FerryReporter *r, json_t *report, gint64 *backoff) {
  FerryAgentContext *context = r->ports.context;
  g_autoptr(GError) error = NULL;
  number_report(r, report);
  g_autoptr(json_t) answer =
      ferry_client_request_full(r->client, "POST", r->report_path, report, NULL, NULL,
                                ferry_context_cancellable(context), NULL, &error);
  r->sent_us = g_get_monotonic_time();
  if (answer) {
    if (*backoff)
      ferry_info("ferryd is back", "FERRY_NODE", ferry_context_node(context));
    *backoff = 0;
    see_ca(r, answer);
    see_looks(r, answer);
    r->wants_all = ferry_json_bool(answer, "wantsAll", FALSE);
    see_trust(r, answer);
    return TRUE;
  }
  if (g_cancellable_is_cancelled(ferry_context_cancellable(context)))
    return FALSE;
  if (has_other_agent(error)) {
    ferry_context_set_stale(context);
  } else if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
    /* Somebody deleted the Node: begin again, which makes it anew. */
    begin_session(r);
  } else if (!*backoff) {
    ferry_warning(error->message, "FERRY_NODE", ferry_context_node(context));
  }
  ferry_context_sleep(context, ferry_backoff_after(backoff, error));
  return FALSE;
}

/* The same of a report that may be too large for one request. */
static gboolean send_in_parts(FerryReporter *r, json_t *report, gint64 *backoff) {
  g_autoptr(GPtrArray) parts = ferry_report_parts(report);
  for (guint i = 0; i < parts->len; i++)
    if (!send_report(r, g_ptr_array_index(parts, i), backoff))
      return FALSE;
  return TRUE;
}

gboolean ferry_reporter_is_alive(FerryReporter *r) {
  g_mutex_lock(&r->lock);
  gint64 age = g_get_monotonic_time() - r->alive_us;
  g_mutex_unlock(&r->lock);
  /* A request may take its whole time limit; a thread that does not come back from libvirt is ill.
   */
  return age < ALIVE_US;
}

/* NULL: libvirt is away, or the network is as it was. */
static json_t *next_report(FerryReporter *r, FerryNews news, const GPtrArray *marked) {
  if (news == FERRY_NEWS_ALL)
    return full_report(r);
  if (news == FERRY_NEWS_NETWORK)
    return r->looks_due ? report_heartbeat(r) : network_report(r);
  return marked->len ? changes_report(r, marked) : report_heartbeat(r);
}

static gpointer report_thread(gpointer data) {
  FerryReporter *r = data;
  FerryAgentContext *context = r->ports.context;
  gint64 backoff = 0;
  gboolean go_on = begin_session(r);
  /* The driver says CONNECTED or DISCONNECTED soon; the first report waits for that. */
  r->sent_us = g_get_monotonic_time();
  while (go_on) {
    g_autoptr(GPtrArray) marked = NULL;
    note_alive(r);
    FerryNews news = ferry_inventory_wait(r->ports.inventory,
                                          r->sent_us + HEARTBEAT_S * G_USEC_PER_SEC, &marked);
    note_alive(r);
    if (news == FERRY_NEWS_ENDED)
      break;
    /* less than all is no news for whoever does not know the rest */
    if (!r->all_told && marked && marked->len)
      news = FERRY_NEWS_ALL;
    g_autoptr(json_t) report = next_report(r, news, marked);
    if (!report && news == FERRY_NEWS_NETWORK)
      continue;
    if (!report) {
      ferry_inventory_mark_all(r->ports.inventory);
      if (!ferry_context_sleep(context, ferry_backoff_next(&backoff)))
        break;
      continue;
    }
    /* all of it, or that libvirt does not answer: either way ferryd knows how this host is */
    gboolean full = ferry_json_bool(report, "full", FALSE);
    gboolean whole = full || !ferry_json_bool(report, "node.connected", TRUE);
    r->all_told = full || (r->all_told && !whole);
    if (!send_in_parts(r, report, &backoff)) {
      r->all_told = FALSE;
      ferry_inventory_mark_all(r->ports.inventory);
      continue;
    }
    if (r->wants_all) {
      /* without libvirt there is no more to tell: at once would be without end */
      if (whole && !full && !ferry_context_sleep(context, AWAY_MS))
        break;
      ferry_inventory_mark_all(r->ports.inventory);
    }
    if (whole && !r->ready) {
      r->ready = TRUE;
      ferry_context_notify(context, "ready");
    }
  }
  return NULL;
}

FerryReporter *ferry_reporter_new(const FerryReportPorts *ports) {
  FerryReporter *r = g_new0(FerryReporter, 1);
  r->ports = *ports;
  r->ports.peer = json_incref((json_t *)ports->peer);
  r->client = ferry_session_take_client(ports->session);
  r->report_path = ferry_client_path("ferry.migration", "v1", NULL, "nodes",
                                     ferry_context_node(ports->context), "report");
  g_mutex_init(&r->lock);
  r->alive_us = g_get_monotonic_time();
  r->thread = g_thread_new("report", report_thread, r);
  return r;
}

void ferry_reporter_free(FerryReporter *r) {
  if (!r)
    return;
  g_thread_join(r->thread);
  json_decref(r->info);
  json_decref(r->looks);
  g_free(r->trust.said);
  g_free(r->looks_hash);
  json_decref((json_t *)r->ports.peer);
  g_free(r->report_path);
  ferry_client_free(r->client);
  g_mutex_clear(&r->lock);
  g_free(r);
}
