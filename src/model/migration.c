// SPDX-License-Identifier: Apache-2.0
#include "model/migration.h"

gboolean ferry_migration_is_final(const json_t *migration) {
  const char *phase = ferry_json_str(migration, "status.phase");
  return phase && (g_str_equal(phase, "Succeeded") || g_str_equal(phase, "Failed"));
}

gboolean ferry_migration_is_forecast(const json_t *migration) {
  return ferry_json_bool(migration, "spec.forecastOnly", FALSE);
}
