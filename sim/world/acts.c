// SPDX-License-Identifier: Apache-2.0
// What people do and what goes wrong, each act in a thread of its own.
//
// An act of the plan waits for its moment or, where it aims at a stage of a migration, for the
// first migration that gets there; then it does one thing: what a person types (migrate, cancel,
// change, destroy, start by hand), or what breaks (ferryd, an agent, a host, a link, a libvirtd, a
// QEMU). A fault is made good after the time that the plan says. Whatever a person does to a copy
// is written down with the VM, so that check.c does not hold Ferry to it.
#include "model/migration/migration.h"
#include "base/quantity.h"
#include "sim/world/world.h"

#define S G_USEC_PER_SEC

/* ---- aim ---- */

static FerryMoveStage stage_of(FerryAim aim) {
  switch (aim) {
  case FERRY_AIM_PREPARING:
    return FERRY_MOVE_PREPARING;
  case FERRY_AIM_ACTIVE:
    return FERRY_MOVE_ACTIVE;
  case FERRY_AIM_SWITCHING:
    return FERRY_MOVE_SWITCHING;
  case FERRY_AIM_SENT:
    return FERRY_MOVE_SENT;
  case FERRY_AIM_POSTCOPY:
    return FERRY_MOVE_POSTCOPY;
  case FERRY_AIM_NOWHERE:
    break;
  }
  return FERRY_MOVE_OVER;
}

static const FerryWorldMove *acts_aimed(const FerryWorld *w, FerryAim aim) {
  for (guint i = 0; i < w->hyper->moves->len; i++) {
    const FerryWorldMove *move = w->hyper->moves->pdata[i];
    if (move->stage == stage_of(aim))
      return move;
  }
  return NULL;
}

typedef struct {
  guint host, other;
  FerryWorldVm *vm;
} Mark;

/* Waits for a migration in that stage; where none comes, the act's own host is it. */
static Mark take_aim(FerryWorld *w, const FerryWorldAct *act) {
  Mark mark = {act->host, act->other, w->hyper->vms->pdata[act->vm]};
  gint64 until = ferry_fiber_now() + 25 * S;
  const FerryWorldMove *move = NULL;
  if (act->aim == FERRY_AIM_NOWHERE)
    return mark;
  while (!(move = acts_aimed(w, act->aim)) && ferry_fiber_now() < until)
    ferry_fiber_wait(&w->hyper->moves, until);
  if (!move)
    return mark;
  mark.vm = move->vm;
  mark.host = act->at_target ? move->to->index : move->from->index;
  mark.other = act->at_target ? move->from->index : move->to->index;
  return mark;
}

/* The newest migration of that VM that has not ended; NULL: none. Free with g_free. */
static char *migration_of_vm(FerryWorld *w, const FerryWorldVm *vm) {
  FerryWorldVisit visit;
  char *name = NULL;
  if (!ferry_ferryd_enter(w->ferryd, &visit, NULL))
    return NULL;
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len && !name; i++) {
    const json_t *m = all->pdata[i];
    if (g_strcmp0(ferry_json_str(m, "spec.vmiName"), vm->name) == 0 && !ferry_migration_is_final(m))
      name = g_strdup(ferry_json_str(m, "metadata.name"));
  }
  ferry_ferryd_leave(&visit, NULL);
  return name;
}

/* ---- people ---- */

static void act_migrate(FerryWorld *w, const FerryWorldAct *act) {
  const FerryWorldVm *vm = w->hyper->vms->pdata[act->vm];
  g_autofree char *name = g_strdup_printf("m%" G_GINT64_FORMAT, act->at_us);
  g_autoptr(json_t) spec =
      json_pack("{s:s, s:b}", "vmiName", vm->name, "allowPostCopy", act->post_copy);
  if (act->named)
    ferry_json_set_str(spec, "targetNode", w->hyper->hosts[act->host]->name);
  if (act->fast)
    ferry_json_set_int(spec, "maxDowntimeMs", 100);
  for (guint i = 0; i < 5; i++) {
    g_autoptr(GError) error = NULL;
    if (ferry_ferryd_migrate(w->ferryd, name, spec, &error)) {
      ferry_world_ledger(w, name)->created = TRUE;
      ferry_world_say(w, "%s of %s is taken", name, vm->name);
      return;
    }
    ferry_world_say(w, "%s of %s is refused: %s", name, vm->name, error->message);
    if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE))
      return;
    ferry_fiber_sleep(3 * S);
  }
}

static void act_cancel(FerryWorld *w, const FerryWorldVm *vm) {
  g_autofree char *name = migration_of_vm(w, vm);
  if (!name || !ferry_ferryd_cancel(w->ferryd, name, NULL))
    return;
  ferry_world_ledger(w, name)->cancelled = TRUE;
  ferry_world_say(w, "cancel of %s is taken", name);
}

static void act_delete(FerryWorld *w, const FerryWorldVm *vm) {
  g_autofree char *name = migration_of_vm(w, vm);
  /* who was not answered may have been heard all the same */
  if (!name)
    return;
  ferry_world_ledger(w, name)->deleted = TRUE;
  ferry_ferryd_delete(w->ferryd, name, NULL);
  ferry_world_say(w, "%s is deleted", name);
}

static void act_change(FerryWorld *w, const FerryWorldVm *vm) {
  g_autofree char *name = migration_of_vm(w, vm);
  if (name)
    ferry_ferryd_change(w->ferryd, name, json_pack("{s:i}", "downtimeMs", 1500), NULL);
}

static FerryWorldCopy *copy_to_touch(FerryWorld *w, const FerryWorldVm *vm) {
  FerryWorldHost *host = ferry_hyper_where(w->hyper, vm);
  FerryWorldCopy *copy =
      host && ferry_hyper_answers(host) ? ferry_hyper_copy(host, vm->uuid) : NULL;
  return copy && !copy->stuck && !copy->incoming ? copy : NULL;
}

static void acts_touched(FerryWorldVm *vm, const char *what) {
  vm->excused_us = ferry_fiber_now();
  vm->excuse = what;
}

static void act_destroy(FerryWorld *w, FerryWorldVm *vm) {
  FerryWorldCopy *copy = copy_to_touch(w, vm);
  if (!copy)
    return;
  ferry_world_say(w, "%s is destroyed on %s", vm->name, copy->host->name);
  ferry_hyper_kill_qemu(copy, "destroyed");
  acts_touched(vm, "a person destroyed it");
}

static void act_suspend(FerryWorld *w, FerryWorldVm *vm) {
  FerryWorldCopy *copy = copy_to_touch(w, vm);
  if (!copy || !copy->runs)
    return;
  copy->runs = FALSE;
  vm->person_paused = TRUE;
  ferry_copy_set(copy, FERRY_VM_PAUSED, "user");
  acts_touched(vm, "a person suspended it");
  ferry_hyper_tell_state(copy->host, vm->uuid, FERRY_HOST_PAUSE_NONE);
  ferry_world_say(w, "%s is suspended on %s", vm->name, copy->host->name);
}

/* libvirt stops nobody from that. */
static void act_start_by_hand(FerryWorld *w, const FerryWorldAct *act, FerryWorldVm *vm) {
  FerryWorldHost *host = w->hyper->hosts[act->host];
  FerryWorldCopy *copy = ferry_hyper_copy(host, vm->uuid);
  if (!ferry_hyper_answers(host) || (copy && copy->id >= 0))
    return;
  if (!copy)
    copy = ferry_copy_new(host, vm);
  copy->id = host->next_id++;
  copy->qemu = copy->runs = copy->whole = TRUE;
  vm->by_hand = TRUE;
  vm->lost = FALSE;
  acts_touched(vm, "a person started it");
  ferry_copy_set(copy, FERRY_VM_RUNNING, "booted");
  ferry_hyper_tell_state(host, vm->uuid, FERRY_HOST_PAUSE_NONE);
  ferry_world_say(w, "%s is started by hand on %s", vm->name, host->name);
}

/* ---- faults ---- */

static void acts_rest(const FerryWorldAct *act) {
  ferry_fiber_sleep(MAX(act->lasts_us, 1000));
}

static void act_on_ferryd(FerryWorld *w, const FerryWorldAct *act) {
  FerryWorldFerryd *f = w->ferryd;
  if (act->kind == FERRY_ACT_FILL_DISK) {
    f->disk->full = TRUE;
    acts_rest(act);
    f->disk->full = FALSE;
    return;
  }
  if (!ferry_ferryd_serves(f))
    return;
  if (act->kind == FERRY_ACT_FREEZE_FERRYD) {
    FerryWorldProcess *process = f->process;
    process->frozen = TRUE;
    ferry_fiber_sleep(MIN(act->lasts_us, 20 * S));
    if (!process->dead)
      ferry_fiber_thaw(process);
    return;
  }
  ferry_ferryd_kill(f);
  ferry_world_say(w, "ferryd killed");
  ferry_fiber_sleep(MIN(act->lasts_us, 30 * S));
  if (f->process)
    return;
  ferry_ferryd_start(f);
  ferry_world_say(w, "ferryd started");
  ferry_world_check_ledger(w);
}

static void act_on_agent(FerryWorld *w, const FerryWorldAct *act, guint host) {
  FerryWorldAgent *a = &w->agents[host];
  switch (act->kind) {
  case FERRY_ACT_KILL_AGENT:
    ferry_world_agent_kill(w, host);
    acts_rest(act);
    ferry_world_agent_start(w, host);
    return;
  case FERRY_ACT_REPLACE_AGENT:
    ferry_world_agent_replace(w, host);
    acts_rest(act);
    ferry_world_agent_wake_replaced(w, host);
    return;
  case FERRY_ACT_CUT_AGENT:
    ferry_wire_cut(a->host->name, TRUE);
    acts_rest(act);
    ferry_wire_cut(a->host->name, FALSE);
    return;
  default:
    break;
  }
  FerryWorldProcess *process = a->process;
  if (!process)
    return;
  process->frozen = TRUE;
  acts_rest(act);
  if (process->frozen && !process->dead && a->process == process)
    ferry_fiber_thaw(process);
}

static void act_on_host(FerryWorld *w, const FerryWorldAct *act, const Mark *mark) {
  FerryWorldHost *host = w->hyper->hosts[mark->host];
  FerryWorldCopy *copy;
  switch (act->kind) {
  case FERRY_ACT_KILL_LIBVIRTD:
    ferry_hyper_kill_daemon(host);
    acts_rest(act);
    ferry_hyper_start_daemon(host);
    return;
  case FERRY_ACT_HANG_LIBVIRTD:
    ferry_hyper_hang_daemon(host, TRUE);
    acts_rest(act);
    ferry_hyper_hang_daemon(host, FALSE);
    return;
  case FERRY_ACT_KILL_QEMU:
    copy = ferry_hyper_copy(host, mark->vm->uuid);
    if (copy && copy->qemu)
      ferry_hyper_kill_qemu(copy, "crashed");
    return;
  case FERRY_ACT_POWER_OFF:
    ferry_hyper_set_power(host, FALSE);
    ferry_world_agent_power_off(w, mark->host);
    acts_rest(act);
    ferry_hyper_set_power(host, TRUE);
    ferry_world_agent_start(w, mark->host);
    return;
  case FERRY_ACT_FILL_HOST:
    host->disk_full = TRUE;
    acts_rest(act);
    host->disk_full = FALSE;
    return;
  default:
    break;
  }
  gboolean management = act->kind != FERRY_ACT_CUT_DATA,
           data = act->kind != FERRY_ACT_CUT_MANAGEMENT;
  ferry_hyper_cut(w->hyper, mark->host, mark->other, management, data, TRUE);
  acts_rest(act);
  ferry_hyper_cut(w->hyper, mark->host, mark->other, management, data, FALSE);
}

gpointer ferry_world_act(gpointer data) {
  g_autofree FerryWorldActing *acting = data;
  FerryWorld *w = acting->world;
  const FerryWorldAct *act = acting->act;
  Mark mark = take_aim(w, act);
  if (act->aim)
    ferry_fiber_sleep(ferry_world_between(0, 30000));
  g_autofree char *text = ferry_world_act_text(act);
  ferry_world_say(w, "act: %s: %s, h%u, h%u", text, mark.vm->name, mark.host, mark.other);
  switch (act->kind) {
  case FERRY_ACT_MIGRATE:
    act_migrate(w, act);
    break;
  case FERRY_ACT_CANCEL:
    act_cancel(w, mark.vm);
    break;
  case FERRY_ACT_DELETE:
    act_delete(w, mark.vm);
    break;
  case FERRY_ACT_CHANGE:
    act_change(w, mark.vm);
    break;
  case FERRY_ACT_DESTROY:
    act_destroy(w, mark.vm);
    break;
  case FERRY_ACT_SUSPEND:
    act_suspend(w, mark.vm);
    break;
  case FERRY_ACT_START_BY_HAND:
    act_start_by_hand(w, act, mark.vm);
    break;
  case FERRY_ACT_KILL_FERRYD:
  case FERRY_ACT_FREEZE_FERRYD:
  case FERRY_ACT_FILL_DISK:
    act_on_ferryd(w, act);
    break;
  case FERRY_ACT_KILL_AGENT:
  case FERRY_ACT_FREEZE_AGENT:
  case FERRY_ACT_REPLACE_AGENT:
  case FERRY_ACT_CUT_AGENT:
    act_on_agent(w, act, mark.host);
    break;
  default:
    act_on_host(w, act, &mark);
    break;
  }
  w->acts--;
  return NULL;
}
