// SPDX-License-Identifier: Apache-2.0
// Everything before libvirt's call.
#pragma once
#include "agent/migration/parts.h"

G_BEGIN_DECLS

/** Finds the VM's domain. FALSE: it is not here, or the agent ends. */
gboolean ferry_prepare_resolve(FerryMigrationParts *m);
/** Checks, measures, makes what is needed, and lets ferryd know. FALSE: it has ended, and the
 * result is handed in, or the agent ends. */
gboolean ferry_prepare(FerryMigrationParts *m);
/** Directly before the call: whether what ferry_prepare found holds yet. A yes of ferryd that has
 * grown old meanwhile is asked for anew, and no other migration may have left the copy in doubt.
 * FALSE as above. */
gboolean ferry_prepare_holds(FerryMigrationParts *m);

G_END_DECLS
