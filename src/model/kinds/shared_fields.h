// SPDX-License-Identifier: Apache-2.0
// Inside the model only: the tables of fields that several kinds share.
#pragma once
#include "model/domain/domain_states.h"
#include "model/field/rows.h"
#include "model/kinds/kind.h"
#include "model/migration/phase.h"

G_BEGIN_DECLS

extern const FerryField ferry_fields_object_meta[];
extern const FerryField ferry_fields_condition[];
extern const FerryField ferry_fields_migration_configuration[]; /* of the KubeVirt object */
extern const FerryField ferry_fields_resolved_configuration[];  /* of one migration */
extern const FerryField ferry_fields_migration_state[];
extern const FerryField ferry_fields_lesson[];
extern const FerryField ferry_fields_migration_progress[];

G_END_DECLS
