// SPDX-License-Identifier: Apache-2.0
// Guards and actions of a migration until its source's agent takes it over.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/* Guards and actions; the rows in migration.c say when. */
gboolean ferry_step_guard_cancelled(FerryStep *s);
gboolean ferry_step_guard_vm_gone(FerryStep *s);
gboolean ferry_step_guard_vm_off(FerryStep *s);
gboolean ferry_step_guard_admitted(FerryStep *s);
gboolean ferry_step_guard_placed(FerryStep *s);
gboolean ferry_step_guard_frozen(FerryStep *s);
gboolean ferry_step_guard_unplaceable(FerryStep *s);
gboolean ferry_step_guard_not_accepted(FerryStep *s);
void ferry_step_act_begin(FerryStep *s);
void ferry_step_act_cancelled(FerryStep *s);
void ferry_step_act_vm_gone(FerryStep *s);
void ferry_step_act_vm_off(FerryStep *s);
void ferry_step_act_place(FerryStep *s);
void ferry_step_act_unplaceable(FerryStep *s);
void ferry_step_act_not_accepted(FerryStep *s);
/** Whether a host can take the VM now. */
gboolean ferry_step_has_target(FerryStep *s);

G_END_DECLS
