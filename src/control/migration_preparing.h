// SPDX-License-Identifier: Apache-2.0
// While the source's agent prepares the target.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/* Guards and actions; the rows in migration.c say when. */
gboolean ferry_step_guard_cancel_unanswered(FerryStep *s);
gboolean ferry_step_guard_not_prepared(FerryStep *s);
void ferry_step_act_cancel_unanswered(FerryStep *s);
void ferry_step_act_not_prepared(FerryStep *s);

G_END_DECLS
