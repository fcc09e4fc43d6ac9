// SPDX-License-Identifier: Apache-2.0
// The resolved configuration of a migration object into what host and convergence understand.
#include "agent/migration/state/settings.h"
#include "base/log.h"
#include "base/quantity.h"
#include "convergence/presets.h"
#include "model/flags/migration_flags.h"
#include "model/kinds/policy_fields.h"

#define LINK_TIMEOUT_MS 15000

static gint64 config_bytes(const json_t *config, const char *key) {
  const json_t *value = json_object_get(config, key);
  gint64 n = 0;
  if (json_is_string(value) && !ferry_quantity_parse(json_string_value(value), &n, NULL))
    return 0;
  return json_is_string(value) ? n : MAX(0, ferry_json_int(config, key, 0));
}

/* A number of the configuration, within its field's limits; where nobody says it, what the field
 * falls back on, else 0. */
static gint64 config_int(const json_t *config, const char *name) {
  const FerryField *f = ferry_configuration_field(name);
  gint64 fallback = f->fallback ? g_ascii_strtoll(f->fallback, NULL, 10) : 0;
  gint64 value = ferry_json_int(config, name, fallback);
  return f->max ? CLAMP(value, f->min, f->max) : MAX(0, value);
}

static gboolean config_bool(const json_t *config, const char *name) {
  return ferry_json_bool(config, name,
                         g_strcmp0(ferry_configuration_field(name)->fallback, "true") == 0);
}

/* The place of a word among those that its field has; 0 where it is unset, or none of them. */
static int config_word(const json_t *config, const char *name) {
  const FerryField *f = ferry_configuration_field(name);
  const char *said = ferry_json_str(config, name);
  for (int i = 0; said && f->values[i]; i++)
    if (g_str_equal(f->values[i], said))
      return i;
  return 0;
}

static const FerryStrategy *read_strategy(const json_t *config) {
  const char *name = ferry_json_str(config, "preset");
  const FerryPreset *preset = name ? ferry_preset_find(name) : NULL;
  return preset ? preset->strategy : NULL;
}

/* The rule: a preset's by name, or a schedule; NULL: the intent. What the configuration says of
 * timeouts holds, because it is what somebody wanted: a preset's own are in there already, unless
 * something stronger replaced them. */
static FerrySchedule *read_schedule(const json_t *config) {
  const json_t *object = json_object_get(config, "schedule");
  const char *name = ferry_json_str(config, "preset");
  const FerryPreset *preset = name ? ferry_preset_find(name) : NULL;
  if (preset && !preset->intent) {
    FerrySchedule *s = ferry_schedule_copy(&preset->schedule);
    if (ferry_json_int(config, "completionTimeoutPerGiB", 0) != s->completion_s_per_gib ||
        ferry_json_int(config, "completionTimeoutSeconds", -1) >= 0)
      s->completion_s_per_gib = 0;
    if (ferry_json_int(config, "progressTimeout", 0) != s->progress_s ||
        ferry_json_int(config, "migrationProgressTimeout", 0) > 0)
      s->progress_s = 0;
    return s;
  }
  if (name && !preset)
    ferry_warning("this agent does not know the preset and goes by the intent", "FERRY_PRESET",
                  name);
  if (!object || name)
    return NULL;
  g_autoptr(GError) error = NULL;
  FerrySchedule *s = ferry_schedule_parse(object, "schedule", &error);
  if (!s)
    ferry_warning(error->message, "FERRY_FIELD", "schedule");
  return s;
}

void ferry_settings_use(FerrySettings *s, const json_t *config) {
  s->request.config = config;
  s->request.copy_disks = ferry_migration_flag_on(config, "copyStorageAll") ||
                          ferry_migration_flag_on(config, "copyStorageIncremental");
  g_clear_pointer(&s->disks, g_strfreev);
  s->request.disks = NULL;
  const json_t *disks = json_object_get(config, "migrateDisks");
  if (json_array_size(disks) > 0) { /* libvirt, told of none, copies all */
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    const json_t *disk;
    size_t i;
    json_array_foreach((json_t *)disks, i, disk) if (json_is_string(disk))
        g_strv_builder_add(names, json_string_value(disk));
    s->disks = g_strv_builder_end(names);
    s->request.disks = (const char *const *)s->disks;
  }
}

void ferry_settings_read(FerrySettings *s, const json_t *migration) {
  const json_t *state = ferry_json_get(migration, "status.migrationState");
  const json_t *config = json_object_get(state, "migrationConfiguration");
  *s = (FerrySettings){
      .request = {.dest_uri = ferry_json_str(state, "targetURI"),
                  .address = ferry_json_str(state, "targetNodeAddress"),
                  .bandwidth = config_bytes(config, "bandwidthPerMigration"),
                  .auto_converge = config_bool(config, "allowAutoConverge"),
                  .post_copy = config_bool(config, "allowPostCopy"),
                  .tls = !config_bool(config, "disableTLS"),
                  .unsafe = config_bool(config, "unsafeMigrationOverride")},
      .max_downtime_ms = config_int(config, FERRY_FIELD_MAX_DOWNTIME),
      .completion_per_gib_s = config_int(config, "completionTimeoutPerGiB"),
      .completion_s = ferry_json_int(config, "completionTimeoutSeconds", -1),
      .progress_timeout_s = config_int(config, "progressTimeout"),
      .max_duration_ms = config_int(config, FERRY_FIELD_MAX_DURATION),
      .max_slowdown_percent =
          (int)MIN(config_int(config, FERRY_FIELD_MAX_SLOWDOWN), FERRY_SLOWDOWN_MAX_PERCENT),
      .prefer = (FerryPrefer)config_word(config, "prefer"),
      .on_infeasible = (FerryInfeasible)config_word(config, "onInfeasible"),
      .strict = config_bool(config, "strict"),
      .observe_only = config_bool(config, "observeOnly"),
      .infeasible_patience_ms = config_int(config, "infeasiblePatienceMs"),
      .link_rate = config_int(config, "linkRateBytesPerSecond"),
      .switchover_bandwidth = MAX(0, config_bytes(config, "availableSwitchoverBandwidth")),
      .dirty_rate_s = (int)config_int(config, "dirtyRateSeconds"),
      .monitor = config_bool(config, "allowMonitorCommands"),
      .post_copy_preempt = config_bool(config, "postCopyPreempt"),
      .copied_disk_bytes = config_int(config, "copiedDiskBytes"),
      .lesson = ferry_lesson_read(json_object_get(config, "lesson")),
      .schedule = read_schedule(config),
      .strategy = read_strategy(config),
  };
  s->compresses_all = ferry_migration_flag_on(config, "compressed") &&
                      ferry_json_has_word(json_object_get(config, "compressionMethods"), "zstd");
  gint64 hard = ferry_json_int(config, "migrationProgressTimeout", 0);
  if (hard > 0)
    s->progress_timeout_s = hard;
  s->allow_workload_disruption =
      ferry_json_bool(config, "allowWorkloadDisruption", s->request.post_copy);
  ferry_settings_use(s, config);
}

void ferry_settings_clear(FerrySettings *s) {
  g_clear_pointer(&s->disks, g_strfreev);
  g_clear_pointer(&s->schedule, ferry_schedule_free);
}

void ferry_settings_intent(const FerrySettings *s, gint64 memory, FerryConvergenceIntent *intent) {
  gint64 to_move = memory + s->copied_disk_bytes;
  *intent = (FerryConvergenceIntent){
      .max_downtime_ms = s->max_downtime_ms,
      .progress_timeout_ms = s->progress_timeout_s * 1000,
      /* the schedules of others know no such limit */
      .link_timeout_ms = s->schedule ? 0 : MIN(s->progress_timeout_s * 1000, LINK_TIMEOUT_MS),
      .allow_post_copy = s->request.post_copy,
      .allow_workload_disruption = s->allow_workload_disruption,
      .max_duration_ms = s->max_duration_ms,
      .prefer = s->prefer,
      .on_infeasible = s->on_infeasible,
      .observe_only = s->observe_only,
      .max_slowdown_percent = s->max_slowdown_percent,
      .can_throttle = s->can_throttle,
      .post_copy_preempt = s->post_copy_preempt,
      .compresses_all = s->compresses_all,
      .bandwidth_cap = MAX(0, s->request.bandwidth),
      .link_rate = s->link_rate,
      .switchover_bandwidth = s->switchover_bandwidth,
      .infeasible_patience_ms = s->infeasible_patience_ms,
      .schedule = s->schedule,
      .strategy = s->strategy,
      .memory_bytes = to_move,
      .disk_bytes = s->copied_disk_bytes,
  };
  /* As policy/config.h says: a VM counts as one GiB at least, however small. */
  if (s->completion_s >= 0)
    intent->completion_timeout_ms = s->completion_s * 1000;
  else if (s->completion_per_gib_s > 0)
    intent->completion_timeout_ms = (gint64)((double)s->completion_per_gib_s * 1000 *
                                             MAX(1.0, (double)to_move / (double)FERRY_GIB));
}
