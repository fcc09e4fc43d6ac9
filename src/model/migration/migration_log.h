// SPDX-License-Identifier: Apache-2.0
// What log lines about a migration carry, taken from the object.
#pragma once
#include "base/json.h"
#include "base/log.h"

G_BEGIN_DECLS

/** The context of lines about `migration` (a VirtualMachineInstanceMigration): its and its VM's
 * "namespace/name", its trace id, and `node` (NULL: its source, where that is known). Unref with
 * ferry_log_context_unref. */
FerryLogContext *ferry_migration_log_context(const json_t *migration, const char *node);
/** The trace id of an object, borrowed; NULL where it has none that is valid. */
const char *ferry_object_trace(const json_t *object);

G_END_DECLS
