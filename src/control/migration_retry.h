// SPDX-License-Identifier: Apache-2.0
// A migration that failed through its target is tried again on another host.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/* Guards and actions; the rows in migration.c say when. */
gboolean ferry_step_guard_retry(FerryStep *s);
void ferry_step_act_retry(FerryStep *s);
void ferry_step_act_freeze(FerryStep *s);
void ferry_step_drop_stale_result(FerryStep *s);

G_END_DECLS
