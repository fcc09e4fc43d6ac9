// SPDX-License-Identifier: Apache-2.0
// The agent as a whole: its threads and what they share.
//
// Theory of operation: the report thread owns the session (a new epoch, a full report, then changes
// and heartbeats). The watch thread reads the migrations that name this host among their
// agents: it starts one worker for each whose source it is, and a listener for a forecast whose
// target it is. Each worker supervises, while a delivery thread writes what it decides, so
// that a slow or absent ferryd never holds up control. The driver's threads only mark things dirty
// and wake somebody. All of them share the agent's one lock, held only for moments.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/log.h"
#include <string.h>

#define MAX_IDLE_CLIENTS 4
#define REFUSED_MIN_MS 5000
#define REFUSED_MAX_MS 60000

void ferry_agent_domain_free(gpointer p) {
  FerryAgentDomain *d = p;
  g_free(d->name);
  g_free(d->ns);
  g_free(d);
}

static void join_thread(gpointer thread) {
  g_thread_join(thread);
}

FerryAgent *ferry_agent_new(const FerryAgentOptions *options, const FerryClientConfig *config,
                            FerryHost *host, void (*notify)(const char *what, gpointer data),
                            gpointer data) {
  FerryAgent *agent = g_new0(FerryAgent, 1);
  agent->node = g_strdup(options->node);
  agent->state_dir = g_strdup(options->state_dir);
  agent->peer = json_incref((json_t *)options->peer);
  agent->progress_timeout_s = options->progress_timeout_s;
  agent->config = config ? ferry_client_config_copy(config) : NULL;
  agent->rpc_path = options->rpc_socket ? g_strdup(options->rpc_socket)
                                        : g_build_filename(options->state_dir, "agent.sock", NULL);
  agent->host = host;
  agent->notify = notify;
  agent->notify_data = data;
  agent->cancel = g_cancellable_new();
  g_mutex_init(&agent->lock);
  g_cond_init(&agent->cond);
  g_queue_init(&agent->clients);
  agent->old_configs = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_client_config_free);
  agent->alive_us = g_get_monotonic_time();
  agent->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  agent->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ferry_agent_domain_free);
  agent->migrations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ferry_migration_free);
  agent->resumers = g_ptr_array_new_with_free_func(join_thread);
  agent->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  agent->undelivered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return agent;
}

void ferry_agent_start(FerryAgent *agent) {
  g_autoptr(GError) error = NULL;
  agent->rpc = ferry_rpc_new(agent, agent->rpc_path, &error);
  if (!agent->rpc)
    ferry_warning(error->message, "FERRY_NODE", agent->node);
  if (agent->config)
    ferry_results_resume(agent);
  ferry_host_start(agent->host, ferry_report_host_event, agent);
  if (agent->rpc)
    ferry_rpc_start(agent->rpc);
  if (!agent->config) { /* standalone: nobody is reported to */
    agent->epoch = 1;
    agent->notify(agent->rpc ? "ready" : "fatal", agent->notify_data);
    return;
  }
  agent->report_thread = g_thread_new("report", ferry_report_thread, agent);
  agent->watch_thread = g_thread_new("watch", ferry_watch_thread, agent);
}

void ferry_agent_free(FerryAgent *agent) {
  if (!agent)
    return;
  g_mutex_lock(&agent->lock);
  agent->stop = TRUE;
  g_cond_broadcast(&agent->cond);
  g_mutex_unlock(&agent->lock);
  g_cancellable_cancel(agent->cancel);
  if (agent->watch_thread)
    g_thread_join(agent->watch_thread);
  if (agent->report_thread)
    g_thread_join(agent->report_thread);
  g_ptr_array_unref(agent->resumers);
  ferry_rpc_free(agent->rpc); /* no verb comes any more */
  g_hash_table_unref(agent->migrations);
  ferry_host_free(agent->host);
  g_queue_clear_full(&agent->clients, (GDestroyNotify)ferry_client_free);
  g_hash_table_unref(agent->dirty);
  g_hash_table_unref(agent->domains);
  g_hash_table_unref(agent->undelivered);
  g_hash_table_unref(agent->rates);
  g_clear_pointer(&agent->config, ferry_client_config_free);
  g_ptr_array_unref(agent->old_configs);
  g_free(agent->rpc_path);
  g_object_unref(agent->cancel);
  g_mutex_clear(&agent->lock);
  g_cond_clear(&agent->cond);
  g_free(agent->host_problem);
  g_free(agent->node);
  g_free(agent->state_dir);
  json_decref(agent->peer);
  g_free(agent);
}

gboolean ferry_agent_alive(FerryAgent *agent) {
  if (!agent->config)
    return TRUE;
  g_mutex_lock(&agent->lock);
  gint64 age = g_get_monotonic_time() - agent->alive_us;
  g_mutex_unlock(&agent->lock);
  /* A request may take its whole time limit; a thread that does not come back from libvirt is ill.
   */
  return age < 90 * G_USEC_PER_SEC;
}

gboolean ferry_agent_sleep(FerryAgent *agent, gint64 ms) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&agent->lock);
  while (!agent->stop && g_cond_wait_until(&agent->cond, &agent->lock, until))
    ;
  gboolean go_on = !agent->stop;
  g_mutex_unlock(&agent->lock);
  return go_on;
}

gint64 ferry_agent_backoff(gint64 *backoff) {
  *backoff = *backoff ? MIN(*backoff * 2, 5000) : 100;
  return *backoff / 2 + g_random_int_range(0, (gint32)(*backoff / 2) + 1);
}

gint64 ferry_agent_backoff_after(gint64 *backoff, const GError *error) {
  if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED))
    return ferry_agent_backoff(backoff);
  *backoff = CLAMP(*backoff * 2, REFUSED_MIN_MS, REFUSED_MAX_MS);
  return *backoff / 2 + g_random_int_range(0, (gint32)(*backoff / 2) + 1);
}

gint64 ferry_agent_epoch(FerryAgent *agent) {
  g_mutex_lock(&agent->lock);
  while (!agent->stop && !agent->epoch)
    g_cond_wait(&agent->cond, &agent->lock);
  gint64 epoch = agent->stop ? 0 : agent->epoch;
  g_mutex_unlock(&agent->lock);
  return epoch;
}

void ferry_agent_set_stale(FerryAgent *agent) {
  g_mutex_lock(&agent->lock);
  gboolean first = !agent->stale && !agent->stop;
  agent->stale = TRUE;
  g_cond_broadcast(&agent->cond);
  g_mutex_unlock(&agent->lock);
  if (!first)
    return;
  ferry_log(G_LOG_LEVEL_CRITICAL,
            "another agent has begun a session for this node; this one ends. Run one agent a node",
            "FERRY_NODE", agent->node, NULL);
  agent->notify("fatal", agent->notify_data);
}

/* Whether `client` shows the present certificate. Caller holds the lock. */
static gboolean is_current(const FerryAgent *agent, const FerryClient *client) {
  return g_strcmp0(ferry_client_config(client)->cert_pem, agent->config->cert_pem) == 0;
}

void ferry_agent_set_config(FerryAgent *agent, FerryClientConfig *config) {
  g_mutex_lock(&agent->lock);
  /* Others may just be reading it: it goes with the agent. */
  g_ptr_array_add(agent->old_configs, agent->config);
  agent->config = config;
  g_queue_clear_full(&agent->clients, (GDestroyNotify)ferry_client_free);
  g_mutex_unlock(&agent->lock);
}

void ferry_agent_refresh_client(FerryAgent *agent, FerryClient **client) {
  g_mutex_lock(&agent->lock);
  gboolean current = is_current(agent, *client);
  g_mutex_unlock(&agent->lock);
  if (current)
    return;
  ferry_client_free(*client);
  *client = ferry_agent_take_client(agent);
}

FerryClient *ferry_agent_take_client(FerryAgent *agent) {
  g_mutex_lock(&agent->lock);
  FerryClient *client = g_queue_pop_tail(&agent->clients);
  const FerryClientConfig *config = agent->config;
  g_mutex_unlock(&agent->lock);
  if (!client) {
    g_autoptr(GError) error = NULL;
    client = ferry_client_new(config, &error);
    if (!client)
      g_error("%s", error->message); /* the same configuration was accepted at the start */
  }
  return client;
}

void ferry_agent_give_client(FerryAgent *agent, FerryClient *client) {
  g_mutex_lock(&agent->lock);
  gboolean keep = agent->clients.length < MAX_IDLE_CLIENTS && is_current(agent, client);
  if (keep)
    g_queue_push_tail(&agent->clients, client);
  g_mutex_unlock(&agent->lock);
  if (!keep)
    ferry_client_free(client);
}

gboolean ferry_agent_name_matches(const char *vmi_name, const char *domain_name, const char *uuid) {
  if (strcmp(vmi_name, domain_name) == 0)
    return TRUE;
  gsize len = strlen(vmi_name);
  return len > 9 && vmi_name[len - 9] == '-' &&
         g_ascii_strncasecmp(vmi_name + len - 8, uuid, 8) == 0;
}

char *ferry_agent_domain_name(FerryAgent *agent, const char *uuid) {
  g_mutex_lock(&agent->lock);
  const FerryAgentDomain *d = g_hash_table_lookup(agent->domains, uuid);
  char *name = d ? g_strdup(d->name) : NULL;
  g_mutex_unlock(&agent->lock);
  return name;
}

char *ferry_agent_resolve(FerryAgent *agent, const char *ns, const char *vmi_name) {
  GHashTableIter iter;
  gpointer uuid, value;
  char *by_name = NULL, *by_suffix = NULL;
  g_mutex_lock(&agent->lock);
  g_hash_table_iter_init(&iter, agent->domains);
  while (g_hash_table_iter_next(&iter, &uuid, &value)) {
    const FerryAgentDomain *d = value;
    if (g_strcmp0(d->ns ? d->ns : "default", ns) != 0 ||
        !ferry_agent_name_matches(vmi_name, d->name, uuid))
      continue;
    char **slot = g_str_equal(vmi_name, d->name) ? &by_name : &by_suffix;
    if (!*slot)
      *slot = g_strdup(uuid);
  }
  g_mutex_unlock(&agent->lock);
  if (by_name) {
    g_free(by_suffix);
    return by_name;
  }
  return by_suffix;
}
