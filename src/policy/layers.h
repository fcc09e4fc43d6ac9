// SPDX-License-Identifier: Apache-2.0
// What a migration's configuration is resolved from, one layer a source, the strongest first.
#pragma once
#include "model/kinds/policy_fields.h"

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

typedef struct {
  json_t *at;   /* flat: what `intent` says stands under the names of the configuration */
  char *origin; /* "MigrationPolicy/NAME", ... */
  FerryLayerBit bit;
} FerryLayer;

/** The layers of `sources` in the order in which they are asked, a GArray of FerryLayer: the
 * migration, the policy it names, the VM, the policy it names, the policy that matches, the cluster
 * and its default policy; a preset comes right after the layer that names it, if it is the rule
 * that holds, and what Ferry's own adds to an intent comes last. `rule` gets the layer whose rule
 * holds
 * (`preset`, `schedule` or `intent`: the strongest that says one), borrowed from the array, or
 * NULL: none says one. Pure. */
GArray *ferry_config_layers(const FerryConfigSources *sources, const FerryLayer **rule);

/** The policy that the VM names: in its domain's metadata (<ferry:migrationPolicy><policy>) or in
 * the annotation ferry.migration/policy; NULL: none. Borrowed. */
const char *ferry_config_vm_policy(const json_t *vmi);

/** What the VM alone says of its migrations, from its domain's metadata (spec.migration) and, for
 * the schedule, the annotation ferry.migration/schedule where the metadata has none. Both hold a
 * schedule as JSON in text: it becomes an object; what cannot be parsed stays text, for
 * ferry_policy_check to refuse. A new reference, NULL where nothing is said. Pure. */
json_t *ferry_config_vm_settings(const json_t *vmi);

G_END_DECLS
