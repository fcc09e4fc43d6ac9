// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a world begins with ferryd and an agent on each host. Acts come at their
// times, each with a thread of its own. When the last is over all is put right (who was killed is
// started, what was cut is joined), and the world goes on until nothing happens any more: then what
// there is must be what is said. After each turn of any thread the invariants are looked at.
#include "sim/world/world.h"
#include "base/quantity.h"
#include "sim/world/safeguards.h"

#define ORDERLY_END_US (130 * S)
#define S G_USEC_PER_SEC
#define HEAL_US (100 * S)
#define LINK_RATE (119 * FERRY_MIB_REAL)

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

static void ledger_free(gpointer data) {
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

/* ---- the whole ---- */

static void world_build(FerryWorld *w) {
  const FerryWorldPlan *p = w->plan;
  w->hyper = ferry_hyper_new(LINK_RATE);
  w->ferryd = ferry_ferryd_new();
  w->ferryd->fences = !ferry_safeguard_is_off(FERRY_SAFEGUARD_EPOCHS);
  w->ferryd->disk->forgets = ferry_safeguard_is_off(FERRY_SAFEGUARD_DURABLE);
  w->processes = g_ptr_array_new_with_free_func(g_free);
  w->ledger = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, ledger_free);
  w->per_cluster = p->per_cluster;
  w->per_source = p->per_source;
  w->per_target = p->per_target;
  for (guint i = 0; i < p->n_hosts; i++) {
    g_autofree char *name = g_strdup_printf("h%u", i);
    g_autofree char *address = g_strdup_printf("10.0.0.%u", i + 1);
    w->agents[i].host = ferry_hyper_add_host(w->hyper, name, address);
  }
  for (guint i = 0; i < p->n_vms; i++) {
    g_autofree char *name = g_strdup_printf("v%u", i);
    FerryWorldHost *host = w->hyper->hosts[p->places[i]];
    FerryWorldVm *vm = ferry_hyper_add_vm(w->hyper, host, name, &p->guests[i], TRUE);
    vm->copies_disk = p->disks[i];
    ferry_hyper_copy(host, vm->uuid)->autostart = p->autostart[i];
  }
  ferry_wire_begin(w->ferryd, &p->weather);
}

static void world_free(FerryWorld *w) {
  ferry_hyper_free(w->hyper);
  ferry_ferryd_free(w->ferryd);
  ferry_wire_end();
  ferry_disk_drop_records();
  g_ptr_array_unref(w->processes);
  g_hash_table_unref(w->ledger);
}

static gpointer world_begin(gpointer data) {
  FerryWorld *w = data;
  ferry_ferryd_start(w->ferryd);
  ferry_ferryd_configure(
      w->ferryd, json_pack("{s:i, s:i, s:i}", "parallelMigrationsPerCluster", (int)w->per_cluster,
                           "parallelOutboundMigrationsPerNode", (int)w->per_source,
                           "parallelInboundMigrationsPerNode", (int)w->per_target));
  for (guint i = 0; i < w->plan->n_hosts; i++)
    ferry_world_agent_start(w, i);
  return NULL;
}

static gpointer world_acts(gpointer data) {
  FerryWorld *w = data;
  for (guint i = 0; i < w->plan->acts->len; i++) {
    const FerryWorldAct *act = &g_array_index(w->plan->acts, FerryWorldAct, i);
    if (act->off)
      continue;
    gint64 now = ferry_fiber_now();
    if (act->at_us > now)
      ferry_fiber_sleep(act->at_us - now);
    FerryWorldActing *acting = g_new(FerryWorldActing, 1);
    *acting = (FerryWorldActing){w, act};
    w->acts++;
    ferry_fiber_new(NULL, ferry_world_act, acting, FALSE);
  }
  return NULL;
}

/* All is put right. */
static gpointer world_heal(gpointer data) {
  FerryWorld *w = data;
  while (w->acts)
    ferry_fiber_sleep(S);
  for (guint i = 0; i < w->hyper->n_hosts; i++) {
    FerryWorldHost *host = w->hyper->hosts[i];
    ferry_hyper_set_power(host, TRUE);
    ferry_hyper_hang_daemon(host, FALSE);
    ferry_hyper_start_daemon(host);
    host->disk_full = FALSE;
    ferry_wire_cut(host->name, FALSE);
    for (guint k = 0; k < w->hyper->n_hosts; k++)
      ferry_hyper_cut(w->hyper, i, k, TRUE, TRUE, FALSE);
  }
  w->ferryd->disk->full = FALSE;
  if (!ferry_ferryd_serves(w->ferryd))
    ferry_ferryd_start(w->ferryd);
  for (guint i = 0; i < w->hyper->n_hosts; i++)
    ferry_world_agent_start(w, i);
  w->healed = TRUE;
  ferry_world_say(w, "all is put right");
  return NULL;
}

static gpointer world_end(gpointer data) {
  FerryWorld *w = data;
  w->ended = TRUE;
  for (guint i = 0; i < w->hyper->n_hosts; i++) {
    ferry_world_agent_wake_replaced(w, i);
    ferry_world_agent_kill(w, i);
  }
  ferry_ferryd_kill(w->ferryd);
  return NULL;
}

static void world_live(FerryWorld *w) {
  ferry_fiber_new(NULL, world_begin, w, FALSE);
  ferry_fiber_new(NULL, world_acts, w, FALSE);
  if (!ferry_fiber_run(HEAL_US, ferry_world_check, w))
    return;
  ferry_fiber_new(NULL, world_heal, w, FALSE);
  while (!w->violation) {
    if (!ferry_fiber_run(ferry_fiber_now() + 5 * S, ferry_world_check, w))
      return;
    if (w->healed && ferry_world_is_quiet(w))
      break;
    if (ferry_fiber_now() > FERRY_WORLD_LONGEST_US) {
      g_autofree char *open = ferry_world_unrest(w);
      ferry_world_violate(w, "it has not come to rest within %d minutes: %s",
                          (int)(FERRY_WORLD_LONGEST_US / S / 60), open);
      return;
    }
  }
  if (!ferry_fiber_run(ferry_fiber_now() + 20 * S, ferry_world_check, w))
    return;
  ferry_world_check_end(w);
}

char *ferry_world_run(FerryWorldPlan *plan, GString *log, FerryWorldCount *count) {
  FerryWorld w = {.plan = plan, .seed = plan->seed, .log = log};
  ferry_fiber_begin(plan->seed);
  world_build(&w);
  world_live(&w);
  if (count) {
    count->seconds += ferry_fiber_now() / S;
    for (guint i = 0; i < plan->acts->len; i++) {
      FerryActKind kind = g_array_index(plan->acts, FerryWorldAct, i).kind;
      count->migrations += kind == FERRY_ACT_MIGRATE;
      count->faults += kind >= FERRY_ACT_FAULTS;
    }
  }
  if (!w.violation) {
    ferry_fiber_new(NULL, world_end, &w, FALSE);
    ferry_fiber_run(G_MAXINT64 / 2, NULL, NULL);
    ferry_fiber_end();
  } else {
    ferry_fiber_abandon();
  }
  world_free(&w);
  return w.violation;
}
