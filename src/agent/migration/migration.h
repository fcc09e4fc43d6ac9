// SPDX-License-Identifier: Apache-2.0
// One migration's worker, from "Scheduled" to its result.
#pragma once
#include "agent/core/workers.h"
#include "agent/link/delivery_local.h"
#include "agent/migration/state/ports.h"

G_BEGIN_DECLS

typedef struct _FerryMigration FerryMigration;

/** What the table of workers can do with one. Any thread. */
extern const FerryWorkerOps ferry_migration_ops;

/** Starts (or adopts, in phase Running) a migration in a thread of its own. `ports` is copied. */
FerryMigration *ferry_migration_start(const FerryMigrationPorts *ports, const json_t *object);
/** One that no server knows of: what it would write goes to `sink` instead. */
FerryMigration *ferry_migration_start_local(const FerryMigrationPorts *ports, const json_t *object,
                                            FerryDeliverySink sink, gpointer data);

G_END_DECLS
