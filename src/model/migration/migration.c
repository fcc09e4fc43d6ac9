// SPDX-License-Identifier: Apache-2.0
#include "model/migration/migration.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"

gboolean ferry_migration_is_final(const json_t *migration) {
  return ferry_phase_is_final(ferry_phase_of(migration));
}

gboolean ferry_migration_is_forecast(const json_t *migration) {
  return ferry_json_bool(migration, "spec.forecastOnly", FALSE);
}

gboolean ferry_migration_is_put_off(const json_t *migration) {
  return ferry_phase_of(migration) <= FERRY_PHASE_PENDING &&
         g_strcmp0(ferry_json_str(migration, "status.queue.reason"),
                   ferry_reason_name(FERRY_REASON_NOT_YET)) == 0;
}

guint ferry_migration_presence(const json_t *migration) {
  if (ferry_migration_is_final(migration))
    return 0;
  return ferry_migration_is_put_off(migration) ? 1 : 2;
}

gboolean ferry_migration_state_is_kept(const json_t *migration, const char *state) {
  const char *word = ferry_json_str(migration, "status.migrationState.sourceDomainStateBefore");
  FerryVmState before = ferry_vm_state_parse(word);
  return ferry_domain_state_runs(ferry_vm_state_parse(state))
             ? !word || ferry_domain_state_runs(before)
             : state && g_strcmp0(state, word) == 0;
}

json_t *ferry_migration_status_new(const char *now) {
  const char *phase = ferry_phase_name(FERRY_PHASE_PENDING);
  return json_pack("{s:s, s:[{s:s, s:s}]}", "phase", phase, "phaseTransitionTimestamps", "phase",
                   phase, "phaseTransitionTimestamp", now);
}

gint64 ferry_migration_change_number(const json_t *change) {
  const char *id = ferry_json_str(change, "id");
  return id ? g_ascii_strtoll(id, NULL, 10) : 0;
}

const char *ferry_migration_change_obstacle(const json_t *fields, gboolean post_copy,
                                            gboolean allowed) {
  const char *technique = ferry_json_str(fields, "technique");
  if (post_copy && (technique || json_object_get(fields, "downtimeMs") ||
                    json_object_get(fields, "bandwidthMiBps")))
    return "it is already in post-copy: the VM runs on the target, and there is no switch-over "
           "left to tune and no way back";
  if (ferry_technique_of(fields) == FERRY_TECHNIQUE_POST_COPY && !allowed)
    return "post-copy was not enabled when it began (allowPostCopy), and cannot be enabled while "
           "it runs";
  return NULL;
}

gboolean ferry_vmi_is_active_on(const json_t *vmi, const char *node) {
  return ferry_json_bool(ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node),
                         "active", FALSE);
}
