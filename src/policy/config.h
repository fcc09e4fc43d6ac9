// SPDX-License-Identifier: Apache-2.0
// The configuration of one migration, resolved: cluster, then policy, then VM, then migration.
#pragma once
#include "policy/layers.h"

G_BEGIN_DECLS

/** A new object with every field of a migration's configuration: KubeVirt's names and defaults
 * (reference: MigrationConfiguration), quantities as integers of bytes. `origins` (may be NULL)
 * gets a new object field -> "default", "KubeVirt", "MigrationPolicy/NAME", "preset/NAME",
 * "VirtualMachineInstance", "VirtualMachineInstanceMigration". `preset` or `schedule` is the rule
 * that drives the migration; an intent's fields are maxDowntimeMs, maxDurationMs,
 * maxSlowdownPercent, allowPostCopy and bandwidthPerMigration. Sources are not changed. Pure. */
json_t *ferry_config_resolve(const FerryConfigSources *sources, json_t **origins);

G_END_DECLS
