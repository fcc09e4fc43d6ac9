// SPDX-License-Identifier: Apache-2.0
// Figures about migrations and VMs as they are stored: each scrape lists both once, and every
// family is counted from these lists, so that the figures of one scrape fit each other. Names,
// labels and units are KubeVirt's where KubeVirt has the figure, so that dashboards made for it
// work. A forecast moves nothing: only the queue and the limits count it. A migration that is put
// off is Pending by its phase, but not in the queue.
#include "store/store.h"
#include "api/metrics/metrics.h"
#include "base/rfc3339.h"
#include "model/migration/migration.h"
#include "model/migration/reasons.h"
#include "policy/config.h"

static const struct {
  const char *name, *type, *help, *path;
} progress_gauges[] = {
    {"kubevirt_vmi_migration_data_bytes_total", "counter",
     "The total of guest data to be moved to the new host.", "status.progress.dataTotalBytes"},
    {"kubevirt_vmi_migration_data_processed_bytes", "gauge",
     "Guest data that was processed and sent to the new host.",
     "status.progress.dataProcessedBytes"},
    {"kubevirt_vmi_migration_data_remaining_bytes", "gauge",
     "Guest data that remains to be sent to the new host.", "status.progress.dataRemainingBytes"},
    {"kubevirt_vmi_migration_dirty_memory_rate_bytes", "gauge",
     "Rate at which the guest changes its memory, in bytes per second.",
     "status.progress.dirtyRateBytesPerSecond"},
    {"kubevirt_vmi_migration_memory_transfer_rate_bytes", "gauge",
     "Rate at which memory is sent, in bytes per second.",
     "status.progress.memoryTransferRateBytesPerSecond"},
    {"ferry_migration_progress_percent", "gauge", "How much is done; never falls.",
     "status.progress.percent"},
    {"ferry_migration_iteration", "gauge", "Passes over the guest's memory so far.",
     "status.progress.iteration"},
    {"ferry_migration_disk_remaining_bytes", "gauge", "Bytes of disks that remain to be copied.",
     "status.progress.diskRemainingBytes"},
    {"ferry_migration_remaining_seconds", "gauge", "Time that remains by the present rates.",
     "status.progress.remainingSeconds"},
};

static const char *const queue_priorities[] = {"system-critical", "user-triggered",
                                               "system-maintenance", "unset"};

static gboolean is_waiting(const json_t *m) {
  return ferry_phase_of(m) <= FERRY_PHASE_PENDING;
}

static gboolean is_running(const json_t *m) {
  return !ferry_phase_is_waiting(ferry_phase_of(m)) && !ferry_migration_is_final(m);
}

static void put_progress(GPtrArray *migrations, GString *out) {
  for (gsize f = 0; f < G_N_ELEMENTS(progress_gauges); f++) {
    ferry_metrics_family(out, progress_gauges[f].name, progress_gauges[f].type,
                         progress_gauges[f].help);
    for (guint i = 0; i < migrations->len; i++) {
      const json_t *m = g_ptr_array_index(migrations, i);
      gint64 value = ferry_json_int(m, progress_gauges[f].path, -1);
      if (is_running(m) && value >= 0)
        ferry_metrics_sample(out, progress_gauges[f].name, (double)value, "node",
                             ferry_json_text_at(m, "status.migrationState.sourceNode"), "namespace",
                             ferry_json_text_at(m, "metadata.namespace"), "name",
                             ferry_json_text_at(m, "spec.vmiName"), NULL);
    }
  }
}

static void put_phases(GPtrArray *migrations, GString *out) {
  const char *not_known = ferry_reason_name(FERRY_REASON_OUTCOME_UNKNOWN);
  guint unset = 0, pending = 0, scheduling = 0, running = 0, unknown = 0;
  for (guint i = 0; i < migrations->len; i++) {
    const json_t *m = g_ptr_array_index(migrations, i);
    FerryPhase phase = ferry_phase_of(m);
    unset += phase == FERRY_PHASE_NONE;
    pending += phase == FERRY_PHASE_PENDING;
    scheduling += phase == FERRY_PHASE_SCHEDULING;
    running += is_running(m);
    unknown += is_running(m) && g_strcmp0(ferry_json_str(m, "status.reason"), not_known) == 0;
  }
  ferry_metrics_figure(out, "kubevirt_vmi_migrations_in_unset_phase", "gauge",
                       "Migrations that the controller has not looked at yet.", unset);
  ferry_metrics_figure(out, "kubevirt_vmi_migrations_in_pending_phase", "gauge",
                       "Migrations that wait in the queue.", pending);
  ferry_metrics_figure(out, "kubevirt_vmi_migrations_in_scheduling_phase", "gauge",
                       "Migrations that have no target yet.", scheduling);
  ferry_metrics_figure(out, "kubevirt_vmi_migrations_in_running_phase", "gauge",
                       "Migrations that have a target and have not ended.", running);
  ferry_metrics_figure(out, "ferry_migrations_outcome_unknown", "gauge",
                       "Migrations of which only a host that does not answer knows how they ended.",
                       unknown);
}

static void put_ended(GPtrArray *migrations, GString *out) {
  static const struct {
    const char *name;
    FerryPhase phase;
    const char *help;
  } families[] = {
      {"kubevirt_vmi_migration_succeeded", FERRY_PHASE_SUCCEEDED,
       "1 for each migration that succeeded."},
      {"kubevirt_vmi_migration_failed", FERRY_PHASE_FAILED, "1 for each migration that failed."},
  };
  for (gsize f = 0; f < G_N_ELEMENTS(families); f++) {
    ferry_metrics_family(out, families[f].name, "gauge", families[f].help);
    for (guint i = 0; i < migrations->len; i++) {
      const json_t *m = g_ptr_array_index(migrations, i);
      if (ferry_phase_of(m) == families[f].phase)
        ferry_metrics_sample(out, families[f].name, 1, "vmi", ferry_json_text_at(m, "spec.vmiName"),
                             "vmim", ferry_json_text_at(m, "metadata.name"), "namespace",
                             ferry_json_text_at(m, "metadata.namespace"), NULL);
    }
  }
}

/* When a VM's newest migration began or ended, by the VM's status as in KubeVirt. */
static void put_time(GPtrArray *vmis, GHashTable *names, gboolean end, GString *out) {
  const char *family =
      end ? "kubevirt_vmi_migration_end_time_seconds" : "kubevirt_vmi_migration_start_time_seconds";
  ferry_metrics_family(out, family, "gauge",
                       end ? "When the VM's newest migration ended."
                           : "When the VM's newest migration began.");
  for (guint i = 0; i < vmis->len; i++) {
    const json_t *vmi = g_ptr_array_index(vmis, i);
    const json_t *state = ferry_json_get(vmi, "status.migrationState");
    gint64 ms = ferry_rfc3339_parse(ferry_json_str(state, end ? "endTimestamp" : "startTimestamp"));
    if (ms < 0)
      continue;
    const char *name = g_hash_table_lookup(names, ferry_json_text_at(state, "migrationUid"));
    /* NULL ends the list early: no status while it runs. */
    ferry_metrics_sample(
        out, family, (double)ms / 1000, "node", ferry_json_text_at(vmi, "status.nodeName"),
        "namespace", ferry_json_text_at(vmi, "metadata.namespace"), "name",
        ferry_json_text_at(vmi, "metadata.name"), "migration_name", name, end ? "status" : NULL,
        ferry_json_bool(state, "failed", FALSE) ? "failed" : "succeeded", NULL);
  }
}

static void put_queue(GPtrArray *migrations, gint64 now_ms, GString *out) {
  guint waiting[G_N_ELEMENTS(queue_priorities)] = {0}, put_off = 0;
  gint64 oldest = now_ms;
  for (guint i = 0; i < migrations->len; i++) {
    const json_t *m = g_ptr_array_index(migrations, i);
    put_off += ferry_migration_is_put_off(m);
    if (!is_waiting(m) || ferry_migration_is_put_off(m))
      continue;
    gsize p = 0;
    while (p + 1 < G_N_ELEMENTS(queue_priorities) &&
           !g_str_equal(ferry_json_text_at(m, "spec.priority"), queue_priorities[p]))
      p++;
    waiting[p]++;
    gint64 since = ferry_rfc3339_parse(ferry_json_str(m, "metadata.creationTimestamp"));
    if (since >= 0)
      oldest = MIN(oldest, since);
  }
  ferry_metrics_family(out, "ferry_migration_queue_length", "gauge",
                       "Migrations that wait in the queue, by priority.");
  for (gsize p = 0; p < G_N_ELEMENTS(queue_priorities); p++)
    ferry_metrics_sample(out, "ferry_migration_queue_length", waiting[p], "priority",
                         queue_priorities[p], NULL);
  ferry_metrics_figure(out, "ferry_migration_queue_oldest_seconds", "gauge",
                       "How long the migration that has waited longest is in the queue.",
                       (double)(now_ms - oldest) / 1000);
  ferry_metrics_figure(out, "ferry_migrations_put_off", "gauge",
                       "Migrations that wait for the time of their notBefore, beside the queue.",
                       put_off);
}

static void put_limits(FerryStore *store, GPtrArray *migrations, GString *out) {
  static const char limit[] = "ferry_migration_limit";
  static const char used[] = "ferry_node_migrations";
  g_autoptr(json_t) kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  FerryConfigSources sources = {.kubevirt = kubevirt};
  g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
  static const char *const limits[][2] = {
      {"cluster", "parallelMigrationsPerCluster"},
      {"outbound", "parallelOutboundMigrationsPerNode"},
      {"inbound", "parallelInboundMigrationsPerNode"},
  };
  ferry_metrics_family(out, limit, "gauge",
                       "Migrations allowed at once: in the cluster, out of a node, into a node.");
  for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
    ferry_metrics_sample(out, limit, (double)ferry_json_int(config, limits[i][1], 0), "scope",
                         limits[i][0], NULL);
  guint active = 0;
  for (guint i = 0; i < migrations->len; i++) {
    const json_t *m = g_ptr_array_index(migrations, i);
    active += !is_waiting(m) && !ferry_migration_is_final(m);
  }
  ferry_metrics_figure(out, "ferry_migrations_active", "gauge",
                       "Migrations that count against the cluster's limit.", active);
  static const char *const ways[][2] = {{"outbound", "status.migrationState.sourceNode"},
                                        {"inbound", "status.migrationState.targetNode"}};
  ferry_metrics_family(out, used, "gauge", "Migrations that leave or enter a node.");
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  for (gsize w = 0; w < G_N_ELEMENTS(ways); w++) {
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < migrations->len; i++) {
      const json_t *m = g_ptr_array_index(migrations, i);
      const char *node = ferry_json_str(m, ways[w][1]);
      if (!is_waiting(m) && !ferry_migration_is_final(m) && node)
        g_hash_table_insert(
            counts, (gpointer)node,
            GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, node)) + 1));
    }
    for (guint i = 0; i < nodes->len; i++) {
      const char *node = ferry_json_text_at(g_ptr_array_index(nodes, i), "metadata.name");
      ferry_metrics_sample(out, used, GPOINTER_TO_UINT(g_hash_table_lookup(counts, node)), "node",
                           node, "direction", ways[w][0], NULL);
    }
  }
}

/* Draining: how many evacuations are in which phase, and what is left of those under way. */
static void put_evacuations(FerryStore *store, GString *out) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_evacuation, NULL, NULL);
  ferry_metrics_family(out, "ferry_evacuations", "gauge", "Evacuations of hosts, by phase.");
  for (const char *const *state = ferry_evacuation_phases; *state; state++) {
    guint n = 0;
    for (guint i = 0; i < all->len; i++)
      n += ferry_phase_of(g_ptr_array_index(all, i)) == ferry_phase_parse(*state);
    ferry_metrics_sample(out, "ferry_evacuations", n, "phase", *state, NULL);
  }
  ferry_metrics_family(out, "ferry_evacuation_remaining_vms", "gauge",
                       "VMs that are still to leave a host that is being evacuated.");
  for (guint i = 0; i < all->len; i++) {
    const json_t *e = g_ptr_array_index(all, i);
    if (!ferry_phase_is_final(ferry_phase_of(e)))
      ferry_metrics_sample(out, "ferry_evacuation_remaining_vms",
                           (double)ferry_json_int(e, "status.remaining", 0), "node",
                           ferry_json_text_at(e, "spec.nodeName"), NULL);
  }
}

void ferry_metrics_put_migrations(FerryStore *store, gint64 now_ms, GString *out) {
  g_autoptr(GPtrArray) migrations = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  g_autoptr(GPtrArray) vmis = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < migrations->len; i++) {
    const json_t *m = g_ptr_array_index(migrations, i);
    g_hash_table_insert(names, (gpointer)ferry_json_text_at(m, "metadata.uid"),
                        (gpointer)ferry_json_text_at(m, "metadata.name"));
  }
  g_autoptr(GPtrArray) moving = g_ptr_array_new(); /* a forecast moves nothing */
  for (guint i = 0; i < migrations->len; i++)
    if (!ferry_migration_is_forecast(g_ptr_array_index(migrations, i)))
      g_ptr_array_add(moving, g_ptr_array_index(migrations, i));
  put_progress(moving, out);
  put_phases(moving, out);
  put_ended(moving, out);
  put_time(vmis, names, FALSE, out);
  put_time(vmis, names, TRUE, out);
  put_queue(migrations, now_ms, out);
  put_limits(store, migrations, out);
  put_evacuations(store, out);
}
