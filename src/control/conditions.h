// SPDX-License-Identifier: Apache-2.0
// Conditions in status.conditions.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Sets the condition `type` of `object` in place: lastTransitionTime changes only when `status`
 * does. Returns whether anything changed. */
gboolean ferry_condition_set(json_t *object, const char *type, const char *status,
                             const char *reason, const char *message, gint64 now_ms);
/** Removes a condition in place; returns whether it was there. */
gboolean ferry_condition_remove(json_t *object, const char *type);
/** The status of a condition, borrowed, or NULL. */
const char *ferry_condition_status(const json_t *object, const char *type);

G_END_DECLS
