// SPDX-License-Identifier: Apache-2.0
// While the source's agent prepares the target.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/** Whether a cancel was asked for FERRY_CANCEL_TIMEOUT_MS ago and the agent has not answered.
 * Stamps by ferryd's clock when it was first seen. */
gboolean ferry_step_guard_cancel_unanswered(FerryStep *s);
/** Whether the target is not ready FERRY_PREPARE_TIMEOUT_MS after it was scheduled, by ferryd's
 * own stamp. */
gboolean ferry_step_guard_not_prepared(FerryStep *s);
/** Fails it as cancelled before it began, and says what may be left on the target. */
void ferry_step_act_cancel_unanswered(FerryStep *s);
/** Fails it, and asks the agent to end what it may still do. */
void ferry_step_act_not_prepared(FerryStep *s);

G_END_DECLS
