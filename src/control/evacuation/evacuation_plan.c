// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_plan.h"
#include "base/error.h"
#include "control/evacuation/evacuation.h"
#include "control/evacuation/evacuation_estimate.h"
#include "control/relevant.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"
#include "policy/migration_admission.h"
#include "policy/place/eviction.h"

typedef struct {
  FerryStore *store;
  const char *node;
  GPtrArray *nodes; /* copies, on which what is planned takes its memory */
  GPtrArray *live, *policies, *networks;
  GHashTable *placed; /* VM's uid -> the host that it is planned for */
  json_t *kubevirt;
  FerryEvacuationEstimate *estimate;
} EvacuationPlan;

/* The hosts as they are, but that nothing goes to the one that is emptied. */
static GPtrArray *plan_nodes(FerryStore *store, const char *node) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  GPtrArray *copies = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < all->len; i++) {
    json_t *copy = json_deep_copy(all->pdata[i]);
    if (g_strcmp0(ferry_json_str(copy, "metadata.name"), node) == 0)
      ferry_json_set_bool(copy, "spec.unschedulable", TRUE);
    g_ptr_array_add(copies, copy);
  }
  return copies;
}

static EvacuationPlan evacuation_plan_new(FerryStore *store, const char *node) {
  return (EvacuationPlan){
      .store = store,
      .node = node,
      .nodes = plan_nodes(store, node),
      .live = ferry_relevant_migrations(store),
      .estimate = ferry_evacuation_estimate_new(),
      .placed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
      .policies = ferry_store_list(store, &ferry_kind_migration_policy, NULL, NULL),
      .networks = ferry_store_list(store, &ferry_kind_network, NULL, NULL),
      .kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt")};
}

static void evacuation_plan_clear(EvacuationPlan *p) {
  g_ptr_array_unref(p->nodes);
  g_ptr_array_unref(p->live);
  g_hash_table_unref(p->placed);
  ferry_evacuation_estimate_free(p->estimate);
  g_ptr_array_unref(p->policies);
  g_ptr_array_unref(p->networks);
  json_decref(p->kubevirt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EvacuationPlan, evacuation_plan_clear)

static const json_t *evacuation_plan_migration(const EvacuationPlan *p, const json_t *vmi) {
  const char *name = ferry_json_str(vmi, "metadata.name");
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  for (guint i = 0; i < p->live->len; i++)
    if (!ferry_migration_is_forecast(p->live->pdata[i]) &&
        !ferry_migration_is_put_off(p->live->pdata[i]) &&
        g_strcmp0(ferry_json_str(p->live->pdata[i], "spec.vmiName"), name) == 0 &&
        g_strcmp0(ferry_json_str(p->live->pdata[i], "metadata.namespace"), ns) == 0)
      return p->live->pdata[i];
  return NULL;
}

static json_t *plan_entry(const json_t *vmi, FerryPhase phase, const char *target,
                          const char *message) {
  json_t *entry = json_pack("{s:O, s:O, s:s, s:s*}", "name", ferry_json_get(vmi, "metadata.name"),
                            "namespace", ferry_json_get(vmi, "metadata.namespace"), "phase",
                            ferry_phase_name(phase), "target", target);
  if (message)
    json_object_set_new(entry, "message", ferry_json_text(message));
  return entry;
}

static char *all_causes(const GError *error) {
  guint n = ferry_error_n_causes(error);
  GString *text = g_string_new(n ? NULL : error->message);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_error_cause(error, i)->message);
  return g_string_free(text, FALSE);
}

static void plan_add(json_t *node, const char *field, gint64 more) {
  ferry_json_set_int(node, field, ferry_json_int(node, field, 0) + more);
}

/* As if it were there: memory and processors that another one must not count on. */
static void plan_take(EvacuationPlan *p, const char *target, const json_t *vmi) {
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  if (uid)
    g_hash_table_insert(p->placed, g_strdup(uid), g_strdup(target));
  for (guint i = 0; i < p->nodes->len; i++) {
    json_t *node = p->nodes->pdata[i];
    if (g_strcmp0(ferry_json_str(node, "metadata.name"), target) != 0)
      continue;
    plan_add(node, "status.memoryUsedBytes", ferry_json_int(vmi, "status.guestMemoryBytes", 0));
    if (ferry_json_get(node, "status.processorsUsed"))
      plan_add(node, "status.processorsUsed", ferry_json_int(vmi, "spec.domain.cpu.cores", 1));
  }
}

/* The VMs that rules of this one's are about, those before it where they are planned to be; NULL:
 * there is no such rule. */
static GPtrArray *plan_others(const EvacuationPlan *p, const json_t *config, const json_t *vmi) {
  g_autoptr(GPtrArray) all = ferry_relevant_others(p->store, config, vmi);
  if (!all)
    return NULL;
  GPtrArray *others = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < all->len; i++) {
    const char *uid = ferry_json_str(all->pdata[i], "metadata.uid");
    const char *target = uid ? g_hash_table_lookup(p->placed, uid) : NULL;
    json_t *other = target ? json_deep_copy(all->pdata[i]) : json_incref(all->pdata[i]);
    if (target)
      ferry_json_set_str(other, "status.nodeName", target);
    g_ptr_array_add(others, other);
  }
  return others;
}

static const json_t *evacuation_plan_node(const EvacuationPlan *p, const char *name) {
  for (guint i = 0; i < p->nodes->len; i++)
    if (g_strcmp0(ferry_json_str(p->nodes->pdata[i], "metadata.name"), name) == 0)
      return p->nodes->pdata[i];
  return NULL;
}

static json_t *plan_vm(EvacuationPlan *p, const json_t *vmi) {
  const json_t *moves = evacuation_plan_migration(p, vmi);
  if (moves)
    return plan_entry(vmi, MAX(ferry_phase_of(moves), FERRY_PHASE_PENDING),
                      ferry_json_str(moves, "status.migrationState.targetNode"),
                      "a migration of it is under way already");
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  g_autoptr(json_t) ns_object = ferry_store_get(p->store, &ferry_kind_namespace, "", ns ? ns : "");
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, p->node, 1);
  g_autoptr(GPtrArray) vmis = ferry_relevant_vmis(p->store, vmi, NULL, p->live);
  FerryAdmissionState state = {.kubevirt = p->kubevirt,
                               .ns_labels = ferry_json_get(ns_object, "metadata.labels"),
                               .placement = TRUE};
  state.vmis = (json_t *const *)vmis->pdata, state.n_vmis = vmis->len;
  state.nodes = (json_t *const *)p->nodes->pdata, state.n_nodes = p->nodes->len;
  state.migrations = (json_t *const *)p->live->pdata, state.n_migrations = p->live->len;
  state.policies = (json_t *const *)p->policies->pdata, state.n_policies = p->policies->len;
  state.networks = (json_t *const *)p->networks->pdata, state.n_networks = p->networks->len;
  gboolean external;
  g_autoptr(json_t) config = ferry_admission_config(&state, wish, vmi, NULL);
  g_autofree char *held = ferry_eviction_obstacle(config, &external);
  if (held)
    return plan_entry(vmi, external ? FERRY_PHASE_PENDING : FERRY_PHASE_FAILED, NULL, held);
  g_autoptr(GPtrArray) others = plan_others(p, config, vmi);
  if (others)
    state.others = (json_t *const *)others->pdata, state.n_others = others->len;
  g_autoptr(GError) error = NULL;
  if (!ferry_admission_check(&state, wish, &error)) {
    g_autofree char *why = all_causes(error);
    return plan_entry(vmi, FERRY_PHASE_FAILED, NULL, why);
  }
  json_t *refused = NULL;
  const json_t *target = ferry_admission_place(&state, vmi, wish, &refused, NULL);
  json_decref(refused);
  const char *name = ferry_json_str(target, "metadata.name");
  plan_take(p, name, vmi);
  json_t *entry = plan_entry(vmi, FERRY_PHASE_QUEUED, name, NULL);
  ferry_evacuation_estimate_take(p->estimate, entry, vmi, config, evacuation_plan_node(p, p->node),
                                 target, state.networks, state.n_networks);
  return entry;
}

json_t *ferry_evacuation_plan(FerryStore *store, const char *node, guint *failed,
                              json_t **estimate) {
  g_auto(EvacuationPlan) p = evacuation_plan_new(store, node);
  g_autoptr(GPtrArray) vmis = ferry_store_select(store, &ferry_kind_vmi, FERRY_BY_NODE, node);
  guint most = MAX(16, FERRY_EVACUATION_PLAN_TRIES / MAX(1, p.nodes->len)), tried = 0;
  json_t *out = json_array();
  *failed = 0;
  for (guint i = 0; i < vmis->len; i++) {
    if (!ferry_evacuation_concerns(vmis->pdata[i], node))
      continue;
    json_t *entry = tried++ < most
                        ? plan_vm(&p, vmis->pdata[i])
                        : plan_entry(vmis->pdata[i], FERRY_PHASE_QUEUED, NULL,
                                     "not planned: there are too many hosts and VMs for that");
    *failed += ferry_phase_parse(ferry_json_str(entry, "phase")) == FERRY_PHASE_FAILED;
    json_array_append_new(out, entry);
  }
  g_autoptr(json_t) plan = ferry_evacuation_estimate_end(p.estimate);
  if (estimate)
    *estimate = g_steal_pointer(&plan);
  return out;
}
