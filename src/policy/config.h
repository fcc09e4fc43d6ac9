// SPDX-License-Identifier: Apache-2.0
// The configuration of one migration, resolved: cluster, then policy, then VM, then migration.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** What a resolution is made of; all borrowed, each may be NULL. */
typedef struct {
  const json_t *kubevirt;  /* the KubeVirt object: spec.configuration.migrations */
  const json_t *policy;    /* the MigrationPolicy that matched */
  const json_t *vmi;       /* spec.migration: the VM's override */
  const json_t *migration; /* the migration's own spec */
  json_t *const *policies; /* all, for those that are named: by a migration, a VM or the cluster */
  gsize n_policies;
} FerryConfigSources;

/** A new object with every field of a migration's configuration: KubeVirt's names and defaults
 * (reference: MigrationConfiguration), quantities as integers of bytes. `origins` (may be NULL)
 * gets a new object field -> "default", "KubeVirt", "MigrationPolicy/NAME", "preset/NAME",
 * "VirtualMachineInstance", "VirtualMachineInstanceMigration". `preset` or `schedule` is the rule
 * that drives the migration; an intent's fields are maxDowntimeMs, maxDurationMs,
 * maxSlowdownPercent, allowPostCopy and bandwidthPerMigration. Sources are not changed. Pure. */
json_t *ferry_config_resolve(const FerryConfigSources *sources, json_t **origins);

/** The seconds after which a migration is given up: completionTimeoutPerGiB x GiB of memory and of
 * disks to copy, at least one GiB, or completionTimeoutSeconds where it is set; 0: never. Source:
 * KubeVirt, seeds/003 (8 GiB x 800 s = 6400 s).
 */
gint64 ferry_config_completion_timeout(const json_t *config, gint64 bytes);

G_END_DECLS
