// SPDX-License-Identifier: Apache-2.0
// What is asked of a Rollout before it is taken.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Admission of a new Rollout: its selector chooses hosts, none of which another one that has not
 * ended has; and ferry_rollout_rights. Gives it its status and finalizer. */
gboolean ferry_rollout_admit(FerryRequest *req, json_t *object, GError **error);
/** Whether req's user may do himself what a Rollout has ferryd do: make Evacuations, and cordon and
 * open nodes. */
gboolean ferry_rollout_rights(FerryRequest *req, GError **error);

G_END_DECLS
