// SPDX-License-Identifier: Apache-2.0
// Theory of operation: whoever writes a dangerous field into a MigrationPolicy has the right to it,
// and grants it to the VMs that its selectors choose. Whoever makes the policy count for another VM
// grants it himself, and needs the right as well, in the VM's namespace: who names it in a
// migration, or in a VM's annotation, or labels a VM or its Namespace so that it is chosen. A
// migration and a VM are judged by what comes of it: the configuration is resolved with this write
// and without it, and what becomes dangerous in between is what the write grants. Of a Namespace,
// which may hold thousands of VMs, it is asked which policies begin to choose it. What an agent
// reports of a domain's own metadata and labels is no user's write: that host's administrator
// decides it.
#include "api/rights/policy_rights.h"
#include "store/store.h"
#include "api/rights/dangerous_fields.h"
#include "control/relevant.h"
#include "policy/match.h"
#include "policy/migration_admission.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/shared_fields.h"

typedef struct {
  FerryRequest *req;
  const char *ns; /* of the VMs that are meant */
  GError *causes;
  GPtrArray *policies;
  json_t *kubevirt;
} PolicyJudge;

static void judge_clear(PolicyJudge *j) {
  g_ptr_array_unref(j->policies);
  json_decref(j->kubevirt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PolicyJudge, judge_clear)

static PolicyJudge judge_new(FerryRequest *req, const char *ns, GError *causes) {
  FerryStore *store = req->api->store;
  return (PolicyJudge){
      .req = req,
      .ns = ns,
      .causes = causes,
      .policies = ferry_store_list(store, &ferry_kind_migration_policy, NULL, NULL),
      .kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt")};
}

static void policy_rights_refuse(const PolicyJudge *j, const char *field, const char *right,
                                 const char *what, const char *origin) {
  ferry_error_add_cause(j->causes, "FieldValueForbidden", field,
                        "Forbidden: it has %s of %s count for a VM for which it does not count by "
                        "itself; user \"%s\" cannot create resource \"%s/%s\" in API group \"%s\" "
                        "in the namespace \"%s\", which that needs",
                        what, origin, j->req->user->name, ferry_kind_vmim.plural, right,
                        ferry_kind_vmim.group, j->ns);
}

/* Which dangerous fields there are is the table's to say. */
#define EACH_DANGEROUS(f)                                                                          \
  const FerryField *f = ferry_fields_resolved_configuration;                                       \
  f->name;                                                                                         \
  f++

static gboolean is_dangerous(const json_t *policy) {
  const json_t *spec = json_object_get(policy, "spec");
  for (EACH_DANGEROUS(f))
    if (f->right && ferry_field_says(json_object_get(spec, f->name)))
      return TRUE;
  return FALSE;
}

static gboolean any_is_dangerous(const PolicyJudge *j) {
  for (guint i = 0; i < j->policies->len; i++)
    if (is_dangerous(g_ptr_array_index(j->policies, i)))
      return TRUE;
  return FALSE;
}

/* ---- one VM ---- */

static json_t *config_of(const PolicyJudge *j, const json_t *migration, const json_t *vmi,
                         json_t **origins) {
  g_autoptr(json_t) ns = ferry_store_get(j->req->api->store, &ferry_kind_namespace, "", j->ns);
  FerryAdmissionState state = {.kubevirt = j->kubevirt,
                               .policies = (json_t *const *)j->policies->pdata,
                               .n_policies = j->policies->len,
                               .ns_labels = ferry_json_get(ns, "metadata.labels")};
  return ferry_admission_config(&state, migration, vmi, origins);
}

/* What `with` says that is dangerous and `without` does not. */
static void policy_rights_compare(const PolicyJudge *j, const char *field, const json_t *without,
                                  const json_t *with, const json_t *origins) {
  for (EACH_DANGEROUS(f)) {
    const json_t *was = json_object_get(without, f->name), *is = json_object_get(with, f->name);
    if (f->right && ferry_field_says(is) && !(was && json_equal(was, is)) &&
        !ferry_field_right_held(j->req, f->right, j->ns))
      policy_rights_refuse(j, field, f->right, f->name, ferry_json_str(origins, f->name));
  }
}

static void judge_migration(const PolicyJudge *j, const json_t *object) {
  const char *word = ferry_json_str(object, "spec.vmiName");
  g_autoptr(GPtrArray) vmis =
      ferry_relevant_vmis_of_word(j->req->api->store, j->ns, word ? word : "", NULL, NULL);
  FerryAdmissionState state = {.vmis = (json_t *const *)vmis->pdata, .n_vmis = vmis->len};
  const json_t *vmi = word ? ferry_admission_find_vmi(&state, j->ns, word) : NULL;
  g_autoptr(json_t) unnamed = ferry_json_copy_along(object, "spec");
  ferry_json_set(unnamed, "spec.policy", NULL);
  json_t *from = NULL;
  g_autoptr(json_t) without = config_of(j, unnamed, vmi, NULL);
  g_autoptr(json_t) with = config_of(j, object, vmi, &from);
  g_autoptr(json_t) origins = from;
  policy_rights_compare(j, "spec.policy", without, with, origins);
}

/* First with the labels it had, so that the answer names what is to blame. */
static void judge_vmi(const PolicyJudge *j, const json_t *old, const json_t *object) {
  g_autoptr(json_t) annotated = ferry_json_copy_along(old, "metadata");
  ferry_json_set(annotated, "metadata.annotations",
                 json_incref(ferry_json_get(object, "metadata.annotations")));
  const struct {
    const char *field;
    const json_t *before, *after;
  } steps[] = {{"metadata.annotations", old, annotated}, {"metadata.labels", annotated, object}};
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    json_t *from = NULL;
    g_autoptr(json_t) without = config_of(j, NULL, steps[i].before, NULL);
    g_autoptr(json_t) with = config_of(j, NULL, steps[i].after, &from);
    g_autoptr(json_t) origins = from;
    policy_rights_compare(j, steps[i].field, without, with, origins);
  }
}

/* ---- a namespace ---- */

static gboolean policy_rights_chooses(const json_t *policy, const json_t *labels) {
  const json_t *selector = ferry_json_get(policy, "spec.selectors.namespaceSelector");
  return json_object_size(selector) > 0 && ferry_policy_selects(selector, labels);
}

static void judge_namespace(const PolicyJudge *j, const json_t *old, const json_t *object) {
  const json_t *was = ferry_json_get(old, "metadata.labels");
  const json_t *is = ferry_json_get(object, "metadata.labels");
  for (guint i = 0; i < j->policies->len; i++) {
    const json_t *policy = g_ptr_array_index(j->policies, i);
    if (policy_rights_chooses(policy, was) || !policy_rights_chooses(policy, is))
      continue;
    g_autofree char *origin =
        g_strconcat("MigrationPolicy/", ferry_json_str(policy, "metadata.name"), NULL);
    for (EACH_DANGEROUS(f))
      if (f->right && ferry_field_says(json_object_get(json_object_get(policy, "spec"), f->name)) &&
          !ferry_field_right_held(j->req, f->right, j->ns))
        policy_rights_refuse(j, "metadata.labels", f->right, f->name, origin);
  }
}

/* ---- which ---- */

static gboolean same_at(const json_t *old, const json_t *object, const char *path) {
  json_t *was = ferry_json_get(old, path), *is = ferry_json_get(object, path);
  return was == is || (was && is && json_equal(was, is));
}

void ferry_policy_rights_collect(FerryRequest *req, const json_t *old, const json_t *object,
                                 GError *causes) {
  gboolean names = req->found.kind == &ferry_kind_vmim && ferry_json_get(object, "spec.policy") &&
                   !same_at(old, object, "spec.policy");
  gboolean marks =
      req->found.kind == &ferry_kind_vmi && old &&
      !(same_at(old, object, "metadata.labels") && same_at(old, object, "metadata.annotations"));
  gboolean labels =
      req->found.kind == &ferry_kind_namespace && !same_at(old, object, "metadata.labels");
  if (!names && !marks && !labels)
    return;
  g_auto(PolicyJudge) j =
      judge_new(req, labels ? ferry_json_str(object, "metadata.name") : req->found.ns, causes);
  if (!any_is_dangerous(&j))
    return;
  if (names)
    judge_migration(&j, object);
  else if (marks)
    judge_vmi(&j, old, object);
  else
    judge_namespace(&j, old, object);
}
