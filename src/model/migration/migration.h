// SPDX-License-Identifier: Apache-2.0
// What everybody asks of a VirtualMachineInstanceMigration.
#pragma once
#include "model/migration/phase.h"

G_BEGIN_DECLS

/** Finalizer of every migration: it goes once it has ended. */
#define FERRY_MIGRATION_FINALIZER "kubevirt.io/migrationJobFinalizer"
/** Label of a migration: the name of its VM, where it is short enough for one. */
#define FERRY_VMI_NAME_LABEL "kubevirt.io/vmi-name"
/** What is known of a migration that has hosts; a field's name follows. */
#define FERRY_STATE "status.migrationState."
/** As whom ferryd asks for something by itself; no user has such a name. */
#define FERRY_ITSELF "system:ferry"

/** Whether it has ended, one way or the other. Pure. */
gboolean ferry_migration_is_final(const json_t *migration);
/** The status of one that was created at `now` (RFC 3339): Pending since then. New reference. Pure.
 */
json_t *ferry_migration_status_new(const char *now);
/** The number of one of status.changes; 0 where it has none. */
gint64 ferry_migration_change_number(const json_t *change);
/** Whether it only reckons and moves nothing (spec.forecastOnly). Pure. */
gboolean ferry_migration_is_forecast(const json_t *migration);
/** Whether it waits for spec.notBefore, and is in nobody's way meanwhile. Pure. */
gboolean ferry_migration_is_put_off(const json_t *migration);
/** How much "the VM's migration" means this one: 2 where it is under way or waits for its turn, 1
 * where it is put off, 0 where it has ended. Pure. */
guint ferry_migration_presence(const json_t *migration);
/** Whether a domain's `state` on the source (may be NULL) is what it was when the migration was
 * scheduled; where that is not known, whether it runs. Pure. */
gboolean ferry_migration_state_is_kept(const json_t *migration, const char *state);

/** Why the `fields` of a change (as in status.changes) cannot be carried out any more in a
 * migration that runs: `post_copy`: it is in post-copy; `allowed`: post-copy was enabled when it
 * began. NULL: they can. Static. Pure. */
const char *ferry_migration_change_obstacle(const json_t *fields, gboolean post_copy,
                                            gboolean allowed);
/** Whether `vmi` is active on `node`, by that host's own report. Pure. */
gboolean ferry_vmi_is_active_on(const json_t *vmi, const char *node);

G_END_DECLS
