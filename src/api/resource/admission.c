// SPDX-License-Identifier: Apache-2.0
// Rules of single kinds that need more than the object itself. One row a kind; a row's functions
// see objects that are valid already.
//
// The table at the end says for each kind what is asked before a create, an update and a delete;
// kinds without a row have no such rules. A function may change the object (labels, a drain's plan
// for a dry run), adds a cause for everything that is wrong, and refuses with all of them. Where
// its answer depends on other objects, the row's lock is held until the commit (ferry_admit_lock),
// so that two requests cannot both be right.
#include "api/resource/admission.h"
#include "api/auth/authz.h"
#include "api/auth/node_delete.h"
#include "api/auth/users.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/resource/trace.h"
#include "api/resource/tuning.h"
#include "store/store.h"
#include "base/rfc3339.h"
#include "control/evacuation/evacuation_estimate.h"
#include "control/evacuation/evacuation_plan.h"
#include "control/doubt/open_doubt.h"
#include "control/relevant.h"
#include "api/auth/rbac.h"
#include "api/rights/node_restriction.h"
#include "api/resource/policy_admission.h"
#include "api/resource/rollout_admission.h"
#include "model/field/object_meta.h"
#include "model/migration/doubt.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration.h"
#include "model/migration/recovery.h"
#include "model/migration/rollout.h"
#include "policy/flags/migratable.h"
#include "policy/freeze.h"
#include "policy/migration_admission.h"
#include "policy/network_check.h"
#include "policy/target/version_defects.h"
#include "model/migration/condition.h"

#include <string.h>

static gboolean forbid_field(const FerryKind *kind, const json_t *object, const char *field,
                             const char *message, GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
              "%s%s%s \"%s\" is invalid: %s: Forbidden: %s", kind->kind, *kind->group ? "." : "",
              kind->group, ferry_json_str(object, "metadata.name"), field, message);
  if (error && *error)
    ferry_error_add_cause(*error, "FieldValueForbidden", field, "Forbidden: %s", message);
  return FALSE;
}

/* A manifest does not name what the server put there: replacing the object by it must not let go of
 * what is under way. While it is being deleted, taking the finalizer off is a way out, which has to
 * be asked for in words. TRUE: it is kept. */
static gboolean keep_finalizer(FerryRequest *req, const json_t *old, json_t *object,
                               const char *name) {
  if (ferry_phase_is_final(ferry_phase_of(old)))
    return FALSE;
  if (ferry_json_str(old, "metadata.deletionTimestamp") &&
      (!g_str_equal(req->asked.method, "PUT") || ferry_json_get(object, "metadata.finalizers") ||
       !ferry_object_has_finalizer(old, name)))
    return FALSE;
  ferry_object_add_finalizer(object, name);
  return TRUE;
}

/* ---- migrations ---- */

static void add_label(json_t *object, const char *vmi_name) {
  json_t *meta = json_object_get(object, "metadata");
  json_t *labels = json_object_get(meta, "labels");
  if (!labels)
    json_object_set_new(meta, "labels", labels = json_object());
  if (strlen(vmi_name) <= 63)
    json_object_set_new(labels, FERRY_VMI_NAME_LABEL, json_string(vmi_name));
}

static gboolean sees_all_vms(FerryRequest *req) {
  FerryAccess a = {
      .verb = "list", .group = ferry_kind_vmi.group, .resource = ferry_kind_vmi.plural};
  return ferry_authz_allows(req->api, req->user, &a);
}

/* What is lost is said before, to who asks and to who acts alike. */
static void warn_of_losses(FerryRequest *req, const json_t *vmi) {
  g_autoptr(json_t) losses = ferry_migratable_losses(vmi);
  for (gsize i = 0; i < json_array_size(losses); i++)
    ferry_respond_warning(req, json_string_value(json_array_get(losses, i)));
}

static const json_t *admission_find_named(json_t *const *objects, gsize n, const char *name) {
  for (gsize i = 0; i < n; i++)
    if (g_strcmp0(ferry_json_str(objects[i], "metadata.name"), name) == 0)
      return objects[i];
  return NULL;
}

/* Who asks beforehand is told where a copy that must not run would not be held, and where the VM's
 * connections are not carried along. */
static void warn_of_conditions(FerryRequest *req, const FerryAdmissionState *state,
                               const json_t *vmi, const json_t *object) {
  static const FerryConditionType told[] = {FERRY_CONDITION_COPIES_UNGUARDED,
                                            FERRY_CONDITION_CONNECTIONS_NOT_CARRIED};
  const char *nodes[] = {ferry_json_str(vmi, "status.nodeName"),
                         ferry_json_str(object, "spec.targetNode")};
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
    const json_t *node =
        nodes[i] ? admission_find_named(state->nodes, state->n_nodes, nodes[i]) : NULL;
    for (gsize k = 0; k < G_N_ELEMENTS(told); k++) {
      if (ferry_condition_holds(node, told[k]))
        ferry_respond_warning(req, ferry_json_str(ferry_condition_find(node, told[k]), "message"));
    }
  }
}

/* Known defects between the versions of both hosts, and what the target's drops. */
static void warn_of_versions(FerryRequest *req, const FerryAdmissionState *state, const json_t *vmi,
                             const json_t *object, const json_t *target) {
  const char *name = ferry_json_str(vmi, "status.nodeName");
  g_autoptr(json_t) config = ferry_admission_config(state, object, vmi, NULL);
  g_autoptr(json_t) defects = ferry_version_defects(
      vmi, config, name ? admission_find_named(state->nodes, state->n_nodes, name) : NULL, target);
  for (gsize i = 0; i < json_array_size(defects); i++)
    ferry_respond_warning(req, ferry_json_str(json_array_get(defects, i), "message"));
}

/* Said first: it is the plainest reason, and generateName tries again on it. */
static gboolean admission_is_new(FerryRequest *req, const char *name, GError **error) {
  g_autoptr(json_t) there = ferry_store_get(req->api->store, &ferry_kind_vmim, req->found.ns, name);
  if (!there)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS, "exists");
  ferry_store_error(error, req->found.kind, name);
  return FALSE;
}

/* The VMs that the VM's own rules are about, for a question; NULL: none. */
static GPtrArray *load_others(FerryRequest *req, FerryAdmissionState *state, const json_t *object) {
  const json_t *vmi =
      ferry_admission_find_vmi(state, req->found.ns, ferry_json_str(object, "spec.vmiName"));
  g_autoptr(json_t) config =
      vmi && state->placement ? ferry_admission_config(state, object, vmi, NULL) : NULL;
  GPtrArray *others = ferry_relevant_others(req->api->store, config, vmi);
  if (others)
    state->others = (json_t *const *)others->pdata, state->n_others = others->len;
  return others;
}

static gboolean create_vmim(FerryRequest *req, json_t *object, GError **error) {
  FerryStore *store = req->api->store;
  if (!admission_is_new(req, ferry_json_str(object, "metadata.name"), error))
    return FALSE;
  const char *word = ferry_json_str(object, "spec.vmiName");
  g_autoptr(GPtrArray) migrations = ferry_relevant_migrations(store);
  g_autoptr(GPtrArray) vmis =
      ferry_relevant_vmis_of_word(store, req->found.ns, word ? word : "",
                                  ferry_json_str(object, "spec.destinationName"), migrations);
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) policies = ferry_store_list(store, &ferry_kind_migration_policy, NULL, NULL);
  g_autoptr(GPtrArray) networks = ferry_store_list(store, &ferry_kind_network, NULL, NULL);
  g_autoptr(json_t) kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  g_autoptr(json_t) ns = ferry_store_get(store, &ferry_kind_namespace, "", req->found.ns);
  const char *dry = ferry_query(req, "dryRun");
  FerryAdmissionState state = {
      (json_t *const *)vmis->pdata, vmis->len, (json_t *const *)nodes->pdata, nodes->len,
      (json_t *const *)migrations->pdata, migrations->len, kubevirt,
      (json_t *const *)policies->pdata, policies->len, ferry_json_get(ns, "metadata.labels"),
      (json_t *const *)networks->pdata, networks->len,
      /* what is really made may wait for a host, a question may not */
      dry && *dry, sees_all_vms(req)};
  g_autoptr(GPtrArray) others = load_others(req, &state, object);
  if (!ferry_admission_check(&state, object, error))
    return FALSE;
  g_autofree char *stop = ferry_freeze_text(kubevirt);
  if (stop) /* it is taken, and a check is answered, but it will wait */
    ferry_respond_warning(req, stop);
  const json_t *vmi =
      ferry_admission_find_vmi(&state, req->found.ns, ferry_json_str(object, "spec.vmiName"));
  const char *name = ferry_json_str(vmi, "metadata.name");
  warn_of_losses(req, vmi);
  ferry_json_set_str(object, "spec.vmiName", name);
  add_label(object, name);
  ferry_object_add_finalizer(object, FERRY_MIGRATION_FINALIZER);
  ferry_trace_object(req, object);
  json_t *refusals = NULL, *candidates = NULL;
  const json_t *target =
      state.placement ? ferry_admission_place(&state, vmi, object, &refusals, &candidates) : NULL;
  const char *now = ferry_json_str(object, "metadata.creationTimestamp");
  json_object_set_new(object, "status", ferry_migration_status_new(now));
  if (state.placement)
    warn_of_conditions(req, &state, vmi, object);
  ferry_json_set(object, "status.candidates", candidates);
  if (target)
    warn_of_versions(req, &state, vmi, object, target);
  if (state.placement) { /* a question is answered with what it would go by, too */
    json_t *origins = NULL;
    json_t *config = ferry_admission_config(&state, object, vmi, &origins);
    ferry_json_set(object, "status.migrationState.migrationConfiguration", config);
    ferry_json_set(object, "status.configurationOrigins", origins);
  }
  if (refusals) /* of the hosts that cannot, though one can */
    ferry_json_set(object, "status.refusals", refusals);
  return TRUE;
}

/* An agent that comes late must not begin what was given up: it begins once its word is taken. */
static gboolean check_phase(FerryRequest *req, const json_t *old, const json_t *object,
                            GError **error) {
  if (!ferry_phase_is_final(ferry_phase_of(old)) || ferry_phase_is_final(ferry_phase_of(object)))
    return TRUE;
  const char *ended = ferry_json_str(old, "status.phase");
  g_autofree char *text = g_strdup_printf(
      "the migration has ended (%s) and stays so; create another one to move the VM", ended);
  return forbid_field(req->found.kind, old, "status.phase", text, error);
}

static gboolean update_vmim(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  if (!check_phase(req, old, object, error))
    return FALSE;
  const char *vmi_name = ferry_json_str(old, "spec.vmiName");
  if (keep_finalizer(req, old, object, FERRY_MIGRATION_FINALIZER) && vmi_name)
    add_label(object, vmi_name);
  if (json_equal(json_object_get(old, "spec"), json_object_get(object, "spec")))
    return TRUE;
  if (ferry_change_is_tuning(req, old, object))
    return ferry_change_tune(req, old, object, error);
  return forbid_field(req->found.kind, old, "spec",
                      "a migration's spec is immutable; cancel it and create another one", error);
}

/* Its record is what the agents of both hosts go by; a host whose Node is gone has none. */
static gboolean copies_wait(FerryRequest *req, const json_t *object) {
  if (!ferry_open_doubt(req->api->store, object, ferry_clock_wall_ms(req->api->clock), NULL))
    return FALSE;
  for (FerrySide side = FERRY_SIDE_SOURCE; side <= FERRY_SIDE_TARGET; side++) {
    const char *name = ferry_side_node(object, side);
    g_autoptr(json_t) node =
        name ? ferry_store_get(req->api->store, &ferry_kind_node, "", name) : NULL;
    if (!node)
      return FALSE;
  }
  return TRUE;
}

static gboolean delete_vmim(FerryRequest *req, const json_t *object, json_t **instead,
                            GError **error) {
  gboolean final = ferry_phase_is_final(ferry_phase_of(object));
  if (final && req->write.forced) {
    *instead = json_deep_copy(object);
    ferry_object_drop_finalizer(*instead, FERRY_MIGRATION_FINALIZER);
    return TRUE;
  }
  if (final && copies_wait(req, object)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "a copy of the VM waits, suspended, for a word in this migration: say first which "
                "one goes on (ferry resolve VM --keep HOST), or delete it with --force");
    return FALSE;
  }
  if (final)
    return TRUE;
  /* Without it the record would go at once, and the VM be free for a second migration. */
  *instead = json_deep_copy(object);
  ferry_object_add_finalizer(*instead, FERRY_MIGRATION_FINALIZER);
  if (ferry_json_bool(object, "status.migrationState.abortRequested", FALSE))
    return TRUE;
  if (ferry_mode_of(object) == FERRY_MODE_POST_COPY && !ferry_recovery_is_open(object))
    return TRUE; /* it cannot be cancelled any more: the record goes when it has ended */
  ferry_json_set_bool(*instead, "status.migrationState.abortRequested", TRUE);
  ferry_json_set_str(*instead, "status.migrationState.abortRequestedBy", req->user->name);
  return TRUE;
}

/* ---- VMs ---- */

static gboolean update_vmi(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  if (json_equal(json_object_get(old, "spec"), json_object_get(object, "spec")))
    return TRUE;
  return forbid_field(req->found.kind, old, "spec",
                      "it describes the libvirt domain as it was found; change the domain (virsh "
                      "edit, or its <metadata>) and the change shows here; labels and annotations "
                      "can be changed here",
                      error);
}

/* ---- evacuations ---- */

/* What can't be met is said before it is begun. */
static void warn_of_deadline(FerryRequest *req, json_t *plan, const json_t *vms, gint64 within_ms) {
  g_autofree char *text = ferry_evacuation_deadline_text(plan, vms, within_ms);
  if (text)
    ferry_respond_warning(req, text);
}

/* What was expected when it was asked for; with `dry` also what it would do with each VM. One that
 * is made says that as it does it. */
static void add_plan(FerryRequest *req, json_t *object, const char *node, gboolean dry) {
  guint failed = 0;
  json_t *plan = NULL;
  g_autoptr(json_t) vms = ferry_evacuation_plan(req->api->store, node, &failed, &plan);
  gint64 deadline = ferry_rfc3339_parse(ferry_json_str(object, "spec.deadline"));
  gint64 now = ferry_rfc3339_parse(ferry_json_str(object, "metadata.creationTimestamp"));
  if (deadline >= 0)
    warn_of_deadline(req, plan, vms, MAX(0, deadline - now));
  ferry_json_set(object, "status.plan", plan);
  if (!dry)
    return;
  ferry_json_set_int(object, "status.total", (gint64)json_array_size(vms));
  ferry_json_set_int(object, "status.failed", failed);
  ferry_json_set(object, "status.vms", g_steal_pointer(&vms));
}

static gboolean create_evacuation(FerryRequest *req, json_t *object, GError **error) {
  const char *wanted = ferry_json_str(object, "spec.nodeName");
  g_autoptr(GPtrArray) nodes = ferry_store_list(req->api->store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GString) names = g_string_new(NULL);
  gboolean known = FALSE;
  for (guint i = 0; i < nodes->len && !known; i++) {
    const char *name = ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name");
    known = g_strcmp0(name, wanted) == 0;
    if (i < 20)
      g_string_append_printf(names, "%s%s", i ? ", " : "", name);
  }
  if (!known) {
    g_autofree char *text =
        g_strdup_printf("Invalid value: \"%s\": there is no such node; the nodes are: %s", wanted,
                        names->len ? names->str : "none");
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "Evacuation.ferry.migration \"%s\" is invalid: spec.nodeName: %s",
                ferry_json_str(object, "metadata.name"), text);
    if (error && *error)
      ferry_error_add_cause(*error, "FieldValueInvalid", "spec.nodeName", "%s", text);
    return FALSE;
  }
  g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_evacuation, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *other = g_ptr_array_index(all, i);
    if (ferry_phase_is_final(ferry_phase_of(other)) ||
        g_strcmp0(ferry_json_str(other, "spec.nodeName"), wanted) != 0 ||
        g_strcmp0(ferry_json_str(other, "metadata.name"),
                  ferry_json_str(object, "metadata.name")) == 0)
      continue;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "node \"%s\" is being evacuated already by evacuations \"%s\"; wait for its end or "
                "delete it first",
                wanted, ferry_json_str(other, "metadata.name"));
    return FALSE;
  }
  ferry_object_add_finalizer(object, FERRY_EVACUATION_FINALIZER);
  ferry_trace_object(req, object);
  json_object_set_new(object, "status",
                      json_pack("{s:s}", "phase", ferry_phase_name(FERRY_PHASE_PENDING)));
  add_plan(req, object, wanted, ferry_query(req, "dryRun") != NULL);
  return TRUE;
}

/* Another deadline is held against what is left. */
static void warn_of_new_deadline(FerryRequest *req, const json_t *old, const json_t *object) {
  guint failed = 0;
  json_t *made = NULL;
  const char *text = ferry_json_str(object, "spec.deadline");
  gint64 deadline = ferry_rfc3339_parse(text), now = g_get_real_time() / 1000;
  if (deadline < 0 || g_strcmp0(text, ferry_json_str(old, "spec.deadline")) == 0 ||
      ferry_phase_is_final(ferry_phase_of(old)))
    return;
  g_autoptr(json_t) vms = ferry_evacuation_plan(
      req->api->store, ferry_json_text_at(object, "spec.nodeName"), &failed, &made);
  g_autoptr(json_t) plan = made;
  warn_of_deadline(req, plan, vms, MAX(0, deadline - now));
}

static gboolean update_evacuation(FerryRequest *req, const json_t *old, json_t *object,
                                  GError **error) {
  keep_finalizer(req, old, object, FERRY_EVACUATION_FINALIZER);
  warn_of_new_deadline(req, old, object);
  return TRUE;
}

static gboolean delete_evacuation(FerryRequest *req, const json_t *object, json_t **instead,
                                  GError **error) {
  if (ferry_phase_is_final(ferry_phase_of(object)) ||
      ferry_object_has_finalizer(object, FERRY_EVACUATION_FINALIZER))
    return TRUE;
  *instead = json_deep_copy(object);
  ferry_object_add_finalizer(*instead, FERRY_EVACUATION_FINALIZER);
  return TRUE;
}

/* ---- rollouts ---- */

/* status.hosts is what ferryd goes by, so whoever writes it has ferryd do it. `done`, which is a
 * right of its own, does not come here. */
static gboolean update_rollout(FerryRequest *req, const json_t *old, json_t *object,
                               GError **error) {
  keep_finalizer(req, old, object, FERRY_ROLLOUT_FINALIZER);
  return (json_equal(json_object_get(old, "spec"), json_object_get(object, "spec")) &&
          json_equal(json_object_get(old, "status"), json_object_get(object, "status"))) ||
         ferry_rollout_rights(req, error);
}

/* Its next step takes back what it has changed of its hosts. */
static gboolean delete_rollout(FerryRequest *req, const json_t *object, json_t **instead,
                               GError **error) {
  if (ferry_object_has_finalizer(object, FERRY_ROLLOUT_FINALIZER))
    return TRUE;
  *instead = json_deep_copy(object);
  ferry_object_add_finalizer(*instead, FERRY_ROLLOUT_FINALIZER);
  return TRUE;
}

/* ---- networks ---- */

static gboolean check_network(FerryRequest *req, const json_t *old, const json_t *object,
                              GError **error) {
  g_autoptr(GPtrArray) networks =
      ferry_store_list(req->api->store, &ferry_kind_network, NULL, NULL);
  g_autoptr(GPtrArray) migrations = ferry_store_list(req->api->store, &ferry_kind_vmim, NULL, NULL);
  return ferry_network_check(old, object, (json_t *const *)networks->pdata, networks->len,
                             (json_t *const *)migrations->pdata, migrations->len, error);
}

static gboolean create_network(FerryRequest *req, json_t *object, GError **error) {
  return check_network(req, NULL, object, error);
}

static gboolean update_network(FerryRequest *req, const json_t *old, json_t *object,
                               GError **error) {
  return check_network(req, old, object, error);
}

static gboolean delete_network(FerryRequest *req, const json_t *object, json_t **instead,
                               GError **error) {
  req->write.refused = !check_network(req, object, NULL, error);
  return !req->write.refused;
}

/* ---- namespaces, events ---- */

/* Policies choose a namespace by its name, so that label is the server's, as in Kubernetes. */
static void label_namespace(json_t *object) {
  json_t *meta = json_object_get(object, "metadata");
  if (!json_is_object(json_object_get(meta, "labels")))
    json_object_set_new(meta, "labels", json_object());
  json_object_set(json_object_get(meta, "labels"), "kubernetes.io/metadata.name",
                  json_object_get(meta, "name"));
}

static gboolean create_namespace(FerryRequest *req, json_t *object, GError **error) {
  label_namespace(object);
  json_object_set_new(object, "status", json_pack("{s:s}", "phase", "Active"));
  return TRUE;
}

static gboolean update_namespace(FerryRequest *req, const json_t *old, json_t *object,
                                 GError **error) {
  label_namespace(object);
  return TRUE;
}

static gboolean delete_namespace(FerryRequest *req, const json_t *object, json_t **instead,
                                 GError **error) {
  const char *name = ferry_json_str(object, "metadata.name");
  if (g_str_equal(name, "default") || g_str_equal(name, "kubevirt")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "namespaces \"%s\" is forbidden: this namespace may not be deleted", name);
    return FALSE;
  }
  g_autoptr(GPtrArray) vmis = ferry_store_list(req->api->store, &ferry_kind_vmi, name, NULL);
  if (vmis->len == 0)
    return TRUE;
  req->write.refused = TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "namespaces \"%s\" cannot be deleted: it still holds %u virtual machine(s), such as "
              "\"%s\"; give their domains another namespace first",
              name, vmis->len, ferry_json_str(g_ptr_array_index(vmis, 0), "metadata.name"));
  return FALSE;
}

static gboolean create_event(FerryRequest *req, json_t *object, GError **error) {
  const char *ns = ferry_json_str(object, "involvedObject.namespace");
  if (ns && *ns && !g_str_equal(ns, req->found.ns)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "involvedObject.namespace is \"%s\", the event's namespace is \"%s\": they must be "
                "the same",
                ns, req->found.ns);
    return FALSE;
  }
  return ferry_node_restriction_event(req, object, error);
}

static gboolean admission_create_user(FerryRequest *req, json_t *object, GError **error) {
  return ferry_admit_user(req, NULL, object, error);
}

static gboolean delete_node(FerryRequest *req, const json_t *object, json_t **instead,
                            GError **error) {
  req->write.refused = !ferry_admit_node_delete(req, object, error);
  return !req->write.refused;
}

/* Writes of a kind that look at other objects of it: check and commit are one step. */
typedef enum { CREATES = 1, CHANGES = 2 } OneStep;

static const struct {
  const FerryKind *kind;
  gboolean (*create)(FerryRequest *, json_t *, GError **);
  gboolean (*update)(FerryRequest *, const json_t *, json_t *, GError **);
  gboolean (*remove)(FerryRequest *, const json_t *, json_t **, GError **);
  unsigned one_step; /* of OneStep */
} admission_rules[] = {
    {&ferry_kind_vmim, create_vmim, update_vmim, delete_vmim, CREATES},
    {&ferry_kind_vmi, NULL, update_vmi, NULL},
    {&ferry_kind_evacuation, create_evacuation, update_evacuation, delete_evacuation},
    {&ferry_kind_rollout, ferry_rollout_admit, update_rollout, delete_rollout, CREATES},
    {&ferry_kind_network, create_network, update_network, delete_network, CREATES | CHANGES},
    {&ferry_kind_namespace, create_namespace, update_namespace, delete_namespace},
    {&ferry_kind_event, create_event, NULL, NULL},
    {&ferry_kind_user, admission_create_user, ferry_admit_user, NULL},
    {&ferry_kind_node, NULL, NULL, delete_node},
    {&ferry_kind_kubevirt, ferry_admit_policy_create, ferry_admit_policy_update, NULL},
    {&ferry_kind_migration_policy, ferry_admit_policy_create, ferry_admit_policy_update, NULL},
    {&ferry_kind_role, ferry_rbac_admit_create, ferry_rbac_admit_update, NULL},
    {&ferry_kind_cluster_role, ferry_rbac_admit_create, ferry_rbac_admit_update, NULL},
    {&ferry_kind_role_binding, ferry_rbac_admit_create, ferry_rbac_admit_update, NULL},
    {&ferry_kind_cluster_role_binding, ferry_rbac_admit_create, ferry_rbac_admit_update, NULL},
};

gboolean ferry_admit_create(FerryRequest *req, json_t *object, GError **error) {
  for (gsize i = 0; i < G_N_ELEMENTS(admission_rules); i++)
    if (admission_rules[i].kind == req->found.kind && admission_rules[i].create)
      return admission_rules[i].create(req, object, error);
  return TRUE;
}

gboolean ferry_admit_update(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  for (gsize i = 0; i < G_N_ELEMENTS(admission_rules); i++)
    if (admission_rules[i].kind == req->found.kind && admission_rules[i].update)
      return admission_rules[i].update(req, old, object, error);
  return TRUE;
}

gboolean ferry_admit_delete(FerryRequest *req, const json_t *object, json_t **instead,
                            GError **error) {
  for (gsize i = 0; i < G_N_ELEMENTS(admission_rules); i++)
    if (admission_rules[i].kind == req->found.kind && admission_rules[i].remove)
      return admission_rules[i].remove(req, object, instead, error);
  return TRUE;
}

struct FerryAdmission {
  GMutex locks[G_N_ELEMENTS(admission_rules)];
};

FerryAdmission *ferry_admission_new(void) {
  FerryAdmission *admission = g_new0(FerryAdmission, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(admission_rules); i++)
    g_mutex_init(&admission->locks[i]);
  return admission;
}

void ferry_admission_free(FerryAdmission *admission) {
  for (gsize i = 0; admission && i < G_N_ELEMENTS(admission_rules); i++)
    g_mutex_clear(&admission->locks[i]);
  g_free(admission);
}

GMutex *ferry_admit_lock(const FerryRequest *req, gboolean creates) {
  for (gsize i = 0; i < G_N_ELEMENTS(admission_rules); i++)
    if (admission_rules[i].kind == req->found.kind &&
        (admission_rules[i].one_step & (creates ? CREATES : CHANGES)))
      return &req->api->admission->locks[i];
  return NULL;
}
