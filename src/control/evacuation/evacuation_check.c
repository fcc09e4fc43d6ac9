// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_check.h"
#include "base/error.h"
#include "control/relevant.h"
#include "model/migration/evacuation.h"
#include "policy/migration_admission.h"

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

#define LIST(array) (json_t *const *)(array)->pdata, (array)->len

char *ferry_evacuation_check_vm(FerryEvacuationCheck *c, const json_t *vmi, const char *node) {
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  g_autoptr(json_t) ns_object = ferry_store_get(c->store, &ferry_kind_namespace, "", ns ? ns : "");
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, node, 1);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) vmis = ferry_relevant_vmis(
      c->store, vmi, ferry_json_str(wish, "spec.destinationName"), c->migrations);
  FerryAdmissionState state = {LIST(vmis),          LIST(c->nodes),
                               LIST(c->migrations), c->kubevirt,
                               LIST(c->policies),   ferry_json_get(ns_object, "metadata.labels"),
                               LIST(c->networks),   FALSE};
  if (ferry_admission_check(&state, wish, &error))
    return NULL;
  guint n = ferry_error_n_causes(error);
  GString *text = g_string_new(n ? NULL : error->message);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_error_cause(error, i)->message);
  return g_string_free(text, FALSE);
}
