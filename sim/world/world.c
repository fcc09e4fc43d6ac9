// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a world begins with ferryd and an agent on each host. Acts come at their
// times, each with a thread of its own. When the last is over all is put right (who was killed is
// started, what was cut is joined), and the world goes on until nothing happens any more: then what
// there is must be what is said. After each turn of any thread the invariants are looked at.
#include "sim/world/world.h"
#include "base/quantity.h"

#define ORDERLY_END_US (130 * S)
#define S G_USEC_PER_SEC

void ferry_world_say(FerryWorld *w, const char *format, ...) {
  if (!w->log)
    return;
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_string_append_printf(w->log, "%9.3f %s\n", (double)ferry_fiber_now() / S, text);
}

void ferry_world_violate(FerryWorld *w, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  if (w->violation)
    return;
  w->violation = g_strdup_printf("%.3f s: %s", (double)ferry_fiber_now() / S, text);
  ferry_world_say(w, "VIOLATED: %s", text);
}

void ferry_world_ledger_free(gpointer data) {
  FerryWorldAcknowledged *a = data;
  g_free(a->name);
  g_free(a);
}

FerryWorldAcknowledged *ferry_world_ledger(FerryWorld *w, const char *name) {
  FerryWorldAcknowledged *a = g_hash_table_lookup(w->ledger, name);
  if (!a) {
    a = g_new0(FerryWorldAcknowledged, 1);
    a->name = g_strdup(name);
    g_hash_table_insert(w->ledger, a->name, a);
  }
  return a;
}

/* ---- agents ---- */

typedef struct {
  FerryWorld *world;
  guint host;
  FerryWorldProcess *process;
  FerryAgent *agent;
} AgentLife;

/* Its process ends, and its unit starts another one. */
static gpointer agent_exits(gpointer data) {
  AgentLife *life = data;
  FerryWorld *w = life->world;
  FerryWorldAgent *a = &w->agents[life->host];
  ferry_fiber_sleep(ferry_world_between(1, 50) * 1000);
  if (a->process != life->process) {
    a->fatal |= a->replaced_process == life->process;
    return NULL;
  }
  ferry_world_say(w, "agent of %s ends: another one has its session", a->host->name);
  ferry_world_agent_kill(w, life->host);
  ferry_fiber_sleep(2 * S);
  if (!w->ended)
    ferry_world_agent_start(w, life->host);
  return NULL;
}

static void agent_says(const char *what, gpointer data) {
  if (g_str_equal(what, "fatal"))
    ferry_fiber_new(NULL, agent_exits, data, FALSE);
}

static gpointer agent_main(gpointer data) {
  AgentLife *life = data;
  FerryWorldAgent *a = &life->world->agents[life->host];
  g_autofree char *dir = g_strconcat("/agents/", a->host->name, NULL);
  g_autoptr(json_t) peer = json_pack("{s:s, s:s}", "scheme", "tls", "host", a->host->name);
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup("https://ferryd");
  config->token = g_strdup(a->host->name);
  FerryAgentOptions options = {
      .node = a->host->name, .state_dir = dir, .rpc_socket = "/dev/null/none", .peer = peer};
  life->agent =
      ferry_agent_new(&options, config, ferry_hyper_open(a->host, life->process), agent_says, life);
  ferry_agent_start(life->agent);
  return NULL;
}

void ferry_world_agent_start(FerryWorld *w, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  if (a->process || !a->host->power)
    return;
  FerryWorldProcess *process = g_new0(FerryWorldProcess, 1);
  process->name = a->host->name;
  process->skew_us = w->plan->skew_us[host];
  g_ptr_array_add(w->processes, process);
  a->process = process;
  AgentLife *life = g_new(AgentLife, 1);
  *life = (AgentLife){w, host, process, NULL};
  g_ptr_array_add(w->processes, life);
  ferry_fiber_join(ferry_fiber_new(process, agent_main, life, TRUE));
  a->agent = life->agent;
  ferry_world_say(w, "agent of %s started", a->host->name);
}

static gpointer agent_end(gpointer data) {
  ferry_agent_free(data);
  return NULL;
}

/* Nothing that it does has an effect from now on; its threads are led to their ends. */
static void end_life(FerryWorld *w, FerryWorldProcess *process, FerryAgent *agent) {
  process->dead = TRUE;
  if (process->frozen)
    ferry_fiber_thaw(process);
  ferry_hyper_abandon(w->hyper, process);
  ferry_fiber_wake(process, TRUE);
  ferry_fiber_join(ferry_fiber_new(process, agent_end, agent, TRUE));
}

void ferry_world_agent_kill(FerryWorld *w, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  FerryWorldProcess *process = a->process;
  FerryAgent *agent = a->agent;
  if (!process || !agent)
    return;
  a->process = NULL;
  a->agent = NULL;
  ferry_world_say(w, "agent of %s killed", a->host->name);
  end_life(w, process, agent);
}

void ferry_world_agent_replace(FerryWorld *w, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  if (!a->process || !a->agent || a->replaced)
    return;
  a->process->frozen = TRUE;
  a->replaced_process = a->process;
  a->replaced = a->agent;
  a->process = NULL;
  a->agent = NULL;
  ferry_world_agent_start(w, host);
}

void ferry_world_agent_power_off(FerryWorld *w, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  ferry_world_agent_kill(w, host);
  if (!a->replaced || a->waking)
    return;
  FerryWorldProcess *process = g_steal_pointer(&a->replaced_process);
  end_life(w, process, g_steal_pointer(&a->replaced));
}

void ferry_world_agent_wake_replaced(FerryWorld *w, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  if (!a->replaced || a->waking)
    return;
  a->waking = TRUE;
  ferry_fiber_thaw(a->replaced_process);
  /* it finds out with its next word, and its process ends */
  gint64 until = ferry_fiber_now() + (w->ended ? 0 : 30 * S);
  a->fatal = FALSE;
  while (!a->fatal && ferry_fiber_now() < until)
    ferry_fiber_sleep(100000);
  FerryWorldProcess *process = g_steal_pointer(&a->replaced_process);
  FerryAgent *agent = g_steal_pointer(&a->replaced);
  a->waking = FALSE;
  if (a->fatal) /* its program ends in good order: its threads come to their ends */
    ferry_fiber_sleep(ORDERLY_END_US);
  end_life(w, process, agent);
}
