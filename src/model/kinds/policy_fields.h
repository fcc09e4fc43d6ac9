// SPDX-License-Identifier: Apache-2.0
// By what anyone says how a VM is to be migrated, as data: the fields of the KubeVirt object, of a
// MigrationPolicy and of a migration's spec that are not libvirt's flags
// (model/flags/migration_flags.h). Validation, OpenAPI and the resolved configuration with its
// origins come from it. policy_fields.c finds a row, fields_policy.c makes the kinds' fields of
// the rows.
#pragma once
#include "model/field/field.h"
#include "model/kinds/policy_layers.h"

G_BEGIN_DECLS

typedef struct {
  FerryField field;    /* `fallback` is what a resolved configuration holds where nobody says it */
  unsigned layers;     /* FerryLayerBit: who may say it; 0: Ferry itself, when it is resolved */
  unsigned lowered_by; /* who may lower what those above say, and no more */
  const char *said_as; /* a member of an intent, and of a domain's metadata, that means the same: a
                          duration where this is in ms; NULL: none */
  gboolean rule;       /* it chooses what drives the migration: of these the strongest holds */
  gboolean running;    /* of no use where the guest doesn't run meanwhile (offline) */
} FerryPolicyField;

/** All rows; ends with a NULL field.name. */
extern const FerryPolicyField ferry_policy_fields[];
/** Whether a row can be said by its `said_as` alone, and not by the name of the resolved field. */
gboolean ferry_policy_field_is_derived(const FerryPolicyField *field);
/** The row of a field, or NULL. */
const FerryPolicyField *ferry_policy_field_find(const char *name);
/** The field `name` of a resolved configuration, be it a policy's or libvirt's flag; or NULL. */
const FerryField *ferry_configuration_field(const char *name);

G_END_DECLS
