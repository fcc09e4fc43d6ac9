// SPDX-License-Identifier: Apache-2.0
// What a migration would cost, before anybody starts one.
#pragma once
#include "agent/migration/state/measure.h"

G_BEGIN_DECLS

/** From what was measured: status.forecast, a new reference. */
json_t *ferry_migration_forecast(const FerryMigrationPorts *ports, const FerryAsked *asked,
                                 FerryMeasured *measured);
/** The same. Pure. */
json_t *ferry_migration_forecast_json(const FerryConvergenceIntent *intent,
                                      const FerryMeasured *measured);

/** Why a promised pause (`intent.strict`) is not to be begun by that forecast, with the figures;
 * NULL: it is kept in 95 of 100 cases. Free with g_free. Pure. */
char *ferry_migration_forecast_breaks(const json_t *forecast, gint64 max_downtime_ms);

G_END_DECLS
