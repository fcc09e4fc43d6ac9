// SPDX-License-Identifier: Apache-2.0
// What everybody asks of a VirtualMachineInstanceMigration.
#pragma once
#include "model/migration/phase.h"

G_BEGIN_DECLS

/** Whether it has ended, one way or the other. Pure. */
gboolean ferry_migration_is_final(const json_t *migration);
/** The status of one that was created at `now` (RFC 3339): Pending since then. New reference. Pure.
 */
json_t *ferry_migration_status_new(const char *now);
/** Whether it only reckons and moves nothing (spec.forecastOnly). Pure. */
gboolean ferry_migration_is_forecast(const json_t *migration);
/** Whether a domain's `state` on the source (may be NULL) is what it was when the migration was
 * scheduled; where that is not known, whether it runs. Pure. */
gboolean ferry_migration_state_is_kept(const json_t *migration, const char *state);

G_END_DECLS
