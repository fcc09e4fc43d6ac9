// SPDX-License-Identifier: Apache-2.0
// The resolved configuration of a migration object into what host and convergence understand.
#include "agent/agent_private.h"
#include "base/quantity.h"

#define GIB (1024.0 * 1024 * 1024)
#define LINK_TIMEOUT_MS 15000

static gint64 bytes(const json_t *config, const char *key) {
  const json_t *value = json_object_get(config, key);
  gint64 n = 0;
  if (json_is_string(value) && !ferry_quantity_parse(json_string_value(value), &n, NULL))
    return 0;
  return json_is_string(value) ? n : MAX(0, ferry_json_int(config, key, 0));
}

void ferry_settings_read(FerrySettings *s, const json_t *migration) {
  const json_t *state = ferry_json_get(migration, "status.migrationState");
  const json_t *config = json_object_get(state, "migrationConfiguration");
  const char *method = ferry_json_str(config, "migrationMethod");
  if (!method)
    method = ferry_json_str(state, "migrationMethod");
  *s = (FerrySettings){
      .request = {.dest_uri = ferry_json_str(state, "targetURI"),
                  .address = ferry_json_str(state, "targetNodeAddress"),
                  .bandwidth = bytes(config, "bandwidthPerMigration"),
                  .auto_converge = ferry_json_bool(config, "allowAutoConverge", FALSE),
                  .post_copy = ferry_json_bool(config, "allowPostCopy", FALSE),
                  .config = config,
                  .tls = !ferry_json_bool(config, "disableTLS", FALSE),
                  .unsafe = ferry_json_bool(config, "unsafeMigrationOverride", FALSE),
                  .copy_disks = g_strcmp0(method, "BlockMigration") == 0 ||
                                ferry_json_bool(config, "copyStorageAll", FALSE) ||
                                ferry_json_bool(config, "copyStorageIncremental", FALSE)},
      .max_downtime_ms = CLAMP(ferry_json_int(config, "maxDowntimeMs", 900), 1, 2000000),
      .completion_per_gib_s = MAX(0, ferry_json_int(config, "completionTimeoutPerGiB", 150)),
      .completion_s = ferry_json_int(config, "completionTimeoutSeconds", -1),
      .progress_timeout_s = MAX(0, ferry_json_int(config, "progressTimeout", 150)),
  };
  s->allow_workload_disruption =
      ferry_json_bool(config, "allowWorkloadDisruption", s->request.post_copy);
  const json_t *disks = json_object_get(config, "migrateDisks");
  if (json_is_array(disks)) {
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    const json_t *disk;
    size_t i;
    json_array_foreach((json_t *)disks, i, disk) if (json_is_string(disk))
        g_strv_builder_add(names, json_string_value(disk));
    s->disks = g_strv_builder_end(names);
    s->request.disks = (const char *const *)s->disks;
  }
}

void ferry_settings_clear(FerrySettings *s) {
  g_clear_pointer(&s->disks, g_strfreev);
}

void ferry_settings_intent(const FerrySettings *s, gint64 to_move, FerryConvergenceIntent *intent) {
  *intent = (FerryConvergenceIntent){
      .max_downtime_ms = s->max_downtime_ms,
      .progress_timeout_ms = s->progress_timeout_s * 1000,
      .link_timeout_ms = s->progress_timeout_s > 0
                             ? MIN(s->progress_timeout_s * 1000, LINK_TIMEOUT_MS)
                             : LINK_TIMEOUT_MS,
      .allow_post_copy = s->request.post_copy,
      .allow_workload_disruption = s->allow_workload_disruption,
      .bandwidth_cap = MAX(0, s->request.bandwidth),
      .memory_bytes = to_move,
  };
  /* At least a second a migration, however small the VM. */
  if (s->completion_s >= 0)
    intent->completion_timeout_ms = s->completion_s * 1000;
  else if (s->completion_per_gib_s > 0)
    intent->completion_timeout_ms =
        MAX(1000, (gint64)((double)s->completion_per_gib_s * 1000 * (double)to_move / GIB));
}
