// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a host's state is the phase of its entry in status.hosts and nothing else,
// so a ferryd that died goes on where it was. The first row whose phase and guard fit is carried
// out, one row a step. What is looked at each time is the store: whether VMs run there, what its
// Evacuation says, whether it is cordoned, and, once somebody has said that it is done, what its
// agent has reported since. A host on which a VM runs is never taken for empty, whatever its
// Evacuation said before, and its `done` does not count any more.
#include "control/rollout/rollout_host.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "base/trace.h"
#include "control/evacuation/evacuation.h"
#include "control/evacuation/evacuation_strays.h"
#include "control/node.h"
#include "model/field/object_meta.h"
#include "model/migration/condition.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration_log.h"
#include "model/migration/reasons.h"
#include "policy/placement.h"

#include <string.h>

/* What a row looks at and works on. */
typedef struct {
  const FerryRolloutStep *s;
  json_t *entry;
  const char *name;
  json_t *node, *evacuation; /* NULL: there is none */
  guint vms;
} HostStep;

/* ---- what is there ---- */

/* Whoever works on the host ends a copy that still runs there, wherever its migration stands. */
static gboolean counts_anyway(const json_t *vmi, gpointer unused) {
  return FALSE;
}

guint ferry_rollout_host_vms(FerryStore *store, const char *node) {
  g_autoptr(GPtrArray) vmis = ferry_store_select(store, &ferry_kind_vmi, FERRY_BY_NODE, node);
  g_autoptr(json_t) object = ferry_store_get(store, &ferry_kind_node, "", node);
  g_autoptr(json_t) strays = json_array();
  guint n = object ? ferry_evacuation_strays(object, vmis, counts_anyway, NULL, strays) : 0;
  for (guint i = 0; i < vmis->len; i++)
    n += ferry_evacuation_concerns(vmis->pdata[i], node);
  return n;
}

static gboolean is_being_deleted(const json_t *object) {
  return ferry_json_get(object, "metadata.deletionTimestamp") != NULL;
}

/* That of the entry; one that is going away no longer counts. New reference. */
static json_t *evacuation_of(FerryStore *store, const json_t *entry) {
  const char *name = ferry_json_str(entry, "evacuation");
  json_t *found = name ? ferry_store_get(store, &ferry_kind_evacuation, "", name) : NULL;
  if (is_being_deleted(found))
    g_clear_pointer(&found, json_decref);
  return found;
}

static HostStep host_step_new(const FerryRolloutStep *s, json_t *entry) {
  const char *name = ferry_json_str(entry, "nodeName");
  return (HostStep){.s = s,
                    .entry = entry,
                    .name = name,
                    .node = ferry_store_get(s->store, &ferry_kind_node, "", name),
                    .evacuation = evacuation_of(s->store, entry),
                    .vms = ferry_rollout_host_vms(s->store, name)};
}

static void host_step_clear(HostStep *h) {
  json_decref(h->node);
  json_decref(h->evacuation);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HostStep, host_step_clear)

/* What keeps the host from being empty, all of it, as its Evacuation says; `stays` gets whether
 * some of it does not go away by itself. Free with g_free; NULL: nothing is known. */
static char *what_stays(const json_t *evacuation, gboolean *stays) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *vm;
  *stays = FALSE;
  json_array_foreach(ferry_json_get(evacuation, "status.vms"), i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    const char *message = ferry_json_str(vm, "message"), *name = ferry_json_str(vm, "name");
    gboolean kept = phase == FERRY_PHASE_FAILED || phase == FERRY_PHASE_ON_TWO_HOSTS ||
                    phase == FERRY_PHASE_INVALID_DOMAIN;
    if (!message || phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED)
      continue;
    *stays |= kept;
    g_string_append_printf(text, "%s%s (%s): %s", text->len ? "; " : "", name ? name : "?",
                           ferry_json_str(vm, "phase"), message);
  }
  return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* ---- what is written ---- */

static void host_say(HostStep *h, const char *message) {
  if (message)
    ferry_json_set(h->entry, "message", ferry_json_text(message));
  else
    json_object_del(h->entry, "message");
}

static void host_enter(HostStep *h, FerryPhase phase, const char *message) {
  g_autofree char *now = ferry_rfc3339_format_ms(h->s->now_ms);
  ferry_json_set_str(h->entry, "phase", ferry_phase_name(phase));
  ferry_json_set_str(h->entry, "since", now);
  host_say(h, message);
}

/* The node's taints with or without that of hosts that wait for their turn; `changed` gets whether
 * that is another list. New reference. */
static json_t *taints_with(const json_t *node, gboolean avoid, gboolean *changed) {
  json_t *out = json_array(), *taint;
  gsize i;
  gboolean had = FALSE;
  json_array_foreach(ferry_json_get(node, "spec.taints"), i, taint) {
    if (g_strcmp0(ferry_json_str(taint, "key"), FERRY_ROLLOUT_TAINT) != 0)
      json_array_append(out, taint);
    else
      had = TRUE;
  }
  if (avoid)
    json_array_append_new(
        out, json_pack("{ss,ss}", "key", FERRY_ROLLOUT_TAINT, "effect", "PreferNoSchedule"));
  *changed = had != avoid;
  return out;
}

gboolean ferry_rollout_host_avoid(const FerryRolloutStep *s, const char *name, gboolean avoid) {
  g_autoptr(json_t) node = ferry_store_get(s->store, &ferry_kind_node, "", name);
  gboolean changed = FALSE;
  g_autoptr(json_t) taints = taints_with(node, avoid, &changed);
  if (!node || !changed)
    return FALSE;
  json_t *copy = json_deep_copy(node);
  ferry_json_set(copy, "spec.taints", json_incref(taints));
  ferry_plan_write(s->plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  return TRUE;
}

/* Cordoned or open; the taint of hosts that wait for their turn goes either way. */
static void set_node(HostStep *h, gboolean cordoned) {
  gboolean changed = FALSE;
  g_autoptr(json_t) taints = taints_with(h->node, FALSE, &changed);
  if (!changed && ferry_json_bool(h->node, "spec.unschedulable", FALSE) == cordoned)
    return;
  json_t *copy = json_deep_copy(h->node);
  ferry_json_set(copy, "spec.taints", json_incref(taints));
  if (cordoned)
    ferry_json_set_bool(copy, "spec.unschedulable", TRUE);
  else
    json_object_del(json_object_get(copy, "spec"), "unschedulable");
  ferry_plan_write(h->s->plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
}

static gboolean is_made_by(const FerryRolloutStep *s, const json_t *evacuation) {
  return g_strcmp0(ferry_object_annotation(evacuation, FERRY_ROLLOUT_ANNOTATION), s->name) == 0;
}

void ferry_rollout_host_end_evacuation(const FerryRolloutStep *s, const json_t *entry) {
  g_autoptr(json_t) evacuation = evacuation_of(s->store, entry);
  if (!evacuation || !is_made_by(s, evacuation))
    return;
  g_autofree char *now = ferry_rfc3339_format(s->now_ms);
  json_t *copy = json_deep_copy(evacuation);
  ferry_json_set_str(copy, "metadata.deletionTimestamp", now);
  ferry_plan_write(s->plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, copy, FALSE);
}

/* The name of a new Evacuation of the node. Free with g_free. */
static char *make_evacuation(HostStep *h) {
  g_autofree char *suffix = ferry_random_hex(4);
  char *name = g_strdup_printf("rollout-%.200s-%s", h->name, suffix);
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(h->s->now_ms);
  g_autofree char *trace = g_strdup(ferry_object_trace(h->s->rollout));
  if (!trace)
    trace = ferry_trace_new();
  ferry_plan_write(h->s->plan, FERRY_WRITE_CREATE, &ferry_kind_evacuation,
                   json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:[s], s:{s:s, s:s}}, s:{s:s}, "
                             "s:{s:s}}",
                             "apiVersion", "ferry.migration/v1", "kind", ferry_kind_evacuation.kind,
                             "metadata", "name", name, "uid", uid, "creationTimestamp", now,
                             "generation", 1, "finalizers", FERRY_EVACUATION_FINALIZER,
                             "annotations", FERRY_ROLLOUT_ANNOTATION, h->s->name,
                             FERRY_TRACE_ANNOTATION, trace, "spec", "nodeName", h->name, "status",
                             "phase", ferry_phase_name(FERRY_PHASE_PENDING)),
                   FALSE);
  return name;
}

/* Somebody else's that is under way; borrowed from `all`. */
static const json_t *evacuation_under_way(const GPtrArray *all) {
  for (guint i = 0; i < all->len; i++)
    if (!ferry_evacuation_is_final(all->pdata[i]) && !is_being_deleted(all->pdata[i]))
      return all->pdata[i];
  return NULL;
}

/* ---- guards: one a row of the table ---- */

static gboolean guard_gone(const HostStep *h) {
  return !h->node;
}

static gboolean guard_paused(const HostStep *h) {
  return h->s->paused;
}

static gboolean guard_resumed(const HostStep *h) {
  return !h->s->paused;
}

static gboolean host_is_cordoned(const HostStep *h) {
  return ferry_json_bool(h->node, "spec.unschedulable", FALSE);
}

static gboolean guard_emptied(const HostStep *h) {
  return h->vms == 0 && host_is_cordoned(h) && h->evacuation &&
         ferry_phase_of(h->evacuation) == FERRY_PHASE_SUCCEEDED;
}

static gboolean guard_blocked(const HostStep *h) {
  gboolean stays;
  g_autofree char *why = what_stays(h->evacuation, &stays);
  return !h->evacuation || ferry_evacuation_is_final(h->evacuation) || stays;
}

static gboolean guard_unblocked(const HostStep *h) {
  return !guard_blocked(h);
}

/* It may be empty, or nobody moves anything there any more: another try tells. */
static gboolean guard_again(const HostStep *h) {
  gint64 since = ferry_rfc3339_parse(ferry_json_str(h->entry, "since"));
  if (h->evacuation && !ferry_evacuation_is_final(h->evacuation))
    return FALSE;
  if (h->vms == 0 || h->s->now_ms >= since + FERRY_ROLLOUT_AGAIN_MS)
    return TRUE;
  ferry_plan_wake(h->s->plan, since + FERRY_ROLLOUT_AGAIN_MS);
  return FALSE;
}

static gboolean guard_occupied(const HostStep *h) {
  return h->vms > 0 || !host_is_cordoned(h);
}

static gboolean guard_said(const HostStep *h) {
  return ferry_json_str(h->entry, "doneAt") != NULL;
}

/* Its agent has told of it since, and libvirtd answers. */
static gboolean guard_back(const HostStep *h) {
  gint64 done = ferry_rfc3339_parse(ferry_json_str(h->entry, "doneAt"));
  return ferry_json_str(h->node, "status.agent.lastReportTime") && ferry_node_is_ready(h->node) &&
         ferry_node_was_heard(h->node, done + FERRY_ROLLOUT_SETTLE_MS, h->s->now_ms);
}

/* ---- actions ---- */

static void act_gone(HostStep *h) {
  ferry_rollout_host_end_evacuation(h->s, h->entry);
  host_enter(h, FERRY_PHASE_FAILED, "there is no such node any more");
}

static void act_empty(HostStep *h) {
  g_autoptr(GPtrArray) all =
      ferry_store_select(h->s->store, &ferry_kind_evacuation, FERRY_BY_NODE, h->name);
  const json_t *other = evacuation_under_way(all);
  ferry_rollout_host_end_evacuation(h->s, other ? NULL : h->entry);
  g_autofree char *name =
      other ? g_strdup(ferry_json_str(other, "metadata.name")) : make_evacuation(h);
  set_node(h, TRUE);
  json_object_del(h->entry, "doneAt");
  json_object_del(h->entry, "doneBy");
  ferry_json_set_str(h->entry, "evacuation", name);
  g_autofree char *text = g_strdup_printf("%u VMs run there", h->vms);
  host_enter(h, FERRY_PHASE_EMPTYING, text);
}

static void act_pause(HostStep *h) {
  ferry_rollout_host_end_evacuation(h->s, h->entry);
  json_object_del(h->entry, "evacuation");
  host_enter(
      h, FERRY_PHASE_PAUSED,
      "stopped while it is emptied: it stays cordoned; what moves goes on, what waited does not");
}

static void act_emptied(HostStep *h) {
  g_autofree char *text = g_strdup_printf(
      "no VM runs there: do what is to be done, then: ferry rollout done %s", h->name);
  host_enter(h, FERRY_PHASE_EMPTY, text);
  ferry_plan_event(h->s->plan, h->node, "Normal", ferry_reason_name(FERRY_REASON_HOST_EMPTY), text,
                   h->s->now_ms);
}

/* What its Evacuation tells now. */
static void act_tell(HostStep *h) {
  gboolean stays;
  g_autofree char *why = what_stays(h->evacuation, &stays);
  g_autofree char *text = why ? g_steal_pointer(&why) : g_strdup_printf("%u VMs run there", h->vms);
  host_say(h, text);
}

static void act_block(HostStep *h) {
  gboolean stays;
  g_autofree char *why = what_stays(h->evacuation, &stays);
  host_enter(
      h, FERRY_PHASE_BLOCKED,
      why ? why
      : h->evacuation
          ? ferry_json_str(ferry_condition_find(h->evacuation, FERRY_CONDITION_COMPLETE), "message")
          : "its Evacuation was deleted before it was empty");
}

static void act_tell_blocked(HostStep *h) {
  if (h->evacuation)
    act_tell(h);
}

static void act_verify(HostStep *h) {
  g_autofree char *text =
      g_strdup_printf("%s said that it is done; its agent has not reported since",
                      ferry_json_str(h->entry, "doneBy"));
  host_enter(h, FERRY_PHASE_VERIFYING, text);
}

static void act_tell_verifying(HostStep *h) {
  const json_t *ready = ferry_condition_find(h->node, FERRY_CONDITION_READY);
  const char *why = ferry_json_str(ready, "message");
  g_autofree char *text = g_strdup_printf(
      "%s said that it is done; %s", ferry_json_str(h->entry, "doneBy"),
      ferry_node_is_ready(h->node) ? "it waits for its agent's next report on libvirtd"
      : why                        ? why
                                   : "it is not ready");
  host_say(h, text);
}

static void act_open(HostStep *h) {
  gboolean was = ferry_json_bool(h->entry, "wasCordoned", FALSE);
  ferry_rollout_host_end_evacuation(h->s, h->entry);
  set_node(h, was);
  json_object_del(h->entry, "avoided");
  const char *text = was ? "done; it stays cordoned, as it was before" : "done; it takes VMs again";
  if (!was)
    ferry_plan_event(h->s->plan, h->node, "Normal",
                     ferry_reason_name(FERRY_REASON_NODE_SCHEDULABLE), text, h->s->now_ms);
  host_enter(h, FERRY_PHASE_SUCCEEDED, text);
}

/* ---- the table ---- */

typedef struct {
  FerryPhase phase;
  gboolean (*guard)(const HostStep *h); /* NULL: always */
  void (*act)(HostStep *h);
} HostRow;

static const HostRow rollout_host_rows[] = {
    {FERRY_PHASE_EMPTYING, guard_gone, act_gone},
    {FERRY_PHASE_EMPTYING, guard_emptied, act_emptied},
    {FERRY_PHASE_EMPTYING, guard_paused, act_pause},
    {FERRY_PHASE_EMPTYING, guard_blocked, act_block},
    {FERRY_PHASE_EMPTYING, NULL, act_tell},
    {FERRY_PHASE_BLOCKED, guard_gone, act_gone},
    {FERRY_PHASE_BLOCKED, guard_emptied, act_emptied},
    {FERRY_PHASE_BLOCKED, guard_paused, act_pause},
    {FERRY_PHASE_BLOCKED, guard_unblocked, act_empty},
    {FERRY_PHASE_BLOCKED, guard_again, act_empty},
    {FERRY_PHASE_BLOCKED, NULL, act_tell_blocked},
    {FERRY_PHASE_PAUSED, guard_gone, act_gone},
    {FERRY_PHASE_PAUSED, guard_resumed, act_empty},
    {FERRY_PHASE_EMPTY, guard_gone, act_gone},
    {FERRY_PHASE_EMPTY, guard_occupied, act_empty},
    {FERRY_PHASE_EMPTY, guard_said, act_verify},
    {FERRY_PHASE_VERIFYING, guard_gone, act_gone},
    {FERRY_PHASE_VERIFYING, guard_occupied, act_empty},
    {FERRY_PHASE_VERIFYING, guard_back, act_open},
    {FERRY_PHASE_VERIFYING, NULL, act_tell_verifying},
};

void ferry_rollout_host_step(const FerryRolloutStep *s, json_t *entry) {
  g_auto(HostStep) h = host_step_new(s, entry);
  FerryPhase phase = ferry_phase_parse(ferry_json_str(entry, "phase"));
  for (gsize i = 0; i < G_N_ELEMENTS(rollout_host_rows); i++)
    if (rollout_host_rows[i].phase == phase &&
        (!rollout_host_rows[i].guard || rollout_host_rows[i].guard(&h))) {
      rollout_host_rows[i].act(&h);
      return;
    }
}

void ferry_rollout_host_begin(const FerryRolloutStep *s, json_t *entry) {
  g_auto(HostStep) h = host_step_new(s, entry);
  if (!h.node) {
    act_gone(&h);
    return;
  }
  if (host_is_cordoned(&h))
    ferry_json_set_bool(entry, "wasCordoned", TRUE);
  act_empty(&h);
}
