// SPDX-License-Identifier: Apache-2.0
// The parts of ferry_migration_flags_check that look at the VM and its definition.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** What to judge; all borrowed, all but `config` may be NULL (then its rules are left out). */
typedef struct {
  const json_t *config;  /* resolved (ferry_config_resolve) */
  const json_t *origins; /* of its values */
  const json_t *vmi;
  const json_t *source, *target; /* Nodes */
} FerryFlagsContext;

/** The value of `name`, NULL where it is null or not there. Borrowed. Pure. */
const json_t *ferry_migration_flags_given(const json_t *config, const char *name);
/** Adds a cause "Invalid value: ..." for spec.`name`. */
void ferry_migration_flags_cause(GError *causes, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/** A cause for each option that the migration itself asks for and that an offline migration would
 * drop; what policies and the VM say is dropped without a word. Pure. */
void ferry_migration_flags_check_offline(const FerryFlagsContext *context, GError *causes);
/** destinationXML and persistentXML: XML of a domain, and the first of this VM. Pure. */
void ferry_migration_flags_check_definition(const FerryFlagsContext *context, GError *causes);
/** The disks that are named, and what becomes of the VM's definition. `context->vmi` is there.
 * Pure. */
void ferry_migration_flags_check_vm(const FerryFlagsContext *context, GError *causes);

G_END_DECLS
