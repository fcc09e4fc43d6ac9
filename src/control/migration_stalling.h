// SPDX-License-Identifier: Apache-2.0
// What a policy wants done with a migration that stalls.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/** Whether it stalls, and a step of `onStalling` that was not tried can still help. */
gboolean ferry_step_guard_stalling(FerryStep *s);
/** Asks for that step, as a person would: a change, post-copy, or a cancel; with an event. */
void ferry_step_act_stalling(FerryStep *s);
/** While the agent resumes a post-copy that broke, writes what it waits for; whether that is
 * news. */
gboolean ferry_step_guard_recovering(FerryStep *s);

G_END_DECLS
