// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_check.h"
#include "base/error.h"
#include "control/relevant.h"
#include "model/migration/evacuation.h"
#include "policy/migration_admission.h"
#include "policy/place/eviction.h"

struct FerryEvacuationCheck {
  FerryStore *store;
  GPtrArray *nodes, *migrations, *policies, *networks;
  json_t *kubevirt;
};

FerryEvacuationCheck *ferry_evacuation_check_new(FerryStore *store) {
  FerryEvacuationCheck *c = g_new0(FerryEvacuationCheck, 1);
  c->store = store;
  c->nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  c->migrations = g_ptr_array_new(); /* one under way is no reason: it is waited for */
  c->policies = ferry_store_list(store, &ferry_kind_migration_policy, NULL, NULL);
  c->networks = ferry_store_list(store, &ferry_kind_network, NULL, NULL);
  c->kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  return c;
}

void ferry_evacuation_check_free(FerryEvacuationCheck *c) {
  if (!c)
    return;
  g_ptr_array_unref(c->nodes);
  g_ptr_array_unref(c->migrations);
  g_ptr_array_unref(c->policies);
  g_ptr_array_unref(c->networks);
  json_decref(c->kubevirt);
  g_free(c);
}

static FerryAdmissionState check_state(FerryEvacuationCheck *c, const GPtrArray *vmis,
                                       const json_t *ns_object) {
  return (FerryAdmissionState){
      .vmis = vmis ? (json_t *const *)vmis->pdata : NULL,
      .n_vmis = vmis ? vmis->len : 0,
      .nodes = (json_t *const *)c->nodes->pdata,
      .n_nodes = c->nodes->len,
      .migrations = (json_t *const *)c->migrations->pdata,
      .n_migrations = c->migrations->len,
      .kubevirt = c->kubevirt,
      .policies = (json_t *const *)c->policies->pdata,
      .n_policies = c->policies->len,
      .ns_labels = ferry_json_get(ns_object, "metadata.labels"),
      .networks = (json_t *const *)c->networks->pdata,
      .n_networks = c->networks->len,
  };
}

static json_t *evacuation_check_namespace(FerryEvacuationCheck *c, const json_t *vmi) {
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  return ferry_store_get(c->store, &ferry_kind_namespace, "", ns ? ns : "");
}

char *ferry_evacuation_check_strategy(FerryEvacuationCheck *c, const json_t *vmi, const char *node,
                                      gboolean *external) {
  g_autoptr(json_t) ns_object = evacuation_check_namespace(c, vmi);
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, node, 1);
  FerryAdmissionState state = check_state(c, NULL, ns_object);
  g_autoptr(json_t) config = ferry_admission_config(&state, wish, vmi, NULL);
  return ferry_eviction_obstacle(config, external);
}

char *ferry_evacuation_check_vm(FerryEvacuationCheck *c, const json_t *vmi, const char *node) {
  g_autoptr(json_t) ns_object = evacuation_check_namespace(c, vmi);
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, node, 1);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) vmis = ferry_relevant_vmis(
      c->store, vmi, ferry_json_str(wish, "spec.destinationName"), c->migrations);
  FerryAdmissionState state = check_state(c, vmis, ns_object);
  if (ferry_admission_check(&state, wish, &error))
    return NULL;
  guint n = ferry_error_n_causes(error);
  GString *text = g_string_new(n ? NULL : error->message);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_error_cause(error, i)->message);
  return g_string_free(text, FALSE);
}
