// SPDX-License-Identifier: Apache-2.0
// What everybody asks of a VirtualMachineInstanceMigration.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether it has ended, one way or the other. Pure. */
gboolean ferry_migration_is_final(const json_t *migration);
/** Whether it only reckons and moves nothing (spec.forecastOnly). Pure. */
gboolean ferry_migration_is_forecast(const json_t *migration);

G_END_DECLS
