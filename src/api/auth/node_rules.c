// SPDX-License-Identifier: Apache-2.0
// What an agent may do (Kubernetes calls it node authorisation): a row a right, each with who is
// meant by it. "Own" is judged by what is stored, never by what the request says. What an agent may
// write inside of a migration is narrower still (model/agents/agent_rules.c).
#include "api/auth/node_rules.h"

#define SOURCE "status.migrationState.sourceNode"
#define AGENTS "status.migrationState.agents"

static gboolean node_rules_anyone(FerryApi *api, const char *node, const FerryAccess *a) {
  return TRUE;
}

/* A list of the migrations in which the node has a part. */
static gboolean asks_for_own(FerryApi *api, const char *node, const FerryAccess *a) {
  return a->fields && (g_strcmp0(ferry_selector_required(a->fields, AGENTS), node) == 0 ||
                       g_strcmp0(ferry_selector_required(a->fields, SOURCE), node) == 0);
}

static gboolean has_part(FerryApi *api, const char *node, const FerryAccess *a) {
  if (!a->name || !a->ns)
    return FALSE;
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_vmim, a->ns, a->name);
  return object && (g_strcmp0(ferry_json_str(object, SOURCE), node) == 0 ||
                    ferry_json_has_word(ferry_json_get(object, AGENTS), node));
}

#define VMIM "virtualmachineinstancemigrations"

static const struct {
  const char *verb, *group, *resource, *subresource;
  gboolean (*applies)(FerryApi *api, const char *node, const FerryAccess *a);
} node_rules[] = {
    {"list", "kubevirt.io", VMIM, NULL, asks_for_own},
    {"watch", "kubevirt.io", VMIM, NULL, asks_for_own},
    {"get", "kubevirt.io", VMIM, NULL, has_part},
    {"get", "kubevirt.io", VMIM, "status", has_part},
    {"patch", "kubevirt.io", VMIM, "status", has_part},
    /* an agent makes sure that a target is a host of this cluster */
    {"get", "", "nodes", NULL, node_rules_anyone},
    {"create", "", "events", NULL, node_rules_anyone},
};

gboolean ferry_node_rules_allow(FerryApi *api, const char *node, const FerryAccess *a) {
  for (gsize i = 0; i < G_N_ELEMENTS(node_rules); i++)
    if (g_strcmp0(node_rules[i].verb, a->verb) == 0 &&
        g_strcmp0(node_rules[i].group, a->group) == 0 &&
        g_strcmp0(node_rules[i].resource, a->resource) == 0 &&
        g_strcmp0(node_rules[i].subresource, a->subresource) == 0)
      return node_rules[i].applies(api, node, a);
  return FALSE;
}

json_t *ferry_node_rules_list(void) {
  json_t *out = json_array();
  for (gsize i = 0; i < G_N_ELEMENTS(node_rules); i++) {
    g_autofree char *resource =
        g_strconcat(node_rules[i].resource, node_rules[i].subresource ? "/" : "",
                    node_rules[i].subresource ? node_rules[i].subresource : "", NULL);
    json_array_append_new(out, json_pack("{s:[s], s:[s], s:[s]}", "verbs", node_rules[i].verb,
                                         "apiGroups", node_rules[i].group, "resources", resource));
  }
  return out;
}
