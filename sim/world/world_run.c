// SPDX-License-Identifier: Apache-2.0
// A world from its beginning to its end: what goes on in it, what is put right, what is checked.
#include "sim/world/disk.h"
#include "sim/world/ferryd.h"
#include "sim/world/safeguards.h"
#include "sim/world/world.h"
#include "base/quantity.h"

#define S G_USEC_PER_SEC
#define HEAL_US (100 * S)
#define LINK_RATE (119 * FERRY_MIB_REAL)

static void world_build(FerryWorld *w) {
  const FerryWorldPlan *p = w->plan;
  w->hyper = ferry_hyper_new(LINK_RATE);
  w->ferryd = ferry_ferryd_new();
  w->ferryd->fences = !ferry_safeguard_is_off(FERRY_SAFEGUARD_EPOCHS);
  w->ferryd->disk->forgets = ferry_safeguard_is_off(FERRY_SAFEGUARD_DURABLE);
  w->processes = g_ptr_array_new_with_free_func(g_free);
  w->ledger = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, ferry_world_ledger_free);
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
