// SPDX-License-Identifier: Apache-2.0
// Guards and actions that decide how a migration ended.
#pragma once
#include "control/migration_step.h"
#include "model/domain/domain_states.h"

G_BEGIN_DECLS

/* Guards and actions; the rows in migration.c say when. */
gboolean ferry_step_guard_forecast(FerryStep *s);
void ferry_step_act_forecast(FerryStep *s);
gboolean ferry_step_guard_arrived(FerryStep *s);
gboolean ferry_step_guard_stayed(FerryStep *s);
gboolean ferry_step_guard_lost(FerryStep *s);
gboolean ferry_step_guard_agent_lost(FerryStep *s);
void ferry_step_act_succeed(FerryStep *s);
void ferry_step_act_stayed(FerryStep *s);
void ferry_step_act_lost(FerryStep *s);
gboolean ferry_step_guard_unknown(FerryStep *s);
void ferry_step_act_unknown(FerryStep *s);
void ferry_step_act_agent_lost(FerryStep *s);
/** Nobody says now what there is on the target. */
gboolean ferry_step_target_is_silent(const FerryStep *s);
/** What the target has of the VM, where its report has no domain: nothing, or nobody knows. */
FerryVmState ferry_step_rest_at_target(const FerryStep *s);

G_END_DECLS
