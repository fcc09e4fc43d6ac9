// SPDX-License-Identifier: Apache-2.0
// A report is merged object by object: the node in one commit, each VMI in one of its own, each
// repeated on a conflict. A report says what is, not what changed, so merging it twice is harmless,
// and half a report that was merged before a crash is completed by the agent's next full one.
#include "control/inventory.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "control/migration.h"
#include "control/vmi_view.h"
#include "model/validate.h"
#include <string.h>

#define MAX_TRIES 20
#define MAX_DOMAINS 10000

gboolean ferry_inventory_is_migrating(FerryStore *store, const char *vmi_uid) {
  g_autoptr(json_t) vmi = ferry_store_get_by_uid(store, &ferry_kind_vmi, vmi_uid);
  if (!vmi)
    return FALSE;
  const char *name = ferry_json_str(vmi, "metadata.name");
  g_autoptr(GPtrArray) all =
      ferry_store_list(store, &ferry_kind_vmim, ferry_json_str(vmi, "metadata.namespace"), NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = g_ptr_array_index(all, i);
    if (!ferry_migration_is_final(m) && g_strcmp0(ferry_json_str(m, "spec.vmiName"), name) == 0)
      return TRUE;
  }
  return FALSE;
}

typedef struct {
  FerryStore *store;
  const char *ns;
} NameScope;

static gboolean name_taken(const char *name, gpointer data) {
  const NameScope *scope = data;
  g_autoptr(json_t) there = ferry_store_get(scope->store, &ferry_kind_vmi, scope->ns, name);
  return there != NULL;
}

static json_t *new_vmi(FerryStore *store, const json_t *record, gint64 now_ms) {
  const char *ns = ferry_json_str(record, "namespace");
  if (!ns || !ferry_format_check("dns-label", ns, NULL))
    ns = "default";
  NameScope scope = {store, ns};
  const char *uuid = ferry_json_str(record, "uuid");
  g_autofree char *name = ferry_vmi_name(ferry_json_str(record, "name"), uuid, name_taken, &scope);
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  return json_pack("{ss,ss,s{ss,ss,ss,ss,si},s{},s{}}", "apiVersion", "kubevirt.io/v1", "kind",
                   "VirtualMachineInstance", "metadata", "name", name, "namespace", ns, "uid", uuid,
                   "creationTimestamp", now, "generation", 0, "spec", "status");
}

static void plan_namespace(FerryStore *store, FerryPlan *plan, const char *ns, gint64 now_ms) {
  g_autoptr(json_t) there = ferry_store_get(store, &ferry_kind_namespace, "", ns);
  if (there)
    return;
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  g_autofree char *uid = ferry_random_uuid();
  ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_namespace,
                   json_pack("{ss,ss,s{ss,ss,ss,s{ss}},s{},s{ss}}", "apiVersion", "v1", "kind",
                             "Namespace", "metadata", "name", ns, "uid", uid, "creationTimestamp",
                             now, "labels", "kubernetes.io/metadata.name", ns, "spec", "status",
                             "phase", "Active"),
                   FALSE);
}

static gboolean other_of_that_name(FerryStore *store, const json_t *vmi) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *o = g_ptr_array_index(all, i);
    if (g_strcmp0(ferry_json_str(o, "spec.domainName"), ferry_json_str(vmi, "spec.domainName")) ==
            0 &&
        g_strcmp0(ferry_json_str(o, "metadata.uid"), ferry_json_str(vmi, "metadata.uid")) != 0)
      return TRUE;
  }
  return FALSE;
}

/* One domain's record, or (record NULL) that the node has it no more. */
static void plan_domain(FerryStore *store, FerryPlan *plan, const char *node, const char *uuid,
                        const json_t *record, gint64 now_ms) {
  g_autoptr(json_t) stored = ferry_store_get_by_uid(store, &ferry_kind_vmi, uuid);
  if (!stored && !record)
    return;
  g_autoptr(json_t) vmi = stored ? json_deep_copy(stored) : new_vmi(store, record, now_ms);
  gboolean migrating = ferry_inventory_is_migrating(store, uuid);
  if (record)
    ferry_vmi_merge_record(vmi, node, record, now_ms);
  else
    ferry_vmi_remove_node(vmi, node);
  if (json_array_size(ferry_json_get(vmi, "status.domains")) == 0 && !migrating) {
    ferry_plan_event(plan, vmi, "Normal", "Gone", "the domain is on no host any more", now_ms);
    ferry_plan_write(plan, FERRY_WRITE_DELETE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
    return;
  }
  ferry_vmi_derive(vmi, migrating, now_ms);
  if (other_of_that_name(store, vmi))
    ferry_condition_set(vmi, "DuplicateName", "True", "NameUsedTwice",
                        "another VM with another UUID has the same domain name", now_ms);
  else
    ferry_condition_remove(vmi, "DuplicateName");
  if (!stored) {
    plan_namespace(store, plan, ferry_json_str(vmi, "metadata.namespace"), now_ms);
    ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
  } else if (!json_equal(stored, vmi)) {
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
  }
}

static gboolean retry(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
}

static gboolean merge_domain(FerryStore *store, const char *node, const char *uuid,
                             const json_t *record, gint64 now_ms, GError **error) {
  for (guint i = 0;; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    g_autoptr(GError) local = NULL;
    plan_domain(store, plan, node, uuid, record, now_ms);
    if (ferry_plan_commit(plan, store, &local))
      return TRUE;
    if (!retry(local) || i == MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
  }
}

static void plan_node(FerryStore *store, FerryPlan *plan, const char *name, const json_t *body,
                      gint64 now_ms) {
  g_autoptr(json_t) stored = ferry_store_get(store, &ferry_kind_node, "", name);
  if (!stored)
    return; /* made when the agent's session begins */
  g_autoptr(json_t) node = json_deep_copy(stored);
  const json_t *reported = json_object_get(body, "node");
  static const char *const keys[] = {"addresses",  "capacity",   "allocatable", "nodeInfo",
                                     "hypervisor", "interfaces", "runningVMs",  "memoryUsedBytes"};
  for (gsize i = 0; reported && i < G_N_ELEMENTS(keys); i++) {
    json_t *v = json_object_get(reported, keys[i]);
    if (v) {
      g_autofree char *path = g_strconcat("status.", keys[i], NULL);
      ferry_json_set(node, path, json_deep_copy(v));
    }
  }
  /* A report of what the host is that does not say this any more does not know it any more. */
  if (json_object_get(reported, "hypervisor"))
    ferry_json_set(node, "status.sharedFileSystems",
                   json_deep_copy(json_object_get(reported, "sharedFileSystems")));
  gboolean libvirt_ok = !reported || ferry_json_bool(reported, "connected", TRUE);
  const char *why = ferry_json_str(reported, "connectionError");
  if (reported && !libvirt_ok)
    ferry_condition_set(node, "Ready", "False", "LibvirtUnreachable",
                        why ? why : "the agent has no connection to libvirtd", now_ms);
  else if (reported || g_strcmp0(ferry_condition_status(node, "Ready"), "Unknown") == 0)
    ferry_condition_set(node, "Ready", "True", "AgentReports", "the agent reports", now_ms);
  gboolean more = !json_equal(stored, node);
  g_autofree char *now = ferry_rfc3339_format_ms(now_ms);
  ferry_json_set_str(node, "status.agent.lastReportTime", now);
  json_t *ready = ferry_json_find(ferry_json_get(node, "status.conditions"), "type", "Ready");
  g_autofree char *seconds = ferry_rfc3339_format(now_ms);
  ferry_json_set_str(ready, "lastHeartbeatTime", seconds);
  if (g_strcmp0(ferry_condition_status(stored, "Ready"), ferry_condition_status(node, "Ready")) !=
      0)
    ferry_plan_event(plan, node, libvirt_ok ? "Normal" : "Warning",
                     libvirt_ok ? "NodeReady" : "NodeNotReady",
                     libvirt_ok ? "the agent reports" : "libvirtd cannot be reached", now_ms);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, g_steal_pointer(&node), !more);
}

static gboolean invalid(GError **error, const char *field, const char *what) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "the report is invalid: %s: %s", field,
              what);
  ferry_error_add_cause(*error, "FieldValueInvalid", field, "%s", what);
  return FALSE;
}

static gboolean check(const json_t *body, GError **error) {
  static const char *const states[] = {"running", "blocked", "paused",      "shutdown", "shutoff",
                                       "crashed", "nostate", "pmsuspended", NULL};
  g_autoptr(GError) scratch = NULL;
  if (!error)
    error = &scratch;
  const json_t *domains = json_object_get(body, "domains");
  if (!json_is_object(body))
    return invalid(error, "body", "it must be an object");
  if (domains && (!json_is_array(domains) || json_array_size(domains) > MAX_DOMAINS))
    return invalid(error, "domains", "it must be a list of at most 10000 domains");
  gsize i;
  json_t *r;
  json_array_foreach((json_t *)domains, i, r) {
    const char *uuid = ferry_json_str(r, "uuid"), *name = ferry_json_str(r, "name"),
               *state = ferry_json_str(r, "state");
    if (!uuid || !ferry_format_check("uuid", uuid, NULL))
      return invalid(error, "domains.uuid", "each domain needs its UUID");
    if (!name || !*name || strlen(name) > 1024)
      return invalid(error, "domains.name", "each domain needs a name of at most 1024 bytes");
    if (!state || !g_strv_contains(states, state))
      return invalid(error, "domains.state", "it must be one of libvirt's domain states");
  }
  return TRUE;
}

static gboolean listed(const json_t *domains, const char *uuid) {
  return ferry_json_find(domains, "uuid", uuid) != NULL;
}

gboolean ferry_inventory_report(FerryStore *store, const char *node, const json_t *body,
                                gint64 now_ms, GError **error) {
  if (!check(body, error))
    return FALSE;
  for (guint i = 0;; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    g_autoptr(GError) local = NULL;
    plan_node(store, plan, node, body, now_ms);
    if (ferry_plan_commit(plan, store, &local))
      break;
    if (!retry(local) || i == MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
  }
  const json_t *domains = json_object_get(body, "domains");
  gsize i;
  json_t *r;
  json_array_foreach((json_t *)domains, i, r) {
    if (!merge_domain(store, node, ferry_json_str(r, "uuid"), r, now_ms, error))
      return FALSE;
  }
  json_array_foreach(json_object_get(body, "removed"), i, r) {
    if (json_is_string(r) && !merge_domain(store, node, json_string_value(r), NULL, now_ms, error))
      return FALSE;
  }
  if (!ferry_json_bool(body, "full", FALSE))
    return TRUE;
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  for (guint k = 0; k < all->len; k++) {
    const json_t *vmi = g_ptr_array_index(all, k);
    const char *uid = ferry_json_str(vmi, "metadata.uid");
    if (ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node) &&
        !listed(domains, uid) && !merge_domain(store, node, uid, NULL, now_ms, error))
      return FALSE;
  }
  return TRUE;
}

gboolean ferry_inventory_forget_node(FerryStore *store, const char *node, gint64 now_ms,
                                     GError **error) {
  g_autoptr(json_t) nothing = json_pack("{sb}", "full", 1);
  return ferry_inventory_report(store, node, nothing, now_ms, error);
}
