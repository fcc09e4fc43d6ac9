// SPDX-License-Identifier: Apache-2.0
// Setting conditions in status.conditions.
#pragma once
#include "model/migration/condition.h"

G_BEGIN_DECLS

/** Sets the condition `type` of `object` in place: lastTransitionTime changes only when `status`
 * does. Returns whether anything changed. */
gboolean ferry_condition_set(json_t *object, FerryConditionType type, const char *status,
                             const char *reason, const char *message, gint64 now_ms);
/** Removes a condition in place; returns whether it was there. */
gboolean ferry_condition_remove(json_t *object, FerryConditionType type);

G_END_DECLS
