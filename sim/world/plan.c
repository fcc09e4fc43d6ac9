// SPDX-License-Identifier: Apache-2.0
#include "sim/world/plan.h"
#include "base/quantity.h"
#include <string.h>

#define S G_USEC_PER_SEC
#define FIRST_US (8 * S)
#define LAST_US (70 * S)

static const char *const act_words[FERRY_ACT_LAST] = {
    [FERRY_ACT_MIGRATE] = "somebody migrates",
    [FERRY_ACT_CANCEL] = "somebody cancels",
    [FERRY_ACT_DELETE] = "somebody deletes the migration",
    [FERRY_ACT_CHANGE] = "somebody changes the migration",
    [FERRY_ACT_DESTROY] = "somebody destroys the VM",
    [FERRY_ACT_SUSPEND] = "somebody suspends the VM",
    [FERRY_ACT_START_BY_HAND] = "somebody starts the VM by hand",
    [FERRY_ACT_KILL_FERRYD] = "ferryd is killed",
    [FERRY_ACT_FREEZE_FERRYD] = "ferryd hangs",
    [FERRY_ACT_FILL_DISK] = "ferryd's disk is full",
    [FERRY_ACT_KILL_AGENT] = "the agent is killed",
    [FERRY_ACT_FREEZE_AGENT] = "the agent hangs",
    [FERRY_ACT_REPLACE_AGENT] = "the agent hangs and another one is started",
    [FERRY_ACT_CUT_AGENT] = "the agent is cut off from ferryd",
    [FERRY_ACT_KILL_LIBVIRTD] = "libvirtd is killed",
    [FERRY_ACT_HANG_LIBVIRTD] = "libvirtd hangs",
    [FERRY_ACT_KILL_QEMU] = "QEMU is killed",
    [FERRY_ACT_POWER_OFF] = "the host loses its power",
    [FERRY_ACT_CUT_MANAGEMENT] = "the libvirtds are cut off from each other",
    [FERRY_ACT_CUT_DATA] = "the link for data is cut",
    [FERRY_ACT_CUT_BOTH] = "both links are cut",
    [FERRY_ACT_FILL_HOST] = "the host's disk is full",
};

static const char *const aim_words[] = {
    "", "being prepared", "copied", "switched over", "handed over", "in post-copy"};

char *ferry_world_act_text(const FerryWorldAct *a) {
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%.3f s: %s", (double)a->at_us / S, act_words[a->kind]);
  if (a->aim)
    g_string_append_printf(text, " at the %s of one that is %s", a->at_target ? "target" : "source",
                           aim_words[a->aim]);
  else if (a->kind < FERRY_ACT_FAULTS)
    g_string_append_printf(text, " v%u", a->vm);
  else
    g_string_append_printf(text, " on h%u (and h%u)", a->host, a->other);
  if (a->kind == FERRY_ACT_MIGRATE)
    g_string_append_printf(text, "%s%s", a->named ? " by name of the target" : "",
                           a->post_copy ? ", post-copy allowed" : "");
  if (a->lasts_us)
    g_string_append_printf(text, " for %.1f s", (double)a->lasts_us / S);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Which part of a migration is worth hitting, and how long what lasts. */
static void aim_at(FerryWorldAct *a) {
  static const FerryAim aims[] = {FERRY_AIM_NOWHERE,   FERRY_AIM_PREPARING, FERRY_AIM_ACTIVE,
                                  FERRY_AIM_SWITCHING, FERRY_AIM_SWITCHING, FERRY_AIM_SENT,
                                  FERRY_AIM_SENT,      FERRY_AIM_POSTCOPY};
  static const gint64 lasting[][2] = {{100, 2000}, {2000, 20000}, {20000, 50000}};
  const gint64 *range = lasting[ferry_world_draw(G_N_ELEMENTS(lasting))];
  a->aim = aims[ferry_world_draw(G_N_ELEMENTS(aims))];
  a->at_target = ferry_world_chance(0.5);
  a->lasts_us = ferry_world_between(range[0], range[1]) * 1000;
  if (a->kind == FERRY_ACT_KILL_QEMU || a->kind == FERRY_ACT_CANCEL ||
      a->kind == FERRY_ACT_DELETE || a->kind == FERRY_ACT_CHANGE || a->kind == FERRY_ACT_DESTROY)
    a->lasts_us = 0;
}

static void act_add(FerryWorldPlan *p, FerryActKind kind) {
  FerryWorldAct a = {.kind = kind};
  a.at_us = ferry_world_between(FIRST_US, LAST_US);
  a.vm = ferry_world_draw(p->n_vms);
  a.host = ferry_world_draw(p->n_hosts);
  a.other = (a.host + 1 + ferry_world_draw(p->n_hosts - 1)) % p->n_hosts;
  if (kind == FERRY_ACT_MIGRATE) {
    a.at_us = ferry_world_between(FIRST_US, LAST_US - 15 * S);
    a.post_copy = ferry_world_chance(0.35);
    a.named = ferry_world_chance(0.3);
    a.fast = ferry_world_chance(0.3);
  } else {
    aim_at(&a);
  }
  g_array_append_val(p->acts, a);
}

static gint act_compare(gconstpointer a, gconstpointer b) {
  const FerryWorldAct *x = a, *y = b;
  return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static void plan_draw_guest(FerryWorldPlan *p, guint i) {
  FerrySimGuestSpec *g = &p->guests[i];
  *g = (FerrySimGuestSpec){.memory = (double)ferry_world_between(16, 256) * FERRY_MIB_REAL,
                           .pattern = (FerrySimPattern)ferry_world_draw(FERRY_SIM_PHASED + 1),
                           .vcpus = 1,
                           .busy_s = 5,
                           .quiet_s = 5};
  g->working_set = g->memory * 0.5;
  g->write_rate = (double)ferry_world_between(0, 90) * FERRY_MIB_REAL;
  if (g->pattern == FERRY_SIM_IDLE)
    g->write_rate = g->working_set = 0;
  p->places[i] = ferry_world_draw(p->n_hosts);
  p->autostart[i] = ferry_world_chance(0.2);
  p->disks[i] = ferry_world_chance(0.15);
}

FerryWorldPlan *ferry_world_plan_draw(guint64 seed) {
  FerryWorldPlan *p = g_new0(FerryWorldPlan, 1);
  ferry_fiber_begin(seed * 2654435761u + 1);
  p->seed = seed;
  p->acts = g_array_new(FALSE, TRUE, sizeof(FerryWorldAct));
  p->n_hosts = 3 + ferry_world_draw(2);
  p->n_vms = 6 + ferry_world_draw(3);
  p->per_cluster = 2 + ferry_world_draw(4);
  p->per_source = 1 + ferry_world_draw(3);
  p->per_target = 1 + ferry_world_draw(3);
  if (ferry_world_chance(0.5))
    p->weather = (FerryWorldWeather){0.03, 0.03, 0.03};
  for (guint i = 0; i < p->n_vms; i++)
    plan_draw_guest(p, i);
  for (guint i = 0; i < p->n_hosts; i++)
    p->skew_us[i] = ferry_world_chance(0.3) ? ferry_world_between(-90, 90) * S : 0;
  guint migrations = 10 + ferry_world_draw(4), faults = 5 + ferry_world_draw(4);
  for (guint i = 0; i < migrations; i++)
    act_add(p, FERRY_ACT_MIGRATE);
  for (guint i = 0; i < faults; i++)
    act_add(p, (FerryActKind)ferry_world_between(FERRY_ACT_FAULTS, FERRY_ACT_LAST - 1));
  for (guint i = 0, n = ferry_world_draw(5); i < n; i++)
    act_add(p, (FerryActKind)ferry_world_between(FERRY_ACT_CANCEL, FERRY_ACT_FAULTS - 1));
  g_array_sort(p->acts, act_compare);
  return p;
}

void ferry_world_plan_free(FerryWorldPlan *p) {
  g_array_unref(p->acts);
  g_free(p);
}
