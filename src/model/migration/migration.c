// SPDX-License-Identifier: Apache-2.0
#include "model/migration/migration.h"

gboolean ferry_migration_is_final(const json_t *migration) {
  return ferry_phase_is_final(ferry_phase_of(migration));
}

gboolean ferry_migration_is_forecast(const json_t *migration) {
  return ferry_json_bool(migration, "spec.forecastOnly", FALSE);
}

static gboolean runs(const char *state) {
  return g_strcmp0(state, "running") == 0 || g_strcmp0(state, "blocked") == 0;
}

gboolean ferry_migration_state_is_kept(const json_t *migration, const char *state) {
  const char *before = ferry_json_str(migration, "status.migrationState.sourceDomainStateBefore");
  return runs(state) ? !before || runs(before) : state && g_strcmp0(state, before) == 0;
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
