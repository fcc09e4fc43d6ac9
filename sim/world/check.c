// SPDX-License-Identifier: Apache-2.0
// The invariants, looked at after each turn of any thread: what is true of the VMs against what may
// be, and what ferryd says against what is true. Whoever looks reads the truth itself, never what
// an agent has reported.
#include "base/rfc3339.h"
#include "model/migration/migration.h"
#include "model/migration/reasons.h"
#include "sim/world/world.h"
#include <stdlib.h>
#include <string.h>

#define S G_USEC_PER_SEC
#define BOTH_US (200 * 1000)
#define FROZEN_US (14 * S) /* what guard.h grants at most, and the time to act */

/* ---- the VMs ---- */

static void check_vm(FerryWorld *w, FerryWorldVm *vm) {
  gint64 now = ferry_fiber_now();
  guint running = ferry_hyper_running(w->hyper, vm);
  if (running < 2)
    vm->both_since = -1;
  else if (vm->both_since < 0)
    vm->both_since = now;
  if (running > 1)
    vm->both_us = now;
  if (ferry_hyper_where(w->hyper, vm) || ferry_hyper_halves(w->hyper, vm)) {
    vm->lost = FALSE;
    return;
  }
  if (vm->lost)
    return;
  vm->lost = TRUE;
  if (vm->excused_us < 0 || vm->excused_us < vm->moved_us)
    ferry_world_violate(w, "VM %s is lost, and nothing has killed it", vm->name);
}

/* Whether the agent that began its last migration can do something about a second copy now. */
static gboolean is_guarded(const FerryWorldVm *vm) {
  const FerryWorldHost *from = vm->moved_from;
  return vm->mover && !vm->mover->dead && !vm->mover->frozen && from && ferry_hyper_answers(from);
}

static void check_both(FerryWorld *w) {
  for (guint i = 0; i < w->hyper->vms->len; i++) {
    FerryWorldVm *vm = w->hyper->vms->pdata[i];
    if (vm->both_since < 0 || vm->by_hand)
      continue;
    if (!is_guarded(vm))
      vm->unguarded_us = ferry_fiber_now();
    gint64 since = vm->unguarded_us >= vm->both_since ? G_MAXINT64 : vm->both_since;
    if (ferry_fiber_now() > since && ferry_fiber_now() - since > BOTH_US)
      ferry_world_violate(w, "VM %s runs on two hosts for %.0f ms, while an agent could end it",
                          vm->name, (double)(ferry_fiber_now() - since) / 1000);
  }
}

/* The guest stands still for the switch-over, and only a link is in its way. */
static void check_frozen(FerryWorld *w) {
  for (guint i = 0; i < w->hyper->moves->len; i++) {
    FerryWorldMove *move = w->hyper->moves->pdata[i];
    gint64 now = ferry_fiber_now();
    if (move->stage != FERRY_MOVE_SWITCHING || !is_guarded(move->vm) || move->was_paused)
      move->guarded_us = now;
    else if (now - MAX(move->guarded_us, move->frozen_us) > FROZEN_US)
      ferry_world_violate(w,
                          "VM %s stands still for its switch-over for more than %d s, while an "
                          "agent could end that",
                          move->vm->name, (int)(FROZEN_US / S));
  }
}

/* ---- what ferryd says ---- */

static FerryWorldVm *vm_of(FerryWorld *w, const json_t *m) {
  const char *name = ferry_json_str(m, "spec.vmiName");
  for (guint i = 0; i < w->hyper->vms->len; i++) {
    FerryWorldVm *vm = w->hyper->vms->pdata[i];
    if (g_strcmp0(vm->name, name) == 0)
      return vm;
  }
  return NULL;
}

static const char *where_is(FerryWorld *w, const FerryWorldVm *vm) {
  const FerryWorldHost *host = ferry_hyper_where(w->hyper, vm);
  return host ? host->name : "nowhere";
}

/* A migration has ended: what is said of the VM must be so, unless something else was done to it.
 */
static void check_outcome(FerryWorld *w, const json_t *m) {
  FerryWorldVm *vm = vm_of(w, m);
  const char *source = ferry_json_str(m, "status.migrationState.sourceNode");
  const char *target = ferry_json_str(m, "status.migrationState.targetNode");
  const char *outcome = ferry_json_str(m, "status.migrationState.outcome");
  const char *name = ferry_json_str(m, "metadata.name"),
             *said = ferry_json_str(m, "status.message");
  gboolean moved = ferry_phase_of(m) == FERRY_PHASE_SUCCEEDED;
  ferry_world_ledger(w, name)->ended = TRUE;
  ferry_world_say(w, "%s of %s: %s, outcome %s, %s: %s (%s -> %s; it is on %s)", name, vm->name,
                  ferry_json_str(m, "status.phase"), outcome, ferry_json_str(m, "status.reason"),
                  said, source, target, where_is(w, vm));
  if (!ferry_json_str(m, "status.reason") || !said || !*said)
    ferry_world_violate(w, "%s has ended without a reason", name);
  if (!target || vm->by_hand || (vm->excused_us >= 0 && vm->excused_us >= vm->moved_us))
    return;
  const char *where = where_is(w, vm);
  gboolean stayed = !moved && (!outcome || g_str_equal(outcome, "stayed"));
  if (moved && !g_str_equal(where, target))
    ferry_world_violate(w, "%s is said to have moved %s to %s, which is on %s", name, vm->name,
                        target, where);
  if (stayed && g_str_equal(where, target) && !g_str_equal(target, source))
    ferry_world_violate(w, "%s is said to have failed (%s), and %s is on %s", name, said, vm->name,
                        where);
  if (outcome && (g_str_equal(outcome, "lost") || g_str_equal(outcome, "gone")) &&
      !g_str_equal(where, "nowhere"))
    ferry_world_violate(w, "%s is said to be %s by %s, and is on %s", vm->name, outcome, name,
                        where);
  if (outcome && g_str_equal(outcome, "both") && vm->both_us < 0 &&
      !ferry_hyper_has_two(w->hyper, vm))
    ferry_world_violate(w, "%s is said to be on two hosts by %s, and is on %s alone", vm->name,
                        name, where);
}

static gboolean copy_is_active(const json_t *m) {
  FerryPhase phase = ferry_phase_of(m);
  return phase > FERRY_PHASE_PENDING && !ferry_phase_is_final(phase);
}

static void check_limits(FerryWorld *w) {
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  guint active = 0, from[FERRY_WORLD_MAX_HOSTS] = {0}, to[FERRY_WORLD_MAX_HOSTS] = {0};
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = all->pdata[i];
    if (!copy_is_active(m))
      continue;
    active++;
    for (guint k = 0; k < w->hyper->n_hosts; k++) {
      const char *name = w->hyper->hosts[k]->name;
      from[k] += g_strcmp0(ferry_json_str(m, "status.migrationState.sourceNode"), name) == 0;
      to[k] += g_strcmp0(ferry_json_str(m, "status.migrationState.targetNode"), name) == 0;
      if (from[k] > w->per_source)
        ferry_world_violate(w, "%u migrations leave %s, and %u may", from[k], name, w->per_source);
      if (to[k] > w->per_target)
        ferry_world_violate(w, "%u migrations enter %s, and %u may", to[k], name, w->per_target);
    }
    for (guint k = 0; k < i; k++)
      if (copy_is_active(all->pdata[k]) &&
          g_strcmp0(ferry_json_str(m, "spec.vmiName"),
                    ferry_json_str(all->pdata[k], "spec.vmiName")) == 0)
        ferry_world_violate(w, "%s has two active migrations, %s and %s",
                            ferry_json_str(m, "spec.vmiName"), ferry_json_str(m, "metadata.name"),
                            ferry_json_str(all->pdata[k], "metadata.name"));
  }
  if (active > w->per_cluster)
    ferry_world_violate(w, "%u migrations are active, and %u may be", active, w->per_cluster);
}

static const char *check_readiness(const json_t *node) {
  const json_t *ready = ferry_json_find(ferry_json_get(node, "status.conditions"), "type", "Ready");
  const char *status = ferry_json_str(ready, "status");
  return status ? status : "unset";
}

/* For who reads the tale. */
static void tell_change(FerryWorld *w, const FerrySeen *change) {
  if (!w->log)
    return;
  if (change->kind == &ferry_kind_node && change->previous &&
      g_strcmp0(check_readiness(change->previous), check_readiness(change->object)) != 0)
    ferry_world_say(w, "node %s: Ready is %s", change->name, check_readiness(change->object));
  const char *phase = ferry_json_str(change->object, "status.phase");
  if (change->kind == &ferry_kind_vmim &&
      g_strcmp0(ferry_json_str(change->previous, "status.phase"), phase) != 0)
    ferry_world_say(w, "%s is %s", change->name, phase);
  const json_t *now = ferry_json_get(change->object, "status.domains");
  const json_t *before = ferry_json_get(change->previous, "status.domains");
  if (change->kind == &ferry_kind_vmi &&
      !(now && before && json_equal((json_t *)now, (json_t *)before))) {
    char *text = json_dumps(now, JSON_COMPACT);
    ferry_world_say(w, "domains of %s: %s", change->name, text ? text : "none");
    free(text);
  }
}

static void check_change(FerryWorld *w, const FerrySeen *change) {
  tell_change(w, change);
  if (change->kind != &ferry_kind_vmim)
    return;
  FerryPhase before = ferry_phase_of(change->previous), now = ferry_phase_of(change->object);
  if (before == now)
    return;
  if (ferry_phase_is_final(before))
    ferry_world_violate(w, "%s had ended, and is %s again", change->name, ferry_phase_name(now));
  if (ferry_phase_is_final(now))
    check_outcome(w, change->object);
  check_limits(w);
}

static void check_the_store(FerryWorld *w) {
  FerryWorldFerryd *f = w->ferryd;
  f->changed = FALSE;
  if (!ferry_ferryd_serves(f) || !f->watch)
    return;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChange) change = ferry_watch_next(f->watch, &error);
    if (!change)
      return;
    g_auto(FerrySeen) seen = ferry_change_see(change);
    check_change(w, &seen);
  }
}

void ferry_world_check_ledger(FerryWorld *w) {
  GHashTableIter iter;
  gpointer value;
  if (!ferry_ferryd_serves(w->ferryd))
    return;
  g_hash_table_iter_init(&iter, w->ledger);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const FerryWorldAcknowledged *a = value;
    g_autoptr(json_t) m = ferry_store_get(w->ferryd->store, &ferry_kind_vmim, "default", a->name);
    if (a->created && !a->deleted && !a->ended && !m)
      ferry_world_violate(w, "%s was acknowledged, and is not there", a->name);
    if (m && a->cancelled && !ferry_json_bool(m, "status.migrationState.abortRequested", FALSE))
      ferry_world_violate(w, "the cancel of %s was acknowledged, and is not there", a->name);
  }
}

/* libvirt was called: ferryd must know that this VM moves from there. */
static void check_begun(FerryWorld *w, FerryWorldMove *move) {
  move->judged = TRUE;
  if (!ferry_ferryd_serves(w->ferryd))
    return;
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = all->pdata[i];
    if (vm_of(w, m) == move->vm && ferry_phase_of(m) == FERRY_PHASE_RUNNING &&
        g_strcmp0(ferry_json_str(m, "status.migrationState.sourceNode"), move->from->name) == 0)
      return;
  }
  ferry_world_violate(w, "%s leaves %s, and ferryd knows of no migration of it that runs",
                      move->vm->name, move->from->name);
}

gboolean ferry_world_check(gpointer data) {
  FerryWorld *w = data;
  if (w->hyper->changed) {
    w->hyper->changed = FALSE;
    for (guint i = 0; i < w->hyper->vms->len; i++)
      check_vm(w, w->hyper->vms->pdata[i]);
    for (guint i = 0; i < w->hyper->moves->len; i++)
      if (!((FerryWorldMove *)w->hyper->moves->pdata[i])->judged)
        check_begun(w, w->hyper->moves->pdata[i]);
  }
  check_frozen(w);
  check_both(w);
  if (w->ferryd->changed)
    check_the_store(w);
  if (w->ferryd->broken)
    ferry_world_violate(w, "%s", w->ferryd->broken);
  return !w->violation;
}

/* ---- at the end ---- */

gboolean ferry_world_is_quiet(FerryWorld *w) {
  if (w->hyper->moves->len || !ferry_ferryd_serves(w->ferryd))
    return FALSE;
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    if (!ferry_migration_is_final(all->pdata[i]))
      return FALSE;
  return TRUE;
}

char *ferry_world_unrest(FerryWorld *w) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < w->hyper->moves->len; i++) {
    const FerryWorldMove *move = w->hyper->moves->pdata[i];
    g_string_append_printf(text, "%s goes from %s to %s (stage %d); ", move->vm->name,
                           move->from->name, move->to->name, move->stage);
  }
  if (!ferry_ferryd_serves(w->ferryd))
    return g_string_free(g_steal_pointer(&text), FALSE);
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = all->pdata[i];
    const char *waits = ferry_json_str(m, "status.queue.message");
    const char *said = ferry_json_str(m, "status.message");
    if (!ferry_migration_is_final(m))
      g_string_append_printf(text, "%s of %s is %s (%s); ", ferry_json_str(m, "metadata.name"),
                             ferry_json_str(m, "spec.vmiName"), ferry_json_str(m, "status.phase"),
                             said    ? said
                             : waits ? waits
                                     : "without a word");
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Whether its last migration has said that it does not run. */
static gboolean is_said_to_stand(FerryWorld *w, const FerryWorldVm *vm) {
  g_autoptr(GPtrArray) all = ferry_store_list(w->ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = all->pdata[i];
    if (g_strcmp0(ferry_json_str(m, "spec.vmiName"), vm->name) == 0 &&
        g_strcmp0(ferry_json_str(m, "status.reason"), ferry_reason_name(FERRY_REASON_COMPLETED)) !=
            0 &&
        ferry_json_str(m, "status.message") &&
        (strstr(ferry_json_str(m, "status.message"), "paused") ||
         strstr(ferry_json_str(m, "status.message"), "suspended")))
      return TRUE;
  }
  return FALSE;
}

static void check_vm_end(FerryWorld *w, const FerryWorldVm *vm) {
  guint running = ferry_hyper_running(w->hyper, vm);
  for (guint i = 0; i < w->hyper->n_hosts; i++) {
    const FerryWorldCopy *copy = ferry_hyper_copy(w->hyper->hosts[i], vm->uuid);
    if (copy && copy->incoming && !copy->runs)
      ferry_world_violate(w, "%s is still being received by %s (%s, %s)", vm->name,
                          w->hyper->hosts[i]->name, ferry_vm_state_name(copy->state), copy->reason);
  }
  if (vm->by_hand || vm->lost || vm->person_paused)
    return;
  if (running > 1 && vm->unguarded_us < 0 && !is_said_to_stand(w, vm))
    ferry_world_violate(w, "%s runs on %u hosts in the end", vm->name, running);
  if (running == 0 && !is_said_to_stand(w, vm))
    ferry_world_violate(w, "%s runs nowhere in the end, is on %s, and nobody has said so", vm->name,
                        where_is(w, vm));
}

void ferry_world_check_end(FerryWorld *w) {
  ferry_world_check_ledger(w);
  for (guint i = 0; i < w->hyper->vms->len; i++)
    check_vm_end(w, w->hyper->vms->pdata[i]);
}
