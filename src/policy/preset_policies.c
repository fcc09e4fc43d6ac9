// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/policy_layers.h"
#include "base/limits.h"
#include "policy/preset_policies.h"

static gint64 longest_pause(const FerrySchedule *s) {
  gint64 ms = MAX(s->init_downtime_ms, s->double_max_ms);
  for (guint i = 0; i < s->n_steps; i++)
    if (s->steps[i].action == FERRY_STEP_SET_DOWNTIME)
      ms = MAX(ms, s->steps[i].value);
  return ms > 0 ? ms : FERRY_QEMU_DOWNTIME_MS;
}

json_t *ferry_preset_config(const FerryPreset *preset) {
  const FerrySchedule *s = &preset->schedule;
  json_t *out = json_object();
  if (preset->intent) {
    ferry_json_set_int(out, FERRY_FIELD_MAX_SLOWDOWN, preset->max_slowdown_percent);
    ferry_json_set_int(out, "infeasiblePatienceMs", preset->infeasible_patience_ms);
    return out;
  }
  ferry_json_set_int(out, FERRY_FIELD_MAX_DOWNTIME,
                     preset->max_downtime_ms > 0 ? preset->max_downtime_ms : longest_pause(s));
  ferry_json_set_int(out, "completionTimeoutPerGiB", s->completion_s_per_gib);
  ferry_json_set_int(out, "progressTimeout", s->progress_s);
  if (s->bandwidth > 0)
    ferry_json_set_int(out, "bandwidthPerMigration", s->bandwidth);
  if (s->auto_converge)
    ferry_json_set_bool(out, "allowAutoConverge", TRUE);
  if (s->compression)
    ferry_json_set_str(out, "compression", s->compression);
  if (s->connections > 0) {
    ferry_json_set_bool(out, "parallel", TRUE);
    ferry_json_set_int(out, "parallelConnections", s->connections);
  }
  if (preset->max_cluster > 0)
    ferry_json_set_int(out, "parallelMigrationsPerCluster", preset->max_cluster);
  if (preset->max_outbound > 0)
    ferry_json_set_int(out, "parallelOutboundMigrationsPerNode", preset->max_outbound);
  if (preset->max_inbound > 0)
    ferry_json_set_int(out, "parallelInboundMigrationsPerNode", preset->max_inbound);
  if (ferry_schedule_has(s, FERRY_STEP_POSTCOPY))
    ferry_json_set_bool(out, "allowPostCopy", TRUE);
  return out;
}

json_t *ferry_preset_spec(const FerryPreset *preset) {
  json_t *spec = preset->intent ? json_object() : ferry_preset_config(preset);
  json_object_del(spec, "parallelMigrationsPerCluster"); /* the preset's, but no policy has it */
  ferry_json_set_str(spec, "preset", preset->name);
  return spec;
}

const FerryPreset *ferry_preset_all(gsize *n) {
  return ferry_presets(n);
}

gboolean ferry_preset_is_builtin(const json_t *policy) {
  const char *name = ferry_json_str(policy, "metadata.name");
  const json_t *labels = ferry_json_get(policy, "metadata.labels");
  const char *label = json_string_value(json_object_get(labels, FERRY_PRESET_LABEL));
  return name && g_strcmp0(name, label) == 0 && ferry_preset_find(name);
}

char *ferry_preset_names(void) {
  gsize n;
  const FerryPreset *presets = ferry_presets(&n);
  GString *out = g_string_new(NULL);
  for (gsize i = 0; i < n; i++)
    g_string_append_printf(out, "%s%s", i ? ", " : "", presets[i].name);
  return g_string_free(out, FALSE);
}
