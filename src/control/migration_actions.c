// SPDX-License-Identifier: Apache-2.0
// Guards and actions of a migration until its source's agent takes it over: the rows of the table
// in migration.c name them. A guard only looks and answers; an action puts what is to be written
// into the step's plan. Placement reads every node once a step, and what it refused is kept in
// status.refusals, so that a migration that waits says why. In Scheduled all that the agent needs
// is written at once.
#include "base/rfc3339.h"
#include "model/migration/reasons.h"
#include "control/migration_timeouts.h"
#include "control/relevant.h"
#include "control/migration_actions.h"
#include "control/migration_step.h"
#include "control/node.h"
#include "model/flags/migration_flags.h"
#include "model/domain/domain_states.h"
#include "model/migration/peer_uri.h"
#include "policy/facts.h"
#include "policy/freeze.h"
#include "policy/flags/migration_flags_rules.h"
#include "policy/network/data_way.h"
#include "policy/choice.h"
#include "model/migration/condition.h"

gboolean ferry_step_guard_cancelled(FerryStep *s) {
  return ferry_step_cancel_requested(s);
}

void ferry_step_act_cancelled(FerryStep *s) {
  const char *by = ferry_json_str(s->m, "status.migrationState.abortRequestedBy");
  ferry_step_set(s, "status.migrationState.abortStatus",
                 json_string(ferry_abort_name(FERRY_ABORT_SUCCEEDED)));
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_CANCELLED),
                  "cancelled%s%s before it began; the VM was not touched", by ? " by " : "",
                  by ? by : "");
}

gboolean ferry_step_guard_vm_gone(FerryStep *s) {
  return s->vmi == NULL;
}

void ferry_step_act_vm_gone(FerryStep *s) {
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_VM_NOT_FOUND),
                  "VM %s is not on any host any more", ferry_json_str(s->m, "spec.vmiName"));
}

/* The host that the VM leaves: the one that has it; when a failed post-copy migration is resumed
 * both have it, and the one that was left is paused. */
static const char *migration_actions_leaves(const FerryStep *s) {
  const json_t *domain;
  gsize i;
  if (ferry_json_bool(s->m, "spec.postCopyResume", FALSE))
    json_array_foreach(ferry_json_get(s->vmi, "status.domains"), i, domain) {
      if (ferry_vm_state_of(domain, "state") == FERRY_VM_PAUSED &&
          g_strcmp0(ferry_json_str(domain, "reason"), FERRY_VM_REASON_POST_COPY_FAILED) == 0)
        return ferry_json_str(domain, "nodeName");
    }
  return ferry_json_str(s->vmi, "status.nodeName");
}

gboolean ferry_step_guard_vm_off(FerryStep *s) {
  gint64 not_before = ferry_rfc3339_parse(ferry_json_str(s->m, "spec.notBefore"));
  if (ferry_json_bool(s->m, "spec.offline", FALSE) || not_before > s->now_ms)
    return FALSE; /* it may be started again until then */
  return !ferry_vmi_is_active(s->vmi);
}

void ferry_step_act_vm_off(FerryStep *s) {
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_VM_NOT_RUNNING),
                  "VM %s does not run any more (%s)", ferry_json_str(s->m, "spec.vmiName"),
                  ferry_phase_of(s->vmi) == FERRY_PHASE_UNKNOWN
                      ? "no host has it"
                      : ferry_json_str(s->vmi, "status.phase"));
}

void ferry_step_act_begin(FerryStep *s) {
  ferry_step_set(s, "status.migrationState.migrationUid",
                 json_incref(ferry_json_get(s->m, "metadata.uid")));
  const char *source = migration_actions_leaves(s);
  if (source)
    ferry_step_set(s, "status.migrationState.sourceNode", json_string(source));
}

/* An event each time it waits for something else. */
static void tell_waiting(FerryStep *s, const char *before, FerryReason reason,
                         const char *message) {
  const char *name = ferry_reason_name(reason);
  if (g_strcmp0(before, name) != 0)
    ferry_plan_event(s->plan, s->m, "Normal", name, message, s->now_ms);
}

static void actions_queue(FerryStep *s, guint position, FerryReason reason, const char *message) {
  const char *before = ferry_json_str(s->m, "status.queue.reason");
  gboolean same = g_strcmp0(before, ferry_reason_name(reason)) == 0;
  json_t *queue = json_pack("{si,ss,ss}", "position", (int)position, "reason",
                            ferry_reason_name(reason), "message", message);
  tell_waiting(s, before, reason, message);
  if (same) /* only its place is another one */
    ferry_step_set_light(s, "status.queue", queue);
  else
    ferry_step_set(s, "status.queue", queue);
}

/* What its host says is wrong with it, where it says so. Free with g_free. */
static char *not_ready_text(const FerryStep *s, const char *source) {
  const json_t *ready = ferry_condition_find(s->source, FERRY_CONDITION_READY);
  const char *said = ferry_json_str(ready, "message");
  if (said && *said)
    return g_strdup_printf("node %s, where the VM is, is not ready: %s", source, said);
  return g_strdup_printf("node %s, where the VM is, is not ready: its agent has to come back first",
                         source ? source : "(unknown)");
}

/* Why nothing new may start; NULL: it may. Free with g_free. */
static char *migration_actions_frozen(const FerryStep *s) {
  g_autoptr(json_t) kubevirt =
      ferry_store_get(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  return ferry_freeze_text(kubevirt);
}

gboolean ferry_step_guard_frozen(FerryStep *s) {
  g_autofree char *stop = migration_actions_frozen(s);
  return stop != NULL;
}

/* Until spec.notBefore it waits. A step later, so that all count it among those that wait. */
static gboolean actions_put_off(FerryStep *s) {
  const char *at = ferry_json_str(s->m, "spec.notBefore");
  gint64 when = ferry_rfc3339_parse(at);
  if (when > s->now_ms) {
    g_autofree char *text = g_strdup_printf("it begins at %s", at);
    actions_queue(s, 0, FERRY_REASON_NOT_YET, text);
    ferry_plan_wake(s->plan, when);
    return TRUE;
  }
  if (!ferry_migration_is_put_off(s->m))
    return FALSE;
  ferry_step_set(s, "status.queue", NULL);
  ferry_plan_wake(s->plan, s->now_ms);
  return TRUE;
}

gboolean ferry_step_guard_admitted(FerryStep *s) {
  if (actions_put_off(s))
    return FALSE;
  ferry_step_resolve_config(s);
  const char *uid = ferry_json_str(s->m, "metadata.uid");
  const char *source = migration_actions_leaves(s);
  g_autoptr(GPtrArray) all = ferry_relevant_migrations(s->store);
  g_autoptr(FerryLimits) limits =
      ferry_limits_new((json_t *const *)all->pdata, all->len, s->config);
  guint position = ferry_limits_position(limits, uid);
  if (source) /* those that wait behind it reckon with where it would leave from */
    ferry_step_set(s, "status.migrationState.sourceNode", json_string(source));
  g_autofree char *stop = migration_actions_frozen(s);
  if (stop) {
    actions_queue(s, position, FERRY_REASON_FROZEN, stop);
    return FALSE;
  }
  if (!source || !s->source || !ferry_node_is_ready(s->source)) {
    g_autofree char *text = not_ready_text(s, source);
    actions_queue(s, position, FERRY_REASON_SOURCE_NOT_READY, text);
    return FALSE;
  }
  const json_t *first = ferry_step_goes_first(s, all);
  if (first) {
    g_autofree char *text = g_strdup_printf("VM %s is being migrated already by %s",
                                            ferry_json_str(s->m, "spec.vmiName"),
                                            ferry_json_str(first, "metadata.name"));
    actions_queue(s, position, FERRY_REASON_ALREADY_MIGRATING, text);
    return FALSE;
  }
  g_autofree char *reason = NULL;
  if (!ferry_limits_admit(limits, uid, source, &reason)) {
    actions_queue(s, position, FERRY_REASON_LIMIT_REACHED, reason);
    return FALSE;
  }
  ferry_step_set(s, "status.queue", NULL);
  ferry_step_set(s, "status.migrationState.sourceNode", json_string(source));
  /* The API makes a migration as Pending, so that it may never have begun here. */
  ferry_step_set(s, "status.migrationState.migrationUid", json_string(uid));
  return TRUE;
}

typedef struct {
  GPtrArray *nodes, *networks, *vmis, *migrations;
  FerryLimits *limits;
  FerryPromises *promises;
  GPtrArray *others; /* NULL: no rule is about them */
  FerryAffinity *affinity;
  FerryPlacementInput in;
} Placement;

static void placement_init(Placement *p, FerryStep *s) {
  ferry_step_resolve_config(s);
  p->nodes = ferry_store_list(s->store, &ferry_kind_node, NULL, NULL);
  p->networks = ferry_store_list(s->store, &ferry_kind_network, NULL, NULL);
  p->migrations = ferry_relevant_migrations(s->store);
  p->vmis = ferry_relevant_vmis(s->store, s->vmi, ferry_json_str(s->config, "destinationName"),
                                p->migrations);
  p->limits =
      ferry_limits_new((json_t *const *)p->migrations->pdata, p->migrations->len, s->config);
  p->promises = ferry_promises_new((json_t *const *)p->migrations->pdata, p->migrations->len,
                                   (json_t *const *)p->vmis->pdata, p->vmis->len,
                                   ferry_json_str(s->m, "metadata.uid"));
  p->others = ferry_relevant_others(s->store, s->config, s->vmi);
  p->affinity = ferry_affinity_new(
      s->config, s->vmi, p->others ? (json_t *const *)p->others->pdata : NULL,
      p->others ? p->others->len : 0, (json_t *const *)p->migrations->pdata, p->migrations->len);
  ferry_affinity_take_nodes(p->affinity, (json_t *const *)p->nodes->pdata, p->nodes->len);
  p->in = (FerryPlacementInput){
      .vmi = s->vmi,
      .migration = s->m,
      .nodes = (json_t *const *)p->nodes->pdata,
      .n_nodes = p->nodes->len,
      .networks = (json_t *const *)p->networks->pdata,
      .n_networks = p->networks->len,
      .vmis = (json_t *const *)p->vmis->pdata,
      .n_vmis = p->vmis->len,
      .config = s->config,
      .limits = p->limits,
      .promises = p->promises,
      .affinity = p->affinity,
      .migrations = (json_t *const *)p->migrations->pdata,
      .n_migrations = p->migrations->len,
  };
}

static void placement_clear(Placement *p) {
  g_ptr_array_unref(p->nodes);
  g_ptr_array_unref(p->networks);
  g_ptr_array_unref(p->vmis);
  g_ptr_array_unref(p->migrations);
  ferry_limits_free(p->limits);
  ferry_promises_free(p->promises);
  ferry_affinity_free(p->affinity);
  g_clear_pointer(&p->others, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Placement, placement_clear)

gboolean ferry_step_has_target(FerryStep *s) {
  g_auto(Placement) p = {0};
  placement_init(&p, s);
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *target = ferry_placement_choose(&p.in, &refusals, &transient);
  json_decref(refusals);
  return target != NULL;
}

/* What the data go over; no address where libvirt is not told of one (tunnelled, a URI). */
static void put_route(FerryStep *s, const FerryRoute *route) {
  ferry_step_set(s, "status.migrationState.targetNodeAddress",
                 route->address ? json_string(route->address) : NULL);
  ferry_step_set(s, "status.migrationState.network",
                 route->network ? json_string(route->network) : NULL);
  /* so that the source's agent can tell whether its address is on that network, too */
  g_autoptr(json_t) network =
      route->network ? ferry_store_get(s->store, &ferry_kind_network, "", route->network) : NULL;
  json_t *subnets = ferry_json_get(network, "spec.subnets");
  if (subnets) {
    g_autofree char *origin = g_strconcat("Network/", route->network, NULL);
    json_object_set_new(s->config, "networkSubnets", json_deep_copy(subnets));
    json_object_set_new(s->origins, "networkSubnets", json_string(origin));
  }
  const char *interface = ferry_json_str(network, "spec.interface");
  if (interface) {
    g_autofree char *origin = g_strconcat("Network/", route->network, NULL);
    ferry_json_set_str(s->config, "networkInterface", interface);
    json_object_set_new(s->origins, "networkInterface", json_string(origin));
  }
  if (route->warning)
    ferry_plan_event(s->plan, s->m, "Warning", ferry_reason_name(FERRY_REASON_NETWORK_FALLBACK),
                     route->warning, s->now_ms);
}

/* All refusals in one text. Free with g_free. */
static char *refusals_text(const FerryStep *s) {
  g_autoptr(GString) text = g_string_new("no host can take the VM");
  gsize i, k;
  json_t *refusal, *reason;
  json_array_foreach(ferry_json_get(s->m, "status.refusals"), i, refusal) {
    g_string_append_printf(text, "%s %s: ", i ? ";" : ":", ferry_json_str(refusal, "nodeName"));
    json_array_foreach(json_object_get(refusal, "reasons"), k, reason)
        g_string_append_printf(text, "%s%s", k ? ", " : "", ferry_json_str(reason, "message"));
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* It waits in Scheduling, and says why. */
static gboolean wait_in_scheduling(FerryStep *s, FerryReason reason, const char *text) {
  tell_waiting(s, ferry_json_str(s->m, "status.reason"), reason, text);
  ferry_step_set(s, "status.reason", json_string(ferry_reason_name(reason)));
  ferry_step_set(s, "status.message", json_string(text));
  return FALSE;
}

/* Whether both hosts have told of their networks since it began to look for a place: each does so
 * at once when something changes, and looks anew before each sign of life. */
static gboolean both_were_heard(FerryStep *s, const json_t *target) {
  gint64 since = s->now_ms - ferry_step_phase_age(s);
  if (ferry_node_was_heard(s->source, since, s->now_ms) &&
      ferry_node_was_heard(target, since, s->now_ms))
    return TRUE;
  ferry_plan_wake(s->plan, s->now_ms + FERRY_NODE_MERGED_MS / 2);
  return FALSE;
}

/* Chooses a target and, where there is one, writes all that the agent needs. */
gboolean ferry_step_guard_placed(FerryStep *s) {
  g_autofree char *stop = migration_actions_frozen(s);
  if (stop)
    return wait_in_scheduling(s, FERRY_REASON_FROZEN, stop);
  g_auto(Placement) p = {0};
  placement_init(&p, s);
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *target = ferry_placement_choose(&p.in, &refusals, &transient);
  ferry_step_set(s, "status.refusals", refusals);
  if (!target) {
    g_autofree char *text = refusals_text(s);
    return wait_in_scheduling(s, transient ? FERRY_REASON_WAITING : FERRY_REASON_UNSCHEDULABLE,
                              text);
  }
  g_auto(FerryRoute) route = {0};
  g_autofree char *problem = NULL;
  const char *source = ferry_json_str(s->m, "status.migrationState.sourceNode");
  const char *name = ferry_json_str(target, "metadata.name");
  if (!s->source) {
    g_autofree char *text = not_ready_text(s, source);
    return wait_in_scheduling(s, FERRY_REASON_SOURCE_NOT_READY, text);
  }
  if (!ferry_data_way(p.in.networks, p.in.n_networks, s->config, s->source, target, &route,
                      &problem))
    return wait_in_scheduling(s, FERRY_REASON_WAITING, problem ? problem : "no network joins them");
  if (route.fell_back && !both_were_heard(s, target)) {
    g_autofree char *text = g_strdup_printf("hosts %s and %s are asked again before data goes past "
                                            "the network",
                                            source, name);
    return wait_in_scheduling(s, FERRY_REASON_WAITING, text);
  }
  g_autofree char *uri = ferry_peer_uri(ferry_peer_of_node(target), NULL);
  if (!uri) {
    g_autofree char *text = g_strdup_printf("the peer of node %s is not known yet", name);
    return wait_in_scheduling(s, FERRY_REASON_WAITING, text);
  }
  ferry_step_set(s, "status.reason", NULL);
  ferry_step_set(s, "status.message", NULL);
  ferry_step_set(s, "status.migrationState.vmiUID",
                 json_incref(ferry_json_get(s->vmi, "metadata.uid")));
  ferry_step_set(s, "status.migrationState.targetNode", json_string(name));
  ferry_step_set(s, "status.migrationState.targetURI", json_string(uri));
  ferry_step_set(s, "status.migrationState.domainName",
                 json_incref(ferry_json_get(s->vmi, "spec.domainName")));
  put_route(s, &route);
  return TRUE;
}

/* The target's address by which its link is known: one that a URI names is as good. */
static char *address_of_data(const FerryStep *s) {
  const char *text = ferry_json_str(s->config, "migrateURI");
  g_autoptr(GUri) uri = text ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;
  return g_strdup(uri ? g_uri_get_host(uri)
                      : ferry_json_str(s->m, "status.migrationState.targetNodeAddress"));
}

void ferry_step_act_place(FerryStep *s) {
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  const char *target_name = ferry_json_str(s->m, "status.migrationState.targetNode");
  g_autoptr(json_t) target = ferry_store_get(s->store, &ferry_kind_node, "", target_name);
  g_autofree char *address = address_of_data(s);
  ferry_migration_flags_complete(s->config, s->origins, s->vmi, s->source, target, address);
  ferry_config_add_facts(s->config, s->origins, s->vmi, s->source, target, address);
  ferry_config_add_means(s->config, s->origins, s->vmi, s->source, target, s->now_ms);
  const char *state = ferry_json_str(
      ferry_step_domain_on(s, ferry_json_str(s->m, "status.migrationState.sourceNode")), "state");
  ferry_step_set(s, "status.migrationState.startTimestamp", json_string(now));
  ferry_step_set(s, "status.migrationState.sourceDomainStateBefore",
                 state ? json_string(state) : NULL);
  ferry_step_set(s, "status.migrationState.migrationConfiguration", json_deep_copy(s->config));
  ferry_step_set(s, "status.migrationState.migrationPolicyName",
                 s->policy_name ? json_string(s->policy_name) : NULL);
  ferry_step_set(s, "status.migrationState.mode",
                 json_string(ferry_mode_name(FERRY_MODE_PRE_COPY)));
  ferry_step_set(s, "status.configurationOrigins", json_deep_copy(s->origins));
}

/* Whether a host lacks nothing but room on the way to it, which ends by itself as others do. */
static gboolean waits_for_room(const FerryStep *s) {
  gsize i;
  json_t *refusal;
  json_array_foreach(ferry_json_get(s->m, "status.refusals"), i, refusal) {
    if (ferry_placement_is_room_only(json_object_get(refusal, "reasons")))
      return TRUE;
  }
  return FALSE;
}

gboolean ferry_step_guard_unplaceable(FerryStep *s) {
  gboolean lasting = ferry_reason_is(s->m, FERRY_REASON_UNSCHEDULABLE);
  if (ferry_reason_is(s->m, FERRY_REASON_FROZEN))
    return FALSE; /* for as long as people like */
  if (ferry_reason_is(s->m, FERRY_REASON_WAITING) && waits_for_room(s))
    return FALSE; /* as in the queue: for as long as those before it take */
  gint64 age = ferry_step_phase_age(s);
  if (!lasting && age < FERRY_UNSCHEDULABLE_TIMEOUT_MS) {
    ferry_plan_wake(s->plan, s->now_ms + FERRY_UNSCHEDULABLE_TIMEOUT_MS - age);
    return FALSE;
  }
  return TRUE;
}

void ferry_step_act_unplaceable(FerryStep *s) {
  g_autofree char *text = refusals_text(s);
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_UNSCHEDULABLE), "%s", text);
}

gboolean ferry_step_guard_not_accepted(FerryStep *s) {
  gint64 age = ferry_step_phase_age(s);
  if (age < FERRY_ACCEPT_TIMEOUT_MS) {
    ferry_plan_wake(s->plan, s->now_ms + FERRY_ACCEPT_TIMEOUT_MS - age);
    return FALSE;
  }
  return TRUE;
}

void ferry_step_act_not_accepted(FerryStep *s) {
  ferry_step_fail(s, ferry_reason_name(FERRY_REASON_SOURCE_AGENT_NOT_ANSWERING),
                  "the agent of %s did not take the migration within %d s; the VM was not touched. "
                  "See: journalctl -u ferry-agentd on that host",
                  ferry_json_str(s->m, "status.migrationState.sourceNode"),
                  FERRY_ACCEPT_TIMEOUT_MS / 1000);
}
