// SPDX-License-Identifier: Apache-2.0
// A wish to change a migration while it runs.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Sets INVALID with a cause for `field`. Always FALSE. */
gboolean ferry_change_wrong(GError **error, const char *field, const char *text);
/** Adds the wish for `fields` (of ferry_change_fields) to `object`, whose status is its own.
 * CONFLICT where it cannot be done any more in the state `old`. */
gboolean ferry_change_note(FerryRequest *req, const json_t *old, json_t *object, json_t *fields,
                           const char *reason, GError **error);
/** Whether a write of a migration's spec touches nothing but what can be changed while it runs.
 * Such a write is no breach of the spec's immutability but a wish for a change. */
gboolean ferry_change_is_tuning(const FerryRequest *req, const json_t *old, const json_t *object);
/** Notes that wish in `object`'s status (after ferry_change_is_tuning). CONFLICT where it cannot be
 * done any more. */
gboolean ferry_change_tune(FerryRequest *req, const json_t *old, json_t *object, GError **error);

G_END_DECLS
