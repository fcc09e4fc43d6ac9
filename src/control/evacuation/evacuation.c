// SPDX-License-Identifier: Apache-2.0
// Theory of operation: nothing is remembered but what is stored. Which VMs are to move is read from
// the VMs; how often a VM was tried and when it failed, from its newest migration. The evacuation's
// status counts, and describes only those VMs that are under way, wait for another try, can't leave
// or have just left: one that has left is told of once, and is a number from then on. So a status
// is as long as what happens at a time, however many VMs the host has. A step makes whatever is
// due; repeating it does no harm.
#include "control/evacuation/evacuation.h"
#include "model/migration/reasons.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "base/trace.h"
#include "control/conditions.h"
#include "control/evacuation/evacuation_check.h"
#include "control/evacuation/evacuation_incoming.h"
#include "control/evacuation/evacuation_progress.h"
#include "control/evacuation/evacuation_strays.h"
#include "control/migration.h"
#include "control/relevant.h"
#include "model/field/object_meta.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration_log.h"
#include "model/migration/phase.h"

#include <string.h>

/* What a step works on: working copy, lists, and what it counts. */
typedef struct {
  FerryStore *store;
  const char *node;
  const json_t *evacuation;
  gint64 since_ms; /* older migrations are of no concern */
  gint64 now_ms;
  GPtrArray *live;    /* migrations that have not ended, of all VMs */
  GHashTable *by_vm;  /* of those */
  GHashTable *before; /* "namespace/name" -> its entry in status.vms, borrowed */
  FerryEvacuationCheck *check;
  FerryPlan *plan;
  guint total, moved, failed, outstanding;
  FerryEvacuationBytes bytes;
} EvacuationStep;

gboolean ferry_evacuation_concerns(const json_t *vmi, const char *node) {
  return g_strcmp0(ferry_json_str(vmi, "status.nodeName"), node) == 0 && ferry_vmi_is_active(vmi);
}

static int attempt_of(const json_t *m) {
  const char *text = ferry_object_annotation(m, FERRY_ATTEMPT_ANNOTATION);
  return text ? (int)CLAMP(g_ascii_strtoll(text, NULL, 10), 1, 1000) : 1;
}

static gint64 made_ms(const json_t *m) {
  return ferry_rfc3339_parse(ferry_json_str(m, "metadata.creationTimestamp"));
}

static gint64 ended_ms(const json_t *m) {
  gint64 end = ferry_rfc3339_parse(ferry_json_str(m, "status.migrationState.endTimestamp"));
  return end < 0 ? made_ms(m) : end;
}

static char *vm_key(const char *ns, const char *name) {
  return g_strconcat(ns ? ns : "", "/", name, NULL);
}

/* Lists of borrowed migrations by their VM: looking through all of them for each VM would take time
 * that grows with the square of a host. */
static GHashTable *index_by_vm(const GPtrArray *all) {
  GHashTable *index =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  for (guint i = 0; i < all->len; i++) {
    json_t *m = g_ptr_array_index(all, i);
    char *key = vm_key(ferry_json_str(m, "metadata.namespace"), ferry_json_str(m, "spec.vmiName"));
    GPtrArray *list = g_hash_table_lookup(index, key);
    if (!list)
      g_hash_table_insert(index, g_strdup(key), list = g_ptr_array_new());
    g_ptr_array_add(list, m);
    g_free(key);
  }
  return index;
}

static const GPtrArray *of_vm(GHashTable *by_vm, const json_t *vmi) {
  g_autofree char *key =
      vm_key(ferry_json_str(vmi, "metadata.namespace"), ferry_json_str(vmi, "metadata.name"));
  return g_hash_table_lookup(by_vm, key);
}

/* The VM's migration that is under way, whoever asked for it. Borrowed. */
static const json_t *active_of(GHashTable *by_vm, const json_t *vmi) {
  const GPtrArray *all = of_vm(by_vm, vmi);
  for (guint i = 0; all && i < all->len; i++)
    if (!ferry_migration_is_final(g_ptr_array_index(all, i)) &&
        !ferry_migration_is_forecast(g_ptr_array_index(all, i)) &&
        !ferry_migration_is_put_off(g_ptr_array_index(all, i)))
      return g_ptr_array_index(all, i);
  return NULL;
}

/* The newest that was to move the VM off the node, made after `since_ms`; NULL: none. New
 * reference.
 */
static json_t *newest_of(FerryStore *store, const json_t *vmi, const char *node, gint64 since_ms) {
  g_autofree char *key =
      vm_key(ferry_json_str(vmi, "metadata.namespace"), ferry_json_str(vmi, "metadata.name"));
  g_autoptr(GPtrArray) all = ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_VM, key);
  json_t *best = NULL;
  for (guint i = 0; i < all->len; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (g_strcmp0(ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION), node) != 0 ||
        made_ms(m) < since_ms)
      continue;
    if (!best || made_ms(m) > made_ms(best) ||
        (made_ms(m) == made_ms(best) && attempt_of(m) > attempt_of(best)))
      best = m;
  }
  return json_incref(best);
}

/* When a failed one is tried again; 0: not any more. `tries` < 0: however often it takes. */
static gint64 retry_ms(const json_t *m, int tries) {
  int n = attempt_of(m);
  gboolean meant = ferry_reason_is(m, FERRY_REASON_CANCELLED) && !ferry_evacuation_has_cancelled(m);
  if ((tries >= 0 && n >= tries) || meant)
    return 0;
  gint64 wait =
      MIN((gint64)FERRY_EVACUATION_BACKOFF_MS << MIN(n - 1, 20), FERRY_EVACUATION_MAX_BACKOFF_MS);
  return ended_ms(m) + wait;
}

/* `salt` makes the name this evacuation's own. The trace of `cause` goes on in it. */
static char *plan_migration(FerryPlan *plan, const json_t *vmi, const char *node, int attempt,
                            const char *salt, const json_t *cause, gint64 now_ms) {
  json_t *m = ferry_evacuation_migration(vmi, node, attempt);
  json_t *meta = json_object_get(m, "metadata");
  g_autofree char *text = g_strconcat(salt, "/", ferry_json_str(vmi, "metadata.uid"), NULL);
  g_autofree char *hash = ferry_sha256_hex(text, strlen(text));
  char *name = g_strdup_printf("%s%.8s-%d", ferry_json_str(meta, "generateName"), hash, attempt);
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  g_autofree char *uid = ferry_random_uuid();
  const char *vm = ferry_json_str(vmi, "metadata.name");
  g_autofree char *trace = g_strdup(ferry_object_trace(cause));
  if (!trace)
    trace = ferry_trace_new();
  if (!json_object_get(meta, "annotations"))
    json_object_set_new(meta, "annotations", json_object());
  json_object_set_new(json_object_get(meta, "annotations"), FERRY_TRACE_ANNOTATION,
                      json_string(trace));
  json_object_del(meta, "generateName");
  json_object_set_new(meta, "name", json_string(name));
  json_object_set_new(meta, "uid", json_string(uid));
  json_object_set_new(meta, "creationTimestamp", json_string(now));
  json_object_set_new(meta, "generation", json_integer(1));
  json_object_set_new(meta, "finalizers", json_pack("[s]", FERRY_MIGRATION_FINALIZER));
  if (strlen(vm) <= 63)
    json_object_set_new(meta, "labels", json_pack("{s:s}", FERRY_VMI_NAME_LABEL, vm));
  json_object_set_new(m, "status", ferry_migration_status_new(now));
  ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_vmim, m, FALSE);
  return name;
}

/* ---- one VM ---- */

static json_t *evacuation_describe(const json_t *vmi, FerryPhase phase, const char *migration,
                                   const char *message) {
  return json_pack("{s:O, s:O, s:s, s:s*, s:s*}", "name", ferry_json_get(vmi, "metadata.name"),
                   "namespace", ferry_json_get(vmi, "metadata.namespace"), "phase",
                   ferry_phase_name(phase), "migration", migration, "message", message);
}

static GHashTable *index_entries(const json_t *vms) {
  GHashTable *entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)vms, i, entry) g_hash_table_insert(
      entries, vm_key(ferry_json_str(entry, "namespace"), ferry_json_str(entry, "name")), entry);
  return entries;
}

/* Whether nothing is known yet that would keep it here. A VM that waits for its turn is judged
 * then; one that was judged so before stays so until it no longer is. */
static gboolean is_due(const EvacuationStep *s, const json_t *vmi) {
  if (s->outstanding < FERRY_EVACUATION_AHEAD)
    return TRUE;
  g_autofree char *key =
      vm_key(ferry_json_str(vmi, "metadata.namespace"), ferry_json_str(vmi, "metadata.name"));
  const json_t *entry = g_hash_table_lookup(s->before, key);
  return ferry_phase_parse(ferry_json_str(entry, "phase")) == FERRY_PHASE_FAILED;
}

static json_t *evacuation_begin(EvacuationStep *s, const json_t *vmi, int attempt,
                                const char *salt) {
  if (s->outstanding >= FERRY_EVACUATION_AHEAD)
    return evacuation_describe(vmi, FERRY_PHASE_QUEUED, NULL, NULL);
  s->outstanding++;
  g_autofree char *name =
      plan_migration(s->plan, vmi, s->node, attempt, salt, s->evacuation, s->now_ms);
  return evacuation_describe(vmi, FERRY_PHASE_PENDING, name, NULL);
}

static json_t *evacuation_failed(EvacuationStep *s, const json_t *vmi, const char *migration,
                                 const char *message) {
  s->failed++;
  return evacuation_describe(vmi, FERRY_PHASE_FAILED, migration, message);
}

/* The state of a VM that is still there, and what is due for it. Where it is comes from its hosts'
 * reports, which may be a moment behind its migration's end: only later has it come back. */
static json_t *step_vm(EvacuationStep *s, const json_t *vmi, const char *salt) {
  const json_t *active = active_of(s->by_vm, vmi);
  if (active) {
    const char *waits = ferry_json_str(active, "status.queue.message");
    return evacuation_describe(vmi, MAX(ferry_phase_of(active), FERRY_PHASE_PENDING),
                               ferry_json_str(active, "metadata.name"),
                               waits ? waits : ferry_json_str(active, "status.message"));
  }
  gboolean due = is_due(s, vmi), external = FALSE;
  g_autofree char *held =
      due ? ferry_evacuation_check_strategy(s->check, vmi, s->node, &external) : NULL;
  if (held)
    return external ? evacuation_describe(vmi, FERRY_PHASE_PENDING, NULL, held)
                    : evacuation_failed(s, vmi, NULL, held);
  g_autofree char *why = due ? ferry_evacuation_check_vm(s->check, vmi, s->node) : NULL;
  if (why)
    return evacuation_failed(s, vmi, NULL, why);
  g_autoptr(json_t) last = newest_of(s->store, vmi, s->node, s->since_ms);
  const char *name = ferry_json_str(last, "metadata.name");
  if (ferry_phase_of(last) == FERRY_PHASE_SUCCEEDED &&
      s->now_ms < ended_ms(last) + FERRY_EVACUATION_ARRIVAL_MS) {
    ferry_plan_wake(s->plan, ended_ms(last) + FERRY_EVACUATION_ARRIVAL_MS);
    return evacuation_describe(vmi, FERRY_PHASE_RUNNING, name,
                               "it has moved; its hosts have not told of it yet");
  }
  if (!last || ferry_phase_of(last) != FERRY_PHASE_FAILED)
    return evacuation_begin(s, vmi, last ? attempt_of(last) + 1 : 1, salt);
  const char *message = ferry_json_str(last, "status.message");
  gint64 when = retry_ms(last, FERRY_EVACUATION_TRIES);
  if (when == 0)
    return evacuation_failed(s, vmi, name, message);
  if (s->now_ms >= when)
    return evacuation_begin(s, vmi, attempt_of(last) + 1, salt);
  ferry_plan_wake(s->plan, when);
  g_autofree char *at = ferry_rfc3339_format(when);
  g_autofree char *text =
      g_strdup_printf("try %d of %d failed, the next is at %s: %s", attempt_of(last),
                      FERRY_EVACUATION_TRIES, at, message ? message : "no reason is known");
  return evacuation_describe(vmi, FERRY_PHASE_RETRYING, name, text);
}

/* A VM that was there when the evacuation saw it first and is not any more. */
static json_t *step_left(EvacuationStep *s, const json_t *entry) {
  g_autoptr(json_t) vmi = ferry_store_get(
      s->store, &ferry_kind_vmi, ferry_json_str(entry, "namespace"), ferry_json_str(entry, "name"));
  const char *where = ferry_json_str(vmi, "status.nodeName");
  json_t *now = json_copy((json_t *)entry);
  gboolean runs = ferry_vmi_is_active(vmi);
  if (runs && active_of(s->by_vm, vmi)) {
    /* it runs over there, but its migration is not decided yet */
    s->total++;
    ferry_json_set_str(now, "phase", ferry_phase_name(FERRY_PHASE_RUNNING));
    json_object_set_new(now, "message", json_sprintf("it arrives on %s", where ? where : "?"));
  } else if (runs) {
    s->total++;
    s->moved++;
    ferry_json_set_str(now, "phase", ferry_phase_name(FERRY_PHASE_MOVED));
    json_object_set_new(now, "message", json_sprintf("it runs on %s", where ? where : "?"));
  } else {
    ferry_json_set_str(now, "phase", ferry_phase_name(FERRY_PHASE_STOPPED));
    json_object_set_new(now, "message", json_string("it does not run any more"));
  }
  return now;
}

static gboolean is_moving(const json_t *vmi, gpointer data) {
  const EvacuationStep *s = data;
  return active_of(s->by_vm, vmi) != NULL;
}

/* Domains that nothing moves. A VM that has just left may be told of for a moment yet, so they
 * count as what could not be moved only once they have been there for some time. */
static void step_strays(EvacuationStep *s, json_t *evacuation, const json_t *node,
                        const GPtrArray *vmis, json_t *vms) {
  guint n = ferry_evacuation_strays(node, vmis, is_moving, s, vms);
  s->total += n;
  if (n == 0) {
    ferry_condition_remove(evacuation, FERRY_CONDITION_OTHER_DOMAINS_ACTIVE);
    return;
  }
  g_autofree char *text =
      g_strdup_printf("%u domain%s active on %s that nothing moves: see status.vms", n,
                      n == 1 ? " is" : "s are", s->node);
  ferry_condition_set(evacuation, FERRY_CONDITION_OTHER_DOMAINS_ACTIVE, "True",
                      ferry_reason_name(FERRY_REASON_NOT_MOVABLE), text, s->now_ms);
  const json_t *c = ferry_condition_find(evacuation, FERRY_CONDITION_OTHER_DOMAINS_ACTIVE);
  gint64 when =
      ferry_rfc3339_parse(ferry_json_str(c, "lastTransitionTime")) + FERRY_EVACUATION_STRAYS_MS;
  if (s->now_ms >= when)
    s->failed += n;
  else
    ferry_plan_wake(s->plan, when);
}

static gboolean evacuation_has_left(const json_t *entry) {
  FerryPhase phase = ferry_phase_parse(ferry_json_str(entry, "phase"));
  return phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED;
}

/* Whether `vms` is what was told but for those that have left: that is no news by itself. */
static gboolean is_told(const json_t *vms, const json_t *before) {
  g_autoptr(json_t) rest = json_array();
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)before, i, entry) {
    if (!evacuation_has_left(entry))
      json_array_append(rest, entry);
  }
  return before && json_equal(rest, (json_t *)vms);
}

/* "namespace/name" of those that are to leave. */
static GHashTable *index_concerned(const GPtrArray *vmis, const char *node) {
  GHashTable *here = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < vmis->len; i++)
    if (ferry_evacuation_concerns(vmis->pdata[i], node))
      g_hash_table_add(here, vm_key(ferry_json_str(vmis->pdata[i], "metadata.namespace"),
                                    ferry_json_str(vmis->pdata[i], "metadata.name")));
  return here;
}

/* status.vms as it is now, in the order of namespace and name for those that are there. */
static json_t *step_vms(EvacuationStep *s, const GPtrArray *vmis, const json_t *before,
                        const char *salt) {
  json_t *out = json_array();
  gsize i;
  json_t *entry;
  for (guint k = 0; k < vmis->len; k++)
    if (ferry_evacuation_concerns(g_ptr_array_index(vmis, k), s->node) &&
        active_of(s->by_vm, vmis->pdata[k]))
      s->outstanding++;
  g_autoptr(GHashTable) here = index_concerned(vmis, s->node);
  json_array_foreach((json_t *)before, i, entry) {
    g_autofree char *key =
        vm_key(ferry_json_str(entry, "namespace"), ferry_json_str(entry, "name"));
    if (!ferry_evacuation_is_incoming(entry) && !ferry_evacuation_is_stray(entry) &&
        !evacuation_has_left(entry) && !g_hash_table_contains(here, key))
      json_array_append_new(out, step_left(s, entry));
  }
  for (guint k = 0; k < vmis->len; k++) {
    if (!ferry_evacuation_concerns(vmis->pdata[k], s->node))
      continue;
    s->total++;
    json_t *told = step_vm(s, vmis->pdata[k], salt);
    FerryPhase phase = ferry_phase_parse(ferry_json_str(told, "phase"));
    gint64 bytes = ferry_json_int(vmis->pdata[k], "status.guestMemoryBytes", 0);
    s->bytes.there += bytes;
    s->bytes.left += phase == FERRY_PHASE_FAILED ? 0 : bytes;
    if (phase == FERRY_PHASE_QUEUED)
      json_decref(told); /* one of those that remain */
    else
      json_array_append_new(out, told);
  }
  return out;
}

/* ---- the evacuation ---- */

static void evacuation_cordon(EvacuationStep *s, json_t *evacuation, const json_t *node) {
  if (ferry_condition_status(evacuation, FERRY_CONDITION_CORDONED))
    return; /* done once: who uncordons it meanwhile means it */
  if (ferry_object_annotation(evacuation, FERRY_DRAIN_TAINT_ANNOTATION))
    return; /* the taint keeps migrations away, and is all there is to take back */
  if (!ferry_json_bool(node, "spec.unschedulable", FALSE)) {
    json_t *copy = json_deep_copy(node);
    ferry_json_set_bool(copy, "spec.unschedulable", TRUE);
    ferry_plan_write(s->plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
    ferry_plan_event(s->plan, node, "Normal", ferry_reason_name(FERRY_REASON_NODE_NOT_SCHEDULABLE),
                     "cordoned for an evacuation", s->now_ms);
  }
  ferry_condition_set(evacuation, FERRY_CONDITION_CORDONED, "True",
                      ferry_reason_name(FERRY_REASON_EVACUATION),
                      "no migration goes to the node any more", s->now_ms);
}

static void evacuation_finish(EvacuationStep *s, json_t *evacuation, FerryPhase phase,
                              FerryReason reason, const char *message) {
  gboolean ok = phase == FERRY_PHASE_SUCCEEDED;
  ferry_json_set_str(evacuation, "status.phase", ferry_phase_name(phase));
  ferry_condition_set(evacuation, FERRY_CONDITION_COMPLETE, ok ? "True" : "False",
                      ferry_reason_name(reason), message, s->now_ms);
  ferry_plan_event(s->plan, evacuation, ok ? "Normal" : "Warning", ferry_reason_name(reason),
                   message, s->now_ms);
}

static void step_live(EvacuationStep *s, json_t *evacuation) {
  g_autoptr(json_t) node = ferry_store_get(s->store, &ferry_kind_node, "", s->node);
  if (!node) {
    g_autofree char *text = g_strdup_printf("there is no node %s", s->node);
    evacuation_finish(s, evacuation, FERRY_PHASE_FAILED, FERRY_REASON_NODE_NOT_FOUND, text);
    return;
  }
  evacuation_cordon(s, evacuation, node);
  const char *salt = ferry_json_str(evacuation, "metadata.uid");
  gint64 moved_before = ferry_json_int(evacuation, "status.moved", 0);
  g_autoptr(GPtrArray) vmis = ferry_store_select(s->store, &ferry_kind_vmi, FERRY_BY_NODE, s->node);
  json_t *before = ferry_json_get(evacuation, "status.vms");
  s->total = s->moved = (guint)moved_before;
  json_t *vms = step_vms(s, vmis, before, salt ? salt : s->node);
  step_strays(s, evacuation, node, vmis, vms);
  FerryIncoming in = ferry_evacuation_incoming(s->store, evacuation, vms, s->plan);
  gint64 cancelled = MAX(in.cancelled, ferry_json_int(evacuation, "status.cancelled", 0));
  guint remaining = s->total - s->moved - s->failed + in.on_way;
  if (is_told(vms, before))
    json_decref(vms);
  else
    ferry_json_set(evacuation, "status.vms", vms);
  ferry_json_set_int(evacuation, "status.total", s->total);
  ferry_json_set_int(evacuation, "status.moved", s->moved);
  ferry_json_set_int(evacuation, "status.failed", s->failed);
  ferry_json_set_int(evacuation, "status.remaining", remaining);
  if (cancelled > 0)
    ferry_json_set_int(evacuation, "status.cancelled", cancelled);
  g_autofree char *also =
      cancelled > 0 ? g_strdup_printf("; cancelled %" G_GINT64_FORMAT " migration%s to it",
                                      cancelled, cancelled == 1 ? "" : "s")
                    : g_strdup("");
  if (remaining > 0) {
    ferry_json_set_str(evacuation, "status.phase", ferry_phase_name(FERRY_PHASE_RUNNING));
    ferry_evacuation_progress(evacuation, moved_before, &s->bytes, s->now_ms, s->plan);
    return;
  }
  g_autofree char *outcome = ferry_evacuation_outcome(evacuation, s->now_ms);
  g_autofree char *text = g_strdup_printf("%u of %u VMs have moved off %s, %u could not%s%s",
                                          s->moved, s->total, s->node, s->failed, also, outcome);
  if (s->failed > 0)
    evacuation_finish(s, evacuation, FERRY_PHASE_FAILED, FERRY_REASON_VMS_REMAIN, text);
  else
    evacuation_finish(s, evacuation, FERRY_PHASE_SUCCEEDED, FERRY_REASON_EVACUATED, text);
}

/* What has not begun is cancelled; what moves goes on to its end. */
static void cancel_waiting(EvacuationStep *s, const json_t *evacuation) {
  g_autofree char *by =
      g_strdup_printf("the end of evacuation %s", ferry_json_str(evacuation, "metadata.name"));
  for (guint i = 0; i < s->live->len; i++) {
    const json_t *m = g_ptr_array_index(s->live, i);
    if (!ferry_phase_is_waiting(ferry_phase_of(m)) ||
        ferry_json_bool(m, "status.migrationState.abortRequested", FALSE) ||
        g_strcmp0(ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION), s->node) != 0 ||
        made_ms(m) < s->since_ms)
      continue;
    json_t *copy = json_deep_copy(m);
    ferry_json_set_bool(copy, "status.migrationState.abortRequested", TRUE);
    ferry_json_set_str(copy, "status.migrationState.abortRequestedBy", by);
    ferry_plan_write(s->plan, FERRY_WRITE_UPDATE, &ferry_kind_vmim, copy, FALSE);
  }
}

static void step_deleted(EvacuationStep *s, json_t *evacuation) {
  if (!ferry_object_drop_finalizer(evacuation, FERRY_EVACUATION_FINALIZER))
    return; /* others keep it */
  if (!ferry_evacuation_is_final(evacuation))
    cancel_waiting(s, evacuation);
  gboolean gone = json_array_size(ferry_json_get(evacuation, "metadata.finalizers")) == 0;
  ferry_plan_write(s->plan, gone ? FERRY_WRITE_DELETE : FERRY_WRITE_UPDATE, &ferry_kind_evacuation,
                   json_incref(evacuation), FALSE);
}

void ferry_evacuation_step(FerryStore *store, const json_t *evacuation, gint64 now_ms,
                           FerryPlan *plan) {
  gboolean deleted = ferry_json_get(evacuation, "metadata.deletionTimestamp") != NULL;
  if (!deleted && ferry_evacuation_is_final(evacuation))
    return;
  g_autoptr(json_t) copy = json_deep_copy(evacuation);
  g_autoptr(GPtrArray) live = ferry_relevant_migrations(store);
  g_autoptr(GHashTable) by_vm = index_by_vm(live);
  g_autoptr(GHashTable) before = index_entries(ferry_json_get(evacuation, "status.vms"));
  g_autoptr(FerryEvacuationCheck) check = deleted ? NULL : ferry_evacuation_check_new(store);
  const char *node = ferry_json_str(evacuation, "spec.nodeName");
  EvacuationStep s = {.store = store,
                      .node = node ? node : "",
                      .evacuation = evacuation,
                      .since_ms = made_ms(evacuation),
                      .now_ms = now_ms,
                      .live = live,
                      .by_vm = by_vm,
                      .before = before,
                      .check = check,
                      .plan = plan};
  if (deleted) {
    step_deleted(&s, copy);
    return;
  }
  step_live(&s, copy);
  if (!json_equal(copy, (json_t *)evacuation))
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, json_incref(copy), FALSE);
}

/* ---- evictions ---- */

static gboolean has_evacuation(FerryStore *store, const char *node) {
  g_autoptr(GPtrArray) all = ferry_store_select(store, &ferry_kind_evacuation, FERRY_BY_NODE, node);
  for (guint i = 0; i < all->len; i++)
    if (!ferry_evacuation_is_final(g_ptr_array_index(all, i)))
      return TRUE;
  return FALSE;
}

static gboolean is_newest(FerryStore *store, const json_t *vmi, const char *node, const json_t *m) {
  g_autoptr(json_t) newest = newest_of(store, vmi, node, 0);
  return g_strcmp0(ferry_json_str(newest, "metadata.uid"), ferry_json_str(m, "metadata.uid")) == 0;
}

static gboolean is_cordoned(FerryStore *store, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(store, &ferry_kind_node, "", node);
  return ferry_json_bool(object, "spec.unschedulable", FALSE);
}

void ferry_eviction_step(FerryStore *store, gint64 now_ms, FerryPlan *plan) {
  g_autoptr(GPtrArray) failed = ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_EVICTED, "");
  if (failed->len == 0)
    return;
  g_autoptr(GPtrArray) live = ferry_relevant_migrations(store);
  g_autoptr(GHashTable) by_vm = index_by_vm(live);
  for (guint i = 0; i < failed->len; i++) {
    const json_t *m = g_ptr_array_index(failed, i);
    const char *node = ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION);
    gint64 when = retry_ms(m, -1); /* who evicted waits until it has left, and does not ask again */
    if (!when)
      continue;
    g_autoptr(json_t) vmi =
        ferry_store_get(store, &ferry_kind_vmi, ferry_json_str(m, "metadata.namespace"),
                        ferry_json_str(m, "spec.vmiName"));
    if (!vmi || !ferry_evacuation_concerns(vmi, node) || active_of(by_vm, vmi) ||
        !is_newest(store, vmi, node, m) || !is_cordoned(store, node) || has_evacuation(store, node))
      continue;
    if (now_ms < when) {
      ferry_plan_wake(plan, when);
      continue;
    }
    g_free(plan_migration(plan, vmi, node, attempt_of(m) + 1, ferry_json_str(m, "metadata.uid"), m,
                          now_ms));
  }
}
