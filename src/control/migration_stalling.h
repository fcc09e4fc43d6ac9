// SPDX-License-Identifier: Apache-2.0
// What a policy wants done with a migration that stalls.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/* Guards and actions; the rows in migration.c say when. */
gboolean ferry_step_guard_stalling(FerryStep *s);
void ferry_step_act_stalling(FerryStep *s);
gboolean ferry_step_guard_recovering(FerryStep *s);

G_END_DECLS
