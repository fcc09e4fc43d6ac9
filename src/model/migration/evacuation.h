// SPDX-License-Identifier: Apache-2.0
// The migration that an evacuation or an eviction asks for.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Finalizer of every Evacuation: what has not begun is cancelled first. */
#define FERRY_EVACUATION_FINALIZER "ferry.migration/evacuation"

/** Annotation of an Evacuation that a taint asked for: the taint's key. It does not cordon its
 * node: the taint keeps migrations away. */
#define FERRY_DRAIN_TAINT_ANNOTATION "ferry.migration/drain-taint"

/** Annotation of such a migration: the node that the VM leaves. */
#define FERRY_EVACUATES_ANNOTATION "ferry.migration/evacuates"
/** Annotation: which try of this VM it is, from 1. */
#define FERRY_ATTEMPT_ANNOTATION "ferry.migration/attempt"

/** A VirtualMachineInstanceMigration without name (generateName) that moves `vmi` off `node` before
 * all others. New reference. Pure. */
json_t *ferry_evacuation_migration(const json_t *vmi, const char *node, int attempt);

/** Whether it has ended, one way or the other. Pure. */
gboolean ferry_evacuation_is_final(const json_t *evacuation);

G_END_DECLS
