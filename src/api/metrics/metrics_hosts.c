// SPDX-License-Identifier: Apache-2.0
// Figures about hosts and their VMs as they are stored.
#include "store/store.h"
#include "api/metrics/metrics.h"
#include "base/compare.h"
#include "base/quantity.h"
#include "policy/placement.h"
#include "model/migration/condition.h"
#include "model/migration/rollout.h"

#include <string.h>

static gint64 metrics_hosts_bytes(const json_t *object, const char *path) {
  const json_t *v = ferry_json_get(object, path);
  gint64 value;
  if (json_is_integer(v))
    return json_integer_value(v);
  return json_is_string(v) && ferry_quantity_parse(json_string_value(v), &value, NULL) ? value : -1;
}

static void put_states(GPtrArray *nodes, GString *out) {
  static const char *const states[] = {"Ready", "NotReady", "Unknown"};
  guint n[G_N_ELEMENTS(states)] = {0};
  for (guint i = 0; i < nodes->len; i++) {
    const json_t *node = g_ptr_array_index(nodes, i);
    n[ferry_condition_holds(node, FERRY_CONDITION_READY)   ? 0
      : ferry_condition_fails(node, FERRY_CONDITION_READY) ? 1
                                                           : 2]++;
  }
  ferry_metrics_family(out, "ferry_nodes", "gauge", "Hosts, by what is known of their agent.");
  for (gsize s = 0; s < G_N_ELEMENTS(states); s++)
    ferry_metrics_sample(out, "ferry_nodes", n[s], "state", states[s], NULL);
}

static double metrics_hosts_ready(const json_t *node) {
  return ferry_node_is_ready(node);
}

static double metrics_hosts_schedulable(const json_t *node) {
  return !ferry_json_bool(node, "spec.unschedulable", FALSE);
}

static double metrics_hosts_running(const json_t *node) {
  return (double)ferry_json_int(node, "status.runningVMs", -1);
}

static double metrics_hosts_memory(const json_t *node) {
  return (double)metrics_hosts_bytes(node, "status.capacity.memory");
}

static double memory_used(const json_t *node) {
  return (double)ferry_json_int(node, "status.memoryUsedBytes", -1);
}

static void put_each(GPtrArray *nodes, GString *out) {
  static const struct {
    const char *name, *help;
    double (*value)(const json_t *node);
  } families[] = {
      {"ferry_node_ready", "1 where the host's agent reports.", metrics_hosts_ready},
      {"ferry_node_schedulable", "0 where the host takes no VMs (cordoned).",
       metrics_hosts_schedulable},
      {"ferry_node_running_vms", "VMs that run on the host.", metrics_hosts_running},
      {"ferry_node_memory_bytes", "Memory of the host.", metrics_hosts_memory},
      {"ferry_node_memory_used_bytes", "Memory of the VMs on the host.", memory_used},
  };
  for (gsize f = 0; f < G_N_ELEMENTS(families); f++) {
    ferry_metrics_family(out, families[f].name, "gauge", families[f].help);
    for (guint i = 0; i < nodes->len; i++) {
      const json_t *node = g_ptr_array_index(nodes, i);
      double value = families[f].value(node);
      if (value >= 0)
        ferry_metrics_sample(out, families[f].name, value, "node",
                             ferry_json_text_at(node, "metadata.name"), NULL);
    }
  }
  ferry_metrics_family(out, "ferry_node_info", "gauge", "Versions on the host; always 1.");
  for (guint i = 0; i < nodes->len; i++) {
    const json_t *node = g_ptr_array_index(nodes, i);
    ferry_metrics_sample(out, "ferry_node_info", 1, "node",
                         ferry_json_text_at(node, "metadata.name"), "libvirt_version",
                         ferry_json_text_at(node, "status.hypervisor.libvirtVersion"),
                         "qemu_version", ferry_json_text_at(node, "status.hypervisor.qemuVersion"),
                         "agent_version", ferry_json_text_at(node, "status.agent.version"), NULL);
  }
}

static void put_vms(GPtrArray *vmis, GString *out) {
  static const FerryConditionType problems[] = {FERRY_CONDITION_RUNNING_ON_TWO_HOSTS,
                                                FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST,
                                                FERRY_CONDITION_DUPLICATE_NAME};
  g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint migratable = 0, not_migratable = 0;
  for (guint i = 0; i < vmis->len; i++) {
    const json_t *vmi = g_ptr_array_index(vmis, i);
    char *key = g_strdup_printf("%s\n%s", ferry_json_text_at(vmi, "status.nodeName"),
                                ferry_json_text_at(vmi, "status.phase"));
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));
    g_hash_table_replace(counts, key, GUINT_TO_POINTER(n + 1));
    migratable += ferry_condition_holds(vmi, FERRY_CONDITION_LIVE_MIGRATABLE);
    not_migratable += ferry_condition_fails(vmi, FERRY_CONDITION_LIVE_MIGRATABLE);
  }
  ferry_metrics_family(out, "ferry_vms", "gauge", "VMs, by host and phase.");
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(counts), ferry_compare_text);
  for (GList *k = keys; k; k = k->next) {
    g_auto(GStrv) part = g_strsplit(k->data, "\n", 2);
    ferry_metrics_sample(out, "ferry_vms", GPOINTER_TO_UINT(g_hash_table_lookup(counts, k->data)),
                         "node", part[0], "phase", part[1], NULL);
  }
  ferry_metrics_family(out, "ferry_vms_live_migratable", "gauge",
                       "VMs that can, and that cannot, move while they run.");
  ferry_metrics_sample(out, "ferry_vms_live_migratable", migratable, "migratable", "true", NULL);
  ferry_metrics_sample(out, "ferry_vms_live_migratable", not_migratable, "migratable", "false",
                       NULL);
  ferry_metrics_family(out, "ferry_vm_problem", "gauge",
                       "1 for each VM with a condition that a person has to look at.");
  for (guint i = 0; i < vmis->len; i++) {
    const json_t *vmi = g_ptr_array_index(vmis, i);
    for (gsize p = 0; p < G_N_ELEMENTS(problems); p++)
      if (ferry_condition_holds(vmi, problems[p]))
        ferry_metrics_sample(out, "ferry_vm_problem", 1, "namespace",
                             ferry_json_text_at(vmi, "metadata.namespace"), "name",
                             ferry_json_text_at(vmi, "metadata.name"), "condition",
                             ferry_condition_name(problems[p]), NULL);
  }
}

/* Of the rollouts that have not ended; a phase that no host is in has its 0. */
static void put_rollouts(FerryStore *store, GString *out) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_rollout, NULL, NULL);
  ferry_metrics_family(out, "ferry_rollout_hosts", "gauge",
                       "Hosts of rollouts that have not ended, by phase.");
  for (const char *const *phase = ferry_rollout_host_phases; *phase; phase++) {
    guint n = 0;
    gsize k;
    json_t *host;
    for (guint i = 0; i < all->len; i++) {
      if (ferry_rollout_is_final(all->pdata[i]))
        continue;
      json_array_foreach(ferry_json_get(all->pdata[i], "status.hosts"), k, host) n +=
          g_strcmp0(ferry_json_str(host, "phase"), *phase) == 0;
    }
    ferry_metrics_sample(out, "ferry_rollout_hosts", n, "phase", *phase, NULL);
  }
}

void ferry_metrics_put_hosts(FerryStore *store, GString *out) {
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) vmis = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  put_states(nodes, out);
  put_each(nodes, out);
  put_vms(vmis, out);
  put_rollouts(store, out);
}
