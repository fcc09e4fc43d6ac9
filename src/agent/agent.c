// SPDX-License-Identifier: Apache-2.0
// The agent as a whole: it makes the parts, hands each what it needs of the others, and ends them.
//
// Theory of operation: the report thread owns the session (a new epoch, a full report, then changes
// and heartbeats). The watch thread reads the migrations that name this host among their agents: it
// starts one worker for each whose source it is, and a listener for a forecast whose target it is.
// Each worker supervises, while a delivery thread writes what it decides, so that a slow or absent
// ferryd never holds up control. The driver's threads only mark things and wake somebody.
//
// Order of locks: what is left behind (the only one held over calls of a hypervisor), the local
// socket's entries, the table of workers, a worker's inbox; and by themselves the session, the
// inventory, deliveries, results, the path book, the guard of arriving copies and what sees to
// their network. The context's comes last, inside any of them.
#include "agent/agent.h"
#include "agent/carry/landing.h"
#include "agent/link/delivery_server.h"
#include "agent/link/job_fetch.h"
#include "agent/link/report.h"
#include "agent/link/watch.h"
#include "agent/migration/migration.h"
#include "agent/path/bandwidth_target.h"
#include "agent/path/half_open.h"
#include "agent/rpc/verbs.h"
#include "agent/trust/wish.h"
#include "agent/twin/doubt_book.h"
#include "agent/twin/twin_guard.h"
#include "base/log.h"
#include "model/migration/doubt.h"
#include "model/migration/migration_log.h"

struct _FerryAgent {
  FerryMigrationPorts
      ports; /* context, session, inventory, host, path book, results, leftovers: owned */
  FerryWorkers *workers;
  FerryBandwidthTarget *bandwidth; /* the watch thread's own */
  FerryTwinGuard *guard;           /* NULL: no ferryd */
  FerryLanding *landing;           /* the same */
  FerryReporter *reporter;         /* NULL: no ferryd */
  FerryAgentWatch *watch;          /* the same */
  FerryHalfOpen half_open;         /* the watch thread's own */
  FerryRpc *rpc;                   /* NULL: no local socket */
  FerryLocal *local;               /* the same */
  json_t *peer;                    /* may be NULL */
  char *rpc_path;
  gint64 progress_timeout_s;
};

FerryAgent *ferry_agent_new(const FerryAgentOptions *options, const FerryClientConfig *config,
                            FerryHost *host, void (*notify)(const char *what, gpointer data),
                            gpointer data) {
  FerryAgent *agent = g_new0(FerryAgent, 1);
  FerryAgentContext *context = ferry_context_new(options->node, options->state_dir, notify, data);
  agent->peer = json_incref((json_t *)options->peer);
  agent->progress_timeout_s = options->progress_timeout_s;
  agent->rpc_path = options->rpc_socket ? g_strdup(options->rpc_socket)
                                        : g_build_filename(options->state_dir, "agent.sock", NULL);
  agent->ports.context = context;
  agent->ports.session = ferry_session_new(context, config);
  agent->ports.inventory = ferry_inventory_new(context);
  agent->ports.host = host;
  agent->ports.book = ferry_path_book_new();
  agent->ports.results = ferry_results_new(context, agent->ports.session);
  agent->workers = ferry_workers_new(&ferry_migration_ops);
  FerryLeftoverPorts leftovers = {context, agent->ports.session, host, agent->workers};
  agent->ports.leftovers = ferry_leftovers_new(&leftovers);
  return agent;
}

const FerryMigrationPorts *ferry_agent_ports(const FerryAgent *agent) {
  return &agent->ports;
}

FerryWorkers *ferry_agent_workers(const FerryAgent *agent) {
  return agent->workers;
}

/* In the driver's thread. */
static void on_host_event(const FerryHostEvent *event, gpointer data) {
  FerryAgent *agent = data;
  if (event->type == FERRY_HOST_EVENT_CONNECTED || event->type == FERRY_HOST_EVENT_DISCONNECTED) {
    ferry_inventory_mark_all(agent->ports.inventory);
    ferry_workers_event(agent->workers, event);
    if (agent->guard && event->type == FERRY_HOST_EVENT_CONNECTED)
      ferry_twin_guard_connected(agent->guard);
    return;
  }
  if (event->type == FERRY_HOST_EVENT_NETWORK) {
    ferry_inventory_mark_network(agent->ports.inventory);
    return;
  }
  if (agent->guard)
    ferry_twin_guard_event(agent->guard, event);
  if (agent->landing)
    ferry_landing_event(agent->landing, event);
  /* Passes of a migration are news to the inventory only where someone else started it. */
  gboolean own = ferry_workers_event(agent->workers, event);
  if (!own || event->type != FERRY_HOST_EVENT_ITERATION)
    ferry_inventory_mark(agent->ports.inventory, event->uuid,
                         event->type == FERRY_HOST_EVENT_STATE);
}

static gpointer start_migration(const json_t *object, gpointer data) {
  const FerryAgent *agent = data;
  return ferry_migration_start(&agent->ports, object);
}

static gboolean is_noted_in_doubt(const char *uid, gpointer data) {
  FerryAgent *agent = data;
  gint64 ran_ms;
  return ferry_doubt_book_find(ferry_context_state_dir(agent->ports.context), uid, &ran_ms);
}

static void see_migration(const char *type, const json_t *object, gpointer data) {
  FerryAgent *agent = data;
  ferry_bandwidth_target_see(agent->bandwidth, type, object);
  ferry_twin_guard_see(agent->guard, type, object);
  ferry_half_open_see(&agent->half_open, type, object);
  ferry_landing_see(agent->landing, type, object);
}

static void sweep_listeners(gpointer data) {
  const FerryAgent *agent = data;
  ferry_bandwidth_target_sweep(agent->bandwidth);
  ferry_twin_guard_sweep(agent->guard);
  ferry_landing_sweep(agent->landing);
}

/* With ferryd the watch thread joins workers that have ended; without it the local socket's does.
 */
static json_t *call_verb(const char *method, const json_t *params, int *code, char **message,
                         gpointer data) {
  const FerryAgent *agent = data;
  return ferry_local_call(method, params, code, message, agent->local);
}

static void sweep_workers(gpointer data) {
  const FerryAgent *agent = data;
  ferry_workers_sweep(agent->workers);
}

static void start_rpc(FerryAgent *agent) {
  gboolean alone = !ferry_session_config(agent->ports.session);
  FerryLocalPorts ports = {agent->ports, agent->workers, agent->rpc, agent->progress_timeout_s};
  agent->local = ferry_local_new(&ports);
  ferry_local_take_up(agent->local);
  ferry_rpc_start(agent->rpc, call_verb, alone ? sweep_workers : NULL, agent);
}

static FerryDelivery *deliver_word(const json_t *migration, gpointer data) {
  const FerryMigrationPorts *p = &((const FerryAgent *)data)->ports;
  g_autoptr(FerryLogContext) log =
      ferry_migration_log_context(migration, ferry_context_node(p->context));
  return ferry_delivery_server_new(p->context, p->session,
                                   ferry_json_str(migration, "metadata.namespace"),
                                   ferry_json_str(migration, "metadata.name"), log);
}

static char *find_source(const json_t *migration, gpointer data) {
  const FerryMigrationPorts *p = &((const FerryAgent *)data)->ports;
  return ferry_job_peer_uri(p->context, p->session, ferry_side_node(migration, FERRY_SIDE_SOURCE));
}

static void start_link(FerryAgent *agent) {
  const FerryMigrationPorts *p = &agent->ports;
  FerryBandwidthPorts bandwidth = {p->context, p->session, p->book, p->host->local};
  FerryReportPorts report = {p->context, p->session,  p->inventory,
                             p->host,    agent->peer, ferry_trust_wish_leave};
  FerryWatchPorts watch = {.context = p->context,
                           .session = p->session,
                           .results = p->results,
                           .workers = agent->workers,
                           .start = start_migration,
                           .is_noted = is_noted_in_doubt,
                           .see = see_migration,
                           .tick = sweep_listeners,
                           .data = agent};
  ferry_half_open_init(&agent->half_open, p->host, ferry_context_node(p->context));
  agent->bandwidth = ferry_bandwidth_target_new(&bandwidth);
  agent->reporter = ferry_reporter_new(&report);
  agent->watch = ferry_agent_watch_new(&watch);
}

void ferry_agent_start(FerryAgent *agent) {
  g_autoptr(GError) error = NULL;
  gboolean alone = !ferry_session_config(agent->ports.session);
  agent->rpc = ferry_rpc_new(agent->rpc_path, &error);
  if (!agent->rpc)
    ferry_warning(error->message, "FERRY_NODE", ferry_context_node(agent->ports.context));
  if (!alone) {
    FerryArrivalPorts arrival = {agent->ports.context, agent->ports.host, deliver_word, find_source,
                                 agent};
    agent->guard = ferry_twin_guard_new(&arrival); /* before the first event */
    agent->landing = ferry_landing_new(&arrival);
    ferry_results_resume(agent->ports.results);
  }
  ferry_host_start(agent->ports.host, on_host_event, agent);
  ferry_leftovers_start(agent->ports.leftovers);
  if (agent->rpc)
    start_rpc(agent);
  if (!alone)
    start_link(agent);
  else /* nobody is reported to */
    ferry_context_notify(agent->ports.context, agent->rpc ? "ready" : "fatal");
}

void ferry_agent_free(FerryAgent *agent) {
  if (!agent)
    return;
  FerryMigrationPorts *p = &agent->ports;
  ferry_context_stop(p->context);
  if (!ferry_context_is_stale(p->context)) /* else it may have copies left to settle, alone */
    ferry_host_hurry(p->host);
  ferry_agent_watch_free(agent->watch);
  ferry_bandwidth_target_free(agent->bandwidth);
  ferry_half_open_clear(&agent->half_open);
  ferry_twin_guard_stop(agent->guard);
  ferry_landing_stop(agent->landing);
  ferry_reporter_free(agent->reporter);
  ferry_rpc_stop(agent->rpc); /* no verb comes any more */
  ferry_workers_stop(agent->workers);
  ferry_leftovers_free(p->leftovers);
  ferry_local_free(agent->local);
  ferry_rpc_free(agent->rpc);
  ferry_results_free(p->results);
  ferry_host_free(p->host);
  ferry_workers_free(agent->workers); /* the driver sends no events any more */
  ferry_twin_guard_free(agent->guard);
  ferry_landing_free(agent->landing);
  ferry_path_book_free(p->book);
  ferry_inventory_free(p->inventory);
  ferry_session_free(p->session);
  ferry_context_free(p->context);
  json_decref(agent->peer);
  g_free(agent->rpc_path);
  g_free(agent);
}

gboolean ferry_agent_alive(FerryAgent *agent) {
  return !agent->reporter || ferry_reporter_is_alive(agent->reporter);
}
